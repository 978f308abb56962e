"""Requests to a registry: redirects followed by hand, retries, and no secret given away.

An ``Authorization`` goes to the origin it is meant for and to no other. Which one to send, and
what the answer means, is not known here.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from requests import exceptions, utils

from layerlens.errors import RegistryError, RegistryUnavailable
from layerlens.oci.quoting import printable
from layerlens.source.registry.answer import Answer
from layerlens.source.registry.connection_errors import could_not_connect, is_not_http, reason_of
from layerlens.source.registry.registry_options import RegistryOptions
from layerlens.source.registry.retrying import ATTEMPTS, Check, Retrying, never
from layerlens.source.registry.session import SessionPool
from layerlens.source.registry.urls import (
    Origin,
    is_loopback,
    origin_of,
    safe_url,
    without_userinfo,
)

MAX_HOPS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_ATTEMPTS_TO_CONNECT = 3
_ATTEMPTS_AT_SILENCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """``authorization``: for the URL's own origin only. ``form``: what to POST, if anything."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    authorization: str | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)


class Unreachable(RegistryUnavailable):
    """No answer came. ``attempts``: how many are worth while in all; ``not_http``: whether
    someone is there who speaks another protocol."""

    def __init__(self, message: str, *, attempts: int = 1, not_http: bool = False) -> None:
        super().__init__(message)
        self.attempts = attempts
        self.not_http = not_http


class Transport:
    """Sends requests, from any thread."""

    def __init__(self, options: RegistryOptions) -> None:
        self._options = options
        self._sessions = SessionPool()
        self._proxies: dict[Origin, Mapping[str, str]] = {}
        self._plain: dict[Origin, bool] = {}

    def close(self) -> None:
        """Close the connections that are kept for further requests."""
        self._sessions.close()

    def send(self, request: Request, check: Check = never) -> Answer:
        """The final answer, once redirects are followed and 429, 503 and their like waited out.

        Raises RegistryUnavailable, and RegistryError for a redirect that may not be followed.
        """
        retrying = Retrying(self._options.patience, check)
        while True:
            try:
                answer = self._followed(request)
            except Unreachable as unreachable:
                if unreachable.attempts == 1:
                    raise
                retrying.wait(str(unreachable), unreachable.attempts)
                continue
            if answer.status not in ATTEMPTS:
                return answer
            trouble = f"{answer.where}: answers {answer.status_text}"
            answer.start()
            retrying.wait(trouble, ATTEMPTS[answer.status], answer.header("Retry-After"))

    def send_once(self, request: Request) -> Answer:
        """As ``send``, without waiting and without another attempt."""
        return self._followed(request)

    def _followed(self, request: Request) -> Answer:
        url = request.url
        asked = origin_of(url)
        if asked.scheme == "http" and not self._may_be_plain(asked):
            raise _needs_plain_http(asked, f"{safe_url(url)}: is not asked")
        authorization = request.authorization
        for _ in range(MAX_HOPS + 1):
            answer = self._answer(request, url, authorization, redirected=origin_of(url) != asked)
            location = answer.header("Location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            answer.start()
            if request.form is not None:
                raise RegistryError(f"{safe_url(url)}: redirects a login, which is not followed")
            url = self._next(url, location)
            if origin_of(url) != asked:
                authorization = None
        raise RegistryError(f"{safe_url(request.url)}: redirects more than {MAX_HOPS} times")

    def _next(self, url: str, location: str) -> str:
        try:
            joined = urljoin(url, location)
        except ValueError:
            raise RegistryError(f"{safe_url(url)}: redirects to a malformed URL") from None
        target = origin_of(joined)
        if target.scheme == "http":
            if origin_of(url).scheme == "https":
                raise RegistryError(
                    f"{safe_url(url)}: redirects from https to {safe_url(joined)}, "
                    "which is not followed"
                )
            if not self._may_be_plain(target):
                raise _needs_plain_http(target, f"{safe_url(url)}: redirects to {safe_url(joined)}")
        return without_userinfo(joined)

    def _may_be_plain(self, origin: Origin) -> bool:
        """Whether plain http to this origin is allowed; found out once."""
        if origin not in self._plain:
            host = f"{origin.host}:{origin.port}" if ":" not in origin.host else origin.authority
            self._plain[origin] = "http" in self._options.schemes(host)
        return self._plain[origin]

    def _answer(
        self, request: Request, url: str, authorization: str | None, *, redirected: bool
    ) -> Answer:
        origin = origin_of(url)
        patience = self._options.patience
        verification = self._verification(origin)
        session = self._sessions.take()
        done = functools.partial(self._sessions.give_back, session)
        headers = {"Accept-Encoding": "identity", **request.headers}
        if authorization is not None:
            headers["Authorization"] = authorization
        try:
            response = session.send(
                request.method if request.form is None else "POST",
                url,
                headers=headers,
                form=request.form,
                timeouts=(patience.connect, patience.read),
                verify=verification,
                proxies=self._proxies_to(origin, url),
            )
        except (exceptions.RequestException, OSError, ValueError) as error:
            done()
            raise _unreachable(origin, error) from None
        return Answer(response, done, redirected=redirected)

    def _proxies_to(self, origin: Origin, url: str) -> Mapping[str, str]:
        """By scheme; as with Go's tools, none stands between this machine and itself."""
        proxies = self._proxies.get(origin)
        if proxies is None:
            direct = is_loopback(origin.host)
            proxies = {} if direct else utils.get_environ_proxies(url, no_proxy=None)
            self._proxies[origin] = proxies
        return proxies

    def _verification(self, origin: Origin) -> bool | str:
        if origin.scheme != "https":
            return True
        if not self._options.verifies(origin.authority):
            warnings.filterwarnings("ignore", message="Unverified HTTPS request")
            return False
        for name in _CERTIFICATES:
            path = os.environ.get(name)
            if path and os.path.exists(path):
                return path
            if path:
                raise RegistryError(
                    f"{origin.authority}: its certificate can't be verified: {name} names "
                    f"{printable(path)}, which is not there"
                )
        directory = os.environ.get("SSL_CERT_DIR", "").partition(os.pathsep)[0]
        return directory if directory and os.path.isdir(directory) else True


def _needs_plain_http(origin: Origin, what: str) -> RegistryError:
    return RegistryError(
        f"{what}: plain http to {origin.authority} needs --plain-http {origin.authority}"
    )


def _unreachable(origin: Origin, error: Exception) -> Unreachable:
    if isinstance(error, exceptions.ProxyError):
        attempts, what = 1, "can't be reached through the proxy that the environment names"
    elif could_not_connect(error):
        attempts, what = 1, "can't be reached"
    elif isinstance(error, exceptions.Timeout):
        attempts, what = _ATTEMPTS_AT_SILENCE, "does not answer"
    elif isinstance(error, exceptions.ConnectionError):
        attempts, what = _ATTEMPTS_TO_CONNECT, "does not answer"
    else:
        attempts, what = 1, "can't be reached"
    where = f"{origin.scheme}://{origin.authority}"
    return Unreachable(
        f"{where}: {what}: {reason_of(error)}{_way_out(origin, error)}",
        attempts=attempts,
        not_http=is_not_http(error),
    )


def _way_out(origin: Origin, error: Exception) -> str:
    """What may be done where TLS did not come about."""
    if not isinstance(error, exceptions.SSLError):
        return ""
    if is_not_http(error):
        return f"; if plain http is spoken there: --plain-http {origin.authority}"
    return f"; SSL_CERT_FILE names whom to trust, --insecure {origin.authority} takes any"
