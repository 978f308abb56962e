"""What the screens look like, as plain text, compared with files in ``fixtures/golden``.

Written anew as the commands' outputs are: with LAYERLENS_UPDATE_GOLDENS=1.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.golden import assert_golden

from .driving import Driver, drive, fixture

WALKS = {
    "browse": [],
    "browse-changes": [*["j"] * 6, "tab", "end"],
    "browse-whole": [*["j"] * 8, "v", "tab", "C", "s"],
    "browse-filter": ["tab", "slash", *"zone"],
    "find": ["2", *"sqlite3.deb", "enter", "enter"],
    "file": [*["j"] * 5, "tab", "end", "enter"],
    "file-diff": [*["j"] * 5, "tab", "end", "d"],
    "file-hex": [*["j"] * 5, "tab", "end", "enter", "x"],
    "file-search": [*["j"] * 5, "tab", "end", "enter", "slash", *"de"],
    "waste": ["3", "down"],
    "waste-paths": ["3", "v"],
    "compare": ["4", "x", "down", "down"],
    "shared": ["5", "tab"],
    "open": ["o", "down"],
    "images": ["i", "down"],
    "save": [*["j"] * 5, "tab", "end", "ctrl+s"],
    "dockerfile": ["6", "d"],
    "keys": ["question_mark"],
    "palette": ["colon", *"fold"],
}
SEVERAL = {
    "compare": ["demo.tar", "demo-2.tar"],
    "shared": ["demo.tar", "demo-2.tar", "odd.tar"],
    "images": ["demo.tar", "odd.tar"],
}
LAID_OUT_BY_SIZE = ("browse", "waste", "compare", "shared")
"""How these screens begin whose layout and columns depend on the width; the others have one."""

SIZES = {"160x45": (160, 45), "100x30": (100, 30), "80x24": (80, 24)}


SHOWN = [
    (name, size)
    for name in WALKS
    for size in SIZES
    if size == "80x24" or name.startswith(LAID_OUT_BY_SIZE)
]


@pytest.mark.parametrize(("name", "size"), SHOWN)
def test_a_screen_looks_as_it_looked(
    name: str, size: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    (tmp_path / "images").mkdir()
    (tmp_path / "weather.tar").touch()
    monkeypatch.chdir(tmp_path)  # whose files are there to be opened

    async def steps(driver: Driver) -> None:
        await driver.press(*WALKS[name])
        shown.append(driver.text())

    images = SEVERAL.get(name, ["demo.tar"])
    drive([fixture(image) for image in images], steps, SIZES[size])
    assert_golden(f"tui/{name}-{size}.txt", shown[0].encode())
