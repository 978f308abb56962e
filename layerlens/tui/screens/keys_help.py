"""All keys, as they are bound now, over the screen that they work on."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from layerlens.tui import keys
from layerlens.tui.shown_text import Part, safe
from layerlens.tui.widgets.row_list import PLAIN, RowList

_KEY_CELLS = 16
_TEXT_CELLS = 36
_PARTS_WITHOUT_ID = 2
_WIDTH_FOR_IDS = 76


class KeysHelp(ModalScreen[None]):
    """The list of keys; any key that closes things closes it."""

    BINDINGS = keys.bindings(keys.HELP)

    def __init__(self, lines: list[list[Part]]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        with Vertical(id="keys-help"):
            lines = _Lines(self._lines)
            lines.border_title = "Keys, and what the settings call them"
            yield lines

    def action_close(self) -> None:
        self.dismiss()


class _Lines(RowList):
    def __init__(self, lines: list[list[Part]]) -> None:
        super().__init__()
        self._lines = lines

    def on_mount(self) -> None:
        self.rows_changed()

    def row_count(self) -> int:
        return len(self._lines)

    def row_parts(self, row: int, width: int) -> list[Part]:
        parts = self._lines[row]
        return parts if width >= _WIDTH_FOR_IDS else parts[:_PARTS_WITHOUT_ID]


def help_lines(headings: dict[str, list[tuple[str, str, str]]]) -> Iterator[list[Part]]:
    """A line a key, under headings. Of each key: how it is written, what it does, its id, for
    which a narrow terminal has no room."""
    for heading, rows in headings.items():
        yield [(heading, "heading")]
        for key, text, identity in rows:
            shown = safe(key, _KEY_CELLS)
            yield [
                (f"  {shown:<{_KEY_CELLS}} ", "accent"),
                (f"{text:<{_TEXT_CELLS}} ", PLAIN),
                (identity, "faint"),
            ]
        yield [("", PLAIN)]
