"""Shared: which of the open images hold which layers, and what that saves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from layerlens.analysis.sharing import Identity, ImageLayers
from layerlens.tui import keys
from layerlens.tui.screens.pick import PickScreen
from layerlens.tui.screens.section_screen import SectionScreen
from layerlens.tui.state.open_image import OpenImage, Stage
from layerlens.tui.state.shared_matrix import SharedMatrix, best_identity, shared_matrix
from layerlens.tui.widgets.field_list import FieldList
from layerlens.tui.widgets.line_list import HeadLine, LineList
from layerlens.tui.widgets.row_list import RowList


class SharedScreen(SectionScreen):
    """The matrix of images and layers; those that are still being read are left out so far."""

    SECTION = "shared"
    BINDINGS = keys.bindings(keys.SHARED)

    def __init__(self) -> None:
        super().__init__()
        self._identity: Identity | None = None
        self._matrix: SharedMatrix | None = None
        self._shown: tuple[OpenImage, ...] = ()

    def content(self) -> Iterable[Widget]:
        self.image_list = LineList(id="images")
        self.head = HeadLine(id="matrix-head")
        self.row_list = LineList(id="matrix-rows")
        self.box = Vertical(self.head, self.row_list, id="matrix")
        self.details = FieldList(id="details")
        self.details.border_title = "Layer"
        return [self.image_list, self.box, self.details]

    def image_changed(self, image: OpenImage) -> None:
        images = tuple(each for each in self.layerlens.images if each.stage is Stage.READY)
        if images != self._shown:
            self._shown = images
            self._show_matrix()
        elif not images:
            self._show_matrix()

    def _show_matrix(self) -> None:
        waiting = len(self.layerlens.images) - len(self._shown)
        self.image_list.border_title = "Images" + (f", {waiting} not read" if waiting else "")
        if len(self._shown) < 2:
            self._matrix = None
            self.image_list.show_lines((), _too_few(waiting))
            self.row_list.show_lines(())
            self.head.show_line(None)
            self.details.show_fields(())
            return
        held = held_layers(self._shown)
        identity = self._identity or best_identity(held)
        matrix = self._matrix = shared_matrix(held, identity)
        self.image_list.show_lines(matrix.image_rows())
        self.box.border_title = Content(f"Layers {matrix.summary}")
        self.head.show_line(matrix.heading)
        self.row_list.show_lines(matrix.rows(), "These images hold no layers.")
        self._show_details()

    @on(RowList.Moved, "#matrix-rows")
    def _show_details(self) -> None:
        if self._matrix is not None and not self.row_list.is_empty:
            self.details.show_fields(self._matrix.details(self.row_list.cursor))

    @on(RowList.Chosen, "#matrix-rows")
    def _layer_chosen(self) -> None:
        """Show who holds the layer, to go to one of them."""
        if self._matrix is None or self.row_list.is_empty:
            return
        holders = [self._shown[number] for number in self._matrix.holders(self.row_list.cursor)]

        def picked(line: int | None) -> None:
            if line is not None:
                self.layerlens.show_image(holders[line])
                self.layerlens.action_section("browse")

        titles = [image.title for image in holders]
        self.app.push_screen(PickScreen("Held by", titles), picked)

    @on(RowList.Chosen, "#images")
    def _image_chosen(self) -> None:
        if self._matrix is not None:
            self.layerlens.show_image(self._shown[self.image_list.cursor])

    def action_next_identity(self) -> None:
        if self._matrix is not None:
            identities = list(Identity)
            place = identities.index(self._matrix.sharing.identity)
            self._identity = identities[(place + 1) % len(identities)]
            self._show_matrix()


def held_layers(images: Sequence[OpenImage]) -> list[ImageLayers]:
    """The layers of images that were read to their end."""
    return [image.image.held_layers() for image in images if image.image is not None]


def _too_few(waiting: int) -> str:
    if waiting > 1:
        return "The images are still being read …"
    return "Sharing takes two images: o opens another."
