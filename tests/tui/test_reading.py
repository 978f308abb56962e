"""While an image is read: layers as they come, stopping, errors in place, leaving in the middle."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_forms import archive
from loaded_images import SAMPLE, broken_layout

from layerlens.errors import MalformedInput
from layerlens.index_cache import IndexCache
from layerlens.layer_jobs import LoadSettings
from layerlens.tui import image_reading
from layerlens.tui.image_reading import ImageFound, LayerFound, ReadingEnded, read_image
from layerlens.tui.screens.browse import BrowseScreen
from layerlens.tui.state.open_image import OpenImage, ReadLayer, Stage
from layerlens.tui.widgets.title_bar import progress_text

from .driving import Driver, drive, fixture, running

DEMO = fixture("demo.tar")


class Gate:
    """Lets one layer after another through to the reader."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._open = threading.Semaphore(0)
        make = ReadLayer

        def slow(**facts: object) -> ReadLayer:
            # Waits until it is let through, or, as all reading does, until it is cancelled.
            while not self._open.acquire(timeout=0.01):
                if self.image is not None and self.image.cancelled.is_set():
                    break
            return make(**facts)  # type: ignore[arg-type]

        self.image: OpenImage | None = None
        monkeypatch.setattr(image_reading, "ReadLayer", slow)

    async def let_through(self, driver: Driver, count: int) -> None:
        """Let so many layers through, and wait until the last of them is shown."""
        wanted = len(driver.app.image.layers) + count
        for _ in range(count):
            self._open.release()
        while len(driver.app.image.layers) < wanted:
            await asyncio.sleep(0)
            await driver.pilot.pause()
        await driver.pilot.pause()


def test_layers_appear_as_they_are_read_and_reading_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch)

    async def run() -> None:
        async with running([DEMO]) as driver:
            gate.image = driver.app.image
            driver.left_alone.add("reading")
            await driver.pilot.pause()
            assert "Reading demo.tar" in driver.text()
            assert "ctrl+x stops it" in driver.text()
            await gate.let_through(driver, 1)
            assert "reading 1/9 layers" in driver.lines()[0]
            screen = driver.app.screen
            assert isinstance(screen, BrowseScreen)
            assert screen.layer_list.row_count() == 1
            await gate.let_through(driver, 2)
            assert screen.layer_list.row_count() == 3
            assert "Layers 3/9" in driver.text()
            await driver.press("down")  # what is there can be used
            assert "What layer 1 changed" in driver.text()
            assert not gc.isenabled()
            await driver.press("ctrl+x")
            driver.left_alone.clear()
            await driver.settle()
            assert driver.app.image.stage is Stage.CANCELLED
            assert gc.isenabled()
            assert "stopped" in driver.lines()[0]
            assert screen.layer_list.row_count() in (3, 4)
            await driver.press("2", *"libsqlite")
            assert "found" in driver.text()

    asyncio.run(run())


def test_leaving_in_the_middle_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    before = set(threading.enumerate())

    async def run() -> None:
        async with running([DEMO]) as driver:
            gate.image = driver.app.image
            driver.left_alone.add("reading")
            await gate.let_through(driver, 1)
            await driver.pilot.press("q")

    asyncio.run(run())
    assert set(threading.enumerate()) <= before
    assert gc.isenabled()


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (60, 20)])
def test_an_image_that_is_damaged_is_told_in_place(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "broken.tar"
    path.write_bytes(archive(broken_layout()))

    async def steps(driver: Driver) -> None:
        assert driver.app.image.stage is Stage.FAILED
        assert "failed" in driver.lines()[0]
        for key in ("3", "4", "5", "6", "1", "2"):  # the last, in which one types
            await driver.press(key)
            assert f" {key} " in driver.lines()[0]
            assert driver.app.image.error[-12:] in driver.text()

    drive([str(path)], steps, size)


def test_what_goes_wrong_only_when_layers_are_stacked_is_told_too(tmp_path: Path) -> None:
    from archive_forms import docker_skopeo
    from image_builder import file, image, layer

    path = tmp_path / "odd.tar"
    path.write_bytes(archive(docker_skopeo(image(layer(file("/a")), layer(file("/a/b"))))))

    async def steps(driver: Driver) -> None:
        assert driver.app.image.stage is Stage.FAILED
        assert len(driver.app.image.layers) == 1
        assert "What layer 0 changed" in driver.text()  # what was read can be looked at
        assert "lies below something that is no directory" in driver.app.image.error
        assert "lies below something" in " ".join(driver.text().split())

    drive([str(path)], steps, (160, 45))


def test_the_events_of_reading_are_those_of_the_image(tmp_path: Path) -> None:
    from archive_forms import docker_skopeo

    path = tmp_path / "sample.tar"
    path.write_bytes(archive(docker_skopeo(SAMPLE)))
    events: list[image_reading.ReadingEvent] = []
    opened = OpenImage(name=str(path), shown_name="sample.tar")
    read_image(opened, LoadSettings(), events.append)
    assert isinstance(events[0], ImageFound)
    assert sum(isinstance(event, LayerFound) for event in events) == len(SAMPLE.layers)
    assert ReadingEnded(None) in events
    assert opened.progress.done == events[0].bytes > 0
    events[0].image.close()


def test_bytes_that_the_cache_saves_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archive_forms import oci_layout

    monkeypatch.setattr("layerlens.loading.SETTLED_SECONDS", -60.0)  # just written is settled
    path = tmp_path / "sample.tar"
    path.write_bytes(archive(oci_layout(SAMPLE)))
    settings = LoadSettings(cache=IndexCache(tmp_path / "cache"))
    for said in (", 99 %", ""):
        events: list[image_reading.ReadingEvent] = []
        opened = OpenImage(name=str(path), shown_name="sample.tar")
        read_image(opened, settings, events.append)
        assert isinstance(events[0], ImageFound)
        assert opened.progress.done == events[0].bytes
        opened.image, opened.expected_bytes = events[0].image, events[0].bytes
        assert progress_text(opened) == f"reading 0/{len(SAMPLE.layers)} layers{said}"
        events[0].image.close()


def test_an_error_of_any_kind_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **more: object) -> Iterator[None]:
        raise MalformedInput("broken")

    monkeypatch.setattr(image_reading, "open_image", fail)
    events: list[image_reading.ReadingEvent] = []
    read_image(OpenImage(name="x", shown_name="x"), LoadSettings(), events.append)
    assert isinstance(events[-1], ReadingEnded)
    assert str(events[-1].error) == "broken"


def test_the_layout_follows_the_size_of_the_terminal() -> None:
    async def steps(driver: Driver) -> None:
        screen = driver.app.screen
        assert isinstance(screen, BrowseScreen)
        await driver.press("tab", "down", "down")
        path = screen.tree_view.path
        for size in ((60, 20), (160, 45), (80, 24), (20, 6), (100, 30)):
            await driver.resize(*size)
            assert len(driver.lines()) == size[1]
            assert screen.tree_view.path == path
        assert screen.layer_list.region.y == screen.tree_view.region.y  # side by side
        await driver.resize(80, 24)
        assert screen.layer_list.region.y < screen.tree_view.region.y  # one over the other

    drive([DEMO], steps)
