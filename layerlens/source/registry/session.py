"""A ``requests.Session`` that does what it is told: no redirects, no cookies, no ``.netrc``.

Proxies and certificate authorities from the environment still count.
"""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy

import requests
from requests.auth import AuthBase

from layerlens import __version__


class PlainSession(requests.Session):
    """For one thread."""

    def __init__(self) -> None:
        super().__init__()
        self.headers["User-Agent"] = f"layerlens/{__version__}"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: requests would read the whole body of a redirect, and look into ``.netrc``."""


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
