"""Secrets in an image's history and environment: names of variables whose values look like them.

A value is never kept or told: `redacted` takes it out of an instruction before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from layerlens.analysis.findings import Finding, FindingKind
from layerlens.analysis.findings_remedies import secret_variable_remedy

_HIDDEN = "***"

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
_GIVEN_TO_CURL = re.compile(
    r"(?P<before>\bcurl(?=\s)[^;&|]{0,300}?\s(?:-[A-Za-z]{0,9}u|--user)[ =]?"
    r"['\"]?[^\s:'\"$]{1,100}:)(?![$])[^\s'\"]{1,200}"
)
_ARGUMENT = r"""(?P<value>(?!-)(?:"[^"]{1,200}"|'[^']{1,200}'|[^\s;&|'"]{1,200}))"""
_BEFORE_A_PASSWORD = (
    r"\s--(?:[a-z][a-z-]{0,30}-)?(?:password|passwd|passphrase|token|api-?key)[ \t]{1,9}",
    r"\b(?:docker|podman|nerdctl|buildah|skopeo|oras|crane auth|helm registry)\s{1,9}login"
    r"(?=\s)[^;&|]{0,300}?\s-p[ =]?",
    r"\b(?:mysql|mariadb)(?:-?(?:dump|admin|import|check))?(?=\s)[^;&|]{0,300}?\s-p",
    r"\bsshpass(?=\s)[^;&|]{0,100}?\s-p[ \t]{0,9}",
    r"\s-pass(?:in|out)?[ \t]{1,9}pass:",
)
_GIVEN_TO_COMMANDS = (
    *(re.compile(f"(?P<before>{before}){_ARGUMENT}") for before in _BEFORE_A_PASSWORD),
    re.compile(
        r"(?P<before>\becho\s{1,9}(?:-[ne]{1,2}\s{1,9})?['\"]?[\w.-]{1,32}:)"
        r"(?P<value>[^\s'\"|]{1,200})(?=['\"]?\s{0,9}\|\s{0,9}(?:sudo\s{1,9})?chpasswd\b)"
    ),
)
_HARMLESS = re.compile(
    r"(?:|true|false|yes|no|on|off|none|null|changeme|change-me|dummy|placeholder|xxx+|\*+"
    r"|[0-9]{1,12}|[$].*|<.*>|/.*|[.]{1,2}/.*|file://.*)",
    re.IGNORECASE | re.DOTALL,
)
_SHORTEST = 6
"""Characters of a value that is worth hiding."""

_WORD = r"(?<![A-Za-z0-9_])(?P<name>[A-Za-z_][A-Za-z0-9_]{0,255})"
_VALUE = r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s;&|]+)"""
_ASSIGNMENT = re.compile(rf"{_WORD}(?P<sign>=){_VALUE}", re.DOTALL)
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
    found = (match for match in _form(text).finditer(text) if _gives_away(match))
    return tuple(dict.fromkeys(match["name"] for match in found))


def redacted(text: str) -> str:
    """The text with every value that looks like a secret taken out."""
    return _without_unnamed(_without_named(text))


def _without_unnamed(text: str) -> str:
    """The text without what looks like a secret wherever it stands."""
    text = _GIVEN_TO_CURL.sub(rf"\g<before>{_HIDDEN}", text)
    for given in _GIVEN_TO_COMMANDS:
        text = given.sub(_without_argument, text)
    return _TOKEN.sub(_HIDDEN, _IN_URL.sub(_HIDDEN, text))


def _without_argument(match: re.Match[str]) -> str:
    return f"{match['before']}{_HIDDEN}" if _may_be_secret(match["value"]) else match[0]


def _without_named(text: str) -> str:
    """The text without the values that have a name."""

    def hidden(match: re.Match[str]) -> str:
        if not _gives_away(match):
            return match[0]
        before = match[0][: match.start("value") - match.start()]
        return f"{before}{_HIDDEN}"

    return _form(text).sub(hidden, text)


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
    if not _may_be_secret(value):
        return False
    if _TOKEN.search(value) or _IN_URL.search(value):
        return True
    return _NAME.fullmatch(match["name"]) is not None


def _may_be_secret(value: str) -> bool:
    bare = value.strip("\"'")
    return len(bare) >= _SHORTEST and _HARMLESS.fullmatch(bare) is None


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
