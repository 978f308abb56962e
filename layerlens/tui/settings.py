"""What a person set in ``$XDG_CONFIG_HOME/layerlens/config.toml``: the theme, and other keys.

::

    theme = "nord"

    [keys]
    tree.fold-all = "z"
    app.quit = "q,ctrl+d"
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

from textual.binding import Binding
from textual.keys import Keys
from textual.theme import BUILTIN_THEMES

from layerlens.errors import UsageError
from layerlens.oci.quoting import quoted
from layerlens.tui import keys

Toml: TypeAlias = object
"""A value as the TOML parser gives it, until it is looked at."""

_MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_MORE_KEYS = frozenset({"space", "question_mark", "slash", "colon", "comma", "full_stop", "minus"})
_FUNCTION_KEYS = frozenset(f"f{number}" for number in range(1, 25))
_KNOWN_KEYS = frozenset(key.value for key in Keys) | _MORE_KEYS | _FUNCTION_KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``theme``: one of Textual's, or None. ``keys``: for ids of bindings, their keys instead of
    the usual ones, separated by commas."""

    theme: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)


def settings_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where settings are looked for; None where there is no home directory."""
    configured = environment.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(configured):  # the specification says to ignore any other
        return Path(configured) / "layerlens" / "config.toml"
    try:
        return Path.home() / ".config" / "layerlens" / "config.toml"
    except RuntimeError:
        return None


def read_settings(path: Path | None) -> Settings:
    """The settings in a file; the usual ones where there is none. Raises UsageError for a mistake
    in it, OSError where it can't be read."""
    if path is None:
        return Settings()
    try:
        text = path.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 (byte {error.start})") from None
    try:
        parsed: Mapping[str, Toml] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also for a number without end
        raise UsageError(f"{path}: {error}") from None
    try:
        return parse_settings(parsed)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def parse_settings(parsed: Mapping[str, Toml]) -> Settings:
    """The settings of a parsed file. Raises UsageError, which says what is wrong and what is
    not."""
    for name in parsed:
        if name not in {"theme", "keys"}:
            raise UsageError(f"unknown setting {quoted(name)}: there are theme and [keys]")
    return Settings(theme=_theme(parsed.get("theme")), keys=_keys(parsed.get("keys", {})))


def _theme(value: Toml) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise UsageError("theme: must be a name in quotes")
    if value not in BUILTIN_THEMES:
        raise UsageError(f"theme: no theme is called {quoted(value)}: {_near(value, _THEMES)}")
    return value


_THEMES = sorted(BUILTIN_THEMES)


def _keys(value: Toml) -> dict[str, str]:
    if not isinstance(value, dict):
        raise UsageError("keys: must be a table, [keys]")
    ids = sorted({binding.id for binding in keys.every_key() if binding.id})
    found: dict[str, str] = {}
    for name, wanted in _flat(value, ""):
        if name not in ids:
            raise UsageError(f"keys: nothing is called {quoted(name)}: {_near(name, ids)}")
        if not isinstance(wanted, str):
            raise UsageError(f'keys: {name}: must be keys in quotes, such as "x" or "x,ctrl+x"')
        found[name] = ",".join(_checked_key(key.strip(), name) for key in wanted.split(","))
    _check_clashes(found)
    return found


def _flat(table: Mapping[str, Toml], before: str) -> Iterator[tuple[str, Toml]]:
    """The values of a table and those in it, under names with dots."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _checked_key(key: str, name: str) -> str:
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    known = len(last) == 1 or last in _KNOWN_KEYS or key in _KNOWN_KEYS
    if not known or not set(modifiers) <= _MODIFIERS:
        raise UsageError(
            f"keys: {name}: {quoted(key)} is no key; keys are written x, X, f5, ctrl+x, "
            "pageup, space, slash"
        )
    return key


def _check_clashes(changed: Mapping[str, str]) -> None:
    """Raise UsageError where one key would do two things in the same place."""
    for table in (*keys.TABLES.values(), *keys.TOGETHER):
        owners: dict[str, Binding] = {}
        for binding in table:
            assert binding.id is not None
            for key in changed.get(binding.id, binding.key).split(","):
                other = owners.setdefault(key, binding)
                if other.id == binding.id or not {other.id, binding.id} & changed.keys():
                    continue
                if not all(key in each.key.split(",") for each in (other, binding)):
                    raise UsageError(
                        f"keys: {quoted(key)} would be both {other.id} and {binding.id}; "
                        "give one of them another key"
                    )


def _near(name: str, there: list[str]) -> str:
    near = get_close_matches(name, there, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"there are {', '.join(there)}" if len(there) < 30 else "press ? to see what there is"
