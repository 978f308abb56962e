"""The settings file: what it may say, and one clear line for each mistake in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES

from layerlens.errors import UsageError
from layerlens.tui import keys
from layerlens.tui.screens.browse import BrowseScreen
from layerlens.tui.settings import Settings, read_settings, settings_file

from .driving import Driver, drive, fixture


def read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return read_settings(path)


def test_the_file_is_where_the_specification_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert settings_file({"XDG_CONFIG_HOME": "/c"}) == Path("/c/layerlens/config.toml")
    usual = Path("/home/somebody/.config/layerlens/config.toml")
    assert settings_file({}) == usual
    assert settings_file({"XDG_CONFIG_HOME": "relative"}) == usual
    assert read_settings(tmp_path / "none") == Settings()


def test_keys_may_be_named_with_dots_or_in_tables(tmp_path: Path) -> None:
    for text in (
        '[keys]\ntree.fold-all = "z"',
        '[keys]\n"tree.fold-all" = "z"',
        '[keys.tree]\nfold-all = "z"',
    ):
        assert read(tmp_path, text).keys == {"tree.fold-all": "z"}
    assert read(tmp_path, '[keys]\ntree.fold-all = "z, ctrl+z"').keys == {
        "tree.fold-all": "z,ctrl+z"
    }


@pytest.mark.parametrize("theme", sorted(BUILTIN_THEMES))
def test_every_theme_can_be_chosen(theme: str, tmp_path: Path) -> None:
    assert read(tmp_path, f'theme = "{theme}"').theme == theme


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("theme = ", "Invalid value"),
        ("theme = " + "9" * 5000, "Exceeds the limit"),
        ("theme = " + "[" * 5000, "config.toml: "),
        ("theme = 3", "theme: must be a name in quotes"),
        ('theme = "nrod"', "theme: no theme is called 'nrod': did you mean nord?"),
        ("colour = 1", "unknown setting 'colour': there are theme and [keys]"),
        ("keys = 1", "keys: must be a table, [keys]"),
        ("[keys]\ntree.fold-al = 'z'", "nothing is called 'tree.fold-al': did you mean tree.fold"),
        ("[keys]\ntree.fold-all = 1", "keys: tree.fold-all: must be keys in quotes"),
        ("[keys]\ntree.fold-all = 'ctrl+nonsense'", "'ctrl+nonsense' is no key"),
        ("[keys]\ntree.fold-all = ''", "'' is no key"),
        ("[keys]\ntree.fold-all = 'hyper+z,shft+z'", "'shft+z' is no key"),
        ("[keys]\ntree.fold-all = 'a'", "'a' would be both tree.fold-all and tree.added"),
        ("[keys]\nlist.down = 'a'", "'a' would be both list.down and tree.added"),
        ("[keys]\nwaste.view = 'q'", "'q' would be both app.quit and waste.view"),
        ("theme = '\\u001b'\ntheme = 'x'", "Cannot overwrite a value"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file(
    text: str, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as raised:
        read(tmp_path, text)
    message = str(raised.value)
    assert message.startswith(f"{tmp_path}/config.toml: ")
    assert complaint in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "text",
    [
        "[keys]\nlayers.view-whole = 'A'\ntree.links = 'A'",  # never at the same time
        "[keys]\nlist.down = 'down,j,a'\ntree.added = 'z'",
        "[keys]\nshared.identity = 'v'",
    ],
)
def test_one_key_may_do_two_things_in_two_places(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text).keys


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"theme = \xff")
    with pytest.raises(UsageError, match="is not UTF-8"):
        read_settings(path)


def test_every_key_has_an_id_of_its_own_and_no_table_uses_a_key_twice() -> None:
    seen: dict[str, str] = {}
    for heading, table in keys.TABLES.items():
        used: dict[str, str] = {}
        for binding in table:
            assert binding.id is not None
            assert binding.description
            assert seen.setdefault(binding.id, heading) == heading
            for key in binding.key.split(","):
                assert used.setdefault(key, binding.id) == binding.id


def test_another_key_does_what_the_usual_one_did() -> None:
    async def steps(driver: Driver) -> None:
        browse = driver.app.screen
        assert isinstance(browse, BrowseScreen)
        assert driver.app.theme == "nord"
        await driver.press("tab", "z")
        assert browse.tree_view.row_count() == 9  # the root and what is in it
        await driver.press("E")
        rows = browse.tree_view.row_count()
        await driver.press("C")
        assert browse.tree_view.row_count() == rows
        await driver.press("question_mark")
        assert "  z  " in driver.text() or driver.app.screen is not browse

    chosen = Settings(theme="nord", keys={"tree.fold-all": "z"})
    drive([fixture("demo.tar")], steps, settings=chosen)
