"""Words and values, a line each, as many as there is room for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import NamedTuple

from textual import events

from layerlens.report.safe_text import shorten, shorten_middle
from layerlens.tui.shown_text import Part, safe
from layerlens.tui.state.details import Field
from layerlens.tui.widgets.row_list import PLAIN, RowList

_LABEL_CELLS = 10
_WRAPPED = frozenset({"fix"})
"""Labels of values that are advice, and so must be read whole."""


class _Line(NamedTuple):
    """What stands in a row; ``text`` is escaped."""

    label: str
    text: str


class FieldList(RowList, can_focus=False):
    """Details of something selected elsewhere; has no cursor of its own, but can be scrolled."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._given: list[Field] = []
        self._lines: list[_Line] = []

    @property
    def fields(self) -> Sequence[Field]:
        """What is shown, not yet escaped, nor cut off."""
        return self._given

    def show_fields(self, fields: Iterable[Field]) -> None:
        """Show these; of a fix, every word."""
        given = list(fields)
        if given == self._given and self.is_mounted:
            return  # painted already
        self._given = given
        self._lay_out()
        self.rows_changed(0)

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()
        self.rows_changed()
        super().on_resize(event)

    def _lay_out(self) -> None:
        width = max(20, self.scrollable_content_region.width - _LABEL_CELLS - 1)
        self._lines = []
        for label, value in self._given:
            if label in _WRAPPED:
                pieces = enumerate(wrap(safe(value), width))
                self._lines += [_Line("" if number else label, piece) for number, piece in pieces]
            else:
                self._lines.append(_Line(label, safe(value)))

    def row_count(self) -> int:
        return len(self._lines)

    def row_parts(self, row: int, width: int) -> list[Part]:
        label, value = self._lines[row]
        left = max(8, width - _LABEL_CELLS - 1)
        shown = shorten_middle(value, left) if label == "path" else shorten(value, left)
        style = "error" if label == "warning" else PLAIN
        return [(f"{safe(label, _LABEL_CELLS):<{_LABEL_CELLS}} ", "faint"), (shown, style)]

    def has_cursor(self) -> bool:
        return False
