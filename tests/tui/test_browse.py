"""The first screen, driven by keys on a real archive."""

from __future__ import annotations

from pathlib import Path

import pytest
from archive_forms import archive, docker_skopeo
from image_builder import file, image, layer

from layerlens.tui.screens.browse import BrowseScreen
from layerlens.tui.screens.file_view import FileView
from layerlens.tui.screens.whole_details import WholeDetails
from layerlens.tui.state.tree_arrays import State
from layerlens.tui.widgets.file_tree_view import FileTreeView
from layerlens.tui.widgets.row_list import RowList

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


@pytest.mark.parametrize(
    ("size", "bar", "dead"),
    [
        ((160, 45), " ████████ ", "†3.1 MB "),
        ((100, 30), " ███ ", " † "),
        ((80, 24), " ████████ ", "†3.1 MB "),
        ((60, 20), " ████ ", "†3.1 MB "),
    ],
)
def test_a_layer_has_its_bar_bytes_counts_dead_bytes_and_instruction(
    size: tuple[int, int], bar: str, dead: str
) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("j", "j", "j", "j")
        line = next(line for line in driver.lines() if "▌ 4 " in line)
        for part in (bar, " 3.1 MB ", dead, " +11 ", " ~0 ", " -0 ", " COPY dir"):
            assert part in line, part

    drive([DEMO], steps, size)


def test_a_range_says_that_it_waits_for_its_end() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("j", "x")
        assert "What layers 1 to … changed: move to the end" in driver.text()
        await driver.press("j")
        assert "What layers 1 to 2 changed" in driver.text()

    drive([DEMO], steps)


def test_a_column_that_is_asked_for_takes_the_room_of_others() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("tab")
        assert "drwx" not in driver.text()  # there is no room for it beside the bytes
        await driver.press("M")
        assert "drwxr-xr-x" in driver.text()
        assert "0:0" not in driver.text().replace("owner 0:0", "")
        await driver.press("O")
        assert "0:0" in driver.text().replace("owner 0:0", "")
        await driver.press("O", "M")
        assert "drwxr-xr-x" not in driver.text()
        await driver.resize(26, 20)
        await driver.press("M")
        assert driver.app._notifications
        await driver.resize(80, 24)
        assert "drwxr-xr-x" in driver.text()

    drive([DEMO], steps, (60, 20))


def test_what_is_hidden_of_the_changes_is_said() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press(*["j"] * 6, "tab", "r", "a")
        assert "without added, removed ─" in driver.text()
        assert ".stamp" not in driver.text()
        assert "site.css" in driver.text()
        await driver.press("v")  # in the whole there are no changes to hide
        assert "without" not in driver.text()
        await driver.press("v", "a", "r")
        assert "without" not in driver.text()

    drive([DEMO], steps)


def test_a_filter_that_leaves_nothing_says_why() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("j", "j", "j", "tab", "slash", *"passwd")
        assert "text: passwd · 1 hidden" in driver.text()
        await driver.press("enter", "u")
        assert "hidden" not in driver.text()
        assert "passwd" in driver.lines()[4]
        await driver.press("slash", "x", "ctrl+t")
        assert "glob: passwdx · no match" in driver.text()
        await driver.press("escape")
        assert "no match" not in driver.text()

    drive([DEMO], steps)


@pytest.mark.parametrize("size", [(160, 45), (100, 30), (80, 24), (60, 20)])
def test_details_can_be_read_to_their_last_letter(size: tuple[int, int]) -> None:
    async def steps(driver: Driver) -> None:
        screen = browse(driver)
        assert screen.details.fields
        await driver.press("D")
        details = driver.app.screen
        assert isinstance(details, WholeDetails)
        shown = details.query_one(RowList)
        lines = [shown.row_parts(row, size[0])[-1][0] for row in range(shown.row_count())]
        assert "".join(lines) == "".join(field.value for field in screen.details.fields)
        assert all(len(line) <= size[0] - 13 for line in lines)
        assert lines[0] in driver.text()
        await driver.press("G")
        assert lines[-1] in driver.text()
        await driver.resize(60, 20)
        assert lines[0][:20] in driver.text()
        await driver.press("D")
        assert driver.app.screen is screen
        await driver.press("tab", "end", "D", "q")
        assert driver.app.screen is screen

    drive([DEMO], steps, size)


