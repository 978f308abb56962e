"""Dead bytes for people, added up by path, by layer or by instruction: a table, the most first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerlens.analysis.waste import DeadBytes, Waste
from layerlens.report.as_table import Align, Cell, Column, Styled, table_lines
from layerlens.report.colour import Style
from layerlens.report.safe_text import shorten, shorten_middle
from layerlens.report.shared_numbers import numbers_text
from layerlens.report.waste_text import WasteStyle, rest_line

_MOST_NUMBERS = 12
"""Cells for a list of layers."""

_PATHS = (
    Column(heading="DEAD", align=Align.RIGHT),
    Column(heading="FILES", align=Align.RIGHT),
    Column(heading="WROTE"),
    Column(heading="KILLED"),
    Column(heading="HOW"),
    Column(heading="PATH", shorten=shorten_middle),
)


def paths_lines(waste: Waste, style: WasteStyle) -> Iterator[str]:
    """The dead paths: which layers wrote what died there, and which took it away."""
    paths = waste.paths()
    if not paths:
        return
    shown = paths[: style.top]
    rows: list[Sequence[Cell]] = [
        [
            style.format_size(path.dead.total),
            str(path.dead.files),
            numbers_text(path.layers, _MOST_NUMBERS),
            numbers_text(path.killers, _MOST_NUMBERS),
            _how(path.dead),
            path.path,
        ]
        for path in shown
    ]
    yield "\n"
    yield from table_lines(_PATHS, rows, width=style.width, palette=style.palette)
    left = paths[len(shown) :]
    yield from rest_line(len(left), sum(path.dead.total for path in left), style)


def layers_lines(waste: Waste, style: WasteStyle) -> Iterator[str]:
    """The layers: dead of what each wrote, and what it killed."""
    ordered = sorted(
        waste.layers, key=lambda each: (-each.dead.total, -each.killed.total, each.title.number)
    )
    rows = [
        _Row(
            numbers=str(each.title.number),
            bytes=each.bytes,
            dead=each.dead,
            killed=each.killed,
            instruction=each.title.instruction,
        )
        for each in ordered
    ]
    yield from _table("LAYER", rows, waste, style)


def instructions_lines(waste: Waste, style: WasteStyle) -> Iterator[str]:
    """The same, the layers that one text of an instruction made taken together."""
    rows = [
        _Row(
            numbers=numbers_text(each.layers, _MOST_NUMBERS),
            bytes=each.bytes,
            dead=each.dead,
            killed=each.killed,
            instruction=each.instruction,
        )
        for each in waste.instructions()
    ]
    yield from _table("LAYERS", rows, waste, style)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Layers taken together. ``bytes``: of all their files."""

    numbers: str
    bytes: int
    dead: DeadBytes
    killed: DeadBytes
    instruction: str | None

    def cells(self, style: WasteStyle) -> list[str]:
        """The row of a table."""
        return [
            self.numbers,
            style.format_size(self.bytes),
            style.format_size(self.bytes - self.dead.total),
            style.format_size(self.dead.total),
            style.format_size(self.killed.total),
            "-" if self.instruction is None else self.instruction,
        ]


def _table(heading: str, rows: Sequence[_Row], waste: Waste, style: WasteStyle) -> Iterator[str]:
    if not rows:
        return
    columns = (
        Column(heading=heading, align=Align.RIGHT),
        Column(heading="BYTES", align=Align.RIGHT),
        Column(heading="LIVE", align=Align.RIGHT),
        Column(heading="DEAD", align=Align.RIGHT),
        Column(heading="KILLED", align=Align.RIGHT),
        Column(heading="INSTRUCTION", shorten=shorten),
    )
    shown = rows[: style.top]
    table: list[Sequence[Cell]] = [row.cells(style) for row in shown]
    left = len(rows) - len(shown)
    if left:
        hint = Styled("--top 0 shows all", Style.FAINT)
        table.append([Styled(f"+{left}", Style.FAINT), "", "", "", "", hint])
    total = _Row(
        numbers="total", bytes=waste.bytes, dead=waste.dead, killed=waste.dead, instruction=""
    )
    table.append([Styled(cell, Style.HEADING) for cell in total.cells(style)])
    yield "\n"
    yield from table_lines(columns, table, width=style.width, palette=style.palette)


def _how(dead: DeadBytes) -> str:
    ways = (
        (dead.deleted, "deleted"),
        (dead.overwritten, "overwritten"),
        (dead.copied, "copied"),
    )
    return ", ".join(way for size, way in ways if size)
