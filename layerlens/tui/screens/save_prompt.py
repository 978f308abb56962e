"""Asks for a name and saves a file of the image under it."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from layerlens.errors import LayerlensError
from layerlens.tui import keys
from layerlens.tui.shown_text import content, message, toast
from layerlens.tui.state.saving import AlreadyThere, offered_name, save_file
from layerlens.tui.state.viewed_file import ViewedFile
from layerlens.tui.widgets.safe_input import SafeInput


class SavePrompt(ModalScreen[None]):
    """A line for the name, and what came of it."""

    BINDINGS = keys.bindings(keys.SAVE)

    @dataclass
    class Ended(Message):
        """The file is saved, or this is why it is not."""

        name: str
        written: int
        error: Exception | None

    def __init__(self, file: ViewedFile) -> None:
        super().__init__()
        self._file = file
        self._there: str | None = None
        self._wanted = True
        self._saving = False

    def compose(self) -> ComposeResult:
        with Vertical(id="save") as box:
            box.border_title = content(f"Save {self._file.path}")
            yield SafeInput(offered_name(self._file.path), id="save-name", compact=True)
            yield Static(content("enter saves, escape gives it up"), id="save-state")

    def on_unmount(self) -> None:
        self._wanted = False

    @on(Input.Submitted)
    def _named(self, event: Input.Submitted) -> None:
        event.stop()
        if not self._saving:
            self._saving = True
            self._say("Saving …")
            name = self.query_one(SafeInput).text
            self._save(name, replace=name == self._there)

    @on(Input.Changed)
    def _renamed(self, event: Input.Changed) -> None:
        event.stop()
        self._there = None

    @work(thread=True, group="save", description="save", exit_on_error=False)
    def _save(self, name: str, *, replace: bool) -> None:
        written = 0
        failure: Exception | None = None
        try:
            pieces = self._file.content(lambda: self._wanted)
            written = save_file(name, pieces, self._file.inode.mode, replace=replace)
        except (LayerlensError, OSError, ValueError, MemoryError) as error:
            failure = error
        self.post_message(self.Ended(name, written, failure))

    def on_save_prompt_ended(self, ended: Ended) -> None:
        self._saving = False
        if ended.error is None:
            self.app.notify(toast(f"saved {ended.written} bytes as {ended.name}"), markup=False)
            self.dismiss()
        elif isinstance(ended.error, AlreadyThere):
            self._there = ended.name
            self._say(f"{ended.error}: enter once more replaces it")
        else:
            self._say(self._describe(ended.error))

    def _describe(self, error: Exception) -> str:
        from layerlens.tui.app import LayerlensApp

        assert isinstance(self.app, LayerlensApp)
        return self.app.opening.describe(error)

    def _say(self, text: str) -> None:
        self.query_one("#save-state", Static).update(message(text))

    def action_close(self) -> None:
        self._wanted = False
        self.dismiss()
