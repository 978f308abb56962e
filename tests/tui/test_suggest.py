"""Suggestions taken and left, driven by keys, on advice from made-up changes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from cli.golden import assert_golden
from dockerfile.stage_graphs import MB, build_events, matter_of

from layerlens.dockerfile.stage_graph import Tier
from layerlens.dockerfile.suggesting import advise
from layerlens.dockerfile.suggestions import Advice
from layerlens.errors import NotFound
from layerlens.image import Image
from layerlens.tui.screens.suggest import SuggestScreen
from layerlens.tui.state.suggested_order import SuggestedOrder
from layerlens.tui.widgets.text_pane import TextPane

from .driving import Driver, drive, fixture

DEMO = fixture("demo.tar")
SIZES = [(160, 45), (100, 30), (80, 24), (60, 20)]
DOCKERFILE = """\
FROM base AS build
COPY . /src
RUN npm ci
FROM base
COPY . /app
RUN pip install -r /requirements.txt
RUN echo [red]\x1b[31m
CMD x
"""
EVERY = (1 << 20) - 1 & ~(1 << 3 | 1 << 17)


def made_up_advice(tier: Tier = Tier.CONTRACT, dockerfile: str = DOCKERFILE) -> Advice:
    matter = matter_of(
        dockerfile + "COPY --from=build /src /lib\n",
        build_events({"src.py": EVERY}, count=20),
        sizes={0: [2 * MB, 300 * MB], 1: [MB, 100 * MB, 5 * MB, 0, MB]},
        releases={0: {(0, 1): None}, 1: {(0, 1): tier}},
    )
    return advise(matter)


def advising(image: Image, path: str | None) -> Advice:
    if path == "missing":
        raise NotFound("missing: no such Dockerfile")
    return made_up_advice()


drive_advised = partial(drive, [DEMO], advise=advising)


def words(driver: Driver) -> str:
    return " ".join(driver.text().replace("│", " ").split())


def order_of(driver: Driver) -> SuggestedOrder:
    screen = driver.app.screen
    assert isinstance(screen, SuggestScreen)
    order = screen._order
    assert order is not None
    return order


@pytest.mark.parametrize("size", SIZES)
def test_the_dockerfile_beside_the_proposed_order(size: tuple[int, int]) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("6")
        text = driver.text()
        assert "[x]" in text
        assert "Proposed" in text
        assert "RUN npm ci" in text
        assert "\x1b" not in text
        assert [mark for mark in order_of(driver)._marks[0] if mark] == ["~", "~"]

    drive_advised(steps, size)


@pytest.mark.parametrize("width", range(60, 130, 3))
def test_no_figure_is_cut_off(width: int) -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("6")
        pane = driver.widget("#figures")
        assert isinstance(pane, TextPane)
        room = pane.scrollable_content_region.width
        lines = order_of(driver).figures(room)
        assert pane.row_count() == len(lines)
        assert max(map(len, lines)) <= room

    drive_advised(steps, (width, 24))


@pytest.mark.parametrize("size", SIZES[:3], ids="{0[0]}x{0[1]}".format)
def test_the_screen_looks_as_it_looked(size: tuple[int, int]) -> None:
    shown: list[str] = []

    async def steps(driver: Driver) -> None:
        await driver.press("6", "n", "space")  # one is taken, the other left
        shown.append(driver.text())

    drive_advised(steps, size)
    assert_golden(f"tui/suggest-{size[0]}x{size[1]}.txt", shown[0].encode())


def test_a_suggestion_that_is_left_changes_texts_and_figures() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("6")
        whole = order_of(driver)
        assert whole.taken == {1, 2}
        assert "2 of 2 taken: saves" in driver.text()
        await driver.press("space")
        one = order_of(driver)
        assert one.taken == {2}
        assert "1 of 2 taken: saves 100.0 MB a rebuild" in driver.text()
        after = [line for line, mark in zip(one._texts[1], one._marks[1], strict=True) if mark]
        assert after == ["COPY . /app"]
        await driver.press("space", "n", "space")
        assert order_of(driver).taken == {1}
        comparison = one.advice.comparison({1})  # of a stage that is not in the image: steps
        assert comparison.before.steps.mean > comparison.after.steps.mean

    drive_advised(steps, (120, 40))


def test_the_line_under_the_cursor_tells_what_holds_it() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("6", "tab", "G", "up", "up")
        assert "RUN echo" in driver.text()
        assert "it reads all" in words(driver)

    drive_advised(steps, (160, 45))


def test_the_patch_is_written_and_overwrites_nothing_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def steps(driver: Driver) -> None:
        await driver.press("6", "w", "enter")
        patch = (tmp_path / "Dockerfile.patch").read_text()
        assert patch.startswith("--- a/Dockerfile\n+++ b/Dockerfile\n")
        assert "\n+RUN npm ci\n COPY . /src\n-RUN npm ci\n" in patch
        await driver.press("space", "w", "enter")
        assert (tmp_path / "Dockerfile.patch").read_text() == patch
        assert "exists already: enter replaces it" in words(driver)
        await driver.press("end", "x", "enter")
        assert (tmp_path / "Dockerfile.patchx").read_text() != patch
        assert (tmp_path / "Dockerfile.patch").read_text() == patch
        await driver.press("w", "enter", "enter")
        assert (tmp_path / "Dockerfile.patch").read_text() != patch
        await driver.press("n", "space", "w")
        assert isinstance(driver.app.screen, SuggestScreen)  # nothing is taken: nothing is asked

    drive_advised(steps, (120, 40))


def test_a_dockerfile_is_chosen_and_one_that_is_missing_is_said_in_place() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("6")
        assert "read back from the image's history" in driver.text()
        await driver.press("d", "enter")
        assert "Dockerfile: Dockerfile" in driver.text()
        await driver.press("d", "ctrl+u", *"missing", "enter")
        assert "no such Dockerfile" in words(driver)

    drive_advised(steps, (160, 45))


def test_an_idea_cannot_be_taken() -> None:
    def ideas(image: Image, path: str | None) -> Advice:
        return made_up_advice(Tier.IDEA)

    async def steps(driver: Driver) -> None:
        await driver.press("6")
        order = order_of(driver)
        assert [each.tier for each in order.suggestions][-1] is Tier.IDEA
        await driver.press("n", "n", "space")
        assert order_of(driver).taken == order.taken

    drive([DEMO], steps, (120, 40), advise=ideas)


def test_secrets_are_shown_nowhere_and_a_patch_that_repeats_one_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    leaky = DOCKERFILE.replace("RUN npm ci", "RUN NPM_TOKEN='hunter\\\n22' npm ci")
    leaky = leaky.replace("RUN echo", "RUN API_KEY=hunter22 echo")

    def advising(image: Image, path: str | None) -> Advice:
        return made_up_advice(dockerfile=leaky)

    async def steps(driver: Driver) -> None:
        await driver.press("6")
        for keys in (("n",), ("tab", "G", "up", "up"), ("tab", "G", "up", "up")):
            await driver.press(*keys)
            assert "***" in driver.text()
            assert "hunter" not in driver.text()
        order = order_of(driver)
        assert [len(lines) for lines in order._texts] == [leaky.count("\n") + 1] * 2
        await driver.press("w", "enter")
        said = [notice.message for notice in driver.app._notifications]
        assert any("repeats what looks like a secret (line 3: NPM_TOKEN" in each for each in said)
        assert " RUN NPM_TOKEN='hunter" in (tmp_path / "Dockerfile.patch").read_text()

    drive([DEMO], steps, (160, 45), advise=advising)


def test_a_patch_of_a_dockerfile_that_lies_elsewhere_names_it_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web").mkdir()
    monkeypatch.chdir(tmp_path / "web")
    for path, name in (("web/Dockerfile", "Dockerfile"), ("web/docker/x", "docker/x"), ("y", "y")):
        order = SuggestedOrder(
            advice=made_up_advice(), taken=frozenset({1, 2}), path=str(tmp_path / path)
        )
        assert order.patch().startswith(f"--- a/{name}\n+++ b/{name}\n")


def test_figures_are_whole_however_narrow() -> None:
    order = SuggestedOrder(advice=made_up_advice(), taken=frozenset({1, 2}), path=None)
    for width in (20, 28, 40, 90):
        lines = order.figures(width)
        assert max(map(len, lines)) <= width
        assert "rebuilt, mean" in lines[0] + lines[1]
