"""Sessions of ``requests`` that do what they are told: no redirects, no cookies, no ``.netrc``.

Proxies and certificate authorities from the environment still count. One session serves one
request at a time; it goes back to the pool, with its connection, when the answer is done with.
"""

from __future__ import annotations

from collections import deque
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.auth import AuthBase

from layerlens import __version__


class PlainSession(requests.Session):
    """For one request at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.headers["User-Agent"] = f"layerlens/{__version__}"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: requests would read the whole body of a redirect, and look into ``.netrc``."""


class SessionPool:
    """As many sessions as there ever were requests at once, for whatever threads."""

    def __init__(self) -> None:
        self._idle: deque[PlainSession] = deque()

    def take(self) -> PlainSession:
        """A session that nobody else uses: the one used last, whose connection is the freshest."""
        try:
            return self._idle.pop()
        except IndexError:
            return PlainSession()

    def give_back(self, session: PlainSession) -> None:
        """Let others use it."""
        self._idle.append(session)

    def close(self) -> None:
        """Close the connections of those that nobody uses."""
        while self._idle:
            self._idle.pop().close()


class Authorization(AuthBase):
    """Just this header, or none: an auth object keeps requests from finding another."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the header."""
        r.headers.pop("Authorization", None)
        if self._value is not None:
            r.headers["Authorization"] = self._value
        return r
