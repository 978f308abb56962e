"""Globs on an image's absolute paths, as people write them in ignore files.

A pattern without a slash is matched with every name on the path: ``*.pyc``, ``node_modules``. One
with a slash is matched from the root, with or without the first one written: ``/etc/*.conf``,
``usr/**/bin``. What lies below a match matches too. ``*`` and ``?`` stay within a name, ``**``
does not, ``[a-z]`` and ``[!a-z]`` are classes, a backslash takes the next character literally.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from layerlens.errors import UsageError


@lru_cache(maxsize=256)
def compile_glob(pattern: str) -> re.Pattern[str]:
    """A regular expression whose ``match`` tells whether a path matches. Raises UsageError."""
    trimmed = pattern.strip("/")
    if not trimmed:
        if not pattern:
            raise UsageError("an empty pattern matches nothing")
        return re.compile("")  # the root, and all below it
    anchored = pattern.startswith("/") or "/" in trimmed
    start = "/" if anchored else "(?:.*/)?"
    body = start + _translated(trimmed, pattern)
    return re.compile(rf"(?s:{body})(?=/|\Z)")


def matches_any(patterns: Sequence[re.Pattern[str]], path: str) -> bool:
    """Whether a pattern matches ``path`` or a directory it lies in."""
    return any(pattern.match(path) for pattern in patterns)


def _translated(glob: str, pattern: str) -> str:
    pieces: list[str] = []
    position = 0
    while position < len(glob):
        character = glob[position]
        position += 1
        if glob.startswith("**/", position - 1) and (position == 1 or glob[position - 2] == "/"):
            pieces.append("(?:[^/]+/)*")
            position += 2
        elif glob.startswith("**", position - 1):
            pieces.append(".*")
            position += 1
        elif character == "*":
            pieces.append("[^/]*")
        elif character == "?":
            pieces.append("[^/]")
        elif character == "[":
            piece, position = _character_class(glob, position, pattern)
            pieces.append(piece)
        elif character == "\\" and position < len(glob):
            pieces.append(re.escape(glob[position]))
            position += 1
        else:
            pieces.append(re.escape(character))
    return "".join(pieces)


def _character_class(glob: str, start: int, pattern: str) -> tuple[str, int]:
    """The class that begins after the bracket at ``start - 1``, and the position behind it."""
    first = start + 1 if glob[start : start + 1] in ("!", "^") else start
    end = glob.find("]", first + 1)
    if end < 0:
        raise UsageError(f"{pattern!r}: a '[' that is not closed (write \\[ for the character)")
    negated = "^" if first > start else ""
    members = re.sub(r"([\\\[\]&~|^])", r"\\\1", glob[first:end])
    try:
        re.compile(f"[{members}]")
    except re.error:
        raise UsageError(f"{pattern!r}: '[{glob[first:end]}]' is no class of characters") from None
    return f"(?!/)[{negated}{members}]", end + 1
