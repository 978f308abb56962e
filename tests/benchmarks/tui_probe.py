"""Runs the terminal UI on one image, on a terminal that shows nothing, and times its keys.

    python tests/benchmarks/tui_probe.py keys|indexes IMAGE

``keys`` writes a JSON object: for each kind of key the seconds until what it changed was painted,
a list, and those that the processor worked; each key is answered before the next is pressed.
``memory`` is the bytes that the process has in use at its end; with ``indexes`` that is all, with
nothing but the image read and stacked.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from textual.drivers.headless_driver import HeadlessDriver
from textual.widgets import Input

import layerlens.tui
from layerlens.cli.failure import describe
from layerlens.dockerfile.suggestions import Advice
from layerlens.errors import NotFound
from layerlens.image import Image, open_image
from layerlens.index_cache import IndexCache, default_directory
from layerlens.layer_jobs import LoadSettings
from layerlens.tui.app import LayerlensApp, Opening
from layerlens.tui.screens.browse import BrowseScreen
from layerlens.tui.state.open_image import OpenImage, Stage
from layerlens.tui.state.tree_arrays import TreeArrays

SIZE = (160, 45)
TYPED = "f00012"
"""The first letter is in every name of the image, the last ones in few."""

QUIET = 0.15
"""Seconds without a painting after which all is painted."""

PATIENCE = 60.0
"""Seconds after which something has gone wrong."""

Seconds = dict[str, list[float]]


class NowhereDriver(HeadlessDriver):
    """A terminal for which all is rendered, down to the bytes, and which drops them."""

    @property
    def is_headless(self) -> bool:
        return False


class TimedApp(LayerlensApp):
    """Remembers when it last painted, and what processor time had been used by then."""

    CSS_PATH = str(Path(layerlens.tui.__path__[0]) / "layerlens.tcss")

    painted = 0.0
    used = 0.0

    def post_display_hook(self) -> None:
        self.painted = time.perf_counter()
        self.used = time.process_time()


class Probe:
    """The running program, and the times it took."""

    def __init__(self, app: TimedApp) -> None:
        self.app = app
        self.seconds: Seconds = {}

    async def run(self) -> None:
        """All that is measured, in order."""
        await self.until(lambda: self.app.image.stage is not Stage.READING)
        assert self.app.image.stage is Stage.READY, self.app.image.error
        await asyncio.sleep(QUIET)
        screen = self.app.screen
        assert isinstance(screen, BrowseScreen)
        tree = screen.tree_view
        screen.layer_list.move_cursor(len(self.app.image.layers) - 1)
        tree.focus()
        screen.filter_box.query_one(Input).cursor_blink = False
        await asyncio.sleep(QUIET)
        whole = await self.view(screen, "whole")
        await self.first_paints(screen, whole)
        for _ in range(10):
            await self.press("unfold all", "E")
            await self.press("fold all", "C")
        await self.press("unfold all", "E")
        tree.move_cursor(whole.count // 2)
        await asyncio.sleep(QUIET)
        for key in ["down", "up", "j", "j", "k"] * 12:
            await self.press("move", key)
        for key in ["pagedown", "pageup", "pagedown", "end", "home"] * 8:
            await self.press("page", key)
        tree.move_cursor(2)  # a directory with a third of all files in it
        await asyncio.sleep(QUIET)
        for _ in range(40):
            await self.press("fold or unfold", "space")
        await self.view(screen, "layer")
        for key in ["u", "u", "a", "a", "m", "m"] * 4:
            await self.press("show or hide", key)
        await self.view(screen, "whole")
        await self.press("open the filter", "slash")
        for _ in range(4):
            for letter in TYPED:
                await self.press("type", letter)
            for _ in TYPED:
                await self.press("type", "backspace")
        gc.collect()
        self.seconds["memory"] = [resident_bytes()]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something, but not for ever."""
        start = time.perf_counter()
        while not is_so():
            await asyncio.sleep(0.001)
            if time.perf_counter() - start > PATIENCE:
                raise TimeoutError(f"nothing came of it; measured so far: {list(self.seconds)}")

    async def painted_since(self, start: float, kind: str) -> None:
        """Note how long it took to paint all that came of what was done at ``start``."""
        await self.until(lambda: self.app.painted > start)
        while time.perf_counter() - self.app.painted < QUIET:
            await asyncio.sleep(QUIET / 5)
        self.seconds.setdefault(kind, []).append(self.app.painted - start)

    async def press(self, kind: str, key: str) -> None:
        """Press a key, and wait until what it does is painted."""
        start, used = time.perf_counter(), time.process_time()
        self.app.simulate_key(key)
        await self.painted_since(start, kind)
        self.seconds.setdefault(f"{kind}: processor", []).append(self.app.used - used)

    async def view(self, screen: BrowseScreen, kind: str) -> TreeArrays:
        """Choose what the tree shows; the tree, once it is there and painted."""
        before = screen.tree_view.view
        start = time.perf_counter()
        screen.action_view(kind)
        await self.until(lambda: screen.tree_view.view is not before)
        await asyncio.sleep(QUIET)  # what was painted meanwhile was not yet the tree
        await self.painted_since(start, "another view")
        assert screen.tree_view.view is not None
        return screen.tree_view.view.arrays

    async def first_paints(self, screen: BrowseScreen, arrays: TreeArrays) -> None:
        """Show the tree as if for the first time."""
        for _ in range(5):
            screen.tree_view.show_message("")
            await asyncio.sleep(QUIET)
            start = time.perf_counter()
            screen.tree_view.show_arrays(arrays, shows_changes=False)
            await self.painted_since(start, "first paint")


def resident_bytes() -> int:
    """The memory that this process has in use."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def no_advice(image: Image, dockerfile: str | None) -> Advice:
    """Nothing here asks for any."""
    raise NotFound("there is no advice here")


async def measure_keys(name: str, settings: LoadSettings) -> Seconds:
    """Drive the program through its keys."""
    opening = Opening(load_settings=settings, describe=describe, advise=no_advice)
    app = TimedApp([OpenImage(name=name, shown_name=name)], opening)
    app.driver_class = NowhereDriver
    running = asyncio.create_task(app.run_async(headless=False, size=SIZE, mouse=False))
    probe = Probe(app)
    await first_of(probe.run(), running)
    app.exit()
    await running
    app.close_images()
    return probe.seconds


async def first_of(work: Coroutine[None, None, None], running: asyncio.Task[None]) -> None:
    """Do the work, or fail where the program has ended before it."""
    task = asyncio.create_task(work)
    await asyncio.wait({task, running}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        raise SystemExit("the program has ended early")
    await task


def memory_of_indexes(name: str, settings: LoadSettings) -> Seconds:
    """Memory in use with the image read and its layers stacked, and nothing else done."""
    with open_image(name, settings=settings) as image:
        for layer in image.read_layers():
            image.stacked(layer.number)
        gc.collect()
        return {"memory": [resident_bytes()]}


def main() -> None:
    """Measure what is asked for."""
    what, name = sys.argv[1:]
    settings = LoadSettings(cache=IndexCache(default_directory()))
    if what == "indexes":
        found = memory_of_indexes(name, settings)
    else:
        found = asyncio.run(measure_keys(name, settings))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
