"""Who holds which layer, driven by keys on real archives."""

from __future__ import annotations

import pytest

from layerlens.analysis.sharing import Identity, sharing
from layerlens.image import open_image
from layerlens.tui.screens.browse import BrowseScreen
from layerlens.tui.screens.pick import PickScreen
from layerlens.tui.screens.shared import SharedScreen
from layerlens.tui.state.shared_matrix import UNITS, shared_matrix

from .driving import Driver, drive, fixture

IMAGES = [fixture("demo.tar"), fixture("demo-2.tar"), fixture("odd.tar")]
SIZES = [(160, 45), (100, 30), (80, 24), (60, 20)]


@pytest.mark.parametrize("size", SIZES)
def test_the_matrix_says_who_holds_which_layer(size: tuple[int, int]) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("5")
        text = driver.text()
        assert "by blob digest: 2" in text
        line = next(line for line in text.splitlines() if "ADD file:bc84" in line)
        assert "17.3 kB    2  ● ● ·" in line
        assert "30.5 kB shared" in text

    drive(IMAGES, steps, size)


def test_each_identity_in_turn() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("5")
        for identity in (*Identity, Identity.BLOB_DIGEST):
            assert f"Layers by {identity.value}:" in driver.text()
            await driver.press("v")

    drive(IMAGES, steps)


def test_enter_shows_the_holders_and_leads_to_one() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("5", "tab", "enter")
        assert isinstance(driver.app.screen, PickScreen)
        assert driver.text().count("demo-2.tar") > driver.text().count("odd.tar")
        await driver.press("down", "enter")
        assert isinstance(driver.app.screen, BrowseScreen)
        assert "demo-2.tar" in driver.lines()[0]

    drive(IMAGES, steps)


def test_one_image_alone_shares_with_none() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("5", "tab", "enter", "v")
        assert isinstance(driver.app.screen, SharedScreen)
        assert "Sharing takes two images" in driver.text()

    drive(IMAGES[:1], steps)


def test_images_that_cannot_be_read_are_not_waited_for() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("5")
        assert "Images, 2 not read" in driver.text()
        assert "Sharing takes two images" in driver.text()

    drive([*IMAGES[:1], fixture("no-1.tar"), fixture("no-2.tar")], steps)


def test_an_image_that_is_opened_later_is_counted() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("5")
        assert "Images, " not in driver.text()
        driver.app.open_image(fixture("not-there.tar"))
        await driver.settle()
        assert "Images, 1 not read" in driver.text()

    drive(IMAGES[:2], steps)


def test_layers_without_a_digest_are_said_first_and_leave_no_details() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("5")
        assert "digest     sha256:" in driver.text()
        await driver.press("v", "v")
        assert "Layers by blob digest, 2 layers not counted: 0 B" in driver.text()
        assert "sha256:" not in driver.text()

    drive([fixture("rootfs.tar")] * 2, steps, (60, 20))


def test_bytes_go_by_the_words_of_the_command() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("5")
        line = next(line for line in driver.lines() if "demo.tar" in line and "exclusive" in line)
        assert line.index("exclusive") < line.index("shared")

    drive(IMAGES, steps, (80, 24))


def test_the_rows_are_the_layers_of_the_command_and_fit_any_width() -> None:
    held = []
    for name in IMAGES:
        with open_image(name) as image:
            held.append(image.held_layers())
    for identity in Identity:
        matrix = shared_matrix(held, identity)
        expected = sharing(held, identity, UNITS[identity])
        assert {layer.digest for layer in matrix.layers} == {
            layer.digest for layer in expected.layers
        }
        for width in (20, 40, 60, 100):
            for row in matrix.rows():
                text = "".join(part for part, _ in row(width))
                assert len(text) <= max(width, 40)
    many = shared_matrix(held * 40, Identity.DIFF_ID)
    shown = "".join(part for part, _ in many.rows()[0](80))
    assert shown.count("●") + shown.count("·") < 40
