"""What an image wastes, for people: the sums, what was found with its fix, and dive's figures."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from layerlens.analysis.dive_figures import DiveFigures
from layerlens.analysis.findings import Finding, FindingKind, Stance
from layerlens.analysis.waste import DeadBytes
from layerlens.analysis.waste_survey import WasteSurvey
from layerlens.report.as_table import Align, Cell, Column, Styled, table_lines
from layerlens.report.colour import Palette, Style
from layerlens.report.counted import counted
from layerlens.report.safe_text import escape, shorten, shorten_middle
from layerlens.report.shared_numbers import numbers_text, percent_text
from layerlens.report.sizes import FormatSize

_INDENT = " " * 9


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteStyle:
    """How to write it. ``width``: cells of a line; None shortens and wraps nothing. ``top``: how
    many lines of each list; None for all."""

    format_size: FormatSize
    palette: Palette
    width: int | None
    top: int | None


def sums_lines(name: str, survey: WasteSurvey, style: WasteStyle) -> Iterator[str]:
    """What the image holds, and how much of it is dead, or there twice."""
    size = style.format_size
    waste = survey.waste
    layers = counted(len(waste.layers), "layer")
    yield _labelled("image", escape(name), style)
    share = f" ({percent_text(waste.live_share)})" if waste.bytes else ""
    text = f"{size(waste.bytes)} in {layers}, {size(waste.live_bytes)} live{share}"
    yield _labelled("files", text, style)
    yield _labelled("dead", _dead_text(waste.dead, size), style)
    if survey.duplicates:
        files = counted(sum(len(each.copies) - 1 for each in survey.duplicates), "file")
        text = f"{size(survey.duplicate_bytes)} in {files} whose content stands elsewhere too"
        yield _labelled("twice", text, style)
    avoidable = survey.avoidable_bytes
    if avoidable:
        share = percent_text(Fraction(avoidable, waste.bytes))
        yield _labelled("waste", f"{size(avoidable)} ({share}) could be avoided", style)
    if waste.unreadable:
        yield _labelled(
            "unread", f"no tar, not counted: layer {numbers_text(waste.unreadable)}", style
        )


def _dead_text(dead: DeadBytes, size: FormatSize) -> str:
    if not dead.total:
        return "nothing"
    return (
        f"{size(dead.total)}: {size(dead.deleted)} deleted, {size(dead.overwritten)} overwritten, "
        f"{size(dead.copied)} copied"
    )


def dive_line(figures: DiveFigures, style: WasteStyle) -> str:
    """dive's three figures under its names, percentages to four places as dive has them."""
    percent = figures.user_wasted_percent
    user = f"{percent * 100:.4f} %" if math.isfinite(percent) else "-"
    text = (
        f"efficiency {figures.efficiency * 100:.4f} %, "
        f"wastedBytes {style.format_size(figures.wasted_bytes)}, userWastedPercent {user}"
    )
    return _labelled("dive", text, style)


def _labelled(label: str, text: str, style: WasteStyle) -> str:
    return f"{style.palette.paint(Style.HEADING, label)}{' ' * (8 - len(label))}{text}\n"


HEADINGS = {
    Stance.EXPOSED: "SECRET",
    Stance.WASTE: "WASTE",
    Stance.TOLD: "TOLD, NOT JUDGED",
}
"""Of the findings of each stance, in the order in which they are told."""


def findings_lines(findings: Sequence[Finding], style: WasteStyle) -> Iterator[str]:
    """Findings with their fix: secrets, all of them; then waste; then what is told without being
    judged; an empty line before each."""
    for stance, heading in HEADINGS.items():
        found = [finding for finding in findings if finding.kind.stance is stance]
        if not found:
            continue
        shown = found if stance is Stance.EXPOSED else found[: style.top]
        yield "\n"
        yield from _section(heading, shown, style)
        yield from rest_line(
            len(found) - len(shown), sum(each.bytes for each in found[len(shown) :]), style
        )


def rest_line(count: int, size: int, style: WasteStyle) -> Iterator[str]:
    """What ``--top`` left out, if anything."""
    if count:
        text = f"and {count} more with {style.format_size(size)}: --top 0 shows all"
        yield f"{style.palette.paint(Style.FAINT, text)}\n"


