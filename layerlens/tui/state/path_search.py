"""A search in all that any layer of an image ever held, and what became of what is found."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import compress

from layerlens.analysis.path_history import PathEvent, ever_held, path_history
from layerlens.filesystem.file_tree import FileTree
from layerlens.tui.shown_text import Part
from layerlens.tui.state.name_filter import FilterKind, NameFilter, Searching, pattern_matches
from layerlens.tui.state.tree_arrays import STATE_OF, tree_arrays
from layerlens.tui.state.tree_lines import STYLES

_SUMMARY_EVENTS = 4


class PathSearch:
    """The paths of all layers. ``found``: rows of the last search, in the order of paths."""

    def __init__(
        self, trees: Sequence[FileTree], is_wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """Raises NotWanted once ``is_wanted`` says no."""
        held = ever_held(trees)
        self._trees = trees
        self._arrays = tree_arrays(held, held, is_wanted)
        self._searching = Searching(self._arrays)
        self.found: array[int] = array("I")

    @property
    def count(self) -> int:
        """How many paths there ever were, the root left out."""
        return self._arrays.count - 1

    def search(self, search: NameFilter, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """Find the paths that match: of a text those in whose last name it ends. Raises
        UsageError; changes nothing once it is no longer wanted."""
        if search.kind is FilterKind.SUBSTRING:
            matches: bytes | bytearray | None = self._searching.ending_matches(search.text)
        else:
            matches = pattern_matches(self._arrays, search, is_wanted)
        if matches is not None:
            self.found = array("I", compress(range(self._arrays.count), matches))

    def forget(self) -> None:
        """Find nothing."""
        self.found = array("I")

    def path(self, position: int) -> str:
        """The path found at a position."""
        return self._arrays.path(self.found[position])

    def history(self, position: int) -> tuple[PathEvent, ...]:
        """What became of the path found at a position."""
        return path_history(self._trees, self.path(position))


def summary_parts(events: Sequence[PathEvent]) -> list[Part]:
    """What became of a path in a few cells: ``+0 ~5 -9`` by the layers' numbers."""
    shown: list[PathEvent | None] = list(events)
    if len(shown) > _SUMMARY_EVENTS:
        shown[2:-1] = [None]
    parts: list[Part] = []
    for event in shown:
        if event is None:
            parts.append(("… ", "faint"))
        else:
            state = STATE_OF[event.kind]
            parts.append((f"{state.sign}{event.layer} ", STYLES[state]))
    return parts
