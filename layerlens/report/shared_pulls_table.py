"""What pulling each image costs where another is there, as a matrix; for many images, as a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from layerlens.analysis.sharing_findings import SharingFindings
from layerlens.analysis.sharing_pulls import Pull, PullCost
from layerlens.report.as_table import Align, Cell, Column
from layerlens.report.shared_numbers import percent_text
from layerlens.report.table_style import UNKNOWN, TableStyle

MATRIX_MOST = 24
"""Beyond so many images each is shown with the one it is pulled most cheaply from."""

_NO_TERMINAL = 160  # cells; what is wider is shown in parts
_NOTHING = "nothing"
_FROM = "FROM \\ TO"

Matrix = dict[int | None, dict[int, PullCost]]
"""Costs by what is there already, and by what is pulled."""


def pulls_lines(findings: SharingFindings, style: TableStyle) -> Iterator[str]:
    """What each image costs, and which part of it is there already."""
    matrix: Matrix = {}
    for pull in findings.pulls():
        matrix.setdefault(pull.source, {})[pull.target] = pull.cost
    inexact = not all(cost.is_exact for row in matrix.values() for cost in row.values())
    if len(findings.images) > MATRIX_MOST:
        yield style.heading("Pull cost: compressed bytes of an image's layers that FROM lacks")
        yield from _cheapest(matrix, style)
    else:
        yield style.heading("Pull cost: compressed bytes of TO's layers that FROM lacks")
        yield from _matrix(matrix, lambda cost: _cost(cost, style), style)
        yield "\n"
        yield style.heading("Reuse ratio: bytes of TO's layers that FROM has / all of them")
        images: Matrix = {source: costs for source, costs in matrix.items() if source is not None}
        yield from _matrix(images, lambda cost: percent_text(cost.reuse), style)
    if inexact:
        yield "* with layers that have no blob digest: compared by DiffID, and counted in\n"
        yield "  uncompressed bytes where no compressed size is known\n"


def _cost(cost: PullCost, style: TableStyle) -> str:
    return style.format_size(cost.bytes) + ("" if cost.is_exact else "*")


def _matrix(
    matrix: Matrix,
    text_of: Callable[[PullCost], str],
    style: TableStyle,
) -> Iterator[str]:
    """The matrix, in as many parts as fit beside each other."""
    rows = {
        source: {target: text_of(cost) for target, cost in costs.items()}
        for source, costs in matrix.items()
    }
    texts = [text for row in rows.values() for text in row.values()]
    targets = sorted({target for row in rows.values() for target in row})
    cell = max(len(text) for text in [*texts, str(len(targets))]) + 2
    most = max(((style.width or _NO_TERMINAL) - len(_FROM)) // cell, 1)
    for start in range(0, len(targets), most):
        part = targets[start : start + most]
        columns = [Column(heading=_FROM, align=Align.RIGHT)]
        columns += [Column(heading=str(target), align=Align.RIGHT) for target in part]
        lines: list[list[Cell]] = [
            [_source(source), *(texts_of.get(target, UNKNOWN) for target in part)]
            for source, texts_of in rows.items()
        ]
        if start:
            yield "\n"
        yield from style.table(columns, lines)


def _source(source: int | None) -> str:
    return _NOTHING if source is None else str(source)


def _cheapest(matrix: Matrix, style: TableStyle) -> Iterator[str]:
    columns = (
        Column(heading="TO", align=Align.RIGHT),
        Column(heading="FROM NOTHING", align=Align.RIGHT),
        Column(heading="CHEAPEST FROM", align=Align.RIGHT),
        Column(heading="COST", align=Align.RIGHT),
        Column(heading="REUSE", align=Align.RIGHT),
    )
    rows: list[list[Cell]] = []
    for target, whole in matrix[None].items():
        others = [
            Pull(source=source, target=target, cost=costs[target])
            for source, costs in matrix.items()
            if source is not None and target in costs
        ]
        best = min(others, key=lambda pull: pull.cost.bytes)
        rows.append(
            [
                str(target),
                _cost(whole, style),
                _source(best.source),
                _cost(best.cost, style),
                percent_text(best.cost.reuse),
            ]
        )
    yield from style.table(columns, rows)
