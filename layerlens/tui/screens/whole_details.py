"""Details of a layer or a path to their last letter, over the screen that has no room for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich.cells import chop_cells
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from layerlens.tui import keys
from layerlens.tui.shown_text import Part, content, safe
from layerlens.tui.state.details import Field
from layerlens.tui.widgets.row_list import PLAIN, RowList

_LABEL_CELLS = 10
_FEWEST_CELLS = 16


class WholeDetails(ModalScreen[None]):
    """Words and their values, cut into as many lines as they take."""

    BINDINGS = keys.bindings(keys.DETAILS)

    def __init__(self, title: str, fields: Sequence[Field]) -> None:
        """``title`` and ``fields`` are not yet escaped."""
        super().__init__()
        self._title = title
        self._fields = fields

    def compose(self) -> ComposeResult:
        with Vertical(id="whole-details") as box:
            box.border_title = content(self._title)
            yield _Lines(self._fields)

    def action_close(self) -> None:
        self.dismiss()


class _Lines(RowList):
    def __init__(self, fields: Sequence[Field]) -> None:
        super().__init__()
        self._fields = fields
        self._lines: list[tuple[str, str]] = []

    def on_resize(self, event: events.Resize) -> None:
        width = self.scrollable_content_region.width - _LABEL_CELLS - 1
        self._lines = list(_lines(self._fields, max(_FEWEST_CELLS, width)))
        self.rows_changed()
        super().on_resize(event)

    def row_count(self) -> int:
        return len(self._lines)

    def row_parts(self, row: int, width: int) -> list[Part]:
        label, text = self._lines[row]
        return [(f"{safe(label, _LABEL_CELLS):<{_LABEL_CELLS}} ", "faint"), (text, PLAIN)]


def _lines(fields: Sequence[Field], width: int) -> Iterator[tuple[str, str]]:
    """Each line's label, if it is the first of a value, and text, escaped."""
    for label, value in fields:
        pieces = wrap(safe(value), width, drop_whitespace=False, break_on_hyphens=False)
        for piece in pieces or [""]:
            for line in chop_cells(piece, width):  # a character may take two cells
                yield label, line
                label = ""  # noqa: PLW2901
