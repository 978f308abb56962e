"""The line in which a filter is typed; every key filters."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.reactive import var
from textual.widget import Widget
from textual.widgets import Input, Static

from layerlens.tui import keys
from layerlens.tui.shown_text import content, message
from layerlens.tui.state.name_filter import FilterKind, NameFilter
from layerlens.tui.widgets.safe_input import SafeInput


class FilterBox(Horizontal):
    """A text to filter by and how it is read; hidden until it is opened."""

    BINDINGS = keys.bindings(keys.FILTER)

    changes: var[int] = var(0)
    """Counts how often the filter became another one. To be watched: a watcher has run before the
    next key is acted on."""

    def __init__(self, filtered: Widget, *, id: str, always_open: bool = False) -> None:  # noqa: A002
        """``filtered``: what has the keys once typing is over."""
        super().__init__(id=id, classes="-open" if always_open else None)
        self._filtered = filtered
        self._always_open = always_open
        self._kind = FilterKind.SUBSTRING
        self._error = ""

    def compose(self) -> ComposeResult:
        yield Static(id="filter-kind")
        yield SafeInput(id="filter-text", compact=True, select_on_focus=False)
        yield Static(id="filter-error")

    def on_mount(self) -> None:
        self._show_kind()
        self.watch(self.query_one(SafeInput), "value", self._typed, init=False)

    @property
    def search(self) -> NameFilter | None:
        """What is searched for; None while nothing is typed."""
        text = self.query_one(SafeInput).text
        return NameFilter(text, self._kind) if text else None

    def open(self) -> None:
        """Show the line and type in it."""
        self.add_class("-open")
        self.screen.set_focus(self.query_one(Input))

    def type(self, text: str) -> None:
        """Put a text there as if it had been typed."""
        self._kind = FilterKind.SUBSTRING
        self._show_kind()
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

    def _typed(self) -> None:
        self.show_error("")
        self.changes += 1

    def action_next_kind(self) -> None:
        self._kind = self._kind.following
        self._show_kind()
        self._typed()

    def action_give_up(self) -> None:
        if not self._always_open:
            self.query_one(Input).value = ""
        self._close()

    def action_keep(self) -> None:
        self._close()

    def _close(self) -> None:
        if self.search is None and not self._always_open:
            self.remove_class("-open")
        self.screen.set_focus(self._filtered)

    def _show_kind(self) -> None:
        self.query_one("#filter-kind", Static).update(content(f" {self._kind.value}: "))
