"""The line in which is typed what to search a file for, the search itself, and what it found.

What is typed is looked for at once in what is read of the file; enter has it read on, in a thread,
as far as the next match.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from layerlens.errors import LayerlensError, UsageError
from layerlens.layer_jobs import Cancelled
from layerlens.report.sizes import human_size
from layerlens.tui import keys
from layerlens.tui.shown_text import content, message
from layerlens.tui.state.file_search import (
    Answer,
    Needle,
    Reach,
    Search,
    Searchable,
    SoughtKind,
    look,
    needle,
)
from layerlens.tui.widgets.file_rows import FileRows
from layerlens.tui.widgets.safe_input import SafeInput

TELL_EVERY = 0.1  # seconds


class FileSearch(Horizontal):
    """Searches the rows of a file, and moves their cursor; hidden until it is opened."""

    BINDINGS = keys.bindings(keys.SEARCH)

    @dataclass
    class Closed(Message):
        """Typing is over; the search stays, or was given up."""

    @dataclass
    class WentOn(Message):
        """A search is on its way, and may have read more of the file."""

        search: Search
        position: int

    @dataclass
    class Ended(Message):
        """A search has found something or nothing, or reading the file has failed."""

        search: Search
        answer: Answer | None
        error: Exception | None

    def __init__(self, rows: FileRows) -> None:
        super().__init__()
        self._rows = rows
        self._kind = SoughtKind.TEXT
        self._needle: Needle | None = None
        self._search: Search | None = None
        # Where the cursor was when typing began, and what of that the typing has changed.
        self._origin = 0
        self._is_typed = False

    def compose(self) -> ComposeResult:
        yield Static(id="search-kind")
        yield SafeInput(id="search-text", compact=True)
        yield Static(id="search-state")

    def on_mount(self) -> None:
        self._show_kind()

    @property
    def is_running(self) -> bool:
        """Whether a search is under way."""
        return self._search is not None

    def open(self) -> None:
        """Show the line and type in it; not while there is nothing to search."""
        if self._rows.searched is None:
            return
        self._origin = self._rows.row_bounds(self._rows.cursor).start
        self._is_typed = False
        self.add_class("-open")
        self.query_one(Input).focus()

    def next_match(self) -> None:
        """Go to the next match; read on for it if need be."""
        match = self._rows.match
        start = self._here() if match is None else match.start + 1
        self._go(start, Reach.READING_ON)

    def previous_match(self) -> None:
        """Go to the match before, in what is read."""
        match = self._rows.match
        self._go(self._here() if match is None else match.start, Reach.BACK)

    def _here(self) -> int:
        return self._rows.row_bounds(self._rows.cursor).start

    def _go(self, start: int, reach: Reach) -> None:
        if self._needle is None:
            self.open()
        elif self._rows.searched is not None:
            self._ask(Search(self._needle, start, reach))

    def stop(self) -> None:
        """Give a search up that is under way; what was typed stays."""
        if self._search is not None:
            self._search = None
            self.workers.cancel_group(self, "file-search")
            self._say("stopped")

    def forget_place(self) -> None:
        """Something else is shown: what is under way, and what was said, is not about that."""
        self.stop()
        self._say("")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._typed()

    def action_next_kind(self) -> None:
        self._kind = self._kind.following
        self._show_kind()
        self._typed()

    def _typed(self) -> None:
        """Look for what is typed in what is read, from where the typing began."""
        self.stop()
        self._say("")
        self._is_typed = True
        text = self.query_one(SafeInput).text
        self._needle = None
        try:
            self._needle = needle(text, self._kind) if text else None
        except UsageError as error:
            self._say_nothing(str(error))
        self._rows.mark(self._needle)
        if self._needle is None:
            self._rows.go_to(self._origin)
        else:
            self._ask(Search(self._needle, self._origin, Reach.WHAT_IS_READ))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()

    def action_keep(self) -> None:
        """To the file; what was not found in what is read is looked for in the rest."""
        if not self.query_one(Input).value:
            self.action_give_up()
            return
        if self._needle is None:
            return  # what is wrong with it is said
        if not self._is_typed:
            self.next_match()
        elif self._rows.match is None:
            self._ask(Search(self._needle, self._origin, Reach.READING_ON))
        self.post_message(self.Closed())

    def action_give_up(self) -> None:
        """Search for nothing, and go back to where the typing began."""
        self.stop()
        with self.prevent(Input.Changed):
            self.query_one(Input).value = ""
        self._needle = None
        self._rows.mark(None)
        self._rows.go_to(self._origin)
        self._say("")
        self.remove_class("-open")
        self.post_message(self.Closed())

    def _ask(self, search: Search) -> None:
        searched = self._rows.searched
        if searched is not None:
            self._search = search
            self._look(searched, search)

    @work(
        thread=True,
        exclusive=True,
        group="file-search",
        description="file search",
        exit_on_error=False,
    )
    def _look(self, searched: Searchable, search: Search) -> None:
        worker = get_current_worker()
        told = time.monotonic()

        def watch(position: int) -> None:
            nonlocal told
            if worker.is_cancelled:
                raise Cancelled("cancelled")
            now = time.monotonic()
            if now - told >= TELL_EVERY:
                told = now
                self.post_message(self.WentOn(search, position))

        try:
            answer = look(searched, search, watch)
        except Cancelled:
            return
        except (LayerlensError, OSError, MemoryError) as error:
            self.post_message(self.Ended(search, None, error))
        else:
            self.post_message(self.Ended(search, answer, None))

    def on_file_search_went_on(self, going: WentOn) -> None:
        if going.search is self._search:
            self._say(f"searching, {human_size(going.position)} so far … (escape stops it)")

    def on_file_search_ended(self, ended: Ended) -> None:
        if ended.search is not self._search:
            return
        self._search = None
        answer = ended.answer
        if ended.error is not None:
            self._say_nothing(self._describe(ended.error))
        elif answer is not None and answer.match is not None:
            self._rows.go_to_match(answer.match)
            self._say(self._found_words(ended.search, answer))
        elif answer is not None:
            self._rows.rows_changed()
            self._say_nothing(self._not_found_words(ended.search, answer))

    def _found_words(self, search: Search, answer: Answer) -> str:
        assert answer.match is not None
        words = [self._rows.place_words(answer.match.start)]
        if answer.number is not None:
            words.append("match {} of {}".format(*answer.number))
        if answer.turned:
            end = "end" if search.reach is Reach.BACK else "start"
            words.append(f"on from the {end}")
        return ", ".join(words)

    def _not_found_words(self, search: Search, answer: Answer) -> str:
        searched = self._rows.searched
        if answer.whole or searched is None:
            return "not found"
        read = human_size(searched.read)
        if search.reach is Reach.BACK:
            return f"not found above; {read} of the file are read"
        return f"not in the {read} that are read: enter reads on"

    def _describe(self, error: Exception) -> str:
        from layerlens.tui.app import LayerlensApp

        assert isinstance(self.app, LayerlensApp)
        return self.app.opening.describe(error)

    def _say(self, text: str) -> None:
        state = self.query_one("#search-state", Static)
        state.remove_class("-nothing")
        state.update(message(text))

    def _say_nothing(self, text: str) -> None:
        """Say why nothing was found."""
        self._say(text)
        self.query_one("#search-state", Static).add_class("-nothing")

    def _show_kind(self) -> None:
        self.query_one("#search-kind", Static).update(content(f" {self._kind.value}: "))
