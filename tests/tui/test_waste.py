"""What an image wastes, driven by keys on a real archive."""

from __future__ import annotations

import pytest

from layerlens.image import open_image
from layerlens.surveying import survey_image
from layerlens.tui.screens.browse import BrowseScreen
from layerlens.tui.screens.waste import WasteScreen
from layerlens.tui.state.waste_rows import WasteView, waste_rows

from .driving import Driver, drive, fixture

DEMO = fixture("demo.tar")
SIZES = [(160, 45), (100, 30), (80, 24), (60, 20)]


def words(driver: Driver) -> str:
    """What is on the screen, as if no line ended."""
    return " ".join(driver.text().replace("│", " ").split())


@pytest.mark.parametrize("size", SIZES)
def test_what_was_found_and_the_fix_of_the_selected(size: tuple[int, int]) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("3")
        assert "metadata-copies" in driver.text()
        assert "4.3 MB: 1.2 MB deleted" in words(driver)
        assert "COPY --chown=... in layer 4" in words(driver)
        await driver.press("down")
        assert "--mount=type=cache,target=/var/lib/apt/lists" in words(driver)

    drive([DEMO], steps, size)


def test_each_view_has_the_rows_of_the_command() -> None:
    with open_image(DEMO) as image:
        survey = survey_image(image)

    async def steps(driver: Driver) -> None:
        await driver.press("3")
        for view in WasteView:
            screen = driver.app.screen
            assert isinstance(screen, WasteScreen)
            assert screen.row_list.border_title == view.value.capitalize()
            assert screen.row_list.row_count() == len(waste_rows(survey, view))
            await driver.press("v")

    drive([DEMO], steps)
    assert len(waste_rows(survey, WasteView.FINDINGS)) == len(survey.findings)
    assert len(waste_rows(survey, WasteView.LAYERS)) == 9
    assert len(waste_rows(survey, WasteView.PATHS)) == len(survey.waste.paths())


def test_enter_leads_to_the_path_in_the_layer_that_took_it_away() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("3", "v", "down", "enter")
        screen = driver.app.screen
        assert isinstance(screen, BrowseScreen)
        assert "What layer 7 changed" in driver.text()
        path = screen.tree_view.path
        assert path is not None
        assert path.startswith("/var/lib/apt/lists/")
        await driver.press("3")
        assert isinstance(driver.app.screen, WasteScreen)

    drive([DEMO], steps)


def test_enter_leads_into_the_image_that_is_shown_now() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("3", "greater_than_sign", "v", "down", "enter")
        screen = driver.app.screen
        assert isinstance(screen, BrowseScreen)
        assert "demo-2.tar" in driver.lines()[0]
        assert screen.layer_list.cursor == 8
        assert str(screen.tree_view.path).startswith("/var/lib/apt/lists/")

    drive([DEMO, fixture("demo-2.tar")], steps)


def test_an_image_that_cannot_be_read_says_so_in_place() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("3")
        assert "no such file" in words(driver)

    drive([fixture("not-there.tar")], steps)
