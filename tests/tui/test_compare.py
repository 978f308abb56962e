"""Two images side by side, driven by keys on real archives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from layerlens.analysis.change_statistics import total
from layerlens.analysis.layer_changes import Change, ChangeKind, tree_differences
from layerlens.tui.screens.compare import CompareScreen
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
