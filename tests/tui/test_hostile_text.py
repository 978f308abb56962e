"""Text of an image is shown escaped, on one line, and changes nothing else, wherever it appears."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from archive_forms import archive, docker_skopeo
from image_builder import BuiltImage, directory, file, hard_link, image, layer, symlink, whiteout
from textual.widgets import Input

from layerlens.report.safe_text import escape
from layerlens.tui.screens.browse import BrowseScreen
from layerlens.tui.screens.file_view import FileView
from layerlens.tui.screens.find import FindScreen
from layerlens.tui.state.name_filter import NameFilter

from .driving import Driver, drive, fixture

HOSTILE = {
    "escape": "\x1b[31mred\x1b[0m\x1b[2J\x1b]0;title\x07",
    "c1": "\x9b31m\x85",
    "markup": "[red]a[/red][bold",
    "closing": "[/]",
    "action": "[@click=app.quit]x",
    "lines": "a\nb\r\tc\x0b\u2028d",
    "bidi": "\u202eexe.gpj\u2066\u200f",
    "bytes": "\udcff\udcfe",
    "long": "x" * 3900,
    "wide": "日本語" * 30,
    "backslash": "\\x1b[31m",
}

_FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]")


def name_of(text: str) -> str:
    """A file's name with the text in it; slashes can't be in one."""
    return f"n{text.replace('/', '')}"


def hostile_image(text: str) -> BuiltImage:
    """An image that has the text in every place that takes one."""
    name = name_of(text)
    short = name[:100]  # longer names are no names for some tools; the longest is in its own test
    return image(
        layer(
            directory(f"/d{short}"),
            file(
                f"/d{short}/{name}", f"{text}\nsecond {text}\n".encode("utf-8", "surrogateescape")
            ),
            symlink("/link", f"nowhere {text}"),
            file("/first"),
            created_by=f"RUN {text}".encode("utf-8", "replace").decode(),
        ),
        layer(
            file(f"/d{short}/{name}", f"{text}!\n".encode("utf-8", "surrogateescape")),
            hard_link(f"/h{short}", f"/d{short}/{name}"),
            whiteout("/first"),
            created_by="RUN plain",
        ),
        names=(f"example.com/t:{text}".encode("utf-8", "replace").decode(),),
        config={"Labels": {f"l{text}": text}, "Env": [f"A={text}"]}
        if text.isprintable()
        else {"Labels": {"l": text.encode("utf-8", "replace").decode()}},
    )


def assert_clean(driver: Driver) -> None:
    """No line of the screen holds what a terminal acts on, and each is as wide as the screen."""
    from textual.geometry import Size

    width, height = driver.app.size
    strips = driver.app.screen._compositor.render_strips(Size(width, height))
    assert len(strips) == height
    for strip in strips:
        assert strip.cell_length == width
        text = "".join(segment.text for segment in strip)
        bad = [
            character
            for character in text
            if unicodedata.category(character) in _FORBIDDEN or _BIDI.match(character)
        ]
        assert bad == [], text


def assert_shown(driver: Driver, text: str) -> None:
    """The text stands on the screen, escaped; of a long one its start."""
    assert escape(text)[:6] in driver.text()


def path_named(browse: BrowseScreen, name: str) -> str:
    """The path of the file of that name in the tree."""
    assert browse.tree_view.view is not None
    arrays = browse.tree_view.view.arrays
    return next(arrays.path(row) for row in range(arrays.count) if arrays.names[row] == name)


@pytest.mark.parametrize("kind", HOSTILE)
def test_names_links_instructions_and_tags(kind: str, tmp_path: Path) -> None:
    text = HOSTILE[kind]
    path = tmp_path / "image.tar"
    path.write_bytes(archive(docker_skopeo(hostile_image(text))))

    async def steps(driver: Driver) -> None:
        async def press(*keys: str) -> None:
            await driver.press(*keys)
            assert_clean(driver)

        assert_clean(driver)
        browse = driver.app.screen
        assert isinstance(browse, BrowseScreen)
        assert "second" not in driver.text()
        await press("tab", "E")
        await press("u")
        assert_shown(driver, name_of(text))
        await press("down", "down", "down")
        await press("y")  # which a message tells
        await press("end", "d")  # nothing to compare, or a message
        await press("escape", "escape")
        assert browse.tree_view.go_to("/link")
        await press("enter")  # leads nowhere, which is said
        file_path = path_named(browse, name_of(text))
        await press("right_square_bracket")
        assert browse.tree_view.go_to(file_path)
        await press("enter")
        assert isinstance(driver.app.screen, FileView)
        await press("x", "x", "d")
        await press("w")
        assert_clean(driver)
        await press("escape", "escape")
        await press("v", "v", "H")
        find = driver.app.screen
        assert isinstance(find, FindScreen)
        assert find.found.path == file_path
        assert f"History of {escape(file_path)}"[:24] in driver.text()
        await press("tab", "enter")
        for key in ("3", "4", "5", "question_mark", "escape", "i", "escape"):
            await press(key)

    drive([str(path)], steps, (100, 30))


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind != "bytes"])
def test_an_error_is_shown_in_place(kind: str, tmp_path: Path) -> None:
    text = HOSTILE[kind].replace("/", "")[:50]
    path = tmp_path / f"no {text}.tar"
    path.write_bytes(b"no image at all" * 100)

    async def steps(driver: Driver) -> None:
        assert_clean(driver)
        assert "failed" in driver.lines()[0]
        shown = "".join(driver.text().replace("│", "").split())
        assert "".join(escape(driver.app.image.error).split())[-20:] in shown

    drive([str(path)], steps, (100, 30))


def test_what_is_pasted_to_filter_by_is_shown_escaped_and_looked_for_as_it_is() -> None:
    async def steps(driver: Driver) -> None:
        await driver.press("slash")
        browse = driver.app.screen
        assert isinstance(browse, BrowseScreen)
        for text in HOSTILE.values():
            browse.filter_box.query_one(Input).value = text
            await driver.settle()
            assert_clean(driver)
            assert browse.filter_box.search == NameFilter(text)

    drive([fixture("demo.tar")], steps)
