"""File-level duplication for people: each figure with how it is defined and one to compare with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from layerlens.analysis.sharing_files import DuplicatedFile, FileSharing
from layerlens.analysis.sharing_findings import FileFindings
from layerlens.report.as_table import Align, Cell, Column
from layerlens.report.counted import counted
from layerlens.report.safe_text import shorten, shorten_middle
from layerlens.report.shared_numbers import percent_text, ratio_text
from layerlens.report.table_style import UNKNOWN, TableStyle, prose_lines

_DOCKER_HUB = "(1) Docker Hub 2017: 1.79 M layers, 5.28 G files\n"
_STARLIGHT = "(2) Starlight: layer sharing's part of the duplication in 21 images\n"


def files_lines(files: FileFindings, style: TableStyle) -> Iterator[str]:
    """The figures, then the duplicated files whose copies take most bytes."""
    yield from figures_lines(files.sharing, style)
    yield "\n"
    several = files.sharing.distinct - files.sharing.singletons
    yield from duplicated_lines(files.duplicated, several, style)


def figures_lines(sharing: FileSharing, style: TableStyle) -> Iterator[str]:
    """The figures, each beside one to compare with."""
    yield style.heading("Files, over distinct layers by DiffID; one content is one SHA-256")
    yield (
        f"{sharing.layers} layers, {sharing.files} regular files of "
        f"{style.format_size(sharing.bytes)}, {sharing.distinct} distinct of "
        f"{style.format_size(sharing.distinct_bytes)}; {sharing.empty_files} empty apart\n"
    )
    columns = (
        Column(heading="FIGURE"),
        Column(heading="HERE", align=Align.RIGHT),
        Column(heading="ELSEWHERE", align=Align.RIGHT),
        Column(heading="WHAT IT IS", shorten=shorten),
    )
    yield from style.table(columns, _figures(sharing))
    yield _DOCKER_HUB
    yield _STARLIGHT
    if sharing.unread_layers:
        left_out = counted(sharing.unread_layers, "layer")
        yield from prose_lines([f"Not in this: {left_out} whose files were not read."])


def _figures(sharing: FileSharing) -> Iterator[tuple[Cell, ...]]:
    yield (
        "distinct share",
        percent_text(sharing.distinct_share),
        "3.2 % (1)",
        "distinct contents / files",
    )
    yield (
        "capacity ratio",
        ratio_text(sharing.capacity_ratio),
        UNKNOWN,
        "bytes of files / of distinct contents",
    )
    yield (
        "redundancy",
        percent_text(sharing.redundancy),
        "85.7 % (1)",
        "1 - 1 / capacity ratio",
    )
    yield (
        "singleton share",
        percent_text(sharing.singleton_share),
        UNKNOWN,
        "contents met once / distinct contents",
    )
    yield (
        "capture rate",
        percent_text(sharing.capture_rate),
        "3 % (2)",
        "bytes saved by layers / by files",
    )


def duplicated_lines(
    files: Sequence[DuplicatedFile], several: int, style: TableStyle
) -> Iterator[str]:
    """The first of *several* contents that stand more than once."""
    if not files:
        yield style.heading("No file stands twice in the distinct layers")
        return
    yield style.heading("Files that stand more than once in them, most bytes first")
    columns = (
        Column(heading="EXCESS", align=Align.RIGHT),
        Column(heading="SIZE", align=Align.RIGHT),
        Column(heading="COPIES", align=Align.RIGHT),
        Column(heading="LAYERS", align=Align.RIGHT),
        Column(heading="SHA-256"),
        Column(heading="PATH OF THE FIRST", shorten=shorten_middle),
    )
    rows = (
        (
            style.format_size(file.excess),
            style.format_size(file.size),
            str(file.copies),
            str(file.layers),
            file.content.hex()[:12],
            file.path,
        )
        for file in files
    )
    yield from style.table(columns, rows)
    rest = several - len(files)
    if rest:
        yield f"… and {rest} more\n"
