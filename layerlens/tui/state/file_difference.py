"""How a file differs from the one that was at its path before, as a unified diff."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from layerlens.errors import LimitExceeded, UnsupportedInput

LARGEST = 4_000_000
"""Bytes of a file that is still compared line by line."""

MOST_LINES = 10_000
"""Lines that may differ between the first and the last difference: comparing takes their square."""

_CONTEXT = 3

_STYLES = {"+": "added", "-": "removed", "@": "accent"}


def unified_diff(before: bytes, after: bytes, names: tuple[str, str]) -> list[str]:
    """The lines of the diff, without their ends, not escaped; none where the bytes are the same.

    Raises UnsupportedInput where one is not text, LimitExceeded where they are too long.
    """
    old, new = _lines(before, names[0]), _lines(after, names[1])
    first = _same_start(old, new)
    last = _same_start(old[first:][::-1], new[first:][::-1])
    if max(len(old), len(new)) - first - last > MOST_LINES:
        raise LimitExceeded(f"more than {MOST_LINES} lines differ, too many to compare")
    start = max(0, first - _CONTEXT)
    kept = max(0, last - _CONTEXT)
    lines = difflib.unified_diff(
        old[start : len(old) - kept], new[start : len(new) - kept], *names, lineterm="", n=_CONTEXT
    )
    return list(_moved(lines, start))


class DiffText:
    """The lines of a diff as the bytes that a search looks through."""

    ended = True

    def __init__(self, lines: Sequence[str]) -> None:
        encoded = [line.encode("utf-8", "surrogateescape") for line in lines]
        self._data = b"\n".join(encoded)
        self._starts = list(accumulate((len(line) + 1 for line in encoded), initial=0))

    @property
    def read(self) -> int:
        """All of the bytes."""
        return len(self._data)

    def bytes_at(self, offset: int, count: int) -> bytes:
        """Bytes of it, at most so many."""
        return self._data[offset : offset + count]

    def read_beyond(self, offset: int) -> None:
        """There is nothing more to be read."""

    def row_at(self, offset: int) -> int:
        """The line that holds a byte."""
        return bisect_right(self._starts, offset) - 1

    def row_bounds(self, row: int) -> tuple[int, int]:
        """Where a line starts and ends."""
        return self._starts[row], self._starts[row + 1] - 1


def diff_part(line: str) -> str:
    """The style of a line of a diff."""
    if line.startswith(("---", "+++")):
        return "heading"
    return _STYLES.get(line[:1], "")


def _lines(data: bytes, name: str) -> list[str]:
    if len(data) > LARGEST:
        raise LimitExceeded(f"{name}: has {len(data)} bytes, too many to compare line by line")
    if b"\0" in data:
        raise UnsupportedInput(f"{name}: is no text, so there are no lines to compare")
    text = data.decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    elif lines:
        lines[-1] += "  (no newline at the end)"
    return lines


def _same_start(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _moved(lines: Iterator[str], start: int) -> Iterator[str]:
    """The lines, with the numbers in their hunks counted from the file's own start."""
    for line in lines:
        if line.startswith("@@ "):
            _, old, new, _ = line.split(" ", 3)
            yield f"@@ {_counted_on(old, start)} {_counted_on(new, start)} @@"
        else:
            yield line


def _counted_on(span: str, start: int) -> str:
    sign, first, *rest = span[0], *span[1:].split(",")
    return sign + ",".join([str(int(first) + start), *rest])
