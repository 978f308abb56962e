"""Changes added up, and those with the most bytes kept, in one pass over them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from layerlens.analysis.change_statistics import ChangeStatistics, total
from layerlens.analysis.layer_changes import Change
from layerlens.filesystem.file_tree import name_key


@dataclass(frozen=True, slots=True, kw_only=True)
class TalliedChanges:
    """``largest``: with the most bytes touched; ``grown``, ``shrunk``: with the most bytes more
    and fewer. Each from the most on, equal ones in the order of paths, none without bytes.
    ``grown_paths``, ``shrunk_paths``: how many there are, those not kept included."""

    statistics: ChangeStatistics
    largest: tuple[Change, ...]
    grown: tuple[Change, ...]
    shrunk: tuple[Change, ...]
    grown_paths: int
    shrunk_paths: int


def tallied(changes: Iterable[Change], most: int) -> TalliedChanges:
    """The changes added up, and at most *most* of each kind of list kept; gone through once."""
    largest, grown, shrunk = _Largest(most), _Largest(most), _Largest(most)

    def watched() -> Iterator[Change]:
        for change in changes:
            before, after = change.bytes_before, change.bytes_after
            largest.offer(max(before, after), change)
            if after > before:
                grown.offer(after - before, change)
            elif before > after:
                shrunk.offer(before - after, change)
            yield change

    return TalliedChanges(
        statistics=total(watched()),
        largest=largest.changes(),
        grown=grown.changes(),
        shrunk=shrunk.changes(),
        grown_paths=grown.count,
        shrunk_paths=shrunk.count,
    )


class _Largest:
    """The changes with the most bytes among all that are offered, the earlier of equal ones."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.count = 0
        self._heap: list[tuple[int, int, Change]] = []

    def offer(self, size: int, change: Change) -> None:
        if not size:
            return
        self.count += 1
        item = (size, -self.count, change)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, item)
        elif item[:2] > self._heap[0][:2]:
            heapq.heapreplace(self._heap, item)

    def changes(self) -> tuple[Change, ...]:
        ordered = sorted(self._heap, key=lambda item: (-item[0], name_key(item[2].path)))
        return tuple(change for _, _, change in ordered)
