"""When to ask again: Retry-After where a registry names it, else longer and longer waits."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

from layerlens.errors import RegistryUnavailable
from layerlens.source.registry.registry_options import Patience

ATTEMPTS = {408: 3, 429: 8, 502: 3, 503: 8, 504: 3}
"""Answers that may change, and how often the same is asked of them in all."""

_LOOK_EVERY = 0.1  # seconds, to see whether the wait is to be given up


Check = Callable[[], None]
"""Called now and then while something is waited for; raises to give up."""


def never() -> None:
    """Does not give up."""


class Retrying:
    """The attempts of one request, and how long was waited between them."""

    def __init__(self, patience: Patience, check: Check) -> None:
        self._patience = patience
        self._check = check
        self._attempts = 1
        self._waited = 0.0

    def wait(self, trouble: str, attempts: int, retry_after: str | None = None) -> None:
        """Wait before the next attempt, if there are to be as many as ``attempts`` in all.

        ``retry_after``: the header as it was sent. Raises RegistryUnavailable, which says what
        the ``trouble`` was and how long was waited, and what the check raises.
        """
        patience = self._patience
        asked = seconds_of(retry_after)
        seconds = patience.first_wait * 2.0 ** (self._attempts - 1)
        seconds *= random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret
        if asked is not None:
            seconds = asked
        seconds = min(seconds, patience.longest_wait)
        if self._attempts >= attempts or self._waited + seconds > patience.all_waits:
            raise RegistryUnavailable(trouble + self._history(asked))
        self._attempts += 1
        self._waited += seconds
        sleep(seconds, self._check)

    def _history(self, asked: float | None) -> str:
        again = "" if asked is None else f" (it asks for {asked:.0f} s more)"
        if self._attempts == 1:
            return again
        return (
            f"; gave up after {self._attempts} attempts and {self._waited:.1f} s of waiting{again}"
        )


def sleep(seconds: float, check: Check) -> None:
    """Wait, and look now and then whether to give up."""
    until = time.monotonic() + seconds
    check()
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_EVERY))
        check()


def seconds_of(retry_after: str | None) -> float | None:
    """The seconds that a Retry-After asks for (RFC 9110, 10.2.3); None if it can't be read."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(when.timestamp() - time.time(), 0.0)
