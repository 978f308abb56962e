"""What ``suggest`` tells beside the order, in each of its forms: what the layers need not hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerlens.analysis.findings import Stance
from layerlens.analysis.located_finding import LocatedFinding
from layerlens.report.markdown_text import advice, code, table
from layerlens.report.sizes import FormatSize
from layerlens.report.waste_document import PlaceFields, finding_fields
from layerlens.report.waste_text import (
    HEADINGS,
    FindingRow,
    WasteStyle,
    advice_text,
    section_lines,
    where_text,
)

BESIDE_THE_ORDER = "beside the order: what its layers need not hold"
_ROWS = 10
_LINES_TOLD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerLineFields:
    """The line of the instruction that made a layer."""

    layer: int
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFields:
    """A finding as ``waste --json`` has it. ``line``: of the instruction to be changed, None where
    none tells. ``layer``: None for what no layer holds, or none yet: its places are paths in the
    context. ``other_lines``: of the other instructions of this Dockerfile that it speaks of."""

    kind: str
    stance: str
    line: int | None
    layer: int | None
    instruction: str | None
    other_layer: int | None
    other_lines: Iterator[LayerLineFields]
    files: int
    bytes: int
    dead_bytes: int
    names: Sequence[str]
    remedy: str
    places: Iterator[PlaceFields]


def found_fields(found: LocatedFinding) -> FoundFields:
    """One finding, with its lines and its fix."""
    finding = finding_fields(found.finding)
    return FoundFields(
        kind=finding.kind,
        stance=finding.stance,
        line=found.line,
        layer=finding.layer,
        instruction=finding.instruction,
        other_layer=finding.other_layer,
        other_lines=(
            LayerLineFields(layer=layer, line=line) for layer, line in found.lines.items()
        ),
        files=finding.files,
        bytes=finding.bytes,
        dead_bytes=finding.dead_bytes,
        names=finding.names,
        remedy=finding.remedy,
        places=finding.places,
    )


def found_lines(findings: Sequence[LocatedFinding], style: WasteStyle) -> Iterator[str]:
    """Secrets, all of them, then waste, as far as ``style.top``; an empty line before each."""
    for stance, heading in HEADINGS.items():
        found = [each for each in findings if each.finding.kind.stance is stance]
        shown = found if stance is Stance.EXPOSED else found[: style.top]
        if shown:
            yield "\n"
            yield from section_lines("LINE", heading, [_row(each) for each in shown], style)
        if len(shown) < len(found):
            left = sum(each.finding.bytes for each in found[len(shown) :])
            count = len(found) - len(shown)
            yield f"  … and {count} more with {style.format_size(left)} (--json has all)\n"


def found_markdown(findings: Sequence[LocatedFinding], format_size: FormatSize) -> Iterator[str]:
    """The same as a section with a table; nothing where there are none."""
    if not findings:
        return
    stances = list(HEADINGS)
    found = sorted(findings, key=lambda each: stances.index(each.finding.kind.stance))
    yield f"\n### {BESIDE_THE_ORDER.capitalize()}\n\n"
    rows = [
        (
            "" if each.line is None else str(each.line),
            format_size(each.finding.bytes) if each.finding.places else "",
            f"`{each.finding.kind.value}`",
            code(where_text(each.finding)),
            advice(_advice(each)),
        )
        for each in found[:_ROWS]
    ]
    headings = ("Line", "Bytes", "What", "Where", "What to do")
    for line in table(headings, rows, right=(0, 1)):
        yield f"{line}\n"
    if len(found) > _ROWS:
        yield f"\nand {len(found) - _ROWS} more.\n"


def _row(found: LocatedFinding) -> FindingRow:
    return FindingRow(finding=found.finding, number=found.line, advice=_advice(found))


def _advice(found: LocatedFinding) -> str:
    """What to do, and where the layers that it names are from."""
    told = [f"layer {layer}: line {line}" for layer, line in found.lines.items()]
    if len(told) > _LINES_TOLD:
        told[_LINES_TOLD:] = ["…"]
    return (
        f"{advice_text(found.finding)} ({', '.join(told)})" if told else advice_text(found.finding)
    )
