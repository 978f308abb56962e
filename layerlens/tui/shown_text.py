"""Text of an image on its way to the screen: escaped, on one line, and no markup."""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from textual.content import Content

from layerlens.report.safe_text import escape, escape_message, shorten

Part = tuple[str, str]
"""A piece of a line: text, escaped already, and the name of its style (see `RowList`)."""

MakeParts = Callable[[int], list[Part]]
"""What stands in a line of so many cells, escaped."""

_LONGEST_TOAST = 200


def safe(text: str, width: int | None = None) -> str:
    """*text* escaped, and shortened to a width in cells where one is given."""
    escaped = escape(text)
    return escaped if width is None else shorten(escaped, max(1, width))


def content(text: str) -> Content:
    """*text* escaped, as what a Textual widget shows without reading it as markup."""
    return Content(safe(text))


def message(text: str) -> Content:
    """An error or a notice, whose names may be escaped already, as `content` shows text."""
    return Content(escape_message(text))


def toast(text: str) -> str:
    """A notice escaped for a notification, which must be sent with ``markup=False``."""
    return shorten(escape_message(text), _LONGEST_TOAST)


def parts_text(parts: list[Part]) -> str:
    """A line's text without its styles."""
    return "".join(text for text, _ in parts)


def blank_segment(width: int) -> Segment:
    """Spaces."""
    return Segment(" " * width)
