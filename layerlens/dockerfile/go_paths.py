"""Paths and patterns as Go's ``path/filepath`` has them on Unix, which is what builders use."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence

from layerlens.errors import MalformedInput

_CLASS_CHARACTER = re.compile(r"\\(.)|([^\\\]-])", re.DOTALL)

STAR = "[^/]*"
REST = ".*"
_BETWEEN_NAMES = frozenset({"/", REST})


def clean(path: str) -> str:
    """``filepath.Clean``: without ``.``, ``..`` where it can be taken, and doubled slashes."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def inside(path: str) -> str:
    """A path below a root, relative to it: ``..`` leads nowhere above; "" is the root."""
    return clean(f"/{path}")[1:]


def has_wildcards(pattern: str) -> bool:
    r"""Whether ``filepath.Match`` would read anything but itself in it; ``\`` quotes."""
    return re.search(r"[*?\[\\]", pattern) is not None


def match_pattern(pattern: str) -> re.Pattern[str]:
    r"""``filepath.Match`` as a regular expression for a whole path; ``*`` and ``?`` take no slash.

    Raises MalformedInput where Go says ``syntax error in pattern``.
    """
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        match character:
            case "*":
                parts.append(STAR)
            case "?":
                parts.append("[^/]")
            case "\\":
                if position == len(pattern):
                    raise _bad(pattern)
                parts.append(re.escape(pattern[position]))
                position += 1
            case "[":
                text, position = _class(pattern, position)
                parts.append(text)
            case _:
                parts.append(re.escape(character))
    return re.compile(joined(parts), re.DOTALL)


def joined(parts: Iterable[str]) -> str:
    """Parts of an expression, each a STAR, a REST, a slash or one other character, in which no
    star but a name's last is tried with more than the least it can take: what follows
    it is of fixed length, so more would help nothing, and names could be made that take for ever.
    """
    names: list[list[str]] = [[""]]
    for part in parts:
        if part == STAR:
            names[-1].append("")
        elif part in _BETWEEN_NAMES:
            names.append([part])
            names.append([""])
        else:
            names[-1][-1] += part
    return "".join(map(_name, names))


def _name(fixed: Sequence[str]) -> str:
    first, *middle = fixed
    if not middle:
        return first
    last = middle.pop()
    return f"{first}{''.join(f'(?>[^/]*?{part})' for part in middle if part)}{STAR}{last}"


def _class(pattern: str, position: int) -> tuple[str, int]:
    """A character class as a regular expression, and where it ends."""
    negated = pattern.startswith("^", position)
    position += negated
    ranges: list[str] = []
    while not ranges or not pattern.startswith("]", position):
        low, position = _class_character(pattern, position)
        high = low
        if pattern.startswith("-", position):
            high, position = _class_character(pattern, position + 1)
        if low <= high:
            ranges.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            ranges.append("")  # matches nothing, and is no error
    body = "".join(ranges)
    if not body:
        return ("[^/]" if negated else "(?!)"), position + 1
    return f"(?!/)[{'^' if negated else ''}{body}]", position + 1


def _class_character(pattern: str, position: int) -> tuple[str, int]:
    found = _CLASS_CHARACTER.match(pattern, position)
    if found is None or found.end() >= len(pattern):
        raise _bad(pattern)
    return found[1] or found[2], found.end()


def _bad(pattern: str) -> MalformedInput:
    return MalformedInput(f"{pattern!r}: a bracket or a backslash that nothing closes")
