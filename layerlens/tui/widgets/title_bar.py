"""The first line: the sections with the one that is shown marked, the image, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from layerlens.report.safe_text import cells, shorten_middle
from layerlens.report.sizes import human_size
from layerlens.tui.sections import SECTIONS, Section
from layerlens.tui.shown_text import safe
from layerlens.tui.state.open_image import OpenImage, Stage

_WIDTH_FOR_NAMES = 90
"""Cells of a terminal on which there is room for the names of all sections."""

_WIDTH_FOR_TIGHT_NAMES = 76
"""The same with as little as possible between them."""


class TitleBar(Widget):
    """Sections, the image's name, and what is being read."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"title-bar--here", "title-bar--error"}

    def __init__(self, section: str) -> None:
        super().__init__()
        self._section = section
        self._image: OpenImage | None = None
        self._place = ""

    def show_image(self, image: OpenImage | None, place: str) -> None:
        """Tell of this image; ``place``: which of how many, or empty."""
        self._image = image
        self._place = place
        self.refresh()

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        here = self.get_component_rich_style("title-bar--here")
        error = style + self.get_component_rich_style("title-bar--error", partial=True)
        segments = []
        used = 0
        for section, text in self._tabs():
            segments.append(Segment(text, here if section.identity == self._section else style))
            used += len(text)
        state = progress_text(self._image)
        left = self.size.width - used - cells(state) - 3
        if self._image is not None and left > 8:
            name = shorten_middle(safe(self._image.title), left - len(self._place))
            segments.append(Segment(f" {name}{self._place} ", style))
        failed = self._image is not None and self._image.stage is Stage.FAILED
        segments.append(Segment(f" {state}", error if failed else style))
        return Strip(segments).adjust_cell_length(self.size.width, style)

    def _tabs(self) -> Iterator[tuple[Section, str]]:
        """The sections as they are written: on a narrow terminal most by their keys alone."""
        width = self.size.width
        for section in SECTIONS:
            if width >= _WIDTH_FOR_NAMES or section.identity == self._section:
                yield section, f" {section.key} {section.name} "
            elif width >= _WIDTH_FOR_TIGHT_NAMES:
                yield section, f" {section.key} {section.name}"
            else:
                yield section, f" {section.key} "

    async def on_click(self, event: events.Click) -> None:
        end = 0
        for section, text in self._tabs():
            end += len(text)
            if event.x < end:
                # Its key could be typed into what has the focus.
                await self.app.run_action(f"section({section.identity!r})")
                return


def progress_text(image: OpenImage | None) -> str:
    """How far reading an image is, in a few words."""
    if image is None:
        return ""
    if image.stage is not Stage.READING:
        return "" if image.stage is Stage.READY else image.stage.value
    if not image.layer_count:
        return f"reading {human_size(image.progress.done)}"
    layers = f"reading {len(image.layers)}/{image.layer_count} layers"
    if not image.expected_bytes:  # the cache knows all layers
        return layers
    return f"{layers}, {min(99, image.progress.done * 100 // image.expected_bytes)} %"
