"""The rows of a file: as text with numbers, in hexadecimal, or as a diff."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from textual.message import Message

from layerlens.tui.shown_text import Part, safe
from layerlens.tui.state.file_difference import diff_part
from layerlens.tui.state.file_pages import HEX_ROW, FilePages, hex_text
from layerlens.tui.widgets.row_list import PLAIN, RowList


class Form(Enum):
    """How a file is shown; the value is the word for it."""

    TEXT = "text"
    HEX = "hex"
    DIFF = "diff"


class FileRows(RowList):
    """A file as far as it is read; asks for more as the cursor comes near the end."""

    @dataclass
    class MoreWanted(Message):
        """Rows up to this one will be looked at; None for the last."""

        row: int | None

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.form = Form.TEXT
        self._pages: FilePages | None = None
        self._diff: list[str] = []
        self._message = ""

    def show_message(self, text: str) -> None:
        """Show a message in the file's place."""
        self._message = safe(text)
        self.rows_changed(0)

    def show_pages(self, pages: FilePages, form: Form) -> None:
        """Show a file; the place is kept if its form changes."""
        offset = 0
        if self._pages is pages and not self._message:
            offset = self.byte_offset
        self._pages = pages
        self.form = form
        self._message = "The file is empty." if pages.ended and not pages.read else ""
        row = offset // HEX_ROW if form is Form.HEX else pages.row_at(offset)
        self.rows_changed(row)

    def show_diff(self, lines: list[str]) -> None:
        """Show a diff."""
        self.form = Form.DIFF
        self._diff = lines
        self._message = "" if lines else "Nothing differs in the bytes."
        self.rows_changed(0)

    @property
    def byte_offset(self) -> int:
        """Where in the file the row under the cursor starts."""
        if self._pages is None or self.form is Form.DIFF:
            return 0
        if self.form is Form.HEX:
            return self.cursor * HEX_ROW
        return self._pages.offset_of(self.cursor)

    def has_cursor(self) -> bool:
        return not self._message and (self._pages is not None or self.form is Form.DIFF)

    def row_count(self) -> int:
        if not self.has_cursor():
            return len(self.message_lines(self._message))
        if self.form is Form.DIFF:
            return len(self._diff)
        assert self._pages is not None
        return self._pages.hex_rows if self.form is Form.HEX else self._pages.text_rows

    def row_parts(self, row: int, width: int) -> list[Part]:
        if not self.has_cursor():
            return [(self.message_lines(self._message)[row], "faint")]
        if self.form is Form.DIFF:
            line = self._diff[row]
            return [(safe(line.expandtabs(), width), diff_part(line))]
        assert self._pages is not None
        if self.form is Form.HEX:
            return _hex_parts(self._pages, row, width)
        number = f"{row + 1:>6}  "
        text = self._pages.text_row(row).expandtabs()
        return [(number, "faint"), (safe(text, width - len(number)), PLAIN)]

    def watch_cursor(self, before: int, now: int) -> None:
        super().watch_cursor(before, now)
        self.post_message(self.MoreWanted(now))

    def action_move_to_last(self) -> None:
        if self.form is Form.TEXT:
            self.post_message(self.MoreWanted(None))
        super().action_move_to_last()


def _hex_parts(pages: FilePages, row: int, width: int) -> list[Part]:
    data = pages.hex_row(row)
    hexadecimal, shown = hex_text(data)
    if width < 76:  # too narrow for both halves and the characters
        hexadecimal = hexadecimal.replace("  ", " ")
    return [
        (f"{row * HEX_ROW:08x}  ", "faint"),
        (f"{hexadecimal}  ", PLAIN),
        (shown, "accent"),
    ]
