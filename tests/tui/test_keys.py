"""Every key of the tables is answered, in the help and in the palette; the mouse does the same."""

from __future__ import annotations

import pytest
from textual.binding import Binding
from textual.widgets import Input

from layerlens.tui import keys
from layerlens.tui.screens.browse import BrowseScreen
from layerlens.tui.screens.keys_help import KeysHelp
from layerlens.tui.state.name_filter import NameFilter
from layerlens.tui.state.tree_arrays import State
from layerlens.tui.state.tree_lines import Column
from layerlens.tui.widgets.row_list import RowList

from .driving import Driver, drive, fixture

DEMO = fixture("demo.tar")


def browse(driver: Driver) -> BrowseScreen:
    screen = driver.app.screen
    assert isinstance(screen, BrowseScreen)
    return screen


def kind(screen: BrowseScreen) -> str:
    """What of the layers is shown."""
    return screen.span.kind.value


async def to_layer(driver: Driver, number: int) -> BrowseScreen:
    """Select a layer, and have the keys go to the tree."""
    screen = browse(driver)
    screen.layer_list.move_cursor(number)
    await driver.settle()
    screen.tree_view.focus()
    await driver.settle()
    return screen


def test_every_binding_names_an_action_that_is_there() -> None:
    """On whatever screen or part it is for: a method of that class, or of the program."""
    import importlib
    import pkgutil

    import layerlens.tui
    from layerlens.tui.app import LayerlensApp

    owners: dict[str, list[type]] = {}
    for module in pkgutil.walk_packages(layerlens.tui.__path__, "layerlens.tui."):
        for each in vars(importlib.import_module(module.name)).values():
            for binding in vars(each).get("BINDINGS", ()) if isinstance(each, type) else ():
                if isinstance(binding, Binding) and binding.id is not None:
                    owners.setdefault(binding.id, []).append(each)
    for binding in keys.every_key():
        assert binding.id is not None
        assert binding.id in owners, binding.id
        name = binding.action.partition("(")[0]
        for owner in owners[binding.id]:
            target = LayerlensApp if name.startswith("app.") else owner
            assert hasattr(target, f"action_{name.removeprefix('app.')}"), binding.id


def test_moving_with_arrows_and_with_vims_keys() -> None:
    async def steps(driver: Driver) -> None:
        tree = (await to_layer(driver, 0)).tree_view
        for down, up in (("down", "up"), ("j", "k"), ("pagedown", "pageup")):
            await driver.press(down)
            assert tree.cursor > 0
            await driver.press(up)
            assert tree.cursor == 0
        for last, first in (("end", "home"), ("G", "g")):
            await driver.press(last)
            assert tree.cursor == tree.row_count() - 1
            await driver.press(first)
            assert tree.cursor == 0

    drive([DEMO], steps)


def test_folding_one_and_all() -> None:
    async def steps(driver: Driver) -> None:
        tree = (await to_layer(driver, 0)).tree_view
        assert tree.view is not None
        rows = tree.row_count()
        for fold, unfold in (("space", "space"), ("left", "right"), ("h", "l")):
            tree.go_to("/usr")
            await driver.press(fold)
            assert tree.row_count() < rows
            await driver.press(unfold)
            assert tree.row_count() == rows
        await driver.press("right")
        assert tree.path == "/usr/bin"
        await driver.press("right")
        await driver.press("left", "left", "left")  # to its directory, fold that, to the next
        assert tree.path == "/usr"
        for fold_all, unfold_all in (("C", "E"), ("ctrl+@", "ctrl+@")):
            await driver.press(fold_all)
            assert tree.row_count() == 9
            assert tree.path == "/usr"
            await driver.press(unfold_all)
            assert tree.row_count() == rows

    drive([DEMO], steps)


@pytest.mark.parametrize(
    ("pressed", "state"),
    [
        (["a", "ctrl+a"], State.ADDED),
        (["m", "ctrl+m"], State.CHANGED),
        (["r", "ctrl+r"], State.REMOVED),
        (["u", "ctrl+u"], State.UNMODIFIED),
        (["w"], State.REWRITTEN),
    ],
)
def test_each_state_is_shown_and_hidden(pressed: list[str], state: State) -> None:
    async def steps(driver: Driver) -> None:
        tree = (await to_layer(driver, 6)).tree_view
        for key in pressed:
            before = tree.states
            await driver.press(key)
            assert tree.states == before ^ {state}
            assert tree.view is not None
            shown = {tree.view.arrays.state(row) for row in tree.view.rows if row}
            directories = {State.UNMODIFIED}
            assert shown <= tree.states | directories

    drive([DEMO], steps)


