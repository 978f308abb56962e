"""``diff --name-status``, ``--name-only`` and ``--quiet``: for scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from layerlens.analysis.comparison import ImageComparison, LayerRange
from layerlens.analysis.layer_changes import Change
from layerlens.analysis.titles import ImageTitle
from layerlens.report.diff_format import DiffRequest
from layerlens.report.safe_text import escape

ChangeText = Callable[[Change], str]


def status_and_path(change: Change) -> str:
    """Letter, tab and escaped path, and a newline."""
    return f"{change.kind.value}\t{escape(change.path)}\n"


def path_only(change: Change) -> str:
    """The escaped path and a newline."""
    return f"{escape(change.path)}\n"


def raw_status_and_path(change: Change) -> str:
    """Letter and path as it is, each ended by NUL."""
    return f"{change.kind.value}\0{change.path}\0"


def raw_path(change: Change) -> str:
    """The path as it is, ended by NUL."""
    return f"{change.path}\0"


@dataclass(frozen=True, slots=True)
class NameFormat:
    """A line a change and nothing else. ``write`` must keep lone surrogates as the bytes that
    they stand for where ``text`` is one of the raw ones."""

    request: DiffRequest
    text: ChangeText
    write: Callable[[str], object]

    def write_layers(self, image: ImageTitle, ranges: Sequence[LayerRange]) -> bool:
        """See DiffFormat."""
        written = [self._write_all(layers.changes(self.request.change_filter)) for layers in ranges]
        return any(written)

    def write_comparison(self, comparison: ImageComparison) -> bool:
        """See DiffFormat. Files alone are listed, and so files alone are compared."""
        return self._write_all(comparison.changes(self.request.change_filter))

    def _write_all(self, changes: Iterable[Change]) -> bool:
        listed = self.request.ordered(list(changes))
        for change in listed:
            self.write(self.text(change))
        return bool(listed)


@dataclass(frozen=True, slots=True)
class QuietFormat:
    """Nothing at all: stops at the first difference."""

    request: DiffRequest

    def write_layers(self, image: ImageTitle, ranges: Sequence[LayerRange]) -> bool:
        """See DiffFormat."""
        return any(_any(layers.changes(self.request.change_filter)) for layers in ranges)

    def write_comparison(self, comparison: ImageComparison) -> bool:
        """See DiffFormat."""
        return bool(self.request.config_of(comparison)) or _any(
            comparison.changes(self.request.change_filter)
        )


def _any(changes: Iterable[Change]) -> bool:
    return next(iter(changes), None) is not None
