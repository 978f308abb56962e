"""The verdicts of ``check`` for people: a line a rule, and the line that sums them up."""

from __future__ import annotations

from collections.abc import Iterator

from layerlens.analysis.rules import Judgement, Status
from layerlens.report.as_table import Align, Cell, Column, Styled, table_lines
from layerlens.report.check_text import detail_text, limit_text, value_text, verdict_line
from layerlens.report.colour import Palette, Style
from layerlens.report.safe_text import shorten
from layerlens.report.sizes import FormatSize

STYLES = {Status.PASS: Style.ADDED, Status.FAIL: Style.REMOVED, Status.SKIP: Style.FAINT}

_COLUMNS = (
    Column(heading=""),
    Column(heading="RULE"),
    Column(heading="VALUE", align=Align.RIGHT),
    Column(heading="LIMIT", align=Align.RIGHT),
    Column(heading="WHERE OR WHY", shorten=shorten),
)


def check_lines(
    judgement: Judgement, format_size: FormatSize, *, width: int | None, palette: Palette
) -> Iterator[str]:
    """The lines, each with its newline, escaped."""
    rows: list[list[Cell]] = [
        [
            Styled(verdict.status.value, STYLES[verdict.status]),
            verdict.rule.kind.name,
            value_text(verdict, format_size),
            limit_text(verdict.rule, format_size),
            detail_text(verdict, format_size),
        ]
        for verdict in judgement.verdicts
    ]
    if rows:
        yield from table_lines(_COLUMNS, rows, width=width, palette=palette)
    status = Status.PASS if judgement.passed else Status.FAIL
    yield palette.paint(STYLES[status], verdict_line(judgement)) + "\n"
