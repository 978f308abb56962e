"""A row of a file with the matches of a search marked in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from layerlens.report.safe_text import ELLIPSIS, cells, escape, shorten
from layerlens.tui.shown_text import Part
from layerlens.tui.state.file_search import Span

MATCH, HERE = "match", "match-here"
"""The styles of a match, and of the one that the search stands on."""


class Mark(NamedTuple):
    """Characters of a row, or its bytes, in the style of a match."""

    start: int
    end: int
    style: str


def marks(spans: Sequence[Span], here: Span | None, row: Span) -> list[Mark]:
    """The matches in a row of a file, counted from its start."""
    found = []
    for span in spans:
        middle = _common(span, here) if here is not None else None
        for start, end, style in (
            [(span.start, span.end, MATCH)]
            if middle is None
            else [
                (span.start, middle.start, MATCH),
                (middle.start, middle.end, HERE),
                (middle.end, span.end, MATCH),
            ]
        ):
            if start < end:
                found.append(Mark(start - row.start, end - row.start, style))
    return found


def _common(one: Span, other: Span) -> Span | None:
    start, end = max(one.start, other.start), min(one.end, other.end)
    return Span(start, end) if start < end else None


def character_marks(text: str, of_bytes: Sequence[Mark]) -> list[Mark]:
    """Marks of the bytes of a text as marks of its characters, whole ones."""
    if text.isascii():
        length = len(text)
        found = [Mark(start, min(end, length), style) for start, end, style in of_bytes]
    else:
        ends = list(accumulate(len(each.encode("utf-8", "surrogateescape")) for each in text))
        found = [
            Mark(
                bisect_right(ends, start),
                min(bisect_left(ends, end) + 1, len(text)),
                style,
            )
            for start, end, style in of_bytes
        ]
    return [mark for mark in found if mark.start < mark.end]


def marked_text(text: str, found: Sequence[Mark], width: int, plain: str) -> list[Part]:
    """A line of a file, not escaped yet, in so many cells; from further on if the match that the
    search stands on would not be seen."""
    lead: list[Part] = []
    here = next((mark for mark in found if mark.style == HERE), None)
    skipped = 0 if here is None else _out_of_sight(text, here, width)
    if skipped:
        text = text[skipped:]
        found = [
            Mark(max(0, mark.start - skipped), mark.end - skipped, mark.style)
            for mark in found
            if mark.end > skipped
        ]
        lead = [(ELLIPSIS, "faint")]
        width -= 1
    expanded = text.expandtabs()
    escaped = escape(expanded)
    shown = shorten(escaped, max(1, width))
    seen = len(shown) if shown == escaped else len(shown) - 1

    def place(character: int) -> int:
        """Where a character stands: what an escape needs to know of comes after it."""
        return len(escaped) - len(escape(expanded[len(text[:character].expandtabs()) :]))

    placed = [Mark(place(start), place(end), style) for start, end, style in found]
    parts = lead + cut(shown[:seen], placed, plain)
    if seen < len(shown):
        unseen = any(mark.end > seen for mark in placed)
        parts.append((shown[seen:], MATCH if unseen else plain))
    return parts


def _out_of_sight(text: str, here: Mark, width: int) -> int:
    """How many characters are to be left out at the start for a match to be seen."""
    if cells(escape(text[: here.end].expandtabs())) < width:
        return 0
    first = here.start
    while first and cells(escape(text[first - 1 : here.start].expandtabs())) <= width // 3:
        first -= 1
    return first


def cut(shown: str, found: Sequence[Mark], plain: str) -> list[Part]:
    """A text in pieces: those that are marked, and those between."""
    parts: list[Part] = []
    position = 0
    for start, end, style in found:
        parts.append((shown[position:start], plain))
        parts.append((shown[start:end], style))
        position = max(position, end)
    parts.append((shown[position:], plain))
    return [part for part in parts if part[0]]


def further_on(parts: Sequence[Part], skipped: int, width: int) -> list[Part]:
    """A line, escaped, from a cell on, in so many cells; nothing of one that ends before."""
    rest: list[Part] = []
    for text, style in parts:
        start = 0
        while skipped > -1 and start < len(text):
            skipped -= cells(text[start])
            start += 1
        rest.append((text[start:], style))
    room = width - 1
    if sum(cells(text) for text, _ in rest) > room:
        room -= 1  # the last cell says that there is more, also where a part ends right before it
    found: list[Part] = [(ELLIPSIS, "faint")]
    for text, style in rest:
        if cells(text) > room:
            return [*found, (shorten(text + ELLIPSIS, max(1, room + 1)), style)]
        found.append((text, style))
        room -= cells(text)
    return found if len(found) > 1 and any(text for text, _ in found[1:]) else []
