"""``layerlens.toml``: the rules in its table ``[check]``, read strictly.

A rule is a key with a limit, or a table with ``limit`` and ``exclude``::

    [check]
    baseline = "registry.example/app:latest"
    max-image-size = "500MB"
    max-dead-bytes = { limit = "20MB", exclude = ["/var/log"] }
    forbidden-files = ["*.pem", ".git"]
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from fractions import Fraction

from layerlens.analysis.rules import RULE_KINDS, Rule, RuleKind
from layerlens.analysis.rules_limits import parse_limit, unknown_name
from layerlens.analysis.rules_settings import RuleSettings, in_order, made_rule
from layerlens.analysis.toml_lines import line_of_key
from layerlens.errors import UsageError
from layerlens.oci.quoting import printable

TABLE = "check"
_IMAGES = ("baseline", "base")
_LIMIT, _EXCLUDE = "limit", "exclude"


def parse_toml_rules(text: str, where: str) -> RuleSettings:
    """The settings in the text of a file called *where*.

    Raises UsageError, which says on which line a key is wrong, and for one that is not known
    which is the nearest that is.
    """
    try:
        document: Mapping[str, object] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also for a number without end
        raise UsageError(f"{printable(where)}: no valid TOML: {error}") from error
    for key in document:
        if key != TABLE:
            raise UsageError(f"{_place(text, where, key)}: {unknown_name('table', key, [TABLE])}")
    table = document.get(TABLE, {})
    if not isinstance(table, dict):
        place = _place(text, where, TABLE)
        raise UsageError(f"{place}: {TABLE}: expected a table, got {_kind(table)}")
    return _Table(table, text, where).settings()


def _place(text: str, where: str, *keys: str) -> str:
    line = line_of_key(text, *keys)
    return printable(where) if line is None else f"{printable(where)}: line {line}"


class _Table:
    """The table ``[check]``."""

    def __init__(self, table: Mapping[str, object], text: str, where: str) -> None:
        self._table = table
        self._text = text
        self._where = where

    def settings(self) -> RuleSettings:
        for key in self._table:
            if key not in RULE_KINDS and key not in _IMAGES:
                known = [*RULE_KINDS, *_IMAGES]
                place = _place(self._text, self._where, TABLE, key)
                raise UsageError(f"{place}: {unknown_name('rule', key, known)}")
        rules = [self._rule(RULE_KINDS[key]) for key in self._table if key in RULE_KINDS]
        return RuleSettings(
            rules=in_order(rules), baseline=self._image("baseline"), base=self._image("base")
        )

    def _image(self, key: str) -> str | None:
        value = self._table.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            raise self._wrong(key, f"expected the name of an image, got {_kind(value)}")
        return value

    def _rule(self, kind: RuleKind) -> Rule:
        value = self._table[kind.name]
        exclude: tuple[str, ...] = ()
        if isinstance(value, dict):
            for key in value:
                if key not in (_LIMIT, _EXCLUDE):
                    place = _place(self._text, self._where, TABLE, kind.name, key)
                    problem = unknown_name("key", key, (_LIMIT, _EXCLUDE))
                    raise UsageError(f"{place}: {TABLE}.{kind.name}: {problem}")
            if _LIMIT not in value:
                raise self._wrong(kind.name, "the limit is missing")
            try:
                exclude = _strings(value.get(_EXCLUDE, []))
            except UsageError as error:
                raise self._wrong(f"{kind.name}.{_EXCLUDE}", str(error)) from error
            value = value[_LIMIT]
        try:
            limit = self._limit(kind, value)
            return made_rule(kind, limit, exclude=exclude, source=self._where)
        except UsageError as error:
            raise self._wrong(kind.name, str(error)) from error

    def _limit(self, kind: RuleKind, value: object) -> Fraction | Sequence[str] | None:
        if value is False:
            return None
        if kind.takes_list:
            return _strings(value)
        if isinstance(value, str):
            return parse_limit(kind, value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(f"expected a number or a text such as '20MB', got {_kind(value)}")
        if not math.isfinite(value):
            raise UsageError(f"expected a number, got {value}")
        return parse_limit(kind, repr(value))

    def _wrong(self, key: str, problem: str) -> UsageError:
        place = _place(self._text, self._where, TABLE, *key.split("."))
        return UsageError(f"{place}: {TABLE}.{key}: {problem}")


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"expected an array of strings, got {_kind(value)}")
    return tuple(value)


def _kind(value: object) -> str:
    match value:
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string" if value else "an empty string"
        case list():
            if all(isinstance(item, str) for item in value):
                return "an array"
            return "an array that holds something else"
        case dict():
            return "a table"
        case _:
            return "a date or time"
