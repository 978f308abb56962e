"""Journeys through the screens on a real archive, at the sizes terminals have."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerlens.tui.screens.browse import BrowseScreen
from layerlens.tui.screens.file_view import FileView
from layerlens.tui.screens.find import FindScreen

from .driving import Driver, drive, fixture

DEMO = fixture("demo.tar")
SIZES = [(160, 45), (100, 30), (80, 24)]


@pytest.mark.parametrize("size", SIZES)
def test_from_a_search_to_the_layer_that_removed_the_path(size: tuple[int, int]) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("2")
        assert "also those that are gone" in driver.text()
        await driver.press(*"sqlite3.deb", "enter")
        find = driver.app.screen
        assert isinstance(find, FindScreen)
        assert find.found.path == "/var/cache/apt/archives/libsqlite3.deb"
        assert "+1 -7" in driver.text()
        await driver.press("enter")  # the history has its cursor on the last event
        assert find.history.has_focus
        assert "removed" in driver.text()
        await driver.press("enter")
        browse = driver.app.screen
        assert isinstance(browse, BrowseScreen)
        assert browse.tree_view.has_focus
        assert browse.tree_view.path == "/var/cache/apt/archives/libsqlite3.deb"
        assert "What layer 7 changed" in driver.text()
        assert "-D" in driver.text()
        await driver.press("H")
        find = driver.app.screen
        assert isinstance(find, FindScreen)
        assert find.found.path == "/var/cache/apt/archives/libsqlite3.deb"

    drive([DEMO], steps, size)


@pytest.mark.parametrize("size", SIZES)
def test_from_the_tree_to_a_file_its_bytes_and_its_diff(size: tuple[int, int]) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press(*["j"] * 5, "tab", "end", "enter")
        view = driver.app.screen
        assert isinstance(view, FileView)
        assert "debug = no" in driver.text()
        assert "text · layer 5" in driver.text()
        await driver.press("down", "down")
        place = view.rows.byte_offset
        assert place > 0
        await driver.press("d")
        assert "-debug = yes" in driver.text()
        assert "+debug = no" in driver.text()
        await driver.press("d")
        assert view.rows.byte_offset == place
        await driver.press("d")
        await driver.press("x")
        assert "00000000  5b 77 65" in driver.text()
        await driver.press("escape")
        assert isinstance(driver.app.screen, BrowseScreen)
        await driver.press("d")
        assert "-workers = 1" in driver.text()

    drive([DEMO], steps, size)


def test_a_file_that_was_removed_can_still_be_read() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press(*["j"] * 6, "tab")
        browse = driver.app.screen
        assert isinstance(browse, BrowseScreen)
        assert browse.tree_view.go_to("/srv/weather/static/robots.txt")
        await driver.press("enter")
        assert isinstance(driver.app.screen, FileView)
        assert "layer 5" in driver.lines()[-2]

    drive([DEMO], steps)


def test_a_file_is_saved_and_one_that_is_there_only_when_asked_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved = tmp_path / "settings.ini"

    async def steps(driver: Driver) -> None:
        await driver.press(*["j"] * 5, "tab", "end", "ctrl+e", "enter")
        assert saved.read_text().startswith("[weather]\ndebug = no\n")
        assert isinstance(driver.app.screen, BrowseScreen)
        saved.write_text("mine")
        await driver.press("ctrl+s", "enter")
        assert saved.read_text() == "mine"
        assert "exists already: enter once more" in driver.text()
        await driver.press("enter")
        assert saved.read_text().startswith("[weather]")

    drive([DEMO], steps)


def test_a_link_is_followed() -> None:
    async def steps(driver: Driver) -> None:
        browse = driver.app.screen
        assert isinstance(browse, BrowseScreen)
        await driver.press("tab")
        browse.tree_view.go_to("/lib")
        await driver.press("enter")
        assert browse.tree_view.path == "/usr/lib"

    drive([DEMO], steps)


def test_a_glob_and_a_regular_expression_find_paths() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("2", "ctrl+t", *"*.deb")
        assert "Paths: 1 found" in driver.text()
        await driver.press("ctrl+t")
        assert "not a regular expression" in driver.text()
        await driver.press(*["backspace"] * 5, *"deb$")
        assert "Paths: 1 found" in driver.text()

    drive([DEMO], steps)
