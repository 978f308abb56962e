"""What the forms of ``diff`` have in common: what a person asked for, and changes put in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from layerlens.analysis.change_filter import ChangeFilter
from layerlens.analysis.comparison import ImageComparison, LayerRange
from layerlens.analysis.config_differences import ConfigDifference
from layerlens.analysis.layer_changes import Change
from layerlens.analysis.titles import ImageTitle


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

    def ordered(self, changes: Iterable[Change]) -> Iterable[Change]:
        """The changes in the order asked for, cut to ``top``."""
        if self.by_bytes:
            changes = sorted(
                changes, key=lambda change: -max(change.bytes_before, change.bytes_after)
            )
        return changes if self.top is None else islice(changes, self.top)

    def config_of(self, comparison: ImageComparison) -> Sequence[ConfigDifference]:
        """The differences between the configs that are to be shown."""
        if not self.config:
            return ()
        times = comparison.creation_difference() if self.times else ()
        return (*comparison.config_differences(), *times)


class DiffFormat(Protocol):
    """One form of ``diff``'s output. Both methods write it, and say whether anything differs."""

    def write_layers(self, image: ImageTitle, ranges: Sequence[LayerRange]) -> bool:
        """The changes of an image's layers."""

    def write_comparison(self, comparison: ImageComparison) -> bool:
        """What differs between two images."""


class Seen:
    """Hands items on, and remembers whether there were any."""

    def __init__(self) -> None:
        self.any = False

    def watch(self, changes: Iterable[Change]) -> Iterator[Change]:
        """The same changes."""
        for change in changes:
            self.any = True
            yield change
