"""A pattern of ``.dockerignore`` as moby's patternmatcher has it, quick to match whatever it is.

``**`` is any number of directories, wherever it stands; globs here are no ``filepath.Match``:
``**/x`` and ``[^a]`` go straight to a regular expression, so that ``[^a]`` may be a slash. No
pattern makes a path take long: where a regular expression would try every way to share a path out
among its stars, the positions that can be reached are followed instead, all at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from layerlens.dockerfile import go_paths

_DIRECTORIES = "(?:.*/)?"
_END = r"(?=/|\Z)"
_ESCAPED = frozenset(".+()|{}$^")


def ignore_pattern(pattern: str) -> Callable[[str], object]:
    """What tells, by a true value, whether a path or a directory it is in matches *pattern*, which
    ``go_paths.match_pattern`` has not refused."""
    parts = _parts(pattern)
    chunks = _between_directories(parts)
    if any(part.startswith("[") and re.fullmatch(part, "/") for part in parts) or any(
        chunk[-1] != "/" for chunk in chunks[1:-1]
    ):
        return partial(_reaches_an_end, tuple(parts))
    return re.compile(_expression(chunks), re.DOTALL).match


def _parts(pattern: str) -> list[str]:
    """Expressions of one character each, STAR, _DIRECTORIES, and at the end REST."""
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        match character:
            case "*" if pattern.startswith("*", position):
                position += 1
                if pattern.startswith("/", position):
                    position += 1
                at_end = position == len(pattern)
                parts.append(go_paths.REST if at_end else _DIRECTORIES)
            case "*":
                parts.append(go_paths.STAR)
            case "?":
                parts.append("[^/]")
            case "\\" if position < len(pattern):
                parts.append(re.escape(pattern[position]))
                position += 1
            case "[":
                end = _class_end(pattern, position)
                parts.append(_class_text(pattern[position:end]))
                position = end + 1
            case _:
                parts.append(f"\\{character}" if character in _ESCAPED else re.escape(character))
    return parts


def _class_end(pattern: str, position: int) -> int:
    """Where the class that starts at *position* is closed; that it is has been checked."""
    position += pattern.startswith("^", position)
    position += pattern.startswith("]", position)
    while not pattern.startswith("]", position):
        position += 2 if pattern.startswith("\\", position) else 1
    return position


def _class_text(body: str) -> str:
    """A class in Python's words: the same, but for what only Python reads a meaning into."""
    for special, literal in (("[", r"\["), ("&&", r"&\&"), ("~~", r"~\~")):
        body = body.replace(special, literal)
    return f"[{body}]"


def _between_directories(parts: Sequence[str]) -> list[list[str]]:
    """What stands before, between and after the _DIRECTORIES, several in a row being one."""
    chunks: list[list[str]] = [[]]
    for directories, run in groupby(parts, _DIRECTORIES.__eq__):
        if directories:
            chunks.append([])
        else:
            chunks[-1].extend(run)
    return chunks


def _expression(chunks: Sequence[Sequence[str]]) -> str:
    """Chunks between two _DIRECTORIES end with a name: the first place where one is found is kept,
    as all that could follow a later one can follow it too."""
    first, *middle, last = chunks if len(chunks) > 1 else (*chunks, ())
    found = "".join(f"(?>(?:.*?/)??{go_paths.joined(chunk)})" for chunk in middle)
    directories = _DIRECTORIES if len(chunks) > 1 else ""
    return f"{go_paths.joined(first)}{found}{directories}{go_paths.joined(last)}{_END}"


def _reaches_an_end(parts: Sequence[str], path: str) -> bool:
    """Whether the parts, one after another, lead from the start of the path to the end of a name;
    each is tried at most once at every position."""
    reached = {0}
    for part in parts:
        if not reached:
            return False
        if part == go_paths.REST:
            reached = set(range(min(reached), len(path) + 1))
        elif part == _DIRECTORIES:
            later = range(min(reached) + 1, len(path) + 1)
            reached |= {at for at in later if path[at - 1] == "/"}
        elif part == go_paths.STAR:
            reached = _within_names(reached, path)
        else:
            one = re.compile(part, re.DOTALL)
            reached = {at + 1 for at in reached if one.match(path, at)}
    return any(at == len(path) or path[at] == "/" for at in reached)


def _within_names(reached: set[int], path: str) -> set[int]:
    """Every position from those *reached* to the ends of their names."""
    further: set[int] = set()
    for start in sorted(reached):
        slash = path.find("/", start)
        end = len(path) if slash < 0 else slash
        for at in range(start, end + 1):
            if at in further:
                break
            further.add(at)
    return further
