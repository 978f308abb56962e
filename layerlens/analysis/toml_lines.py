"""On which line of a TOML document a key stands, which `tomllib` does not tell: for messages.

Headers and keys at the beginning of lines are looked at, and nothing else: of a key within an
inline table the line of what holds it is known, and of one in a form that is not expected none.
"""

from __future__ import annotations

import re

_PART = r"""[ \t]*(?:[A-Za-z0-9_-]+|"[^"\\\n]*"|'[^'\n]*')[ \t]*"""
_HEADER = re.compile(rf"[ \t]*\[(?P<keys>{_PART}(?:\.{_PART})*)\][ \t]*(?:#.*)?")
_KEY = re.compile(rf"(?P<keys>{_PART}(?:\.{_PART})*)=")
_SINGLE = re.compile(_PART)

Keys = tuple[str, ...]


def line_of_key(text: str, *keys: str) -> int | None:
    """The line (from 1) of the innermost of *keys*, each in the table that the last one names,
    that is found in a document which is valid TOML."""
    wanted: Keys = keys
    best: tuple[int, int] | None = None
    header: Keys = ()
    for number, line in enumerate(text.split("\n"), 1):
        match = _HEADER.fullmatch(line.rstrip("\r"))
        if match is not None:
            here = header = _parts(match["keys"])
        else:
            match = _KEY.match(line)
            if match is None:
                continue
            here = (*header, *_parts(match["keys"]))
        depth = _common(here, wanted)
        if depth and (best is None or depth > best[0]):
            best = depth, number
    return best[1] if best is not None else None


def _parts(keys: str) -> Keys:
    return tuple(match.group().strip(" \t").strip("\"'") for match in _SINGLE.finditer(keys))


def _common(here: Keys, wanted: Keys) -> int:
    """How many keys of the path to what is wanted a line names."""
    depth = 0
    for one, other in zip(here, wanted, strict=False):
        if one != other:
            break
        depth += 1
    return depth
