"""Names of repositories and moments, as the reports of an audit write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from layerlens.report.safe_text import shorten_middle
from layerlens.report.shared_numbers import ELLIPSIS
from layerlens.report.table_style import UNKNOWN

_NAMES_SHOWN = 3


def names_text(names: Sequence[str], most: int | None) -> str:
    """``a, b``; where there are more than three, or they take more than *most* cells, fewer, and
    how many there are: ``a, … (12)``. All of them are in the JSON document."""
    shown = list(names[:_NAMES_SHOWN])
    while True:
        text = ", ".join(shown)
        if len(shown) < len(names):
            text = f"{text}, {ELLIPSIS} ({len(names)})"
        if most is None or len(text) <= most:
            return text
        if len(shown) == 1:
            rest = len(text) - len(shown[0])
            return shorten_middle(shown[0], max(most - rest, 8)) + text[len(shown[0]) :]
        shown.pop()


def moment_text(time: int | None) -> str:
    """``2026-11-24 12:30`` in UTC; ``-`` where there is none or it is beyond the calendar."""
    if time is None:
        return UNKNOWN
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return UNKNOWN


def day_text(time: int | None) -> str:
    """``2026-11-24``, as ``moment_text``."""
    return moment_text(time).partition(" ")[0]
