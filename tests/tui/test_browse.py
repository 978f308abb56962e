"""The first screen, driven by keys on a real archive."""

from __future__ import annotations

import pytest

from layerlens.tui.screens.browse import BrowseScreen
from layerlens.tui.state.tree_arrays import State

from .driving import Driver, drive, fixture

DEMO = fixture("demo.tar")
SIZES = [(160, 45), (100, 30), (80, 24), (60, 20)]


def browse(driver: Driver) -> BrowseScreen:
    screen = driver.app.screen
    assert isinstance(screen, BrowseScreen)
    return screen


@pytest.mark.parametrize("size", SIZES)
def test_the_layers_and_what_the_first_one_added_are_there(size: tuple[int, int]) -> None:
    async def steps(driver: Driver) -> None:
        lines = driver.lines()
        assert "1 Browse" in lines[0]
        assert "demo.tar" in lines[0]
        text = driver.text()
        assert "What layer 0 changed" in text
        assert "+33" in text  # paths that the first layer added
        assert "ADD file:bc84" in text
        assert "+A" in text
        assert "Quit" in lines[-1]

    drive([DEMO], steps, size)


def test_another_layer_shows_its_changes() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("down", "down", "down", "down", "down")
        assert "What layer 5 changed" in driver.text()
        tree = browse(driver).tree_view
        await driver.press("tab", "end")
        assert tree.path == "/srv/weather/settings.ini"
        assert tree.view is not None
        assert tree.row is not None
        assert tree.view.arrays.state(tree.row) is State.CHANGED

    drive([DEMO], steps)


def test_what_a_key_changes_is_painted_at_once_and_nothing_else_is_laid_out_anew() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("tab", "v")
        screen = browse(driver)
        tree, details = screen.tree_view, screen.details
        laid_out: list[object] = []
        screen.screen_layout_refresh_signal.subscribe(tree, laid_out.append, immediate=True)
        assert tree.view is not None
        for _ in range(3):  # before any message is handled, so before anything is painted
            tree.move_cursor(tree.cursor + 1)
            assert tree.path is not None
            assert details.row_parts(0, 60)[-1][0] == tree.path
        await driver.press("end", "pageup", "down", "C", "E", "home", "space", "space")
        assert not laid_out

    drive([DEMO], steps, (160, 24))