def _section(heading: str, findings: Sequence[Finding], style: WasteStyle) -> Iterator[str]:
    rows = [
        FindingRow(finding=finding, number=finding.layer, advice=advice_text(finding))
        for finding in findings
    ]
    yield from section_lines("LAYER", heading, rows, style)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """A finding, the number to tell its instruction by, and what to do, not escaped."""

    finding: Finding
    number: int | None
    advice: str


def section_lines(
    numbered: str, heading: str, rows: Sequence[FindingRow], style: WasteStyle
) -> Iterator[str]:
    """Findings of one stance, each with its instruction and its fix; ``numbered``: the heading of
    their numbers."""
    columns = (
        Column(heading="BYTES", align=Align.RIGHT),
        Column(heading=numbered, align=Align.RIGHT),
        Column(heading=heading),
        Column(heading="WHERE", shorten=shorten_middle),
    )
    cells = [_cells(row, style) for row in rows]
    lines = table_lines(columns, cells, width=style.width, palette=style.palette)
    yield next(lines)
    for row, line in zip(rows, lines, strict=True):
        yield line
        yield from _details(row, style)


def _cells(row: FindingRow, style: WasteStyle) -> list[Cell]:
    finding = row.finding
    return [
        style.format_size(finding.bytes) if finding.places else "-",
        "-" if row.number is None else str(row.number),
        Styled(finding.kind.value, _STYLES[finding.kind.stance]),
        where_text(finding),
    ]


_STYLES = {Stance.EXPOSED: Style.REMOVED, Stance.WASTE: Style.CHANGED, Stance.TOLD: Style.FAINT}


def where_text(finding: Finding) -> str:
    """The one place that all of a finding lies in, and how many files there are; or variables."""
    if not finding.places:
        return ", ".join(finding.subject)
    first = finding.places[0]
    where = first.path
    if len(finding.places) > 1:
        common = _common_directory([place.path for place in finding.places])
        alike = all(place.files == 1 for place in finding.places)
        where = common if alike and common != "/" else f"{where}, …"
    return where if finding.files == 1 else f"{where} ({finding.files} files)"


def _common_directory(paths: Sequence[str]) -> str:
    parts = [path.split("/")[:-1] for path in (min(paths), max(paths))]
    common = []
    for one, other in zip(*parts, strict=False):
        if one != other:
            break
        common.append(one)
    return "/".join(common) or "/"


def _details(row: FindingRow, style: WasteStyle) -> Iterator[str]:
    finding = row.finding
    if finding.kind is FindingKind.EXPOSED_FILE and len(finding.places) > 1:
        for place in finding.places:
            yield from _wrapped(escape(place.path), "", style)
    if finding.instruction:
        text = escape(finding.instruction)
        if style.width is not None:
            text = shorten(text, max(style.width - len(_INDENT), 10))
        yield f"{_INDENT}{style.palette.paint(Style.FAINT, text)}\n"
    yield from _wrapped(escape(row.advice), "-> ", style)


def advice_text(finding: Finding) -> str:
    """What to do about a finding, after who else had a hand in it; not escaped."""
    return _history_of(finding) + finding.remedy


def _history_of(finding: Finding) -> str:
    """Who else had a hand in it, where the remedy does not tell."""
    killers = sorted({number for place in finding.places for number in place.killers})
    if finding.kind in _TELL_THEMSELVES or not killers:
        return ""
    part = "" if finding.dead == finding.bytes else "in part "
    return f"{part}taken away by layer {numbers_text(killers)}, too late; "


_TELL_THEMSELVES = frozenset(
    {
        FindingKind.EXPOSED_FILE,
        FindingKind.DELETED_LATER,
        FindingKind.OVERWRITTEN,
        FindingKind.REWRITTEN,
        FindingKind.METADATA_COPIES,
    }
)


def _wrapped(text: str, mark: str, style: WasteStyle) -> Iterator[str]:
    if style.width is None:
        yield f"{_INDENT}{mark}{text}\n"
        return
    lines = textwrap.wrap(
        text,
        max(style.width, 40),
        initial_indent=_INDENT + mark,
        subsequent_indent=_INDENT + " " * len(mark),
        break_on_hyphens=False,
    )
    for line in lines:
        yield f"{line}\n"
