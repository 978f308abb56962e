"""Who may read the test registry: open, basic, or with tokens of a realm (distribution's token
specification, and its OAuth 2 variant for identity tokens).

Passwords and tokens are test words; a test looks for them where they must not be.
"""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from image_builder import Json
from registry_messages import Request, Response, error_response, json_response

TOKEN_PATH = "/token"
ANONYMOUS = ""


class Access(Protocol):
    """A registry's access control."""

    def refusal(self, request: Request, scope: str | None, origin: str) -> Response | None:
        """The answer to a request that may not pass; None where it may."""

    def token_answer(self, request: Request) -> Response | None:
        """The answer to a request for a token; None where the server has no realm."""


@dataclass(frozen=True, slots=True)
class OpenAccess:
    """Everybody may read."""

    def refusal(self, request: Request, scope: str | None, origin: str) -> Response | None:
        """Never refuses."""
        return None

    def token_answer(self, request: Request) -> Response | None:
        """There is no realm."""
        return None


@dataclass(frozen=True, slots=True)
class CredentialsRefused:
    """Everybody may read, but who sends credentials is turned away, as S3 does with signed URLs."""

    def refusal(self, request: Request, scope: str | None, origin: str) -> Response | None:
        """400 for an Authorization header."""
        if "authorization" not in request.headers:
            return None
        return error_response(400, "InvalidArgument", "only one auth mechanism allowed")

    def token_answer(self, request: Request) -> Response | None:
        """There is no realm."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAccess:
    """Basic credentials on every request. ``users``: password by user."""

    users: Mapping[str, str]
    challenge: str = 'Basic realm="test registry"'

    def refusal(self, request: Request, scope: str | None, origin: str) -> Response | None:
        """401 without the credentials of one of the users."""
        credentials = basic_credentials(request)
        if credentials is not None and self.users.get(credentials[0]) == credentials[1]:
            return None
        return _unauthorized((self.challenge,))

    def token_answer(self, request: Request) -> Response | None:
        """There is no realm."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPolicy:
    """Who gets which tokens.

    ``users``: password by user; ``identity_tokens``: user by refresh token; ``grants``: patterns
    of ``type:name`` by user (ANONYMOUS for nobody), as ``repository:team/*`` or
    ``registry:catalog``. ``lifetime``: seconds, said in ``expires_in`` (None: 60, unsaid);
    ``uses``: after so many requests a token has expired, whatever was said; ``names``: the keys
    the token is given under.
    """

    service: str = "test registry"
    users: Mapping[str, str] = field(default_factory=dict)
    identity_tokens: Mapping[str, str] = field(default_factory=dict)
    grants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lifetime: float | None = 300
    uses: int | None = None
    names: tuple[str, ...] = ("token",)


@dataclass(slots=True)
class _Token:
    scopes: frozenset[str]
    expires: float
    uses: int | None


