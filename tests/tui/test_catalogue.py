"""A registry's catalogue looked through, driven by keys."""

from __future__ import annotations

import asyncio

import pytest
from cli.demo_registry import write_demo
from cli.golden import assert_golden
from textual.geometry import Size

from layerlens.analysis.sharing import ImageLayers
from layerlens.audit.holdings import open_holdings
from layerlens.audit.repository_layers import repository_layers
from layerlens.tui.catalogue_app import CatalogueApp

from .driving import painted, without_sleeping

SIZES = [(160, 45), (100, 30), (80, 24), (60, 20)]


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> list[ImageLayers]:
    path = write_demo(tmp_path_factory.mktemp("catalogue") / "audit.sqlite")
    with open_holdings(path, None) as holdings:
        return repository_layers(holdings)


@pytest.mark.parametrize("size", SIZES)
def test_repositories_and_their_layers(
    size: tuple[int, int], repositories: list[ImageLayers]
) -> None:
    shown: list[str] = []

    async def run() -> None:
        app = CatalogueApp("registry.example.com", repositories)
        with without_sleeping():
            await walk(app)

    async def walk(app: CatalogueApp) -> None:
        async with app.run_test(size=size) as pilot:

            def text() -> str:
                strips = app.screen._compositor.render_strips(Size(*size))
                return "\n".join("".join(part.text for part in strip) for strip in strips)

            await painted(app)
            assert "registry.example.com: 4 repositories" in text()
            shown.append(text())
            assert "Layers by blob digest: 347.7 MB logical" in text()
            await pilot.press("v")
            assert "Layers by DiffID: 347.7 MB logical" in text()
            line = next(line for line in text().splitlines() if "RUN apt-get" in line)
            assert "● · · ●" in line
            await pilot.press("down", "enter")
            await painted(app)
            assert "layers of team/app" in text()
            assert "● · · ●" not in text()
            await pilot.press("escape", "tab", "enter")
            await painted(app)
            assert "Held by" in text()
            await pilot.press("down", "enter")
            await painted(app)
            assert "layers of team/app" in text()
            await pilot.press("question_mark")
            await painted(app)
            assert "Keys, and what the settings call them" in text()

    asyncio.run(run())
    lines = [line.rstrip() for line in shown[0].splitlines()]
    name = f"tui/catalogue-{size[0]}x{size[1]}.txt"
    assert_golden(name, ("\n".join(lines) + "\n").encode())


def test_a_repository_holds_the_layers_of_all_its_images(repositories: list[ImageLayers]) -> None:
    by_name = {each.title.image: each for each in repositories}
    assert list(by_name) == sorted(by_name)
    app = by_name["team/app"]
    assert len({layer.blob_digest for layer in app.layers}) == len(app.layers) == 7
    assert sum(layer.stored_size or 0 for layer in app.layers) == 97_000_036
    assert {layer.instruction for layer in app.layers} >= {"COPY . /app", "ADD rootfs.tar.xz /"}
