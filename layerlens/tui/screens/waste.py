"""Waste: what an image holds that need not be there, and where in the tree it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual import on, work
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from layerlens.analysis.waste_survey import WasteSurvey
from layerlens.errors import LayerlensError
from layerlens.report.safe_text import escape_message
from layerlens.surveying import survey_image
from layerlens.tui import keys
from layerlens.tui.screens.section_screen import SectionScreen
from layerlens.tui.state.open_image import OpenImage, Stage
from layerlens.tui.state.waste_rows import WasteRow, WasteView, sums, waste_rows
from layerlens.tui.widgets.field_list import FieldList
from layerlens.tui.widgets.line_list import LineList
from layerlens.tui.widgets.row_list import RowList


class WasteScreen(SectionScreen):
    """Needs the whole image: until it is read, says so."""

    SECTION = "waste"
    BINDINGS = keys.bindings(keys.WASTE)

    @dataclass
    class Surveyed(Message):
        """An image was surveyed; or was not, for what ``survey`` then is."""

        image: OpenImage
        survey: WasteSurvey | Exception

    def __init__(self) -> None:
        super().__init__()
        self._image: OpenImage | None = None
        self._asked: OpenImage | None = None
        self._survey: WasteSurvey | None = None
        self._view = WasteView.FINDINGS
        self._rows: Sequence[WasteRow] = ()

    def content(self) -> Iterable[Widget]:
        self.sums = FieldList(id="sums")
        self.sums.border_title = "In all"
        self.row_list = LineList(id="waste")
        self.details = FieldList(id="details")
        self.details.border_title = "Selected"
        return [self.sums, self.row_list, self.details]

    def on_mount(self) -> None:
        self.watch(self.row_list, "moves", self._show_details, init=False)

    def image_changed(self, image: OpenImage) -> None:
        if image is not self._image:
            self._image = image
            self._survey = None
        if image.stage is not Stage.READY:
            self._asked = None
            self._show_nothing(_instead_of_rows(image))
        elif self._asked is not image:
            self._asked = image
            self._show_nothing("Looking for waste …")
            self._find(image)

    @work(thread=True, exclusive=True, group="survey", description="survey", exit_on_error=False)
    def _find(self, image: OpenImage) -> None:
        assert image.image is not None
        worker = get_current_worker()
        limits = self.layerlens.opening.load_settings.limits
        try:
            survey: WasteSurvey | Exception = survey_image(image.image, limits=limits)
        except (LayerlensError, OSError) as error:
            survey = error
        if not worker.is_cancelled:
            self.post_message(self.Surveyed(image, survey))

    def on_waste_screen_surveyed(self, message: Surveyed) -> None:
        if message.image is not self._image:
            return
        if isinstance(message.survey, Exception):
            self._show_nothing(escape_message(self.layerlens.opening.describe(message.survey)))
            return
        self._survey = message.survey
        self.sums.show_fields(sums(message.survey))
        self._show_rows()

    def _show_rows(self) -> None:
        self.row_list.border_title = self._view.value.capitalize()
        if self._survey is None:
            return
        self._rows = waste_rows(self._survey, self._view)
        self.row_list.show_lines([row.parts for row in self._rows], "Nothing: no byte is wasted.")
        self.row_list.move_cursor(0)
        self._show_details()

    def _show_nothing(self, text: str) -> None:
        self._rows = ()
        self.sums.show_fields(())
        self.row_list.border_title = self._view.value.capitalize()
        self.row_list.show_lines((), text)
        self.details.show_fields(())

    def _show_details(self) -> None:
        row = self._selected
        self.details.show_fields(row.details if row is not None else ())

    @on(RowList.Chosen, "#waste")
    def _row_chosen(self) -> None:
        row = self._selected
        if row is not None and row.destination is not None:
            self.layerlens.go_to(row.destination.layer, row.destination.path)

    @property
    def _selected(self) -> WasteRow | None:
        cursor = self.row_list.cursor
        return self._rows[cursor] if cursor < len(self._rows) else None

    def action_next_view(self) -> None:
        self._view = self._view.following
        self._show_rows()


def _instead_of_rows(image: OpenImage) -> str:
    match image.stage:
        case Stage.READING:
            return "The image is still being read …"
        case Stage.CANCELLED:
            return "Reading was stopped: what the image wastes is not known."
        case Stage.FAILED | Stage.READY:
            return escape_message(image.error)
