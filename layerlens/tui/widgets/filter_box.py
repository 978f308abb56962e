"""The line in which a filter is typed; every key filters."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from layerlens.tui import keys
from layerlens.tui.shown_text import content, message
from layerlens.tui.state.name_filter import FilterKind, NameFilter
from layerlens.tui.widgets.safe_input import SafeInput


class FilterBox(Horizontal):
    """A text to filter by and how it is read; hidden until it is opened."""

    BINDINGS = keys.bindings(keys.FILTER)

    @dataclass
    class Changed(Message):
        """The filter is another one now."""

    @dataclass
    class Closed(Message):
        """Typing is over; the filter stays, or was given up."""

    def __init__(self, *, id: str | None = None, always_open: bool = False) -> None:  # noqa: A002
        super().__init__(id=id, classes="-open" if always_open else None)
        self._always_open = always_open
        self._kind = FilterKind.SUBSTRING
        self._error = ""

    def compose(self) -> ComposeResult:
        yield Static(id="filter-kind")
        yield SafeInput(id="filter-text", compact=True, select_on_focus=False)
        yield Static(id="filter-error")

    def on_mount(self) -> None:
        self._show_kind()

    @property
    def search(self) -> NameFilter | None:
        """What is searched for; None while nothing is typed."""
        text = self.query_one(SafeInput).text
        return NameFilter(text, self._kind) if text else None

    def open(self) -> None:
        """Show the line and type in it."""
        self.add_class("-open")
        self.query_one(Input).focus()

    def type(self, text: str) -> None:
        """Put a text there as if it had been typed, without telling of it."""
        self._kind = FilterKind.SUBSTRING
        self._show_kind()
        with self.prevent(Input.Changed):
            self.query_one(Input).value = text

    def clear(self) -> None:
        """Filter by nothing."""
        if self.search is not None:
            self.query_one(Input).value = ""
        if not self._always_open:
            self.remove_class("-open")

    def show_error(self, text: str) -> None:
        """Say what is wrong with what is typed."""
        if text != self._error:  # showing it lays the screen out anew
            self._error = text
            self.query_one("#filter-error", Static).update(message(text))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.show_error("")
        self.post_message(self.Changed())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close()

    def action_next_kind(self) -> None:
        self._kind = self._kind.following
        self._show_kind()
        self.show_error("")
        self.post_message(self.Changed())

    def action_give_up(self) -> None:
        if not self._always_open:
            self.query_one(Input).value = ""
        self._close()

    def action_keep(self) -> None:
        self._close()

    def _close(self) -> None:
        if self.search is None and not self._always_open:
            self.remove_class("-open")
        self.post_message(self.Closed())

    def _show_kind(self) -> None:
        self.query_one("#filter-kind", Static).update(content(f" {self._kind.value}: "))
