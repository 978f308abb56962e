"""A progress line on stderr: how much is done, how fast, how long it still takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self, TextIO

from layerlens.report.safe_text import shorten
from layerlens.report.sizes import human_size

_FIRST_DRAWN_AFTER = 0.5  # seconds; what ends sooner needs no line
_REDRAWN_AFTER = 0.1  # seconds
_ERASE_LINE = "\r\x1b[K"


class Progress(Protocol):
    """Told how far the work is, from any thread; used as a context manager."""

    def advance(self, bytes_done: int) -> None:
        """*bytes_done* more bytes are done."""

    def expect(self, total: int) -> None:
        """The whole is *total* bytes, now that it is known."""

    def clear(self) -> None:
        """Take the line off the screen, for something else to be written; it may come back."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The work is over: nothing is left on the screen."""


class SilentProgress:
    """Progress that nobody watches."""

    def advance(self, bytes_done: int) -> None:
        """Nothing is shown."""

    def expect(self, total: int) -> None:
        """Nothing is shown."""

    def clear(self) -> None:
        """Nothing was shown."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing was shown."""


class TerminalProgress:
    """A line that is redrawn in place on a terminal; *label* must be escaped already."""

    def __init__(
        self,
        *,
        stream: TextIO,
        label: str,
        total: int | None,
        width: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._label = label
        self._total = total
        self._width = width
        self._clock = clock
        self._lock = threading.Lock()
        self._done = 0
        self._started = clock()
        self._next_draw = self._started + _FIRST_DRAWN_AFTER
        self._drawn = False
        self._over = False

    def advance(self, bytes_done: int) -> None:
        """*bytes_done* more bytes are done; redraws the line when it is time to."""
        with self._lock:
            self._done += bytes_done
            now = self._clock()
            if now < self._next_draw or self._over:
                return
            self._next_draw = now + _REDRAWN_AFTER
            self._drawn = True
            line = shorten(self._line(now - self._started), self._width - 1)
            self._write(_ERASE_LINE + line)

    def expect(self, total: int) -> None:
        """The whole is *total* bytes, now that it is known."""
        with self._lock:
            self._total = total

    def clear(self) -> None:
        """Take the line off the screen; the next redraw brings it back."""
        with self._lock:
            if self._drawn:
                self._drawn = False
                self._write(_ERASE_LINE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._over = True
        self.clear()

    def _line(self, elapsed: float) -> str:
        done = human_size(self._done)
        rate = self._done / elapsed if elapsed > 0 else 0.0
        if not self._total:
            return f"{self._label}: {done}, {human_size(int(rate))}/s"
        line = f"{self._label}: {done} of {human_size(self._total)}, {human_size(int(rate))}/s"
        if rate == 0 or self._done >= self._total:
            return line
        return f"{line}, {_time_text((self._total - self._done) / rate)} left"

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # a terminal that went away takes no progress
            self._over = True


def _time_text(seconds: float) -> str:
    from humanize import naturaldelta

    return naturaldelta(timedelta(seconds=round(min(seconds, 1e8))))
