"""Phrases that the Markdown and the HTML report have in common."""

from __future__ import annotations

from collections.abc import Sequence

from layerlens.analysis.change_statistics import ChangeStatistics
from layerlens.analysis.findings import Finding
from layerlens.analysis.image_report import Comparison, ImageReport, ImageSizes
from layerlens.analysis.layer_alignment import Relation
from layerlens.analysis.layer_changes import Change
from layerlens.analysis.sharing_pulls import PullCost
from layerlens.report.shared_numbers import numbers_text, percent_text
from layerlens.report.sizes import human_size, size_difference

UNKNOWN = "unknown"

RELATIONS = {
    Relation.SAME: "same",
    Relation.MOVED: "moved",
    Relation.REBUILT: "rebuilt",
    Relation.ONLY_A: "gone",
    Relation.ONLY_B: "new",
}

SizeRow = tuple[str, int | None, int | None]


def size_rows(sizes: ImageSizes, before: ImageSizes | None) -> list[SizeRow]:
    """What is measured of an image, before and after; in bytes, None where not known."""
    old = (None,) * 4 if before is None else _measures(before)
    return list(zip(_MEASURES, old, _measures(sizes), strict=True))


_MEASURES = (
    "Compressed, as a registry has it",
    "Files in all layers",
    "Visible in the final file system",
    "Dead bytes",
)


def _measures(sizes: ImageSizes) -> tuple[int | None, ...]:
    return (sizes.compressed, sizes.files, sizes.live, sizes.dead)


def size_text(size: int | None) -> str:
    """A size for people; None is not known."""
    return UNKNOWN if size is None else human_size(size)


def growth_text(before: int | None, after: int | None) -> str:
    """``+1.5 kB (+3.0 %)``; ``0 B`` where nothing changed."""
    if before is None or after is None:
        return UNKNOWN
    growth = after - before
    text = size_difference(growth, human_size)
    if not growth or not before:
        return text
    percent = round(1000 * abs(growth) / before) / 10
    sign = "+" if growth > 0 else "-"
    return f"{text} ({sign}{percent:,.1f} %)"


def count_change(before: int, after: int) -> str:
    """``+2``, ``-1`` or ``0``."""
    return f"{after - before:+d}" if after != before else "0"


def pull_text(cost: PullCost) -> str:
    """``83.4 kB of 113.9 kB, 26.8 % is there already``, and how that was counted if not exactly."""
    text = f"{human_size(cost.bytes)} of {human_size(cost.whole)}"
    if cost.reuse is not None:
        text += f", {percent_text(cost.reuse)} is there already"
    if cost.uncompressed or cost.unknown:
        text += "; layers whose compressed size is not known are counted uncompressed"
    elif cost.by_diff_id:
        text += "; layers without a blob digest are compared by DiffID"
    return text


def counts_text(statistics: ChangeStatistics) -> str:
    """``3 added, 2 changed, 1 removed``; nothing where nothing changed."""
    counts = (
        (statistics.added, "added"),
        (statistics.changed, "changed"),
        (statistics.removed, "removed"),
    )
    return ", ".join(f"{count:,} {word}" for count, word in counts if count)


def changes_text(statistics: ChangeStatistics) -> str:
    """The same as a sentence on paths."""
    counts = counts_text(statistics)
    return f"Paths: {counts}." if counts else "No path differs."


def finding_place(finding: Finding) -> str:
    """The first place of a finding and how many more there are, or its variables."""
    if not finding.places:
        return ", ".join(finding.subject)
    more = len(finding.places) - 1
    return f"{finding.places[0].path} and {more} more" if more else finding.places[0].path


def growth_of(change: Change) -> int:
    """Bytes by which a change made the file system larger."""
    return change.bytes_after - change.bytes_before


def layers_text(numbers: Sequence[int]) -> str:
    """``0-3, 5``, shortened."""
    return numbers_text(numbers, 24)


def headline(report: ImageReport) -> str:
    """The change of what matters most in a few words."""
    comparison: Comparison | None = report.comparison
    sizes = report.sizes
    compressed = sizes.compressed is not None and (
        comparison is None or comparison.sizes.compressed is not None
    )
    size = sizes.compressed if compressed else sizes.files
    what = "compressed" if compressed else "in files"
    if comparison is None:
        return f"{size_text(size)} {what}"
    before = comparison.sizes.compressed if compressed else comparison.sizes.files
    return f"{size_text(before)} → {size_text(size)} {what}, {growth_text(before, size)}"
