"""What to put into ``Authorization``: tokens that a realm gives, or a user's name and password.

distribution spec, token authentication; OAuth2 for identity tokens. Tokens are kept in memory,
by registry, realm, service, scopes and identity.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from layerlens.errors import AccessDenied, LayerlensError, RegistryError
from layerlens.oci.json_fields import parse_object
from layerlens.source.registry.challenge import Challenge
from layerlens.source.registry.credentials import (
    Credentials,
    CredentialStore,
    IdentityToken,
    UserPassword,
)
from layerlens.source.registry.retrying import Check
from layerlens.source.registry.transport import Request, Transport
from layerlens.source.registry.urls import Origin, origin_of, safe_url, without_userinfo

TOKEN_LIMIT = 1 << 20

_CLIENT_ID = "layerlens"
_DEFAULT_SECONDS = 60
_LONGEST_SECONDS = 24 * 3600
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class _Realm:
    """A server that gives tokens, and for which service it does."""

    url: str
    service: str


@dataclass(frozen=True, slots=True)
class _TokenKey:
    registry: Origin
    realm: _Realm
    scopes: tuple[str, ...]
    identity: Credentials | None


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    expires: float


class Authenticator:
    """Authorizations for one registry, from any thread."""

    def __init__(
        self, registry: str, origin: Origin, transport: Transport, credentials: CredentialStore
    ) -> None:
        """``registry``: as in references, by which credentials are kept; ``origin``: where it is
        reached."""
        self._registry = registry
        self._origin = origin
        self._transport = transport
        self._credentials = credentials
        self._lock = threading.Lock()
        self._basic = False
        self._realm: _Realm | None = None
        self._scopes: dict[str, tuple[str, ...]] = {}
        self._tokens: dict[_TokenKey, _Token] = {}
        self._fetching: dict[_TokenKey, threading.Lock] = {}

    def known(self, repository: str, scope: str, check: Check) -> str | None:
        """What the registry, by all it has said so far, will want to see for this scope."""
        if self._basic:
            return self._basic_authorization(repository)
        if self._realm is None:
            return None
        scopes = self._scopes.get(scope, (scope,))
        return self._bearer(self._realm, scopes, repository, None, check)

    def answer(
        self,
        challenges: Sequence[Challenge],
        repository: str,
        scope: str,
        refused: str | None,
        check: Check,
    ) -> str:
        """What a 401 with these challenges asks for. ``refused``: what was sent in vain.

        Raises AccessDenied where there is no way in, RegistryError for a realm that may not be
        asked, and RegistryUnavailable.
        """
        for challenge in challenges:
            if challenge.scheme == "bearer" and challenge.parameters.get("realm"):
                realm = self._checked_realm(challenge)
                wanted = tuple(challenge.parameters.get("scope", scope).split())
                self._realm = realm
                self._scopes[scope] = wanted
                return self._bearer(realm, wanted, repository, refused, check)
        for challenge in challenges:
            if challenge.scheme == "basic":
                authorization = self._basic_authorization(repository)
                if authorization is None:
                    raise AccessDenied(
                        f"{self._registry}: wants a user and a password, and none are kept for it "
                        f"(skopeo login {self._registry})"
                    )
                if authorization == refused:
                    raise AccessDenied(
                        f"{self._registry}: does not take the user and password kept for it"
                    )
                self._basic = True
                return authorization
        schemes = ", ".join(sorted({challenge.scheme for challenge in challenges})) or "nothing"
        raise AccessDenied(
            f"{self._registry}: denies access, and of ways in it offers {schemes[:100]}"
        )

    def is_anonymous(self, repository: str) -> bool:
        """Whether there are no credentials for the repository."""
        return self._credentials.find(self._registry, repository) is None

    def _basic_authorization(self, repository: str) -> str | None:
        found = self._credentials.find(self._registry, repository)
        return _basic(found) if isinstance(found, UserPassword) else None

    def _checked_realm(self, challenge: Challenge) -> _Realm:
        url = challenge.parameters["realm"]
        if origin_of(url).scheme != "https" and self._origin.scheme != "http":
            raise RegistryError(
                f"{self._registry}: wants logins at {safe_url(url)}, which is not https"
            )
        return _Realm(url=without_userinfo(url), service=challenge.parameters.get("service", ""))

    def _may_have_credentials(self, realm: _Realm) -> bool:
        """Over https, or over the plain http that is allowed to the registry's own host."""
        origin = origin_of(realm.url)
        return origin.scheme == "https" or origin.host == self._origin.host

    def _bearer(
        self,
        realm: _Realm,
        scopes: tuple[str, ...],
        repository: str,
        refused: str | None,
        check: Check,
    ) -> str:
        identity = self._credentials.find(self._registry, repository)
        if identity is not None and not self._may_have_credentials(realm):
            identity = None
        key = _TokenKey(self._origin, realm, scopes, identity)
        with self._lock:
            fetching = self._fetching.setdefault(key, threading.Lock())
        with fetching:
            token = self._tokens.get(key)
            if token is None or token.expires <= time.monotonic() or _header(token) == refused:
                token = self._tokens[key] = self._fetch(key, check)
        return _header(token)

    def _fetch(self, key: _TokenKey, check: Check) -> _Token:
        asked = time.monotonic()
        where = f"{self._registry}: the token from {safe_url(key.realm.url)}"
        answer = self._transport.send(_token_request(key), check)
        if answer.status != 200:
            answer.start()
            kind = AccessDenied if answer.status in {400, 401, 403} else RegistryError
            why = ""
            if key.identity is not None:
                why = f" (with the credentials kept for {self._registry})"
            elif not self._may_have_credentials(key.realm):
                why = " (no credentials are sent there: it is another host, and not https)"
            raise kind(f"{where} is refused: {answer.status_text}{why}")
        data = answer.read(TOKEN_LIMIT)
        try:
            fields = parse_object(data, where, limit=TOKEN_LIMIT)
            text = fields.optional_string("token") or fields.optional_string("access_token") or ""
            seconds = fields.optional_integer("expires_in")
        except LayerlensError:
            raise RegistryError(f"{where} is malformed") from None
        if _TOKEN.fullmatch(text) is None:
            raise RegistryError(f"{where} is missing or malformed")
        lasts = min(seconds or _DEFAULT_SECONDS, _LONGEST_SECONDS)
        # A little early: it must still be good when it arrives.
        return _Token(text, asked + lasts * 0.9)


def _token_request(key: _TokenKey) -> Request:
    service = [("service", key.realm.service)] if key.realm.service else []
    if isinstance(key.identity, IdentityToken):
        form = {
            "grant_type": "refresh_token",
            "client_id": _CLIENT_ID,
            "scope": " ".join(key.scopes),
            "refresh_token": key.identity.token,
            **dict(service),
        }
        return Request(url=key.realm.url, form=form)
    asked = [*service, *(("scope", scope) for scope in key.scopes)]
    separator = "&" if "?" in key.realm.url else "?"
    return Request(
        url=f"{key.realm.url}{separator}{urlencode(asked)}",
        authorization=_basic(key.identity) if key.identity is not None else None,
    )


def _basic(credentials: UserPassword) -> str:
    pair = f"{credentials.user}:{credentials.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _header(token: _Token) -> str:
    return f"Bearer {token.text}"
