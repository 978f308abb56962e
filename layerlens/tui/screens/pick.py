"""A short list to pick from, over the screen: images that are open, platforms, names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from layerlens.tui import keys
from layerlens.tui.shown_text import Part, safe
from layerlens.tui.widgets.line_list import LineList
from layerlens.tui.widgets.row_list import PLAIN, RowList


class PickScreen(ModalScreen[int]):
    """Gives the number of the line that was chosen; None where none was."""

    BINDINGS = keys.bindings(keys.PICK)

    def __init__(self, title: str, lines: Sequence[str], chosen: int = 0) -> None:
        """``title`` and ``lines`` are not yet escaped; the cursor stands on line ``chosen``."""
        super().__init__()
        self._title = title
        self._lines = lines
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(safe(self._title))
            yield LineList(id="pick")

    def on_mount(self) -> None:
        rows = self.query_one(LineList)
        rows.show_lines([partial(_line, text) for text in self._lines])
        rows.move_cursor(self._chosen)

    @on(RowList.Chosen)
    def _line_chosen(self, chosen: RowList.Chosen) -> None:
        self.dismiss(chosen.row)

    def action_close(self) -> None:
        self.dismiss(None)


def _line(text: str, width: int) -> list[Part]:
    return [(f" {safe(text, width - 1)}", PLAIN)]
