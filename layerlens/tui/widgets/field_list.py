"""Words and values, a line each, as many as there is room for."""

from __future__ import annotations

from collections.abc import Iterable

from layerlens.report.safe_text import shorten_middle
from layerlens.tui.shown_text import Part, safe
from layerlens.tui.state.details import Field
from layerlens.tui.widgets.row_list import PLAIN, RowList

_LABEL_CELLS = 10


class FieldList(RowList, can_focus=False):
    """Details of something selected elsewhere; has no cursor of its own, but can be scrolled."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._fields: list[Field] = []

    def show_fields(self, fields: Iterable[Field]) -> None:
        """Show these."""
        self._fields = list(fields)
        self.rows_changed(0)

    def row_count(self) -> int:
        return len(self._fields)

    def row_parts(self, row: int, width: int) -> list[Part]:
        label, value = self._fields[row]
        left = max(8, width - _LABEL_CELLS - 1)
        shown = shorten_middle(safe(value), left) if label == "path" else safe(value, left)
        style = "error" if label == "warning" else PLAIN
        return [(f"{safe(label, _LABEL_CELLS):<{_LABEL_CELLS}} ", "faint"), (shown, style)]

    def has_cursor(self) -> bool:
        return False
