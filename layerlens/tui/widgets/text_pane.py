"""A text laid out anew for the width there is; can be scrolled, and has no cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events

from layerlens.tui.shown_text import Part
from layerlens.tui.widgets.row_list import PLAIN, RowList

LayOut = Callable[[int], Sequence[str]]
"""The lines of a text for so many cells, escaped."""

_NARROWEST = 20


class TextPane(RowList, can_focus=False):
    """Lines of prose."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._lay_out: LayOut | None = None
        self._lines: Sequence[str] = ()

    def show_text(self, lay_out: LayOut | None) -> None:
        """Show this text; None for none."""
        self._lay_out = lay_out
        self._lay_out_anew()
        self.rows_changed(0)

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out_anew()
        self.rows_changed()
        super().on_resize(event)

    def _lay_out_anew(self) -> None:
        width = max(_NARROWEST, self.scrollable_content_region.width)
        self._lines = () if self._lay_out is None else self._lay_out(width)

    def row_count(self) -> int:
        return len(self._lines)

    def row_parts(self, row: int, width: int) -> list[Part]:
        return [(self._lines[row], PLAIN)]

    def has_cursor(self) -> bool:
        return False