@pytest.mark.parametrize("key", ["left_square_bracket", "greater_than_sign"])
def test_a_key_acts_on_the_file_that_is_seen_while_another_tree_is_being_made(key: str) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("end", "tab")
        browse = driver.app.screen
        assert isinstance(browse, BrowseScreen)
        assert browse.tree_view.go_to("/etc/passwd")
        await driver.type_at_once(key, "enter")
        view = driver.app.screen
        assert isinstance(view, FileView)
        assert view.rows.border_title == "/etc/passwd"
        assert "layer 8" in str(view.rows.border_subtitle)
        assert "app:x:990" in driver.text()

    drive([fixture("demo.tar"), fixture("odd.tar")], steps)


def test_the_root_has_no_history_and_no_other_path_has_it_instead() -> None:
    async def steps(driver: Driver) -> None:
        browse = driver.app.screen
        await driver.press("tab", "home", "H")
        assert driver.app.screen is browse
        said = [notice.message for notice in driver.app._notifications]
        assert said == ["choose a path below / to see its history"]

    drive([fixture("demo.tar")], steps)


@pytest.mark.parametrize("kinds", range(3), ids=["text", "glob", "regex"])
def test_a_filter_keeps_the_place_in_the_next_layer(kinds: int, tmp_path: Path) -> None:
    below = [file(f"/usr/share/doc/p{number:03}/name", b"x") for number in range(300)]
    path = tmp_path / "image.tar"
    built = image(layer(*below), layer(file("/a/name", b"y")), layer(file("/b", b"z")))
    path.write_bytes(archive(docker_skopeo(built)))

    async def steps(driver: Driver) -> None:
        await driver.press("v", "tab", "slash", *["ctrl+t"] * kinds, *"name", "enter", "end")
        tree = driver.widget("#tree")
        assert isinstance(tree, FileTreeView)
        for key in ("right_square_bracket", "right_square_bracket", "left_square_bracket", "s"):
            assert tree.path == "/usr/share/doc/p299/name"
            await driver.press(key)
        assert tree.path == "/usr/share/doc/p299/name"

    drive([str(path)], steps)


@pytest.mark.parametrize("size", [(80, 12), (80, 10), (40, 12), (120, 10)])
def test_on_few_lines_what_keys_act_on_is_there(size: tuple[int, int]) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("tab", "down")
        tree = driver.widget("#tree")
        assert tree.has_focus
        assert tree.scrollable_content_region.height >= 2
        assert driver.widget("#layers").scrollable_content_region.height >= 1
        await driver.press("D")
        assert "Path" in driver.text()
        await driver.press("escape", "3")
        assert driver.widget("#waste").has_focus
        assert driver.widget("#waste").scrollable_content_region.height >= 2
        await driver.resize(80, 24)
        await driver.press("1")
        assert driver.widget("#details").display

    drive([DEMO], steps, size)


def test_what_is_wrong_with_a_pattern_is_read_whole() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("slash", "ctrl+t", "ctrl+t", "left_square_bracket")
        assert "not a regular expression: unterminated character set" in driver.text()

    drive([DEMO], steps, (80, 24))


def test_the_first_screen_is_shown_before_it_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where tasks start eagerly, its widgets are made at once, and look for the screen they are
    on."""
    shown: list[bool] = []
    start = BrowseScreen._start_messages

    def noted(screen: BrowseScreen) -> None:
        shown.append(screen in screen.app.screen_stack)
        start(screen)

    async def steps(driver: Driver) -> None:
        pass

    monkeypatch.setattr(BrowseScreen, "_start_messages", noted)
    drive([fixture("demo.tar")], steps)
    assert shown == [True]
