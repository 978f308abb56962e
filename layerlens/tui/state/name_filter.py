"""What was typed to filter a tree: a piece of a path, a glob or a regular expression."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress

from layerlens.errors import UsageError
from layerlens.filesystem.path_glob import compile_glob
from layerlens.tui.state.tree_arrays import ROOT, TreeArrays, both

_CHECKED_EVERY = 4096
"""Rows between two looks at whether the search is still wanted."""


class FilterKind(enum.Enum):
    """How the typed text is read; the value is the word shown for it."""

    SUBSTRING = "text"
    GLOB = "glob"
    REGEX = "regex"

    @property
    def following(self) -> FilterKind:
        """The kind after this one, round and round."""
        kinds = list(FilterKind)
        return kinds[(kinds.index(self) + 1) % len(kinds)]


@dataclass(frozen=True, slots=True)
class NameFilter:
    """A search as it was typed. Letters of a text match either case unless one is a capital."""

    text: str
    kind: FilterKind = FilterKind.SUBSTRING

    def pattern(self) -> re.Pattern[str]:
        """The glob or regular expression, compiled. Raises UsageError, with what is wrong."""
        if self.kind is FilterKind.GLOB:
            return compile_glob(self.text)
        try:
            return re.compile(self.text)
        except (re.error, OverflowError, RecursionError) as error:
            raise UsageError(f"not a regular expression: {error}") from None


class Searching:
    """Searches in one tree; keeps its names as they are compared, for the next key."""

    def __init__(self, arrays: TreeArrays) -> None:
        self._arrays = arrays
        self._lowered: Sequence[str] | None = None

    def matches(self, text: str) -> bytes:
        """A byte a row: whether its path contains ``text``, which may hold slashes."""
        found = self.ending_matches(text)
        self._with_what_is_below(found)
        return bytes(found)

    def ending_matches(self, text: str) -> bytearray:
        """A byte a row: whether its path contains ``text`` so that it ends in the last name."""
        *above, last = text.split("/")
        names = self._names(text)
        if not above:
            found = bytearray([last in name for name in names])
        else:
            found = self._matching_parts(names, above, last)
        found[ROOT] = 0  # every path has a slash; nobody searches for the root
        return found

    def _names(self, text: str) -> Sequence[str]:
        """The names; in small letters if the text is."""
        if text != text.lower():
            return self._arrays.names
        if self._lowered is None:
            self._lowered = [
                name if name.islower() else name.lower() for name in self._arrays.names
            ]
        return self._lowered

    def _matching_parts(self, names: Sequence[str], above: Sequence[str], last: str) -> bytearray:
        """Where a name starts with ``last`` and the directories over it have the names before."""
        parents = self._arrays.parents
        found = bytearray([name.startswith(last) for name in names])
        found[ROOT] = 0
        *exact, first = reversed(above)
        for row in compress(range(len(names)), bytes(found)):
            parent = parents[row]
            for name in exact:
                if parent == ROOT or names[parent] != name:
                    found[row] = 0
                    break
                parent = parents[parent]
            else:
                if first and (parent == ROOT or not names[parent].endswith(first)):
                    found[row] = 0
        return found

    def _with_what_is_below(self, found: bytearray) -> None:
        """A path below one that contains the text contains it too."""
        arrays = self._arrays
        end = 0
        for row in compress(range(arrays.count), both(found, arrays.directories)):
            if row >= end:  # not in a branch that is found already
                end = row + arrays.lengths[row]
                found[row:end] = b"\1" * (end - row)


def pattern_matches(
    arrays: TreeArrays, search: NameFilter, is_wanted: Callable[[], bool]
) -> bytes | None:
    """A byte a row: whether its path matches a glob or regular expression; None once it is no
    longer wanted. Takes a second for a million rows. Raises UsageError."""
    pattern = search.pattern()
    find = pattern.match if search.kind is FilterKind.GLOB else pattern.search
    found = bytearray(arrays.count)
    for row, path in enumerate(paths(arrays)):
        if not row % _CHECKED_EVERY and not is_wanted():
            return None
        if find(path) is not None:
            found[row] = 1
    return bytes(found)


def paths(arrays: TreeArrays) -> Iterator[str]:
    """The paths of all rows, in order."""
    names, parents, directories = arrays.names, arrays.parents, arrays.directories
    above = {ROOT: ""}
    for row in range(arrays.count):
        if row == ROOT:
            yield "/"
            continue
        path = f"{above[parents[row]]}/{names[row]}"
        if directories[row]:
            above[row] = path
        yield path
