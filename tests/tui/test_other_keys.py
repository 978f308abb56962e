"""The keys that no journey happens to take, and the second keys of what they do take."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from layerlens.tui.screens.browse import BrowseScreen
from layerlens.tui.screens.compare import CompareScreen
from layerlens.tui.screens.file_view import FileView
from layerlens.tui.screens.find import FindScreen
from layerlens.tui.screens.keys_help import KeysHelp
from layerlens.tui.screens.name_prompt import NamePrompt
from layerlens.tui.screens.open_dialog import OpenDialog
from layerlens.tui.screens.pick import PickScreen
from layerlens.tui.screens.save_prompt import SavePrompt
from layerlens.tui.screens.suggest import SuggestScreen

from .driving import Driver, drive, fixture
from .test_suggest import advising

DEMO = fixture("demo.tar")

drive_demo = partial(drive, [DEMO])


def test_the_help_opens_and_closes_with_either_key() -> None:
    async def steps(driver: Driver) -> None:
        for opening, closing in (("f1", "q"), ("question_mark", "question_mark")):
            await driver.press(opening)
            assert isinstance(driver.app.screen, KeysHelp)
            await driver.press(closing)
            assert isinstance(driver.app.screen, BrowseScreen)

    drive_demo(steps)


def test_the_palette_and_the_themes() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("ctrl+p")
        assert isinstance(driver.app.screen, CommandPalette)
        await driver.press("escape", "f2")
        assert isinstance(driver.app.screen, CommandPalette)
        await driver.press(*"nord", "enter")
        assert driver.app.theme == "nord"
        assert isinstance(driver.app.screen, BrowseScreen)

    drive_demo(steps)


def test_all_directories_fold_with_control_and_space() -> None:
    async def steps(driver: Driver) -> None:
        browse = driver.app.screen
        assert isinstance(browse, BrowseScreen)
        await driver.press("tab", "ctrl+space")
        assert browse.tree_view.row_count() == 9

    drive_demo(steps)


def test_a_list_to_pick_from_is_left_as_it_was() -> None:
    async def steps(driver: Driver) -> None:
        for key in ("q", "escape"):
            await driver.press("i")
            assert isinstance(driver.app.screen, PickScreen)
            await driver.press("down", key)
            assert isinstance(driver.app.screen, BrowseScreen)
            assert driver.app.current == 0

    drive([DEMO, fixture("odd.tar")], steps)


def test_files_to_open_are_gone_through_up_and_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.tar", "b.tar", "c.tar"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)

    async def steps(driver: Driver) -> None:
        await driver.press("o", "down", "down", "up", "tab")
        assert isinstance(driver.app.screen, OpenDialog)
        assert driver.app.screen.query_one(Input).value == "b.tar"

    drive_demo(steps)


def test_from_the_paths_found_to_another_search_and_to_the_tree() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("2", *"settings.ini", "enter")
        find = driver.app.screen
        assert isinstance(find, FindScreen)
        assert find.found.has_focus
        for key in ("slash", "ctrl+f"):
            await driver.press(key)
            assert find.filter_box.query_one(Input).has_focus
            await driver.press("down")
        last = find.found.events[-1].layer
        await driver.press("b")
        browse = driver.app.screen
        assert isinstance(browse, BrowseScreen)
        assert browse.tree_view.path == "/srv/weather/settings.ini"
        assert browse.layer_list.cursor == last > 0
        await driver.press("2", "1")
        assert isinstance(driver.app.screen, BrowseScreen)

    drive_demo(steps)


def test_the_image_before_can_be_a() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("4")
        compare = driver.app.screen
        assert isinstance(compare, CompareScreen)
        titles = []
        for key in ("left_square_bracket", "right_square_bracket", "left_square_bracket"):
            await driver.press(key)
            titles.append(compare.pair_list.border_title)
        assert titles[0] == titles[2] != titles[1]

    drive([DEMO, fixture("demo-2.tar"), fixture("odd.tar")], steps)


def test_suggestions_are_stepped_through_both_ways_and_a_prompt_is_given_up() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("6")
        suggest = driver.app.screen
        assert isinstance(suggest, SuggestScreen)
        await driver.press("n")
        assert suggest.suggestion_list.cursor == 1
        await driver.press("tab", "p")
        assert suggest.suggestion_list.cursor == 0
        assert suggest.suggestion_list.has_focus
        before = driver.text()
        await driver.press("d")
        assert isinstance(driver.app.screen, NamePrompt)
        await driver.press("escape")
        assert driver.text() == before

    drive_demo(steps, advise=advising)


def test_a_file_is_copied_from_saved_and_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def steps(driver: Driver) -> None:
        await driver.press(*["j"] * 5, "tab", "end", "enter")
        view = driver.app.screen
        assert isinstance(view, FileView)
        await driver.press("y")
        assert driver.app.clipboard == "/srv/weather/settings.ini"
        for key in ("w", "ctrl+s", "ctrl+e"):
            await driver.press(key)
            assert isinstance(driver.app.screen, SavePrompt)
            await driver.press("escape")
            assert driver.widget("#file") is view.rows
        for key in ("backspace", "q", "escape"):
            await driver.press(key)
            assert isinstance(driver.app.screen, BrowseScreen)
            await driver.press("enter")
        assert list(tmp_path.iterdir()) == []

    drive_demo(steps)
