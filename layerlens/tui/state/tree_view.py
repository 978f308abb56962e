"""Which rows of a tree are shown: by what became of them, by what was typed, by what is folded.

Everything here is a few passes that run in C, so that a key is answered at half a million rows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from itertools import compress

from layerlens.tui.state.tree_arrays import ROOT, State, TreeArrays, both

OPENED_ROWS = 400
"""A tree of at most so many rows opens unfolded; a larger one shows its top directories."""

_SHORT_RUN = 16
"""Rows below which a run of them is not worth being copied by itself."""

DEFAULT_STATES = frozenset((State.ADDED, State.CHANGED, State.REMOVED))
ALL_STATES = frozenset(State)


@dataclass(frozen=True, slots=True)
class Folding:
    """What a person folded, by paths: done to one tree, it is done to the next one too.

    ``all_folded``: None where nobody folded or unfolded all, which leaves it to the tree's size.
    """

    all_folded: bool | None = None
    folded: frozenset[str] = frozenset()
    unfolded: frozenset[str] = frozenset()


class TreeView:
    """The rows of one tree that are shown, in order; ``rows`` holds their numbers in the arrays.

    ``matches``: where not None, a byte a row of the arrays: whether it was searched for.
    """

    def __init__(
        self,
        arrays: TreeArrays,
        states: frozenset[State] = DEFAULT_STATES,
        folding: Folding = Folding(),
    ) -> None:
        self.arrays = arrays
        self.states = states
        self.folding = folding
        self.matches: bytes | None = None
        self._folded = bytearray(arrays.count)
        self._unfolded_before: bytearray | None = None
        self._directory_rows: array[int] | None = None
        self._kept = b""
        self.rows: array[int] = array("I")
        self._choose()
        self._take_over(folding)

    def _take_over(self, folding: Folding) -> None:
        arrays = self.arrays
        some = self._kept.count(1) > OPENED_ROWS
        if some if folding.all_folded is None else folding.all_folded:
            self._folded[:] = arrays.directories
            for row in (ROOT, *(arrays.children(ROOT) if folding.all_folded is None else ())):
                self._folded[row] = 0
        for paths, flag in ((folding.folded, 1), (folding.unfolded, 0)):
            for path in paths:
                row = arrays.find(path)
                if row is not None and arrays.directories[row]:
                    self._folded[row] = flag
        self._lay_out()

    def show_states(self, states: frozenset[State]) -> None:
        """Show the rows of these states, and the directories on the way to them."""
        self.states = states
        self._choose()
        self._lay_out()

    def show_matches(self, matches: bytes | None) -> None:
        """Show only rows that match and what leads to them, unfolded; with None, all as before."""
        if matches is None:
            if self._unfolded_before is not None:
                self._folded = self._unfolded_before
                self._unfolded_before = None
        else:
            if self._unfolded_before is None:
                self._unfolded_before = self._folded
            self._folded = bytearray(self.arrays.count)
        self.matches = matches
        self._choose()
        self._lay_out()

    def is_folded(self, row: int) -> bool:
        """Whether what is below the row is hidden."""
        return bool(self._folded[row])

    def is_directory(self, row: int) -> bool:
        """Whether the row can be folded: it is or was a directory."""
        return bool(self.arrays.directories[row])

    def is_anything_folded(self) -> bool:
        """Whether a directory is folded that has something to show."""
        return both(self._folded, self._kept).find(1) >= 0

    def fold(self, row: int) -> None:
        """Hide what is below a row."""
        if not self.arrays.directories[row] or self._folded[row]:
            return
        self._folded[row] = 1
        self._remember(row, folded=True)
        first = bisect_right(self.rows, row)
        last = bisect_left(self.rows, row + self.arrays.lengths[row])
        del self.rows[first:last]

    def unfold(self, row: int) -> None:
        """Show what is below a row."""
        if not self._folded[row]:
            return
        self._folded[row] = 0
        self._remember(row, folded=False)
        position = bisect_right(self.rows, row)
        self.rows[position:position] = self._laid_out(row + 1, row + self.arrays.lengths[row])

    def fold_all(self) -> None:
        """Fold every directory but the root."""
        self._folded[:] = self.arrays.directories
        self._folded[ROOT] = 0
        self._remember_all(folded=True)
        self._lay_out()

    def unfold_all(self) -> None:
        """Unfold every directory."""
        self._folded = bytearray(self.arrays.count)
        self._remember_all(folded=False)
        self._lay_out()

    def unfold_to(self, row: int) -> None:
        """Unfold what hides a row."""
        above = []
        while row != ROOT:
            row = self.arrays.parents[row]
            above.append(row)
        for parent in reversed(above):
            self.unfold(parent)

    def position(self, row: int) -> int:
        """Where among the shown rows a row stands, or the nearest one before it."""
        return max(0, bisect_right(self.rows, row) - 1)

    def is_shown(self, row: int) -> bool:
        """Whether the row is among those shown."""
        position = bisect_left(self.rows, row)
        return position < len(self.rows) and self.rows[position] == row

    def parent_position(self, position: int) -> int:
        """Where the directory stands that the row at ``position`` is in."""
        return self.position(self.arrays.parents[self.rows[position]])

    def _remember(self, row: int, *, folded: bool) -> None:
        if self.matches is not None:
            return  # what is folded while searching is forgotten with the search
        path = frozenset((self.arrays.path(row),))
        now = self.folding
        self.folding = replace(
            now,
            folded=now.folded | path if folded else now.folded - path,
            unfolded=now.unfolded - path if folded else now.unfolded | path,
        )

    def _remember_all(self, *, folded: bool) -> None:
        if self.matches is None:
            self.folding = Folding(all_folded=folded)

    def _choose(self) -> None:
        """Find the rows that are wanted, or have such a row below them."""
        arrays = self.arrays
        wanted = sum(state.bit for state in self.states)
        if self.matches is None:
            table = bytes(1 if mask & wanted else 0 for mask in range(256))
            kept = bytearray(arrays.masks.translate(table))
        else:
            table = bytes(1 if 1 << state & wanted else 0 for state in range(len(State)))
            own = arrays.states.translate(table.ljust(256, b"\0"))
            kept = both(own, self.matches)
            self._keep_parents(kept)
        if kept:
            kept[ROOT] = 1
        self._kept = bytes(kept)

    def _keep_parents(self, kept: bytearray) -> None:
        """Keep the directories on the way to all that is kept, the deepest first."""
        lengths = self.arrays.lengths
        if self._directory_rows is None:
            rows = compress(range(self.arrays.count), self.arrays.directories)
            self._directory_rows = array("I", rows)[::-1]
        for row in self._directory_rows:
            if not kept[row] and kept.find(1, row + 1, row + lengths[row]) >= 0:
                kept[row] = 1

    def _lay_out(self) -> None:
        self.rows = self._laid_out(0, self.arrays.count)

    def _laid_out(self, start: int, end: int) -> array[int]:
        """The rows to show of those from ``start`` to ``end``."""
        rows: array[int] = array("I")
        folded, lengths, kept = self._folded, self.arrays.lengths, self._kept
        while start < end:
            found = folded.find(1, start, end)
            stop = end if found < 0 else found + 1
            add_kept(rows, kept, start, stop)
            start = end if found < 0 else found + lengths[found]
        return rows


def add_kept(rows: array[int], kept: bytes, start: int, stop: int) -> None:
    """Add the numbers from ``start`` to ``stop`` that are kept: whole runs of them at once, as
    long as runs are long."""
    runs = (stop - start) // _SHORT_RUN + 1
    first = kept.find(1, start, stop)
    while first >= 0:
        end = kept.find(0, first, stop)
        if end < 0:
            end = stop
        rows.extend(_numbers(end)[first:end])
        runs -= 1
        if not runs:
            rows.extend(compress(range(end, stop), kept[end:stop]))
            return
        first = kept.find(1, end, stop)


_NUMBERS: array[int] = array("I")


def _numbers(count: int) -> array[int]:
    """0, 1, 2, … at least up to ``count``; always the same array."""
    if len(_NUMBERS) < count:
        _NUMBERS.extend(range(len(_NUMBERS), count))
    return _NUMBERS
