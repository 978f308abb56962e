"""The rows of a file: as text with numbers, in hexadecimal, or as a diff."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from rich.style import Style
from textual.message import Message

from layerlens.report.safe_text import cells, escape_message
from layerlens.tui.shown_text import Part, safe
from layerlens.tui.state.file_difference import DiffText, diff_part
from layerlens.tui.state.file_pages import HEX_ROW, FilePages, hex_cell, hex_text
from layerlens.tui.state.file_search import Needle, Searchable, Span, matches_in
from layerlens.tui.state.match_marks import (
    HERE,
    Mark,
    character_marks,
    cut,
    further_on,
    marked_text,
    marks,
)
from layerlens.tui.widgets.row_list import PLAIN, RowList

_UNCUT = 1 << 20
"""Cells in which every row has room."""


class Form(Enum):
    """How a file is shown; the value is the word for it."""

    TEXT = "text"
    HEX = "hex"
    DIFF = "diff"


class FileRows(RowList):
    """A file as far as it is read; asks for more as the cursor comes near the end."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--match", "rows--match-here"}

    @dataclass
    class MoreWanted(Message):
        """Rows up to this one will be looked at; None for the last."""

        row: int | None

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.form = Form.TEXT
        self._pages: FilePages | None = None
        self._place = 0
        self._diff: list[str] = []
        self._diff_text = DiffText(())
        self._message = ""
        self._needle: Needle | None = None
        self._match: Span | None = None
        self._skipped = 0  # cells of each row that are left of what is seen

    def show_message(self, text: str) -> None:
        """Show a message in the file's place."""
        self._remember_place()
        self._message = escape_message(text)
        self.rows_changed(0)

    def show_pages(self, pages: FilePages, form: Form) -> None:
        """Show a file; the place is kept if its form changes, and while a diff is shown."""
        self._remember_place()
        if self._pages is not pages:
            self._place = 0
        self._pages = pages
        self._set_form(form)
        self._message = "The file is empty." if pages.ended and not pages.read else ""
        row = self._place // HEX_ROW if form is Form.HEX else pages.row_at(self._place)
        self.rows_changed(row)

    def show_diff(self, lines: list[str]) -> None:
        """Show a diff."""
        self._remember_place()
        self._set_form(Form.DIFF)
        self._diff = lines
        self._diff_text = DiffText(lines)
        self._message = "" if lines else "Nothing differs in the bytes."
        self.rows_changed(0)

    def _remember_place(self) -> None:
        if self._pages is not None and self.form is not Form.DIFF and not self._message:
            self._place = self.byte_offset

    def _set_form(self, form: Form) -> None:
        if form is not self.form:
            self._skipped = 0
        if Form.DIFF in (form, self.form) and form is not self.form:
            self._match = None  # which is a place in another text
        self.form = form

    @property
    def byte_offset(self) -> int:
        """Where in the file the row under the cursor starts."""
        return 0 if self.form is Form.DIFF else self.row_bounds(self.cursor).start

    @property
    def searched(self) -> Searchable | None:
        """What a search looks through; None while nothing is shown."""
        if not self.has_cursor():
            return None
        return self._diff_text if self.form is Form.DIFF else self._pages

    @property
    def match(self) -> Span | None:
        """The match that was gone to last, if the cursor is where it is."""
        match = self._match
        return match if match is not None and self.row_of(match.start) == self.cursor else None

    def mark(self, needle: Needle | None) -> None:
        """Mark what matches, wherever it is seen; nothing for None."""
        self._needle = needle
        self._match = None
        self.refresh()

    def go_to_match(self, match: Span) -> None:
        """Put the cursor on the row where a match starts, with some rows around it."""
        self._match = match
        self._skipped = 0  # a row with the match is shown from where it is seen
        self.rows_changed()  # it may lie in what has only just been read
        self.go_to(match.start)

    def go_to(self, offset: int) -> None:
        """Put the cursor on the row that holds a byte."""
        row = self.row_of(offset)
        height, top = self.scrollable_content_region.height, self.scroll_offset.y
        if height and not top <= row < top + height:
            self.scroll_to(y=max(0, row - height // 3), animate=False)
        self.move_cursor(row)
        self.refresh()

    def row_of(self, offset: int) -> int:
        """The row that holds a byte."""
        if self.form is Form.DIFF:
            return self._diff_text.row_at(offset)
        if self.form is Form.HEX or self._pages is None:
            return offset // HEX_ROW
        return self._pages.row_at(offset)

    def row_bounds(self, row: int) -> Span:
        """Where a row starts and ends."""
        if self.form is Form.DIFF:
            return Span(*self._diff_text.row_bounds(row))
        if self.form is Form.HEX or self._pages is None:
            return Span(row * HEX_ROW, (row + 1) * HEX_ROW)
        return Span(*self._pages.row_bounds(row))

    def place_words(self, offset: int) -> str:
        """Where a byte is, as people say it."""
        match self.form:
            case Form.HEX:
                return f"at {offset:#x}"
            case Form.TEXT:
                row = self.row_of(offset)
                return f"line {(row if self._pages is None else self._pages.line_of(row)) + 1}"
            case Form.DIFF:
                return f"line {self.row_of(offset) + 1} of the diff"

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
        if not self._skipped:
            return self._file_parts(row, width)
        parts = self._file_parts(row, width if self.form is Form.HEX else _UNCUT)
        numbers = 0 if self.form is Form.DIFF else 1
        left = width - sum(cells(text) for text, _ in parts[:numbers])
        return [*parts[:numbers], *further_on(parts[numbers:], self._skipped, left)]

    def shift(self, halves: int) -> None:
        """Show what is so many half screens to the right, as long as there is more of a row."""
        if not self.has_cursor():
            return
        region, top = self.scrollable_content_region, self.scroll_offset.y
        width = region.width
        rows = range(top, min(top + region.height, self.row_count()))
        whole = width if self.form is Form.HEX else _UNCUT
        longest = max(sum(cells(text) for text, _ in self._file_parts(row, whole)) for row in rows)
        if halves < 0 or longest > self._skipped + width:
            self._skipped = max(0, self._skipped + halves * (width // 2))
            self.refresh()

    def _file_parts(self, row: int, width: int) -> list[Part]:
        if self.form is Form.DIFF:
            line = self._diff[row]
            return self._text_parts(row, line, width, diff_part(line))
        assert self._pages is not None
        if self.form is Form.HEX:
            return _hex_parts(self._pages, row, width, self._marks(row))
        line = str(self._pages.line_of(row) + 1) if self._pages.starts_line(row) else ""
        number = f"{line:>6}  "
        text = self._pages.text_row(row)
        return [(number, "faint"), *self._text_parts(row, text, width - len(number), PLAIN)]

    def _text_parts(self, row: int, text: str, width: int, style: str) -> list[Part]:
        found = character_marks(text, self._marks(row))
        if found:
            return marked_text(text, found, width, style)
        return [(safe(text.expandtabs(), width), style)]

    def _marks(self, row: int) -> list[Mark]:
        """What of a row matches what is searched for."""
        searched = self.searched
        if self._needle is None or searched is None:
            return []
        bounds = self.row_bounds(row)
        return marks(matches_in(searched, self._needle, bounds), self._match, bounds)

    def _style(self, name: str, *, under_cursor: bool) -> Style:
        # Where the search stands is seen under the cursor too, which is always there.
        return super()._style(name, under_cursor=under_cursor and name != HERE)

    def watch_cursor(self, before: int, now: int) -> None:
        super().watch_cursor(before, now)
        self.post_message(self.MoreWanted(now))

    def action_move_to_last(self) -> None:
        if self.form is Form.TEXT:
            self.post_message(self.MoreWanted(None))
        super().action_move_to_last()


def _hex_parts(pages: FilePages, row: int, width: int, found: list[Mark]) -> list[Part]:
    data = pages.hex_row(row)
    hexadecimal, shown = hex_text(data)
    gap = 2
    if width < 76:  # too narrow for both halves and the characters
        hexadecimal = hexadecimal.replace("  ", " ")
        gap = 1
    pairs = [
        Mark(hex_cell(start, gap), hex_cell(end - 1, gap) + 2, style) for start, end, style in found
    ]
    return [
        (f"{row * HEX_ROW:08x}  ", "faint"),
        *cut(f"{hexadecimal}  ", pairs, PLAIN),
        *cut(shown, found, "accent"),
    ]
