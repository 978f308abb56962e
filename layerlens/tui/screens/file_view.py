"""File: the text of a file as a layer left it, its bytes, or how it differs from the one before."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from layerlens.errors import LayerlensError
from layerlens.layer_jobs import Cancelled
from layerlens.report.sizes import human_size
from layerlens.tui import keys
from layerlens.tui.screens.save_prompt import SavePrompt
from layerlens.tui.shown_text import content
from layerlens.tui.state.file_difference import LARGEST, unified_diff
from layerlens.tui.state.file_pages import HEX_ROW, FilePages
from layerlens.tui.state.viewed_file import ViewedFile, whole_content
from layerlens.tui.widgets.clipboard import copy
from layerlens.tui.widgets.file_rows import FileRows, Form
from layerlens.tui.widgets.file_search import FileSearch
from layerlens.tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from layerlens.tui.app import LayerlensApp

_READ_AHEAD_ROWS = 200
_PROGRESS_EVERY = 0.2  # seconds


class FileView(Screen[None]):
    """One file, over the screen it was opened from."""

    BINDINGS = keys.bindings(keys.FILE)

    @dataclass
    class ReadFurther(Message):
        """More of the file is read, or reading has failed."""

        error: Exception | None

    @dataclass
    class Compared(Message):
        """The diff is there, or why it is not."""

        lines: list[str] | None
        error: Exception | None

    def __init__(self, file: ViewedFile, form: Form | None = None) -> None:
        super().__init__()
        self._file = file
        self._asked_form = form
        self._wanted = True
        self._pages = FilePages(file.inode.size, file.content(lambda: self._wanted))
        self._form: Form | None = None
        self._reading = False
        self._to_the_end = False
        self._diff: list[str] | None = None

    def compose(self) -> ComposeResult:
        self.rows = FileRows(id="file")
        self.search = FileSearch(self.rows)
        yield self.rows
        yield self.search
        yield KeyBar()

    def on_mount(self) -> None:
        self.rows.border_title = content(self._file.path)
        self.rows.show_message("Reading the layer up to the file … (escape gives it up)")
        self.rows.focus()
        self._show_state()
        self.set_interval(_PROGRESS_EVERY, self._show_progress)
        if self._asked_form is Form.DIFF:
            self.action_diff()
        else:
            self._want_rows(0)

    def on_unmount(self) -> None:
        self._wanted = False
        self._pages.close()

    def _want_rows(self, row: int | None) -> None:
        """Have the file read up to some rows after this one; to its end for None."""
        pages = self._pages
        if row is None:
            self._to_the_end = True
        if self._reading or pages.ended or self._form is Form.DIFF:
            return
        ahead = math.inf if self._to_the_end else (row or 0) + _READ_AHEAD_ROWS
        if self._form is Form.HEX:
            size = ahead * HEX_ROW
            is_there = pages.read >= min(size, pages.size)
            if not is_there:
                self._start_reading(lambda pages: pages.read >= size)
        elif pages.text_rows < ahead:
            self._start_reading(lambda pages: pages.text_rows >= ahead)

    def _start_reading(self, is_enough: Callable[[FilePages], bool]) -> None:
        self._reading = True
        self._read_on(is_enough)

    @work(thread=True, group="file", description="file", exit_on_error=False)
    def _read_on(self, is_enough: Callable[[FilePages], bool]) -> None:
        try:
            self._pages.read_on(is_enough)
        except (LayerlensError, OSError, MemoryError) as error:
            self.post_message(self.ReadFurther(error))
        else:
            self.post_message(self.ReadFurther(None))

    def on_file_view_read_further(self, told: ReadFurther) -> None:
        self._reading = False
        if told.error is not None:
            if not isinstance(told.error, Cancelled):
                self.rows.show_message(self.layerlens.opening.describe(told.error))
            return
        if self._form is None:
            is_text = self._pages.looks_like_text()
            self._form = self._asked_form or (Form.TEXT if is_text else Form.HEX)
            self.rows.show_pages(self._pages, self._form)
        elif self._form is not Form.DIFF:
            end = self._to_the_end and self._pages.ended
            self.rows.rows_changed(self.rows.row_count() - 1 if end else None)
        self._show_state()

    @on(FileSearch.WentOn)
    @on(FileSearch.Ended)
    def _searched(self) -> None:
        """A search may have read on."""
        self._show_state()

    @on(FileSearch.Closed)
    def _search_closed(self) -> None:
        self.rows.focus()

    @on(FileRows.MoreWanted)
    def _more_wanted(self, wanted: FileRows.MoreWanted) -> None:
        self._want_rows(wanted.row)

    def _show_progress(self) -> None:
        if self._reading:  # to the end of a large file, that takes seconds
            self._show_state()

    def _show_state(self) -> None:
        inode = self._file.inode
        form = self._form.value if self._form else "reading"
        whole = self._pages.ended or self._form is Form.DIFF
        read = "" if whole else f", {human_size(self._pages.read)} read"
        self.rows.border_subtitle = content(
            f"{form} · {self._file.where} · {human_size(inode.size)}{read}"
        )

    def action_hex(self) -> None:
        """From text to bytes and back."""
        self._show_form(Form.TEXT if self._form is Form.HEX else Form.HEX)

    def action_text(self) -> None:
        self._show_form(Form.TEXT)

    def _show_form(self, form: Form) -> None:
        if form is not self._form:
            self.search.forget_place()
        self._form = form
        self._asked_form = form
        self.rows.show_pages(self._pages, form)
        self._show_state()
        self._want_rows(self.rows.cursor)

    def action_diff(self) -> None:
        """Compare with the version below, or go back to the file."""
        if self._form is Form.DIFF:
            is_text = self._pages.looks_like_text()
            self._show_form(Form.TEXT if is_text else Form.HEX)
            return
        self._form = Form.DIFF
        self.search.forget_place()
        self._show_state()
        if self._diff is not None:
            self.rows.show_diff(self._diff)
            return
        if self._file.before is None:
            self.rows.show_message(
                f"There was no file at this path before: all of it is new in {self._file.where}."
            )
            return
        self.rows.show_message("Reading both versions …")
        self._compare()

    @work(thread=True, exclusive=True, group="diff", description="diff", exit_on_error=False)
    def _compare(self) -> None:
        worker = get_current_worker()
        file = self._file

        def is_wanted() -> bool:
            return self._wanted and not worker.is_cancelled

        names = (f"{file.path} ({file.before_where})", f"{file.path} ({file.where})")
        try:
            before = whole_content(file.content_before(is_wanted), LARGEST, names[0])
            after = whole_content(file.content(is_wanted), LARGEST, names[1])
            lines = unified_diff(before, after, names)
        except (LayerlensError, OSError, MemoryError) as error:
            self.post_message(self.Compared(None, error))
        else:
            self.post_message(self.Compared(lines, None))

    def on_file_view_compared(self, compared: Compared) -> None:
        self._diff = compared.lines
        if self._form is not Form.DIFF or isinstance(compared.error, Cancelled):
            return
        if compared.lines is not None:
            self.rows.show_diff(compared.lines)
        elif compared.error is not None:
            self.rows.show_message(self.layerlens.opening.describe(compared.error))

    @property
    def layerlens(self) -> LayerlensApp:
        """The program, by its own class."""
        from layerlens.tui.app import LayerlensApp

        assert isinstance(self.app, LayerlensApp)
        return self.app

    def action_shift(self, halves: int) -> None:
        self.rows.shift(halves)

    def action_copy_path(self) -> None:
        copy(self.app, self._file.path)

    def action_save(self) -> None:
        self.app.push_screen(SavePrompt(self._file))

    def action_search(self) -> None:
        self.search.open()

    def action_next_match(self) -> None:
        self.search.next_match()

    def action_previous_match(self) -> None:
        self.search.previous_match()

    def action_back(self) -> None:
        """Stop a search that is under way; otherwise leave the file."""
        if self.search.is_running:
            self.search.stop()
        else:
            self.dismiss()

    def action_close(self) -> None:
        self.dismiss()
