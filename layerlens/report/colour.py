"""Colours for a terminal, always beside a sign or a letter that says the same.

Whether there is colour at all is the caller's decision: it passes `ANSI` or `PLAIN`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Style(Enum):
    """What a piece of text is, not how it looks; the value is its SGR parameter."""

    ADDED = "32"
    CHANGED = "33"
    REMOVED = "31"
    REWRITTEN = "2;33"
    HEADING = "1"
    FAINT = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """How styles are written: with escape sequences, or not at all."""

    coloured: bool

    def paint(self, style: Style, text: str) -> str:
        """*text*, which must be escaped already, in *style*."""
        if not self.coloured or not text:
            return text
        return f"\x1b[{style.value}m{text}\x1b[0m"


PLAIN = Palette(coloured=False)
ANSI = Palette(coloured=True)
