"""Changes added up, for people: the line below a list of changes, and the table of ``--stat``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerlens.analysis.change_statistics import ChangeStatistics, DirectoryStatistics
from layerlens.report.as_table import Align, Cell, Column, Styled, table_lines
from layerlens.report.change_lines import size_change
from layerlens.report.colour import Palette, Style
from layerlens.report.safe_text import shorten_middle
from layerlens.report.sizes import FormatSize, size_difference

_NONE = "-"


def summary_line(statistics: ChangeStatistics, format_size: FormatSize) -> str:
    """The changes added up, on one line without a newline; ``no changes`` where there are none."""
    parts = []
    if statistics.added:
        parts.append(f"{statistics.added} added ({format_size(statistics.added_bytes)})")
    if statistics.changed:
        before, after = statistics.changed_bytes_before, statistics.changed_bytes_after
        parts.append(f"{statistics.changed} changed ({size_change(before, after, format_size)})")
    if statistics.removed:
        parts.append(f"{statistics.removed} removed ({format_size(statistics.removed_bytes)})")
    if statistics.rewritten:
        size = format_size(statistics.rewritten_bytes)
        parts.append(f"{statistics.rewritten} rewritten ({size})")
    return ", ".join(parts) or "no changes"


@dataclass(frozen=True, slots=True)
class _Counted:
    """One kind of change in one row."""

    heading: str
    style: Style
    count: int
    bytes: int


def statistics_lines(
    rows: Sequence[DirectoryStatistics],
    format_size: FormatSize,
    *,
    width: int | None,
    palette: Palette,
) -> Iterator[str]:
    """``--stat``: a row a top-level directory. Of each kind of change that occurs, the count and
    the bytes (of changed paths: what they hold now)."""
    if not rows:
        return
    counted = [_counted(row.statistics) for row in rows]
    shown = [
        position
        for position in range(len(counted[0]))
        if any(kinds[position].count for kinds in counted)
    ]
    columns = [Column(heading="  PATH", shorten=shorten_middle)]
    for position in shown:
        columns.append(Column(heading=counted[0][position].heading, align=Align.RIGHT))
        columns.append(Column(heading="BYTES", align=Align.RIGHT))
    columns.append(Column(heading="GROWTH", align=Align.RIGHT))
    cells = [
        [
            f"  {row.directory}",
            *(cell for position in shown for cell in _cells(kinds[position], format_size)),
            size_difference(row.statistics.growth, format_size),
        ]
        for row, kinds in zip(rows, counted, strict=True)
    ]
    yield from table_lines(columns, cells, width=width, palette=palette)


def _counted(total: ChangeStatistics) -> tuple[_Counted, ...]:
    return (
        _Counted("ADDED", Style.ADDED, total.added, total.added_bytes),
        _Counted("CHANGED", Style.CHANGED, total.changed, total.changed_bytes_after),
        _Counted("REMOVED", Style.REMOVED, total.removed, total.removed_bytes),
        _Counted("REWRITTEN", Style.REWRITTEN, total.rewritten, total.rewritten_bytes),
    )


def _cells(counted: _Counted, format_size: FormatSize) -> tuple[Cell, Cell]:
    if not counted.count:
        return (_NONE, _NONE)
    return (
        Styled(str(counted.count), counted.style),
        Styled(format_size(counted.bytes), counted.style),
    )
