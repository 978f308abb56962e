"""The program: holds the images that are open, reads them in threads, and shows sections."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.message import Message
from textual.screen import Screen

from layerlens.errors import AmbiguousImage
from layerlens.image import Image
from layerlens.layer_jobs import LoadSettings
from layerlens.tui import keys
from layerlens.tui.image_reading import (
    DeadBytesFound,
    ImageFound,
    LayerFound,
    ReadingEnded,
    ReadingEvent,
    read_image,
)
from layerlens.tui.keyed_app import KeyedApp
from layerlens.tui.screens.section_screen import SectionScreen
from layerlens.tui.sections import SECTIONS
from layerlens.tui.settings import Settings
from layerlens.tui.shown_text import toast
from layerlens.tui.state.open_image import OpenImage, Stage

if TYPE_CHECKING:  # what Suggest needs is loaded when it is first shown
    from layerlens.dockerfile.suggestions import Advice

_PROGRESS_EVERY = 0.1  # seconds
_MOST_NOTES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How images are opened. ``describe``: the line, not yet escaped, that says what an error
    means to the person who meets it. ``advise``: what to do better in the Dockerfile of an image,
    which is at a path, or is read back from its history; ``dockerfile``: the path that was given.
    """

    load_settings: LoadSettings
    describe: Callable[[BaseException], str]
    advise: Callable[[Image, str | None], Advice]
    dockerfile: str | None = None


