"""Sessions of ``requests`` that do what they are told: no redirects, no cookies, no ``.netrc``.

Proxies and certificate authorities are the caller's to know. One session serves one request at a
time; it goes back to the pool, with its connection, when the answer is done with.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping

import requests
from requests.structures import CaseInsensitiveDict

from layerlens import __version__

Timeouts = tuple[float, float]
"""Seconds to connect, and for each next byte."""

_AS_IT_STANDS = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9_-][A-Za-z0-9_.:-]*)+/?")
"""A URL of which requests, after a long look, would find nothing to encode or to take out."""

_HEADERS = {"User-Agent": f"layerlens/{__version__}", "Accept": "*/*"}


class PlainSession:
    """For one request at a time.

    What ``requests.Session`` does around a request is left out, where it is not needed or would
    do harm (redirects, cookies, ``.netrc``): it takes longer than a fast registry's answer.
    """

    def __init__(self) -> None:
        self._session = requests.Session()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None,
        timeouts: Timeouts,
        verify: bool | str,
        proxies: Mapping[str, str],
    ) -> requests.Response:
        """The answer, its body not read; raises what requests raises, and OSError, ValueError."""
        prepared = requests.PreparedRequest()
        prepared.prepare_method(method)
        if _AS_IT_STANDS.fullmatch(url):
            prepared.url = url
        else:
            prepared.prepare_url(url, None)
        prepared.headers = CaseInsensitiveDict({**_HEADERS, **headers})
        prepared.prepare_body(None if form is None else dict(form), None)
        return self._session.get_adapter(url).send(
            prepared, stream=True, timeout=timeouts, verify=verify, proxies=dict(proxies)
        )


class SessionPool:
    """As many sessions as there ever were requests at once, for whatever threads."""

    def __init__(self) -> None:
        self._idle: deque[PlainSession] = deque()
        self._closed = False

    def take(self) -> PlainSession:
        """A session that nobody else uses: the one used last, whose connection is the freshest."""
        try:
            return self._idle.pop()
        except IndexError:
            return PlainSession()

    def give_back(self, session: PlainSession) -> None:
        """Let others use it; nobody will, once the pool is closed."""
        if self._closed:
            session.close()
        else:
            self._idle.append(session)

    def close(self) -> None:
        """Close the connections of those that nobody uses, and of others as they come back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