def test_columns_sorting_and_views() -> None:
    async def steps(driver: Driver) -> None:
        screen = await to_layer(driver, 1)
        tree = screen.tree_view
        for key, column in (
            ("M", Column.MODE),
            ("O", Column.OWNER),
            ("S", Column.SIZE),
            ("L", Column.LINK),
        ):
            await driver.press(key)
            assert column not in tree.columns
            await driver.press(key)
            assert column in tree.columns
        await driver.press("b")
        assert "-rw-r--r--" not in driver.text()
        await driver.press("ctrl+b")
        assert "-rw-r--r--" in driver.text()
        for key in ("s", "s", "ctrl+o"):
            await driver.press(key)
        assert tree.view is not None
        sizes = [tree.view.arrays.bytes[row] for row in tree.view.arrays.children(0)]
        assert sizes == sorted(sizes, reverse=True)
        await driver.press("v")
        assert kind(screen) == "whole"
        assert "Layers 0 to 1" in driver.text()
        await driver.press("ctrl+l")
        assert kind(screen) == "layer"
        await driver.press("x", "right_square_bracket", "right_square_bracket")
        assert (screen.span.first, screen.span.last) == (1, 3)
        assert "What layers 1 to 3 changed" in driver.text()
        await driver.press("v", "v", "v")
        assert kind(screen) == "range"
        await driver.press("left_square_bracket", "left_square_bracket", "x")
        assert kind(screen) == "layer"
        await driver.press("W")
        assert kind(screen) == "whole"
        await driver.press("shift+tab")
        assert screen.layer_list.has_focus
        await driver.press("ctrl+l", "ctrl+a")
        assert kind(screen) == "whole"

    drive([DEMO], steps, (160, 45))


def test_filtering_keeps_what_leads_to_a_match_and_gives_all_back() -> None:
    async def steps(driver: Driver) -> None:
        tree = (await to_layer(driver, 0)).tree_view
        rows = tree.row_count()
        await driver.press("ctrl+f", *"oslo")
        assert tree.view is not None
        shown = [tree.view.arrays.path(row) for row in tree.view.rows]
        assert shown[-1] == "/usr/share/zoneinfo/Europe/Oslo"
        assert len(shown) == 6
        assert tree.path == shown[-1]
        await driver.press("enter")
        assert tree.has_focus
        assert "text: oslo" in driver.text()
        await driver.press("slash", "escape")
        assert tree.row_count() == rows
        await driver.press("slash", "ctrl+t", *"*.so.?", "down")
        assert "glob: *.so.?" in driver.text()
        assert tree.view.rows[-1] == tree.view.arrays.find("/usr/lib/libc.so.6")
        await driver.press("right_square_bracket")  # the filter goes with to another layer
        assert tree.view is not None
        assert "libsqlite3.so.0" in driver.text()

    drive([DEMO], steps)


@pytest.mark.parametrize("keep", ["enter", "tab", "down"])
def test_keys_that_come_all_at_once_go_where_the_one_before_led(keep: str) -> None:
    async def steps(driver: Driver) -> None:
        screen = await to_layer(driver, 0)
        tree = screen.tree_view
        await driver.type_at_once("slash", *"oslo", keep, "u", "k")
        assert screen.filter_box.search == NameFilter("oslo")
        assert State.UNMODIFIED in tree.states
        assert tree.path == "/usr/share/zoneinfo/Europe"
        await driver.type_at_once("slash", *"xq", "escape", "u", "C", "g", "j", "j", "space", "l")
        assert screen.filter_box.search is None
        assert State.UNMODIFIED not in tree.states
        assert tree.path == "/etc/group"
        await driver.press("2", "escape")
        await driver.type_at_once("slash", *"oslo", keep, "b", "v")
        assert driver.app.screen is screen
        assert kind(screen) == "whole"
        assert tree.path == "/usr/share/zoneinfo/Europe/Oslo"

    drive([DEMO], steps)


def test_the_help_lists_every_key_as_it_is_bound() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("question_mark")
        assert isinstance(driver.app.screen, KeysHelp)
        listed = driver.app.screen.query_one(RowList)
        text = "\n".join(
            "".join(part for part, _ in listed.row_parts(row, 100))
            for row in range(listed.row_count())
        )
        for binding in keys.every_key():
            assert f"  {driver.app.key_text(binding)} " in text
            assert str(binding.id) in text
        await driver.press("escape")
        assert isinstance(driver.app.screen, BrowseScreen)

    drive([DEMO], steps)


