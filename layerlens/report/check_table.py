"""The verdicts of ``check`` for people: a line a rule, and the line that sums them up."""

from __future__ import annotations

from collections.abc import Iterator

from layerlens.analysis.rules import Judgement, Status, Verdict
from layerlens.report.as_table import Align, Cell, Column, Styled, table_lines
from layerlens.report.check_text import (
    detail_text,
    limit_text,
    place_text,
    value_text,
    verdict_line,
)
from layerlens.report.colour import Palette, Style
from layerlens.report.safe_text import escape, shorten
from layerlens.report.sizes import FormatSize

PLACES = 1000
"""Places told of one rule."""

STYLES = {Status.PASS: Style.ADDED, Status.FAIL: Style.REMOVED, Status.SKIP: Style.FAINT}

_COLUMNS = (
    Column(heading=""),
    Column(heading="RULE"),
    Column(heading="VALUE", align=Align.RIGHT),
    Column(heading="LIMIT", align=Align.RIGHT),
    Column(heading="WHERE OR WHY", shorten=shorten),
)


def check_lines(
    judgement: Judgement,
    format_size: FormatSize,
    *,
    width: int | None,
    palette: Palette,
    details: bool = False,
) -> Iterator[str]:
    """The lines, each with its newline, escaped. *details*: between the rules and the verdict,
    each rule that was skipped or failed again, with all that is known of why."""
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
    if details:
        for verdict in judgement.verdicts:
            yield from _detail_lines(verdict, format_size, palette)
    status = Status.PASS if judgement.passed else Status.FAIL
    yield palette.paint(STYLES[status], verdict_line(judgement)) + "\n"


def _detail_lines(verdict: Verdict, format_size: FormatSize, palette: Palette) -> Iterator[str]:
    lines = [] if verdict.why is None else [verdict.why]
    lines += [place_text(place, format_size) for place in verdict.places[:PLACES]]
    if len(verdict.places) > PLACES:
        lines.append(f"and {len(verdict.places) - PLACES} more")
    if lines:
        yield palette.paint(Style.HEADING, f"{verdict.rule.kind.name}:") + "\n"
        for line in lines:
            yield f"  {escape(line)}\n"
