"""Changes added up: by kind, and by top-level directory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from layerlens.analysis.layer_changes import Change, ChangeKind
from layerlens.filesystem.file_tree import name_key


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStatistics:
    """Counts of paths, and bytes: ``added_bytes`` that came, ``removed_bytes`` that went,
    ``changed_bytes_before`` and ``changed_bytes_after`` of the changed ones; ``rewritten_bytes``
    and ``rewritten_bytes_before``, which differ where a name of a hard-linked file was written
    as a file of its own. Hard links are charged once, at the first name."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    rewritten: int = 0
    added_bytes: int = 0
    changed_bytes_before: int = 0
    changed_bytes_after: int = 0
    removed_bytes: int = 0
    rewritten_bytes_before: int = 0
    rewritten_bytes: int = 0

    @property
    def growth(self) -> int:
        """Bytes by which the file system grew; negative where it shrank."""
        return (
            self.added_bytes
            - self.removed_bytes
            + self.changed_bytes_after
            - self.changed_bytes_before
            + self.rewritten_bytes
            - self.rewritten_bytes_before
        )

    @property
    def bytes_touched(self) -> int:
        """Bytes that came, went or were written again: what ``--sort bytes`` goes by."""
        changed = max(self.changed_bytes_before, self.changed_bytes_after)
        return self.added_bytes + self.removed_bytes + changed + self.rewritten_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryStatistics:
    """What changed below one top-level directory; ``/`` stands for what lies in the root itself."""

    directory: str
    statistics: ChangeStatistics


def total(changes: Iterable[Change]) -> ChangeStatistics:
    """All changes added up."""
    tally = _Tally()
    for change in changes:
        tally.add(change)
    return tally.statistics()


def by_top_level_directory(changes: Iterable[Change]) -> tuple[DirectoryStatistics, ...]:
    """The changes added up by the first directory of their paths, in the order of their names."""
    tallies: dict[str, _Tally] = {}
    for change in changes:
        directory = _top_level(change)
        tally = tallies.get(directory)
        if tally is None:
            tally = tallies[directory] = _Tally()
        tally.add(change)
    return tuple(
        DirectoryStatistics(directory=directory, statistics=tallies[directory].statistics())
        for directory in sorted(tallies, key=name_key)
    )


def _top_level(change: Change) -> str:
    end = change.path.find("/", 1)
    if end > 0:
        return change.path[:end]
    return change.path if change.is_directory else "/"


class _Tally:
    def __init__(self) -> None:
        self._counts = dict.fromkeys(ChangeKind, 0)
        self._before = dict.fromkeys(ChangeKind, 0)
        self._after = dict.fromkeys(ChangeKind, 0)

    def add(self, change: Change) -> None:
        kind = change.kind
        self._counts[kind] += 1
        self._before[kind] += change.bytes_before
        self._after[kind] += change.bytes_after

    def statistics(self) -> ChangeStatistics:
        counts, before, after = self._counts, self._before, self._after
        return ChangeStatistics(
            added=counts[ChangeKind.ADDED],
            changed=counts[ChangeKind.CHANGED],
            removed=counts[ChangeKind.REMOVED],
            rewritten=counts[ChangeKind.REWRITTEN],
            added_bytes=after[ChangeKind.ADDED],
            changed_bytes_before=before[ChangeKind.CHANGED],
            changed_bytes_after=after[ChangeKind.CHANGED],
            removed_bytes=before[ChangeKind.REMOVED],
            rewritten_bytes_before=before[ChangeKind.REWRITTEN],
            rewritten_bytes=after[ChangeKind.REWRITTEN],
        )
