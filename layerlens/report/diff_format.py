"""What the forms of ``diff`` have in common: what a person asked for, put in order and cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from layerlens.analysis.change_filter import ChangeFilter
from layerlens.analysis.change_statistics import DirectoryStatistics
from layerlens.analysis.comparison import ImageComparison, LayerRange
from layerlens.analysis.config_differences import ConfigDifference
from layerlens.analysis.layer_changes import Change
from layerlens.analysis.titles import ImageTitle

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRequest:
    """What to show. ``by_bytes``: largest changes first. ``top``: at most so many of each list.

    ``config``: whether the configs of two images are compared; ``times``: also when they were
    created.
    """

    change_filter: ChangeFilter
    by_bytes: bool
    top: int | None
    config: bool
    times: bool

    def ordered(self, changes: Sequence[Change]) -> Sequence[Change]:
        """The changes in the order asked for, cut to ``top``."""
        return self._ordered(changes, lambda change: max(change.bytes_before, change.bytes_after))

    def ordered_rows(self, rows: Sequence[DirectoryStatistics]) -> Sequence[DirectoryStatistics]:
        """The rows of ``--stat`` in the order asked for, cut to ``top``."""
        return self._ordered(rows, lambda row: row.statistics.bytes_touched)

    def _ordered(self, items: Sequence[_T], size: Callable[[_T], int]) -> Sequence[_T]:
        if self.by_bytes:
            items = sorted(items, key=size, reverse=True)  # stable: paths in order where equal
        return items[: self.top]

    def config_of(self, comparison: ImageComparison) -> Sequence[ConfigDifference]:
        """The differences between the configs that are to be shown."""
        if not self.config:
            return ()
        times = comparison.creation_difference() if self.times else ()
        differences = (*comparison.config_differences(), *times)
        return [each for each in differences if each.kind in self.change_filter.kinds]


class DiffFormat(Protocol):
    """One form of ``diff``'s output. Both methods write it, and say whether anything that was
    asked for differs."""

    def write_layers(self, image: ImageTitle, ranges: Sequence[LayerRange]) -> bool:
        """The changes of an image's layers."""

    def write_comparison(self, comparison: ImageComparison) -> bool:
        """What differs between two images."""
