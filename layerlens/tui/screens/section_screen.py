"""What every section has: the bar of sections above, the keys below, its own content between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from layerlens.tui.shown_text import message
from layerlens.tui.state.open_image import OpenImage, Stage
from layerlens.tui.widgets.key_bar import KeyBar
from layerlens.tui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from layerlens.tui.app import LayerlensApp


class SectionScreen(Screen[None]):
    """A section. A subclass composes ``content`` and shows images as they are read.

    ``image_changed`` is called when the screen is first shown, when another image is chosen, and
    whenever more of the image is known; it must cope with an image of which nothing is read yet.
    """

    SECTION: ClassVar[str]
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it as an instance's
        (0, "-narrow"),
        (100, "-wide"),
    ]

    VERTICAL_BREAKPOINTS = [(0, "-low"), (17, "-short"), (36, "-tall")]  # noqa: RUF012 - the same

    def content(self) -> Iterable[Widget]:
        """The widgets between the two bars."""
        raise NotImplementedError

    def image_changed(self, image: OpenImage) -> None:
        """Show what is known of an image."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield TitleBar(self.SECTION)
        yield Static(id="failure")
        yield Container(*self.content(), id="content")
        yield KeyBar()

    def show_image(self, image: OpenImage, place: str) -> None:
        """Show an image and its name; ``place`` says which of how many it is."""
        bars = self.query(TitleBar)
        if bars:  # none are left while the program ends
            bars.first().show_image(image, place)
            failure = self.query_one("#failure", Static)
            failure.display = image.stage is Stage.FAILED
            failure.update(message(image.error))
            self.image_changed(image)

    def on_screen_resume(self) -> None:
        """Another image may have been chosen, or read further, while another section was shown."""
        self.layerlens.show_current()

    @property
    def layerlens(self) -> LayerlensApp:
        """The program, by its own class."""
        from layerlens.tui.app import LayerlensApp

        assert isinstance(self.app, LayerlensApp)
        return self.app

    def show_progress(self) -> None:
        """More bytes of the image have been read, and nothing else."""
        self.query(TitleBar).refresh()
