"""The terminal UI driven as a person would, on a terminal of a given size, with no sleeping."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from textual.geometry import Size
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


class Driver:
    """The running program, and what a person can do with it."""

    def __init__(self, pilot: Pilot[None], app: LayerlensApp) -> None:
        self.pilot = pilot
        self.app = app
        self.left_alone: set[str] = set()
        """Groups of threads that are not waited for: a test holds them back."""

    async def settle(self) -> None:
        """Wait until every thread and every message is done with."""
        await self.pilot.pause()
        while workers := [
            worker
            for worker in self.app.workers
            if not worker.is_finished and worker.group not in self.left_alone
        ]:
            for worker in workers:
                with contextlib.suppress(WorkerCancelled, WorkerFailed):
                    await worker.wait()
            await self.pilot.pause()
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys, and wait for what they do."""
        await self.pilot.press(*keys)
        await self.settle()

    async def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        await self.pilot.resize_terminal(width, height)
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
        async with app.run_test(size=size) as pilot:
            driver = Driver(pilot, app)
            yield driver
    finally:
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
