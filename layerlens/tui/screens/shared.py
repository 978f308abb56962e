"""Shared: which of the open images hold which layers, and what that saves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from textual import on
from textual.widget import Widget

from layerlens.analysis.sharing import Identity, ImageLayers
from layerlens.tui import keys
from layerlens.tui.screens.pick import PickScreen
from layerlens.tui.screens.section_screen import SectionScreen
from layerlens.tui.state.open_image import OpenImage, Stage
from layerlens.tui.state.shared_matrix import SharedMatrix, best_identity, shared_matrix
from layerlens.tui.widgets.matrix_panel import MatrixPanel


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
        self.panel = MatrixPanel("Images", id="panel")
        return [self.panel]

    def image_changed(self, image: OpenImage) -> None:
        images = tuple(each for each in self.layerlens.images if each.stage is Stage.READY)
        missing = len(self.layerlens.images) - len(images)
        self.panel.holder_list.border_title = "Images" + (
            f", {missing} not read" if missing else ""
        )
        if images != self._shown or len(images) < 2:
            self._shown = images
            self._show_matrix()

    def _show_matrix(self) -> None:
        if len(self._shown) < 2:
            self._matrix = None
            self.panel.show_message(_too_few(self.layerlens.images))
            return
        held = held_layers(self._shown)
        self._matrix = shared_matrix(held, self._identity or best_identity(held))
        self.panel.show(self._matrix)

    def on_matrix_panel_layer_chosen(self, chosen: MatrixPanel.LayerChosen) -> None:
        """Show who holds the layer, to go to one of them."""
        if self._matrix is None:
            return
        holders = [self._shown[number] for number in self._matrix.holders(chosen.row)]

        def picked(line: int | None) -> None:
            if line is not None:
                self.layerlens.show_image(holders[line])
                self.layerlens.action_section("browse")

        self.app.push_screen(PickScreen("Held by", [image.title for image in holders]), picked)

    @on(MatrixPanel.HolderChosen)
    def _image_chosen(self, chosen: MatrixPanel.HolderChosen) -> None:
        self.layerlens.show_image(self._shown[chosen.number])

    def action_next_identity(self) -> None:
        if self._matrix is not None:
            self._identity = following(self._matrix.sharing.identity)
            self._show_matrix()


def following(identity: Identity) -> Identity:
    """The next identity, after the last the first."""
    identities = list(Identity)
    return identities[(identities.index(identity) + 1) % len(identities)]


def held_layers(images: Sequence[OpenImage]) -> list[ImageLayers]:
    """The layers of images that were read to their end, by the names they are shown under."""
    found = []
    for image in images:
        if image.image is not None:
            held = image.image.held_layers()
            names = (*held.title.names, *filter(None, [image.chosen_platform]))
            title = replace(held.title, image=image.shown_name, names=names)
            found.append(replace(held, title=title))
    return found


def _too_few(images: Sequence[OpenImage]) -> str:
    to_come = [each for each in images if each.stage in (Stage.READING, Stage.READY)]
    if len(to_come) > 1:
        return "The images are still being read …"
    return "Sharing takes two images: o opens another."
