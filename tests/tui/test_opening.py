"""Images opened, switched and chosen without leaving the program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from archive_forms import archive, oci_layout
from loaded_images import SAMPLE, broken_layout
from textual.widgets import Input

from layerlens.tui.screens.open_dialog import OpenDialog
from layerlens.tui.screens.pick import PickScreen
from layerlens.tui.state.file_choices import file_choices
from layerlens.tui.state.open_image import Stage

from .driving import FIXTURES, Driver, drive, fixture


def title(driver: Driver) -> str:
    return driver.lines()[0]


def test_another_image_is_opened_by_the_name_that_is_typed() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("o")
        assert isinstance(driver.app.screen, OpenDialog)
        driver.app.screen.query_one(Input).value = fixture("odd.tar")
        await driver.press("enter")
        assert "odd.tar" in title(driver)
        assert "[2/2]" in title(driver)
        assert "umoci repack" in driver.text()
        await driver.press("less_than_sign")
        assert "demo.tar" in title(driver)
        await driver.press("i", "down", "enter")
        assert "odd.tar" in title(driver)

    drive([fixture("demo.tar")], steps, (120, 30))


def test_a_name_that_leads_nowhere_is_said_in_the_dialog() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("o")
        driver.app.screen.query_one(Input).value = "./nothing-here.tar"
        await driver.press("enter")
        assert "no such file" in driver.text()
        driver.app.screen.query_one(Input).value = "-"
        await driver.press("enter")
        assert "stdin is the terminal" in driver.text()
        await driver.press("escape")
        assert len(driver.app.images) == 1

    drive([fixture("demo.tar")], steps)


def test_files_are_picked_as_in_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "odd.tar").write_bytes((FIXTURES / "odd.tar").read_bytes())
    monkeypatch.chdir(tmp_path)

    async def steps(driver: Driver) -> None:
        await driver.press("o", "tab")
        assert driver.app.screen.query_one(Input).value == "images/"
        await driver.press("tab")
        assert driver.app.screen.query_one(Input).value == "images/odd.tar"
        await driver.press("enter")
        assert "images/odd.tar" in title(driver)

    drive([fixture("demo.tar")], steps, (120, 30))


def test_what_may_be_meant_by_what_is_typed(tmp_path: Path) -> None:
    for name in ("b.tar", "A.tar", ".hidden", "c\x1b[31m"):
        (tmp_path / name).touch()
    (tmp_path / "d").mkdir()
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout" / "index.json").touch()
    assert [choice.name for choice in file_choices(f"{tmp_path}/")] == [
        "d",
        "A.tar",
        "b.tar",
        "c\x1b[31m",
        "layout",
    ]
    assert [choice.text for choice in file_choices(f"oci:{tmp_path}/l")] == [
        f"oci:{tmp_path}/layout"
    ]
    assert [choice.name for choice in file_choices(f"{tmp_path}/.")] == [".hidden"]
    assert [choice.text for choice in file_choices(f"{tmp_path}/d")] == [f"{tmp_path}/d/"]
    assert file_choices("docker://python") == []
    assert file_choices(f"{tmp_path}/b.tar/") == []
    assert file_choices(os.devnull + "\0") == []


def test_of_an_archive_of_several_images_one_is_picked() -> None:
    async def steps(driver: Driver) -> None:
        assert isinstance(driver.app.screen, PickScreen)
        assert "localhost/hello:1.0" in driver.text()
        await driver.press("down", "enter")
        assert "localhost/hej:1.0" in title(driver)
        assert len(driver.app.images) == 1

    drive([fixture("two-images.tar")], steps)


def test_picking_none_leaves_the_error_in_place() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("escape")
        assert "holds 2 images" in driver.text()

    drive([fixture("two-images.tar")], steps, (160, 45))


def test_another_platform_is_chosen() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("P")
        assert "linux/arm/v7" in driver.text()
        await driver.press("home", "down", "enter")
        assert [str(image.platform) for image in driver.app.images[1:]] == ["linux/arm/v7"]
        assert str(driver.app.image.image and driver.app.image.image.platform) == "linux/arm/v7"
        await driver.press("i")
        assert "linux/arm/v7" in driver.text()

    drive([fixture("platforms.tar:1.0")], steps)


def test_going_back_to_the_platform_that_was_open_opens_nothing_again() -> None:
    async def steps(driver: Driver) -> None:
        first = driver.app.image
        await driver.press("P", "home", "down", "enter")
        assert driver.app.image is not first
        await driver.press("P", "home", "enter")
        assert driver.app.image is first
        assert len(driver.app.images) == 2

    drive([fixture("platforms.tar:1.0")], steps)


def test_of_an_image_that_comes_once_no_other_platform_is_chosen() -> None:
    async def steps(driver: Driver) -> None:
        driver.app.image.comes_once = True
        await driver.press("P")
        (said,) = [notice.message for notice in driver.app._notifications]
        assert "start again with --platform, of linux/amd64, linux/arm/v7, linux/arm64" in said
        assert driver.app.screen is driver.app.screen_stack[0]
        assert len(driver.app.images) == 1

    drive([fixture("platforms.tar:1.0")], steps)


@pytest.mark.parametrize("keys", [[], ["tab"]])
def test_nothing_of_the_image_before_is_left_beside_an_error(
    tmp_path: Path, keys: list[str]
) -> None:
    empty = tmp_path / "empty.tar"
    empty.touch()

    async def steps(driver: Driver) -> None:
        await driver.press(*keys)
        assert "DiffID" in driver.text() or keys
        driver.app.open_image(str(empty))
        await driver.settle()
        assert "is empty" in driver.text()
        for word in ("What layer", "DiffID", "Layer 0", "owner"):
            assert word not in driver.text()

    drive([fixture("demo.tar")], steps)


@pytest.mark.parametrize("stopped", [False, True])
def test_what_was_stopped_or_could_not_be_read_is_read_anew_when_opened_again(
    tmp_path: Path, *, stopped: bool
) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(archive(oci_layout(SAMPLE) if stopped else broken_layout()))

    async def steps(driver: Driver) -> None:
        before = driver.app.image
        if stopped:
            before.stage = Stage.CANCELLED
        assert before.stage in (Stage.CANCELLED, Stage.FAILED)
        path.write_bytes(archive(oci_layout(SAMPLE)))
        await driver.press("o")
        driver.app.screen.query_one(Input).value = str(path)
        await driver.press("enter")
        assert driver.app.image is not before
        assert driver.app.images == [driver.app.image]
        assert driver.app.image.stage is Stage.READY

    drive([str(path)], steps)
