"""The change of a Dockerfile as a unified diff that ``patch -p1`` and ``git apply`` take."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from difflib import unified_diff

_NEEDS_QUOTES = re.compile(r'[\x00-\x1f"\\\x7f-\U0010ffff]')
_NO_NEWLINE = "\\ No newline at end of file\n"
_SHORT = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def patch_text(path: str, before: str, after: str) -> str:
    """The diff of a file at ``path``, relative to where it is applied; "" where nothing differs.

    Text that was bytes and is not UTF-8 stays what it was (surrogateescape).
    """
    lines = unified_diff(_lines(before), _lines(after), _name("a", path), _name("b", path))
    return "".join(_ended(line) for line in lines)


def path_in_patch(path: str) -> str:
    """A path below here as it is from here; of any other file its name."""
    relative = os.path.relpath(path)
    return os.path.basename(path) if relative.startswith("../") else relative


def _lines(text: str) -> list[str]:
    """Cut after each newline, and nowhere else."""
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}"


def _name(side: str, path: str) -> str:
    name = f"{side}/{path}"
    if _NEEDS_QUOTES.search(name):
        return f'"{"".join(_quoted(name))}"'
    return f"{name}\t" if " " in name else name  # what follows a tab is no part of the name


def _quoted(name: str) -> Iterator[str]:
    for character in name:
        if character in _SHORT:
            yield _SHORT[character]
        elif _NEEDS_QUOTES.match(character):
            for byte in character.encode("utf-8", "surrogateescape"):
                yield f"\\{byte:03o}"
        else:
            yield character
