"""What was typed to filter a tree: a piece of a path, a glob or a regular expression."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, repeat
from operator import contains

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


_REMEMBERED = 8
"""Searches whose results are kept, so that taking letters back costs nothing."""


_SPARSE = 12
"""Looking at one row of so many costs as much as looking at all of them, one after another."""


class Searching:
    """Searches in one tree; keeps its names as they are compared, for the next key."""

    def __init__(self, arrays: TreeArrays) -> None:
        self.arrays = arrays
        self._lowered: list[str] | None = None
        self._found: dict[str, bytes] = {}

    def prepare(self) -> list[str]:
        """The names in small letters, made the first time, from whatever thread: some hundredths
        of a second for half a million of them."""
        if self._lowered is None:
            self._lowered = [name if name.islower() else name.lower() for name in self.arrays.names]
        return self._lowered

    def matches(self, text: str) -> bytes:
        """A byte a row: whether its path contains ``text``, which may hold slashes."""
        found = self.ending_matches(text)
        self._with_what_is_below(found)
        return bytes(found)

    def ending_matches(self, text: str) -> bytearray:
        """A byte a row: whether its path contains ``text`` so that it ends in the last name."""
        found = self._found.get(text)
        if found is None:
            found = bytes(self._search(text))
            while len(self._found) >= _REMEMBERED:
                del self._found[next(iter(self._found))]
            self._found[text] = found
        return bytearray(found)

    def _search(self, text: str) -> bytearray:
        *above, last = text.split("/")
        names = self._names(text)
        if not above:
            found = self._containing(text, names)
        else:
            found = self._matching_parts(names, above, last)
        found[ROOT] = 0  # every path has a slash; nobody searches for the root
        return found

    def _names(self, text: str) -> Sequence[str]:
        """The names; in small letters if the text is."""
        return self.prepare() if text == text.lower() else self.arrays.names

    def _containing(self, text: str, names: Sequence[str]) -> bytearray:
        """Where a name contains ``text``; looked for where it did one letter ago, if it was."""
        before = self._found.get(text[:-1])
        if (
            before is None
            or self._names(text[:-1]) is not names
            or before.count(1) * _SPARSE > len(names)
        ):
            return bytearray(map(contains, names, repeat(text)))
        found = bytearray(len(names))
        for row in _marked(before):
            if text in names[row]:
                found[row] = 1
        return found

    def _matching_parts(self, names: Sequence[str], above: Sequence[str], last: str) -> bytearray:
        """Where a name starts with ``last`` and the directories over it have the names before."""
        *exact, first = reversed(above)
        if not exact and not first:
            found = bytearray([name.startswith(last) for name in names])
        else:
            fits = bytearray(len(names))
            for row in compress(range(len(names)), self.arrays.directories):
                fits[row] = self._fits(row, names, exact, first)
            found = bytearray(
                [
                    fits[parent] and name.startswith(last)
                    for parent, name in zip(self.arrays.parents, names, strict=True)
                ]
            )
        found[ROOT] = 0
        return found

    def _fits(self, row: int, names: Sequence[str], exact: Sequence[str], first: str) -> bool:
        """Whether a directory and those over it have these names, the last one so at its end."""
        for name in exact:
            if row == ROOT or names[row] != name:
                return False
            row = self.arrays.parents[row]
        return not first or (row != ROOT and names[row].endswith(first))

    def _with_what_is_below(self, found: bytearray) -> None:
        """A path below one that contains the text contains it too."""
        lengths = self.arrays.lengths
        directories = both(found, self.arrays.directories)
        row = directories.find(1)
        while row >= 0:
            end = row + lengths[row]
            found[row:end] = b"\1" * lengths[row]
            row = directories.find(1, end)


def _marked(flags: bytes) -> Iterator[int]:
    """The numbers of the rows that are marked, few of many."""
    row = flags.find(1)
    while row >= 0:
        yield row
        row = flags.find(1, row + 1)


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
