"""The terminal UI driven as a person would, on a terminal of a given size, with no sleeping."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from unittest import mock

from textual import events
from textual.app import App
from textual.geometry import Size
from textual.keys import key_to_character
from textual.pilot import Pilot
from textual.widget import Widget
from textual.worker import WorkerCancelled, WorkerFailed

from layerlens.cli.failure import describe
from layerlens.dockerfile.suggestions import Advice
from layerlens.errors import NotFound
from layerlens.image import Image
from layerlens.layer_jobs import LoadSettings
from layerlens.tui.app import LayerlensApp, Opening
from layerlens.tui.settings import Settings
from layerlens.tui.state.open_image import OpenImage

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"

Drive = Callable[["Driver"], Awaitable[None]]
Advise = Callable[[Image, str | None], Advice]


def no_advice(image: Image, path: str | None) -> Advice:
    """What tests that ask for no advice are given."""
    raise NotFound("there is no advice here")


async def nothing_to_do(min_sleep: float = 0, max_sleep: float = 1) -> None:
    """Wait until all that runs in the event loop waits for something, be it a key or a thread.

    Stands in for Textual's own wait, which sleeps 20 ms at least to see whether the processor
    idles, several times a key.
    """
    ready: Sequence[object] = vars(asyncio.get_running_loop())["_ready"]
    await asyncio.sleep(0)
    while ready:
        await asyncio.sleep(0)


@contextlib.contextmanager
def without_sleeping() -> Iterator[None]:
    """Let Textual's pilot wait for what happens, and not for time to pass; and let tasks start as
    they do outside of tests, where Textual has them start eagerly since Python 3.12."""
    if sys.version_info >= (3, 12):
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    with (
        mock.patch("textual.app.wait_for_idle", nothing_to_do),
        mock.patch("textual.pilot.wait_for_idle", nothing_to_do),
    ):
        yield


async def painted(app: App[None]) -> None:
    """Wait until all messages are handled and all that they changed is painted, as it would be
    within 1/60 of a second."""
    await nothing_to_do()
    while _is_to_be_painted(app):
        if app._batch_count:  # painting is held back for 50 ms where a screen takes another's place
            await asyncio.sleep(0.001)
        else:
            app.screen._on_timer_update()
        await nothing_to_do()


def _is_to_be_painted(app: App[None]) -> bool:
    if not app.is_running or not app.screen_stack:
        return False
    screen = app.screen
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._dirty_widgets
        or screen._callbacks
        or app._batch_count
    )


class Driver:
    """The running program, and what a person can do with it."""

    def __init__(self, pilot: Pilot[None], app: LayerlensApp) -> None:
        self.pilot = pilot
        self.app = app
        self.left_alone: set[str] = set()
        """Groups of threads that are not waited for: a test holds them back."""

    async def settle(self) -> None:
        """Wait until every thread and every message is done with."""
        await painted(self.app)
        while workers := [
            worker
            for worker in self.app.workers
            if not worker.is_finished and worker.group not in self.left_alone
        ]:
            for worker in workers:
                with contextlib.suppress(WorkerCancelled, WorkerFailed):
                    await worker.wait()
            await painted(self.app)

    async def press(self, *keys: str) -> None:
        """Press keys, and wait for what each of them does."""
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    async def type_at_once(self, *keys: str) -> None:
        """Press keys as fast as a slow line delivers them: all before the first is acted on."""
        for key in keys:
            self.app.post_message(events.Key(key, key_to_character(key)))
        await self.settle()

    async def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        await self.pilot.resize_terminal(width, height)
        self.app._check_resize()  # which Textual does 1/120 of a second later
        await self.settle()

    def lines(self) -> list[str]:
        """What is on the screen, without colours and spaces at the ends of lines."""
        width, height = self.app.size
        update = self.app.screen._compositor.render_strips(Size(width, height))
        return ["".join(segment.text for segment in strip).rstrip() for strip in update]

    def text(self) -> str:
        """The same as one text."""
        return "\n".join(self.lines()) + "\n"

    def widget(self, selector: str) -> Widget:
        """A widget of the screen that is shown."""
        return self.app.screen.query_one(selector)


@contextlib.asynccontextmanager
async def running(
    names: Sequence[str],
    size: tuple[int, int] = (100, 30),
    *,
    settings: Settings | None = None,
    load_settings: LoadSettings | None = None,
    advise: Advise = no_advice,
) -> AsyncIterator[Driver]:
    """The program with images opened by these names, everything read."""
    images = [OpenImage(name=name, shown_name=Path(name).name) for name in names]
    opening = Opening(
        load_settings=load_settings or LoadSettings(), describe=describe, advise=advise
    )
    app = LayerlensApp(images, opening, settings)
    try:
        with without_sleeping():
            async with app.run_test(size=size) as pilot:
                yield Driver(pilot, app)
    finally:
        await asyncio.get_running_loop().shutdown_default_executor()  # its threads have ended then
        app.close_images()
    assert not [thread for thread in threading.enumerate() if "layerlens" in thread.name]


def drive(
    names: Sequence[str],
    steps: Drive,
    size: tuple[int, int] = (100, 30),
    *,
    settings: Settings | None = None,
    load_settings: LoadSettings | None = None,
    advise: Advise = no_advice,
) -> None:
    """Run the program, wait until its images are read, and take the steps."""

    async def run() -> None:
        async with running(
            names, size, settings=settings, load_settings=load_settings, advise=advise
        ) as driver:
            await driver.settle()
            await steps(driver)

    asyncio.run(run())


def fixture(name: str) -> str:
    """The path of an archive of ``fixtures/``."""
    return str(FIXTURES / name)
