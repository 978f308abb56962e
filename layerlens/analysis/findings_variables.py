"""Secrets in an image's history and environment: names of variables whose values look like them.

A value is never kept or told: `redacted` takes it out of an instruction before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from layerlens.analysis.findings import Finding, FindingKind
from layerlens.analysis.findings_passwords import HIDDEN, may_be_secret_value, without_passwords
from layerlens.analysis.findings_remedies import secret_variable_remedy

_NAME = re.compile(
    r".*(?:PASSWORD|PASSWD|PASSPHRASE|_PWD)|(?:.*_)?(?:PASS|SECRET|TOKEN|CREDENTIALS?"
    r"|(?:API|ACCESS|SECRET|PRIVATE|AUTH|ENCRYPTION|SIGNING)_?KEY(?:_BASE)?|APIKEY|AUTH_?TOKEN"
    r"|SECRET_ACCESS_KEY|CONNECTION_STRING)",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,}"
    r"|glpat-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{35}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|sk_live_[A-Za-z0-9]{20,}|hf_[A-Za-z0-9]{30,}|dckr_pat_[A-Za-z0-9_-]{20,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    r")"
)
_IN_URL = re.compile(r"(?<=://)[^\s/:@'\"]{0,200}:(?![$])[^\s/@'\"]{1,200}(?=@)")

_WORD = r"(?:(?<![A-Za-z0-9_\\])|(?<=\\[nrt]))(?P<name>[A-Za-z_][A-Za-z0-9_]{0,255})"
_VALUE = r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s;&|]+)"""
_ASSIGNMENT = re.compile(rf"{_WORD}(?P<sign>=){_VALUE}", re.DOTALL)
_LABEL = re.compile(r"\s*LABEL\s", re.IGNORECASE)
_OLD_ENV = re.compile(rf"\A\s*(?i:ENV)\s+{_WORD}(?P<sign>\s+)(?P<value>.+)\Z", re.DOTALL)
"""``ENV NAME value``, which takes all that follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingText:
    """One line of what an image says of itself. ``layer``: that it made, if any. ``text``: an
    instruction. ``assignments``: ``NAME=value`` beside it, such as build arguments."""

    layer: int | None
    text: str
    assignments: tuple[str, ...]


def secret_names(text: str) -> tuple[str, ...]:
    """The names in a text whose values look like secrets, each once, in their order."""
    return tuple(dict.fromkeys(_telling(text)))


def _telling(text: str) -> Iterator[str]:
    """The names that give something away: of assignments, and of those in an assignment's value,
    as `-Dpassword=…` in JAVA_OPTS or `Password=…` in a connection string."""
    inside = _looks_inside(text)
    for match in _form(text).finditer(text):
        if _gives_away(match):
            yield match["name"]
        elif inside:
            within = _ASSIGNMENT.finditer(match["value"])
            yield from (each["name"] for each in within if _gives_away(each))


def redacted(text: str) -> str:
    """The text with every value that looks like a secret taken out."""
    return _without_unnamed(_without_named(text))


def _without_unnamed(text: str) -> str:
    """The text without what looks like a secret wherever it stands."""
    return _TOKEN.sub(HIDDEN, _IN_URL.sub(HIDDEN, without_passwords(text)))


def _without_named(text: str) -> str:
    """The text without the values that have a name."""
    inside = _looks_inside(text)

    def hidden(match: re.Match[str]) -> str:
        before = match[0][: match.start("value") - match.start()]
        if _gives_away(match):
            return f"{before}{HIDDEN}"
        return f"{before}{_ASSIGNMENT.sub(_without_value, match['value'])}" if inside else match[0]

    return _form(text).sub(hidden, text)


def _without_value(match: re.Match[str]) -> str:
    if not _gives_away(match):
        return match[0]
    quote = match[0][-1] if match[0][-1] in "\"'" and match["value"][0] not in "\"'" else ""
    return f"{match['name']}{match['sign']}{HIDDEN}{quote}"


def _looks_inside(text: str) -> bool:
    """Whether values are looked into, too: not those of labels, which tell of the image's use."""
    return _LABEL.match(text) is None


def _form(text: str) -> re.Pattern[str]:
    return _OLD_ENV if _OLD_ENV.match(text) else _ASSIGNMENT


def variable_findings(
    history: Iterable[TellingText], environment: Sequence[str]
) -> Iterator[Finding]:
    """A finding for each instruction that gives a secret away, and one for variables of the
    environment (``NAME=value``) that no instruction tells of. A build argument stands beside every
    instruction after it, and is told of the first."""
    told: set[str] = set()
    arguments: set[str] = set()
    for line in history:
        beside = dict.fromkeys(
            name
            for text in line.assignments
            for name in secret_names(text)
            if name not in arguments
        )
        arguments.update(beside)
        names = beside | dict.fromkeys(secret_names(line.text))
        unnamed = _without_named(line.text)
        if _without_unnamed(unnamed) != unnamed:
            names["a value in the command"] = None
        if names:
            told.update(names)
            yield _finding(line.layer, redacted(line.text), tuple(names))
    left = [
        name for assignment in environment for name in secret_names(assignment) if name not in told
    ]
    if left:
        yield _finding(None, None, tuple(dict.fromkeys(left)))


def _gives_away(match: re.Match[str]) -> bool:
    value = match["value"].strip("\"'")
    if not may_be_secret_value(value):
        return False
    if _TOKEN.search(value) or _IN_URL.search(value):
        return True
    return _NAME.fullmatch(match["name"]) is not None


def _finding(layer: int | None, instruction: str | None, names: tuple[str, ...]) -> Finding:
    return Finding(
        kind=FindingKind.EXPOSED_VARIABLE,
        layer=layer,
        instruction=instruction,
        other_layer=None,
        places=(),
        subject=names,
        remedy=secret_variable_remedy(),
    )
