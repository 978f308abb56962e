"""The name of an image is asked for: typed, or picked from the files there are."""

from __future__ import annotations

from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from layerlens.errors import LayerlensError
from layerlens.source.image_name import parse_image_name
from layerlens.tui import keys
from layerlens.tui.shown_text import Part, content, message, safe
from layerlens.tui.state.file_choices import FileChoice, file_choices
from layerlens.tui.widgets.line_list import LineList
from layerlens.tui.widgets.row_list import PLAIN, RowList
from layerlens.tui.widgets.safe_input import SafeInput


class OpenDialog(ModalScreen[str]):
    """Gives the name of an image, which parses; None where none was given."""

    BINDINGS = keys.bindings(keys.OPEN)

    def __init__(self) -> None:
        super().__init__()
        self._choices: list[FileChoice] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = "Open an image"
            yield SafeInput(
                placeholder="a file, a directory, docker://REFERENCE, python:3.12-slim …",
                id="open-name",
                compact=True,
                select_on_focus=False,
            )
            yield Static(id="open-error")
            yield LineList(id="open-files")

    def on_mount(self) -> None:
        self._list("")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one("#open-error", Static).update(content(""))
        self._list(self.query_one(SafeInput).text)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._open(self.query_one(SafeInput).text.strip())

    @on(RowList.Chosen)
    def _file_chosen(self, chosen: RowList.Chosen) -> None:
        if not self._choices:
            return
        choice = self._choices[chosen.row]
        if choice.is_directory:
            self._type(choice.text)
        else:
            self._open(choice.text)

    def action_complete(self) -> None:
        """Take over what is under the list's cursor, as a shell's completion would."""
        if self._choices:
            self._type(self._choices[self.query_one(LineList).cursor].text)

    def action_move_choice(self, rows: int) -> None:
        listed = self.query_one(LineList)
        listed.move_cursor(listed.cursor + rows)

    def action_close(self) -> None:
        self.dismiss(None)

    def _type(self, text: str) -> None:
        box = self.query_one(SafeInput)
        box.value = text
        box.cursor_position = len(box.value)
        box.focus()

    def _open(self, name: str) -> None:
        try:
            if name == "-" or name.startswith("-:"):
                raise LayerlensError("stdin is the terminal here: name a file or a reference")
            parse_image_name(name)
        except LayerlensError as error:
            self.query_one("#open-error", Static).update(message(str(error)))
            return
        self.dismiss(name)

    def _list(self, typed: str) -> None:
        self._choices = file_choices(typed)
        self.query_one(LineList).show_lines(
            [partial(_line, choice) for choice in self._choices], "no file begins so"
        )
        self.query_one(LineList).move_cursor(0)


def _line(choice: FileChoice, width: int) -> list[Part]:
    name = f" {safe(choice.name, width - 2)}"
    return [(f"{name}/", "directory")] if choice.is_directory else [(name, PLAIN)]
