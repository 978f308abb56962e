"""Sizes as text, in bytes or for people; numbers handed about elsewhere are always bytes.

A command picks `human_size` or `exact_size` once and passes it on as a `FormatSize`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

FormatSize = Callable[[int], str]


def human_size(size: int) -> str:
    """*size* bytes in decimal units: ``512 B``, ``1.5 kB``, ``2.3 GB``; a minus for less than 0."""
    if -1000 < size < 1000:
        return f"{size} B"
    return _natural_size()(size)


def exact_size(size: int) -> str:
    """*size* as a plain number of bytes."""
    return str(size)


def size_difference(size: int, format_size: FormatSize) -> str:
    """A growth or loss of *size* bytes with its sign: ``+1.5 kB``, ``-3 B``, ``0 B``."""
    return f"+{format_size(size)}" if size > 0 else format_size(size)


@cache
def _natural_size() -> FormatSize:
    from humanize import naturalsize  # slow to import, and not every command shows sizes

    return naturalsize
