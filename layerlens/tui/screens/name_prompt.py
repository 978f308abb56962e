"""A line that asks for the name of a file."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from layerlens.tui import keys
from layerlens.tui.shown_text import safe


class NamePrompt(ModalScreen[str]):
    """Gives the name that was typed; None where it was given up."""

    BINDINGS = keys.bindings(keys.PROMPT)

    def __init__(self, title: str, offered: str) -> None:
        """Neither is escaped yet."""
        super().__init__()
        self._title = title
        self._offered = offered

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(safe(self._title))
            yield Input(self._offered, id="prompt-name", compact=True)

    @on(Input.Submitted)
    def _named(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.dismiss(event.value.strip())

    def action_close(self) -> None:
        self.dismiss(None)
