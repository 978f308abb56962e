"""Two images side by side, driven by keys on real archives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from layerlens.analysis.change_statistics import total
from layerlens.analysis.layer_changes import Change, ChangeKind, tree_differences
from layerlens.tui.screens.compare import CompareScreen
from layerlens.tui.screens.file_view import FileView
from layerlens.tui.state.tree_arrays import State

from .driving import Driver, drive, fixture

DEMOS = [fixture("demo.tar"), fixture("demo-2.tar")]
SIZES = [(160, 45), (100, 30), (80, 24), (60, 20)]


def compare(driver: Driver) -> CompareScreen:
    screen = driver.app.screen
    assert isinstance(screen, CompareScreen)
    return screen


def view_changes(driver: Driver) -> Iterator[Change]:
    """What ``layerlens diff`` lists of the two images."""
    trees = [image.tree(image.layer_count - 1) for image in driver.app.images]
    return tree_differences(*trees)


@pytest.mark.parametrize("size", SIZES)
def test_layers_configs_and_files_of_two_images(size: tuple[int, int]) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("4", "x")  # the first image is shown first: make it A
        text = driver.text()
        assert "only-b" in text
        assert "env WEATHER_CACHE" in text
        assert "etc/" in text
        screen = compare(driver)
        assert screen.pair_list.row_count() == 10
        assert screen.config_list.row_count() == 3
        view = screen.tree_view.view
        assert view is not None
        added = view.arrays.find("/etc/ssl/certs/ca-certificates.crt")
        assert added is not None
        assert view.arrays.state(added) is State.ADDED

    drive(DEMOS, steps, size)


def test_a_file_that_both_have_alike_is_unmodified_though_each_has_it_from_its_own_layer() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("4", "x")
        view = compare(driver).tree_view.view
        assert view is not None
        alike = view.arrays.find("/etc/os-release")
        assert alike is not None
        assert view.arrays.state(alike) is State.UNMODIFIED
        changes = total(
            change for change in view_changes(driver) if change.kind is not ChangeKind.REWRITTEN
        )
        assert view.arrays.gained[0] == changes.added_bytes + changes.changed_bytes_after
        assert view.arrays.lost[0] == changes.removed_bytes + changes.changed_bytes_before

    drive(DEMOS, steps)


def test_swapping_turns_what_was_added_into_what_was_removed() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("4")
        assert "A: " in driver.text()
        view = compare(driver).tree_view.view
        assert view is not None
        path = "/etc/ssl/certs/ca-certificates.crt"
        assert view.arrays.state(view.arrays.nearest(path)) is State.REMOVED
        await driver.press("x")
        view = compare(driver).tree_view.view
        assert view is not None
        assert view.arrays.state(view.arrays.nearest(path)) is State.ADDED

    drive(DEMOS, steps)


def test_details_follow_the_pair_and_enter_leads_to_the_files() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("4", "x", "down", "down")
        assert "only in B" in driver.text()
        assert "has no such layer" in driver.text()
        await driver.press("enter", "s")
        screen = compare(driver)
        assert screen.tree_view.has_focus
        view = screen.tree_view.view
        assert view is not None
        sizes = [view.arrays.bytes[row] for row in view.arrays.children(0)]
        assert view.arrays.names[1] == "srv"
        assert sizes[0] == max(sizes)

    drive(DEMOS, steps)


def test_a_file_is_opened_compared_and_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def steps(driver: Driver) -> None:
        await driver.press("4", "x")
        tree = compare(driver).tree_view
        tree.focus()
        assert tree.go_to("/srv/weather/requirements.txt")
        await driver.press("d")
        assert "requirements.txt (layer 8 of A)" in driver.text()
        assert "requirements.txt (layer 9 of B)" in driver.text()
        await driver.press("escape", "enter")
        assert isinstance(driver.app.screen, FileView)
        assert "text · layer 9 of B" in driver.text()
        await driver.press("escape", "ctrl+s", "enter")
        assert (tmp_path / "requirements.txt").read_bytes()
        assert tree.go_to("/etc/ssl/certs/ca-certificates.crt")
        await driver.press("d")
        assert "no file at this path before" in driver.text()
        await driver.press("escape", "home", "d")
        said = [notice.message for notice in driver.app._notifications]
        assert said[-1] == "a directory has no content"
        await driver.press("enter")
        assert len(tree.view.rows if tree.view else ()) == 1

    drive(DEMOS, steps)


def test_of_a_file_that_only_a_has_it_shows_that() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("4")
        tree = compare(driver).tree_view
        tree.focus()
        assert tree.go_to("/etc/ssl/certs/ca-certificates.crt")
        await driver.press("enter")
        assert " of A · " in driver.text()

    drive(DEMOS, steps)


@pytest.mark.parametrize("size", [(100, 30), (80, 24)])
def test_two_platforms_of_one_image_are_told_apart(size: tuple[int, int]) -> None:
    async def steps(driver: Driver) -> None:
        image = driver.app.image.image
        assert image is not None
        here = next(each for each in image.platforms if each != image.platform)
        await driver.press("P", "home")
        for _ in range(image.platforms.index(here)):
            await driver.press("down")
        await driver.press("enter", "4")
        tail_a, tail_b = str(image.platform)[-6:], str(here)[-6:]
        names = driver.lines()[1]
        assert tail_a in names.partition(" B: ")[0]
        assert tail_b in names.partition(" B: ")[2]
        assert tail_b in driver.lines()[0]
        await driver.press("5")
        assert tail_a in driver.lines()[2]
        assert tail_b in driver.lines()[3]

    drive([fixture("platforms.tar")], steps, size)


@pytest.mark.parametrize("size", SIZES)
def test_both_images_are_named_whatever_the_width(size: tuple[int, int]) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("4")
        for width, height in (size, (200, 45), (60, 20)):
            await driver.resize(width, height)
            a, _, b = driver.lines()[1].partition("─╮")[0].partition(" B: ")
            assert "A: demo" in a
            assert b.startswith("demo")
            assert a.rstrip(" ─").endswith(")")
            assert b.rstrip(" ─").endswith(")")

    drive(DEMOS, steps, size)


def test_what_is_hidden_of_the_differences_is_said() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("4", "tab", "m")
        assert "without changed" in driver.text()
        await driver.press("m")
        assert "without" not in driver.text()

    drive(DEMOS, steps)


def test_of_three_images_each_can_be_a() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("4")
        first = compare(driver).pair_list.border_title
        await driver.press("right_square_bracket")
        assert compare(driver).pair_list.border_title != first
        await driver.press("right_square_bracket")
        assert compare(driver).pair_list.border_title == first
        await driver.press("greater_than_sign")
        assert "demo-2.tar" in driver.lines()[0]

    drive([*DEMOS, fixture("odd.tar")], steps)


def test_one_image_alone_and_one_that_cannot_be_read_are_said_in_place() -> None:
    async def alone(driver: Driver) -> None:
        await driver.press("4")
        assert "Only one image is open" in driver.text()

    drive(DEMOS[:1], alone)

    async def broken(driver: Driver) -> None:
        await driver.press("4")
        words = " ".join(driver.text().replace("│", " ").split())
        assert "no such file" in words

    drive([DEMOS[0], fixture("not-there.tar")], broken)