@pytest.mark.parametrize("size", [(100, 30), (80, 24), (60, 20)])
def test_the_help_begins_with_the_keys_that_work_here_and_covers_what_is_below(
    size: tuple[int, int],
) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("question_mark")
        assert "Layers" in driver.lines()[2]
        await driver.press("escape", "tab", "question_mark")
        lines = driver.lines()
        assert "Tree" in lines[2]
        assert "tree.toggle" in lines[3] or size[0] < 80
        assert "tree" not in lines[3] or size[0] >= 80
        assert "Keys, and what" in lines[1]
        assert "╰───" in lines[-2]
        region = driver.widget("#keys-help").region
        assert (region.y, region.bottom) == (1, size[1] - 1)  # all but the two bars
        listed = driver.app.screen.query_one(RowList)
        headings = [
            listed.row_parts(row, 100)[0][0]
            for row in range(listed.row_count())
            if listed.row_parts(row, 100)[0][1] == "heading"
        ]
        assert headings[:4] == ["Tree", "Lists", "Browse", "Everywhere"]
        assert sorted(headings) == sorted(keys.TABLES)

    drive([DEMO], steps, size)


@pytest.mark.parametrize(
    ("pressed", "shown"),
    [
        ([], " / Filter  v View  D Details  q Quit  ? Keys  : Commands"),
        (["tab"], " space Fold  / Filter  v View  q Quit  ? Keys  : Commands"),
        (["tab", "slash"], " ⏎ To the list  esc Leave  f1 Keys  ^p Commands"),
        (["2"], " ⏎ To the list  esc Leave  f1 Keys  ^p Commands"),
        (["2", "escape"], " / Search  b To its place  q Quit  ? Keys  : Commands"),
    ],
)
def test_a_narrow_footer_keeps_the_keys_that_matter_most(pressed: list[str], shown: str) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press(*pressed)
        assert driver.lines()[-1] == shown

    drive([DEMO], steps, (60, 20))


def test_the_palette_reaches_every_action_of_the_screen() -> None:
    async def steps(driver: Driver) -> None:
        names = [command.title for command in driver.app.get_system_commands(driver.app.screen)]
        tables = (keys.APP, keys.SECTION_KEYS, keys.BROWSE, keys.LAYERS, keys.TREE)
        for table in tables:
            assert {binding.description for binding in table} <= set(names)
        assert len(names) == len(set(names))
        assert driver.app.screen.focused is browse(driver).layer_list
        await driver.press("colon", *"fold all", "enter")
        assert browse(driver).tree_view.row_count() == 9

    drive([DEMO], steps)


def test_the_mouse_selects_folds_opens_and_presses_what_is_written() -> None:
    async def steps(driver: Driver) -> None:
        screen = browse(driver)
        await driver.pilot.click("#layers", offset=(4, 6))
        await driver.settle()
        assert screen.layer_list.cursor == 5
        await driver.pilot.click("#layers", offset=(4, 1))
        await driver.settle()
        tree = screen.tree_view
        rows = tree.row_count()
        line = next(line for line in driver.lines() if "▾ etc/" in line)
        column = line.index("▾ etc/") - tree.region.x
        await driver.pilot.click("#tree", offset=(column, driver.lines().index(line) - 1))
        await driver.settle()
        assert tree.path == "/etc"
        assert tree.row_count() == rows - 4
        await driver.pilot.click("TitleBar", offset=(13, 0))
        await driver.settle()
        assert "also those that are gone" in driver.text()
        await driver.pilot.click("TitleBar", offset=(3, 0))  # while the keys go to a line of text
        await driver.settle()
        assert driver.app.screen is screen
        await driver.pilot.click("KeyBar", offset=(17, 0))
        await driver.settle()
        assert screen.filter_box.query_one(Input).has_focus

    drive([DEMO], steps)


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
def test_the_program_can_be_left(key: str) -> None:
    async def steps(driver: Driver) -> None:
        await driver.pilot.press(key)
        await driver.pilot.pause()
        assert not driver.app.is_running or driver.app._exit

    drive([DEMO], steps)


def test_it_can_be_left_while_a_filter_is_typed() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("slash", "q")
        assert browse(driver).filter_box.search is not None
        await driver.pilot.press("ctrl+c")
        await driver.pilot.pause()
        assert driver.app._exit

    drive([DEMO], steps)
