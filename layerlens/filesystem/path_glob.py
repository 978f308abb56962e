"""Globs on an image's absolute paths, as people write them in ignore files.

A pattern without a slash is matched with every name on the path: ``*.pyc``, ``node_modules``. One
with a slash is matched from the root, with or without the first one written: ``/etc/*.conf``,
``usr/**/bin``. What lies below a match matches too. ``*`` and ``?`` stay within a name, ``**`` in
the place of a name stands for any number of directories (at the end: for all that is inside),
``[a-z]`` and ``[!a-z]`` are classes, a backslash takes the next character literally.

Neither a pattern nor a path can make matching slow: of several ways to match a part, the first
one found is kept (atomic groups), since whatever follows a star can begin as early as possible.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

from layerlens.errors import UsageError
from layerlens.oci.quoting import quoted

_END_OF_NAME = r"(?=/|\Z)"
_ANY_DIRECTORIES = "**"


@lru_cache(maxsize=256)
def compile_glob(pattern: str) -> re.Pattern[str]:
    """A regular expression whose ``match`` tells whether a path matches. Raises UsageError."""
    names = [name for name in _split(pattern) if name]
    if not names:
        if not pattern:
            raise UsageError("an empty pattern matches nothing")
        return re.compile("")  # the root, and all below it
    anchored = pattern.startswith("/") or len(names) > 1
    if not anchored:
        names.insert(0, _ANY_DIRECTORIES)
    return re.compile(f"(?s:{_translated_names(names, pattern)})")


def matches_any(patterns: Sequence[re.Pattern[str]], path: str) -> bool:
    """Whether a pattern matches ``path`` or a directory it lies in."""
    return any(pattern.match(path) for pattern in patterns)


def _split(pattern: str) -> list[str]:
    """The names between the slashes, a slash after a backslash included."""
    return re.sub(r"\\(?=/)", "", pattern).split("/")


def _translated_names(names: Sequence[str], pattern: str) -> str:
    pieces: list[str] = []
    gap = ""
    for any_directories, run in groupby(names, _ANY_DIRECTORIES.__eq__):
        if any_directories:
            gap = "(?:/[^/]++)*?"
        else:
            chunk = "".join(f"/{_translated_name(name, pattern)}{_END_OF_NAME}" for name in run)
            pieces.append(f"(?>{gap}{chunk})")
            gap = ""
    if gap:
        pieces.append("/[^/]")
    return "".join(pieces)


def _translated_name(name: str, pattern: str) -> str:
    """One name of a pattern; stars in a row are one, and ``**`` among letters is one too."""
    fixed = [""]  # the parts between the stars
    position = 0
    while position < len(name):
        character = name[position]
        position += 1
        if character == "*":
            if fixed[-1] or len(fixed) == 1:
                fixed.append("")
        elif character == "?":
            fixed[-1] += "[^/]"
        elif character == "[":
            piece, position = _character_class(name, position, pattern)
            fixed[-1] += piece
        else:
            if character == "\\" and position < len(name):
                character = name[position]
                position += 1
            fixed[-1] += re.escape(character)
    if len(fixed) == 1:
        return fixed[0]
    first, *middle, last = fixed
    first = first or "(?=[^/])"  # the root has no name
    skipped = "".join(f"(?>[^/]*?{part})" for part in middle)
    return f"{first}{skipped}[^/]*{last}" if last else f"{first}{skipped}[^/]*+"


def _character_class(name: str, start: int, pattern: str) -> tuple[str, int]:
    """The class that begins after the bracket at ``start - 1``, and the position behind it."""
    position = start
    negated = "^" if name[position : position + 1] in ("!", "^") else ""
    position += len(negated)
    first = position
    members = ""
    while position < len(name):
        character = name[position]
        position += 1
        if character == "]" and position > first + 1:
            break
        if character == "-":
            members += "-"  # a range, or itself at an end
            continue
        if character == "\\" and position < len(name):
            character = name[position]
            position += 1
        members += f"\\{character}" if character in "\\[]^-&~|" else character
    else:
        raise UsageError(
            f"the pattern {quoted(pattern)}: a '[' that is not closed (write \\[ for the character)"
        )
    try:
        re.compile(f"[{members}]")
    except re.error:
        written = quoted(name[start - 1 : position])
        raise UsageError(
            f"the pattern {quoted(pattern)}: {written} is no class of characters"
        ) from None
    return f"(?!/)[{negated}{members}]", position
