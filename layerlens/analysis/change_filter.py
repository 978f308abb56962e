"""Which changes a person asked to see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from layerlens.analysis.layer_changes import Aspect, Change, ChangeKind
from layerlens.filesystem.path_glob import matches_any

ALL_KINDS = frozenset((ChangeKind.ADDED, ChangeKind.CHANGED, ChangeKind.REMOVED))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFilter:
    """``paths``: where not empty, one of them must match; ``excluded``: none may.

    ``kinds``: of ADDED, CHANGED, REMOVED and REWRITTEN. ``mtime``: a change of the modification
    time alone counts as CHANGED.
    """

    paths: tuple[re.Pattern[str], ...] = ()
    excluded: tuple[re.Pattern[str], ...] = ()
    kinds: frozenset[ChangeKind] = ALL_KINDS
    mtime: bool = False

    @property
    def narrows(self) -> bool:
        """Whether it may leave out what is shown by default."""
        return bool(self.paths or self.excluded) or not self.kinds >= ALL_KINDS

    def apply(self, changes: Iterable[Change]) -> Iterator[Change]:
        """The changes that pass, in their order."""
        for change in changes:
            shown = self._shown(change)
            if shown is None or shown.kind not in self.kinds:
                continue
            if self.paths and not matches_any(self.paths, change.path):
                continue
            if self.excluded and matches_any(self.excluded, change.path):
                continue
            yield shown

    def _shown(self, change: Change) -> Change | None:
        if change.kind is ChangeKind.REWRITTEN:
            if self.mtime and Aspect.MTIME in change.aspects:
                return change._replace(kind=ChangeKind.CHANGED)
            # A directory is listed again by every layer that writes below it.
            return None if change.is_directory else change
        if change.kind is ChangeKind.CHANGED and not self.mtime:
            return change._replace(aspects=change.aspects - {Aspect.MTIME})
        return change