class TokenService:
    """Issues tokens by a policy and knows them again; may serve several registries."""

    def __init__(self, policy: TokenPolicy) -> None:
        self.policy = policy
        self._tokens: dict[str, _Token] = {}
        self._lock = threading.Lock()

    @property
    def issued(self) -> tuple[str, ...]:
        """Every token given so far, oldest first."""
        with self._lock:
            return tuple(self._tokens)

    def expire_all(self) -> None:
        """No token given so far is good any more."""
        with self._lock:
            for token in self._tokens.values():
                token.expires = 0

    def admits(self, word: str, scope: str | None) -> bool:
        """Whether a token is good for a scope, and one use of it spent."""
        with self._lock:
            token = self._tokens.get(word)
            if token is None or token.expires <= time.monotonic():
                return False
            if token.uses is not None:
                if token.uses == 0:
                    return False
                token.uses -= 1
            return scope is None or scope in token.scopes

    def knows(self, word: str) -> bool:
        """Whether a token was given here and has not run out."""
        with self._lock:
            token = self._tokens.get(word)
            return token is not None and token.expires > time.monotonic() and token.uses != 0

    def answer(self, request: Request) -> Response:
        """The answer to GET or to a form by POST."""
        if request.method == "GET":
            return self._answer_get(request)
        if request.method == "POST":
            return self._answer_post(request)
        return error_response(405, "UNSUPPORTED", "GET or POST")

    def _answer_get(self, request: Request) -> Response:
        if request.query.get("service") != (self.policy.service,):
            return error_response(400, "UNKNOWN", "unknown service")
        user = ANONYMOUS
        if "authorization" in request.headers:
            credentials = basic_credentials(request)
            if credentials is None or self.policy.users.get(credentials[0]) != credentials[1]:
                return error_response(401, "UNAUTHORIZED", "incorrect username or password")
            user = credentials[0]
        return self._issue(user, request.query.get("scope", ()))

    def _answer_post(self, request: Request) -> Response:
        form = {name: values[0] for name, values in request.form.items()}
        if form.get("service") != self.policy.service or not form.get("client_id"):
            return error_response(400, "UNKNOWN", "service and client_id are needed")
        user = None
        if form.get("grant_type") == "refresh_token":
            user = self.policy.identity_tokens.get(form.get("refresh_token", ""))
        if user is None:
            return json_response(400, {"error": "invalid_grant"})
        # OAuth 2: scopes in one parameter, and the answer has access_token alone.
        scopes = tuple(form.get("scope", "").split())
        return self._issue(user, scopes, names=("access_token",))

    def _issue(
        self, user: str, asked: tuple[str, ...], *, names: tuple[str, ...] | None = None
    ) -> Response:
        patterns = self.policy.grants.get(user, ())
        granted = frozenset(
            scope
            for line in asked
            for scope in line.split()
            if any(fnmatchcase(scope.rpartition(":")[0], pattern) for pattern in patterns)
        )
        seconds = 60 if self.policy.lifetime is None else self.policy.lifetime
        with self._lock:
            word = f"registry-token-{len(self._tokens) + 1}"
            expires = time.monotonic() + seconds
            self._tokens[word] = _Token(granted, expires, self.policy.uses)
        document: dict[str, Json] = dict.fromkeys(names or self.policy.names, word)
        if self.policy.lifetime is not None:
            document["expires_in"] = self.policy.lifetime
        return json_response(200, document)


BEARER = 'Bearer realm="{realm}",service="{service}",scope="{scope}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAccess:
    """Tokens of a service; the server also is a realm for it, at TOKEN_PATH.

    ``realm``: another realm's URL than the server's own; ``challenges``: a WWW-Authenticate line
    each, with ``{realm}``, ``{service}`` and ``{scope}`` filled in.
    """

    service: TokenService
    realm: str | None = None
    challenges: tuple[str, ...] = (BEARER,)

    def refusal(self, request: Request, scope: str | None, origin: str) -> Response | None:
        """401 with a challenge for the scope, without a token that has it."""
        scheme, _, word = request.headers.get("authorization", "").partition(" ")
        error = ""
        if scheme.lower() == "bearer":
            if self.service.admits(word, scope):
                return None
            known = self.service.knows(word)
            error = f',error="{"insufficient_scope" if known else "invalid_token"}"'
        realm = self.realm or origin + TOKEN_PATH
        return _unauthorized(
            tuple(
                challenge.replace("{realm}", realm)
                .replace("{service}", self.service.policy.service)
                .replace("{scope}", scope or "")
                .replace(',scope=""', "")
                + error
                for challenge in self.challenges
            )
        )

    def token_answer(self, request: Request) -> Response | None:
        """The service's answer."""
        return self.service.answer(request)


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """User and password of an Authorization header; None without one that can be read."""
    scheme, _, word = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(word, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


def _unauthorized(challenges: tuple[str, ...]) -> Response:
    headers = (("WWW-Authenticate", challenge) for challenge in challenges)
    return error_response(401, "UNAUTHORIZED", "authentication required", *headers)
