"""Suggest: the Dockerfile beside a better order of it, each suggestion to be taken or left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from textual import on, work
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from layerlens.dockerfile.suggestions import Advice
from layerlens.errors import LayerlensError
from layerlens.report.safe_text import escape_message
from layerlens.report.suggest_secrets import patch_warning
from layerlens.tui import keys
from layerlens.tui.screens.name_prompt import NamePrompt
from layerlens.tui.screens.section_screen import SectionScreen
from layerlens.tui.shown_text import safe, toast
from layerlens.tui.state.open_image import OpenImage, Stage
from layerlens.tui.state.saving import AlreadyThere, save_file
from layerlens.tui.state.suggested_order import SuggestedOrder
from layerlens.tui.widgets.line_list import LineList
from layerlens.tui.widgets.row_list import RowList
from layerlens.tui.widgets.text_pane import TextPane

_PATCH_NAME = "Dockerfile.patch"


class SuggestScreen(SectionScreen):
    """Needs the whole image; a Dockerfile that is not named is read back from the history."""

    SECTION = "suggest"
    BINDINGS = keys.bindings(keys.SUGGEST)

    @dataclass
    class Advised(Message):
        """There is advice on an image's Dockerfile; or there is none, and this is why."""

        image: OpenImage
        path: str | None
        advice: Advice | Exception

    def __init__(self) -> None:
        super().__init__()
        self._image: OpenImage | None = None
        self._asked: tuple[OpenImage, str | None] | None = None
        self._order: SuggestedOrder | None = None

    def content(self) -> Iterable[Widget]:
        self.suggestion_list = LineList(id="suggestions")
        self.suggestion_list.border_title = "Suggestions"
        self.before_list = LineList(id="before")
        self.after_list = LineList(id="after")
        self.after_list.border_title = "Proposed"
        self.details = TextPane(id="details")
        self.details.border_title = "Selected"
        self.figures = TextPane(id="figures")
        self.figures.border_title = "Before and after"
        return [
            self.suggestion_list,
            self.before_list,
            self.after_list,
            self.details,
            self.figures,
        ]

    def on_mount(self) -> None:
        self.watch(self.suggestion_list, "moves", self._suggestion_selected, init=False)
        self.watch(self.before_list, "moves", self._line_selected, init=False)

    def image_changed(self, image: OpenImage) -> None:
        if image is not self._image:
            self._image = image
            self._order = None
            self._asked = None
        if image.stage is not Stage.READY:
            self._show_nothing(_instead_of_advice(image))
        elif self._asked is None:
            self._ask(image, self.layerlens.opening.dockerfile)

    def _ask(self, image: OpenImage, path: str | None) -> None:
        self._asked = (image, path)
        self._show_nothing("Looking for a better order …")
        self._advise(image, path)

    @work(thread=True, exclusive=True, group="advice", description="advice", exit_on_error=False)
    def _advise(self, image: OpenImage, path: str | None) -> None:
        assert image.image is not None
        worker = get_current_worker()
        try:
            advice: Advice | Exception = self.layerlens.opening.advise(image.image, path)
        except (LayerlensError, OSError) as error:
            advice = error
        if not worker.is_cancelled:
            self.post_message(self.Advised(image, path, advice))

    def on_suggest_screen_advised(self, message: Advised) -> None:
        if (message.image, message.path) != self._asked:
            return
        if isinstance(message.advice, Exception):
            self._show_nothing(escape_message(self.layerlens.opening.describe(message.advice)))
            return
        advice = message.advice
        self._show(SuggestedOrder(advice=advice, taken=advice.numbers, path=message.path))

    def _show(self, order: SuggestedOrder) -> None:
        self._order = order
        self.suggestion_list.border_title = Content(f"Suggestions: {order.headline}")
        self.suggestion_list.show_lines(order.suggestion_rows(), safe(order.headline))
        self.before_list.border_title = Content(f"Dockerfile: {safe(order.title, 60)}")
        self.before_list.show_lines(order.before_rows())
        self.after_list.show_lines(order.after_rows())
        self.figures.show_text(order.figures)
        self._show_details()

    def _show_nothing(self, text: str) -> None:
        self._order = None
        self.suggestion_list.border_title = "Suggestions"
        self.suggestion_list.show_lines((), text)
        self.before_list.border_title = "Dockerfile"
        for rows in (self.before_list, self.after_list):
            rows.show_lines(())
        for pane in (self.details, self.figures):
            pane.show_text(None)

    def _suggestion_selected(self) -> None:
        if self._order is not None and not self.suggestion_list.is_empty:
            self.before_list.move_cursor(self._order.first_line(self.suggestion_list.cursor) - 1)
            self._show_details()

    def _line_selected(self) -> None:
        if self.before_list.has_focus:
            self._show_details()

    def on_descendant_focus(self) -> None:
        self._show_details()

    def _show_details(self) -> None:
        order = self._order
        if order is None:
            return
        if self.before_list.has_focus or self.suggestion_list.is_empty:
            self.details.border_title = f"Line {self.before_list.cursor + 1}"
            self.details.show_text(partial(order.holds, self.before_list.cursor + 1))
        else:
            self.details.border_title = "Selected suggestion"
            self.details.show_text(partial(order.explanation, self.suggestion_list.cursor))

    @on(RowList.Chosen, "#suggestions")
    def _chosen(self) -> None:
        self.action_take()

    def action_take(self) -> None:
        """Take the selected suggestion, or leave it."""
        if self._order is not None and not self.suggestion_list.is_empty:
            row = self.suggestion_list.cursor
            self._show(self._order.toggled(row))
            self.suggestion_list.move_cursor(row)

    def action_step(self, rows: int) -> None:
        """To the next suggestion, or the one before, wherever the cursor is."""
        self.suggestion_list.focus()
        self.suggestion_list.move_cursor(self.suggestion_list.cursor + rows)

    def action_choose_dockerfile(self) -> None:
        image = self._image
        if image is None or image.stage is not Stage.READY:
            return

        def named(path: str | None) -> None:
            if path is not None:
                self._ask(image, path)

        self.app.push_screen(NamePrompt("The Dockerfile", "Dockerfile"), named)

    def action_write_patch(self) -> None:
        order = self._order
        text = "" if order is None else order.patch()
        if order is None or not text:
            self.app.notify("no suggestion is taken: there is nothing to write", markup=False)
            return

        def named(path: str | None) -> None:
            if path is not None:
                self._write(path, text, patch_warning(order.advice.dockerfile, text))

        self.app.push_screen(NamePrompt("Write the patch to", _PATCH_NAME), named)

    def _write(self, path: str, text: str, warning: str, replacing: str | None = None) -> None:
        """Write a patch; over a file that is there only if it is ``replacing``."""

        def named(again: str | None) -> None:
            if again is not None:
                self._write(again, text, warning, path)

        replace = path == replacing
        try:
            save_file(path, [text.encode("utf-8", "surrogateescape")], 0o644, replace=replace)
        except AlreadyThere as error:
            self.app.push_screen(NamePrompt(f"{error}: enter replaces it", path), named)
        except (LayerlensError, OSError, ValueError) as error:
            said = self.layerlens.opening.describe(error)
            self.app.notify(toast(said), markup=False, severity="error")
        else:
            self.app.notify(toast(f"wrote {path}: apply it with patch -p1"), markup=False)
            if warning:
                self.app.notify(toast(warning), markup=False, severity="warning")


def _instead_of_advice(image: OpenImage) -> str:
    match image.stage:
        case Stage.READING:
            return "The image is still being read …"
        case Stage.CANCELLED:
            return "Reading was stopped: its layers are not known."
        case Stage.FAILED | Stage.READY:
            return escape_message(image.error)
