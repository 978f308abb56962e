"""Which files of a COPY or ADD belong to the build and not to what is built."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from layerlens.layer.entry import Entry

_FROM_CONTEXT = re.compile(r"(?:COPY|ADD)\b")
_MARKER = re.compile(
    r"(?:Dockerfile|Containerfile)(?:\.[\w-]+)?|[\w-]+\.[Dd]ockerfile|\.dockerignore"
    r"|(?:docker-)?compose(?:[.-][\w-]+(?:\.[\w-]+)*)?\.ya?ml|\.gitlab-ci\.yml|\.travis\.yml|Jenkinsfile"
)
"""Files that only a build context has, and that tell where it was copied to."""
_SOMEBODY_ELSES = re.compile(r"/(?:node_modules|site-packages|dist-packages|vendor|gems)(?:/|\Z)")
_ONLY_IN_A_CONTEXT = frozenset(
    {
        "node_modules",
        ".venv",
        "venv",
        ".tox",
        ".nox",
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".hypothesis",
        ".idea",
        ".vscode",
        ".github",
        ".circleci",
        ".terraform",
        ".DS_Store",
        "Thumbs.db",
    }
)
"""What a context holds beside what is built, once it was copied as a whole."""


def context_places(
    instruction: str | None, files: Sequence[Entry], roots: Collection[str]
) -> Mapping[int, str]:
    """The files that only a context has, by the ids of their entries, with the path to tell each
    under; none where there is no sign that a context was copied as a whole.

    ``instruction``: that made the layer. ``roots``: directories known to be a whole context.
    """
    if not _FROM_CONTEXT.match(instruction or ""):
        return {}
    roots = set(roots)
    found: dict[int, str] = {}
    for entry in files:
        directory, _, name = entry.path.rpartition("/")
        if _MARKER.fullmatch(name) and not _SOMEBODY_ELSES.search(directory):
            roots.add(directory)
            found[id(entry)] = entry.path
    if not roots:
        return {}
    known: dict[str, _Position] = {}
    for entry in files:
        place = _beside_what_is_built(entry.path, roots, known)
        if place is not None:
            found[id(entry)] = place
    return found


class _Position(NamedTuple):
    """Of a directory: whether a context was copied to it or above it, and the outermost directory
    on the way to it that only a context has."""

    in_context: bool
    place: str | None


def _beside_what_is_built(
    path: str, roots: Collection[str], known: dict[str, _Position]
) -> str | None:
    """The outermost directory on the way to ``path``, or itself, that only a context has."""
    directory, _, name = path.rpartition("/")
    position = known.get(directory)
    if position is None:
        position = known[directory] = _position(directory, roots)
    if position.place is None and position.in_context and name in _ONLY_IN_A_CONTEXT:
        return path
    return position.place


def _position(directory: str, roots: Collection[str]) -> _Position:
    here = ""
    in_context = here in roots
    for name in directory.split("/")[1:]:
        here = f"{here}/{name}"
        if in_context and name in _ONLY_IN_A_CONTEXT:
            return _Position(True, here)
        in_context = in_context or here in roots
    return _Position(in_context, None)
