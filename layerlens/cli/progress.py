"""A progress line on stderr: how much is done, how fast, how long it still takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self, TextIO

from layerlens.report.safe_text import shorten
from layerlens.report.sizes import human_size


@dataclass(frozen=True, slots=True)
class Unit:
    """What progress is counted in. ``amount``: so many, as a word of the line; ``whole``: the
    total, what it is of included; ``rate``: so many in a second, from a float."""

    amount: Callable[[int], str]
    whole: Callable[[int], str]
    rate: Callable[[float], str]


BYTES = Unit(human_size, human_size, lambda rate: human_size(int(rate)))


def counted_in(things: str) -> Unit:
    """A unit of whole things, which are named in the plural."""

    def rate(per_second: float) -> str:
        return f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.1f}"

    return Unit(lambda count: f"{count:,}", lambda count: f"{count:,} {things}", rate)


_FIRST_DRAWN_AFTER = 0.5  # seconds; what ends sooner needs no line
_REDRAWN_AFTER = 0.1  # seconds
_ERASE_LINE = "\r\x1b[K"


class Progress(Protocol):
    """Told how far the work is, from any thread; used as a context manager."""

    def advance(self, count: int) -> None:
        """*count* more are done."""

    def expect(self, total: int) -> None:
        """The whole is *total*, now that it is known."""

    def remark(self, text: str) -> None:
        """Show this, escaped already, behind the numbers."""

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

    def advance(self, count: int) -> None:
        """Nothing is shown."""

    def expect(self, total: int) -> None:
        """Nothing is shown."""

    def remark(self, text: str) -> None:
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
        unit: Unit = BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._label = label
        self._total = total
        self._width = width
        self._unit = unit
        self._remark = ""
        self._clock = clock
        self._lock = threading.Lock()
        self._done = 0
        self._started = clock()
        self._next_draw = self._started + _FIRST_DRAWN_AFTER
        self._drawn = False
        self._over = False

    def advance(self, count: int) -> None:
        """*count* more are done; redraws the line when it is time to."""
        with self._lock:
            self._done += count
            self._redraw()

    def expect(self, total: int) -> None:
        """The whole is *total*, now that it is known."""
        with self._lock:
            self._total = total

    def remark(self, text: str) -> None:
        """Show this, escaped already, behind the numbers; redraws the line when it is time to."""
        with self._lock:
            self._remark = text
            self._redraw()

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

    def _redraw(self) -> None:
        now = self._clock()
        if now < self._next_draw or self._over:
            return
        self._next_draw = now + _REDRAWN_AFTER
        self._drawn = True
        line = shorten(self._line(now - self._started), self._width - 1)
        self._write(_ERASE_LINE + line)

    def _line(self, elapsed: float) -> str:
        rate = self._done / elapsed if elapsed > 0 else 0.0
        parts = [f"{self._label}: {self._counted()}", f"{self._unit.rate(rate)}/s"]
        if self._total and rate and self._done < self._total:
            parts.append(f"{_time_text((self._total - self._done) / rate)} left")
        if self._remark:
            parts.append(self._remark)
        return ", ".join(parts)

    def _counted(self) -> str:
        if not self._total:
            return self._unit.whole(self._done)
        return f"{self._unit.amount(self._done)} of {self._unit.whole(self._total)}"

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # a terminal that went away takes no progress
            self._over = True


def _time_text(seconds: float) -> str:
    from humanize import naturaldelta

    return naturaldelta(timedelta(seconds=round(min(seconds, 1e8))))