class LayerlensApp(KeyedApp, inherit_bindings=False):
    """layerlens in a terminal."""

    BINDINGS = keys.bindings(keys.APP, keys.SECTION_KEYS)
    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {
        section.identity: section.make for section in SECTIONS[1:]
    }
    DEFAULT_MODE = SECTIONS[0].identity

    @dataclass
    class ReadingTold(Message):
        """A reading thread has found something."""

        image: OpenImage
        event: ReadingEvent

    def __init__(
        self, images: Sequence[OpenImage], opening: Opening, settings: Settings | None = None
    ) -> None:
        super().__init__(settings)
        self.opening = opening
        self.images = list(images)
        self.platform = images[0].platform
        self.current = 0
        # By the threads that found them: when the program ends, it may not yet know of all.
        self._found: list[Image] = []

    @property
    def image(self) -> OpenImage:
        """The image that is shown."""
        return self.images[self.current]

    def get_default_screen(self) -> Screen[None]:
        """The first section. One of MODES would be mounted, where tasks start eagerly (Python 3.12
        and newer), before Textual 8 has it on its stack of screens, and not find itself there."""
        return SECTIONS[0].make()

    def on_mount(self) -> None:
        super().on_mount()
        self.add_mode(SECTIONS[0].identity, SECTIONS[0].make)
        self.set_interval(_PROGRESS_EVERY, self._show_progress)
        self.read(self.image)
        for image in self.images[1:]:
            self.read(image)

    def on_unmount(self) -> None:
        for image in self.images:
            image.cancelled.set()
        gc.enable()

    def close_images(self) -> None:
        """Let go of temporary files; to be called once the program and its threads have ended."""
        for image in self._found:
            image.close()

    def read(self, image: OpenImage) -> None:
        """Start reading an image that is among ``images``."""
        image.stage = Stage.READING
        gc.disable()  # or all that is read so far would be gone through again and again
        self._read(image)

    @work(thread=True, group="reading", description="reading", exit_on_error=False)
    def _read(self, image: OpenImage) -> None:
        def tell(event: ReadingEvent) -> None:
            if isinstance(event, ImageFound):
                self._found.append(event.image)
            self.post_message(self.ReadingTold(image, event))

        read_image(image, self.opening.load_settings, tell)

    def on_layerlens_app_reading_told(self, message: ReadingTold) -> None:
        image = message.image
        match message.event:
            case ImageFound(image=found, bytes=expected):
                image.image = found
                image.expected_bytes = expected
                for note in found.notes[:_MOST_NOTES]:
                    self.notify(toast(note), markup=False)
            case LayerFound(layer=layer):
                image.layers.append(layer)
            case DeadBytesFound(dead=dead):
                image.dead_bytes = dead
            case ReadingEnded(error=None):
                image.stage = Stage.READY
                gc.freeze()  # millions of nodes that stay: going through them would stop the keys
            case ReadingEnded(error=error):
                stopped = image.cancelled.is_set()
                image.stage = Stage.CANCELLED if stopped else Stage.FAILED
                image.error = "" if stopped or error is None else self.opening.describe(error)
        if not any(image.stage is Stage.READING for image in self.images):
            gc.enable()
        if image is self.image or len(self.images) > 1:
            self.show_current()
        if isinstance(message.event, ReadingEnded):
            failure = message.event.error
            if isinstance(failure, AmbiguousImage) and not image.comes_once:
                self._let_choose(image, failure)

    def show_current(self) -> None:
        """Let the section that is on the screen show the image as far as it is read."""
        place = f" [{self.current + 1}/{len(self.images)}]" if len(self.images) > 1 else ""
        for screen in self._sections():
            screen.show_image(self.image, place)

    def show_image(self, image: OpenImage) -> None:
        """Show another of the images that are open."""
        self.current = self.images.index(image)
        self.show_current()

    def open_image(self, name: str, platform: str | None = None) -> None:
        """Open one more image, and show it; or the one that is open under that name already,
        read anew where it was stopped or could not be read."""
        for image in self.images:
            if image.is_called(name, platform):
                if image.stage in (Stage.FAILED, Stage.CANCELLED):
                    self._replace(image, name, platform)
                else:
                    self.show_image(image)
                return
        image = OpenImage(name=name, shown_name=name, platform=platform)
        self.images.append(image)
        self.read(image)
        self.show_image(image)

    def action_open_image(self) -> None:
        from layerlens.tui.screens.open_dialog import OpenDialog

        def opened(name: str | None) -> None:
            if name is not None:
                self.open_image(name, self.platform)

        self.push_screen(OpenDialog(), opened)

    def action_pick_image(self) -> None:
        from layerlens.tui.screens.pick import PickScreen

        def picked(number: int | None) -> None:
            if number is not None:
                self.show_image(self.images[number])

        lines = [f"{image.title}  {image.state_words}" for image in self.images]
        self.push_screen(PickScreen("Images", lines, self.current), picked)

    def action_pick_platform(self) -> None:
        from layerlens.tui.screens.pick import PickScreen

        image = self.image
        if image.image is None:
            return
        platforms = [str(platform) for platform in image.image.platforms]
        if image.comes_once:
            text = f"{image.shown_name} comes once: start again with --platform, of "
            self.notify(toast(text + ", ".join(platforms)), markup=False, severity="warning")
            return

        def picked(number: int | None) -> None:
            if number is not None and platforms[number] != str(here):
                self.open_image(image.name, platforms[number])

        here = image.image.platform
        place = platforms.index(str(here)) if str(here) in platforms else 0
        self.push_screen(PickScreen("Platforms", platforms, place), picked)

    def _let_choose(self, failed: OpenImage, error: AmbiguousImage) -> None:
        """An archive holds several images, or an index several platforms: which one is meant?"""
        from layerlens.tui.screens.pick import PickScreen

        if not error.images and not error.platforms:
            return
        lines = [f"{number} {names}" for number, names in error.images] or error.platforms

        def picked(line: int | None) -> None:
            if line is None:
                return
            if error.images:
                number, _ = error.images[line]
                self._replace(failed, f"{failed.name}:{number}", failed.platform)
            else:
                self._replace(failed, failed.name, error.platforms[line])

        self.push_screen(PickScreen(f"{failed.shown_name}: which of them?", lines), picked)

    def _replace(self, failed: OpenImage, name: str, platform: str | None) -> None:
        image = OpenImage(name=name, shown_name=name, platform=platform)
        self.images[self.images.index(failed)] = image
        self.read(image)
        self.show_image(image)

    def action_next_image(self, step: int) -> None:
        self.show_image(self.images[(self.current + step) % len(self.images)])

    def _show_progress(self) -> None:
        if self.image.stage is Stage.READING:
            for screen in self._sections():
                screen.show_progress()

    def _sections(self) -> Iterable[SectionScreen]:
        return [screen for screen in self.screen_stack if isinstance(screen, SectionScreen)]

    def go_to(self, layer: int, path: str) -> None:
        """Show a path of the image in the tree of what a layer did."""
        from layerlens.tui.screens.browse import BrowseScreen

        self.switch_mode("browse")
        self.show_current()  # the section may not have been seen since this image is shown
        for screen in self._sections():
            if isinstance(screen, BrowseScreen):
                screen.go_to(layer, path)

    def show_history(self, path: str) -> None:
        """Show the history of a path of the image."""
        from layerlens.tui.screens.find import FindScreen

        self.switch_mode("find")
        for screen in self._sections():
            if isinstance(screen, FindScreen):
                screen.call_after_refresh(screen.find, path)

    def action_section(self, identity: str) -> None:
        self.switch_mode(identity)

    def action_cancel_reading(self) -> None:
        if self.image.stage is Stage.READING:
            self.image.cancelled.set()
