"""Plain-text tables: columns aligned in terminal cells, two spaces between them.

Cells are escaped here, so that no caller can forget it: hand them over as the image has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from layerlens.report.colour import Palette, Style
from layerlens.report.safe_text import cells, escape

_GAP = "  "
_NARROWEST = 10  # cells left to a column that gives way, however narrow the terminal


class Align(Enum):
    """The side of its column that a cell stands on."""

    LEFT = "left"
    RIGHT = "right"


class Styled(NamedTuple):
    """A cell in a style; a plain string is a cell without."""

    text: str
    style: Style | None


Cell = str | Styled


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column and its heading.

    `shorten` (`safe_text.shorten` or `shorten_middle`) marks the column that gives way where the
    table is wider than the terminal; at most one column of a table has it.
    """

    heading: str
    align: Align = Align.LEFT
    shorten: Callable[[str, int], str] | None = None


def table_lines(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    width: int | None,
    palette: Palette,
) -> Iterator[str]:
    """The lines of a table, headings first, each with its newline.

    *width* is the terminal's, in cells; None never shortens anything. All rows are held in
    memory, since the widths depend on every one of them.
    """
    body = [[_escaped(cell) for cell in row] for row in rows]
    widths = [cells(column.heading) for column in columns]
    for row in body:
        for position, cell in enumerate(row):
            widths[position] = max(widths[position], cells(cell.text))
    if width is not None:
        widths = _narrowed(columns, widths, width)
    yield _line(
        columns, [Styled(column.heading, Style.HEADING) for column in columns], widths, palette
    )
    for row in body:
        yield _line(columns, row, widths, palette)


def _escaped(cell: Cell) -> Styled:
    if isinstance(cell, Styled):
        return Styled(escape(cell.text), cell.style)
    return Styled(escape(cell), None)


def _narrowed(columns: Sequence[Column], widths: list[int], available: int) -> list[int]:
    """The widths with the excess over *available* taken from the column that gives way."""
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - available
    if excess <= 0:
        return widths
    return [
        width if column.shorten is None else min(width, max(width - excess, _NARROWEST))
        for column, width in zip(columns, widths, strict=True)
    ]


def _line(
    columns: Sequence[Column], row: Sequence[Styled], widths: Sequence[int], palette: Palette
) -> str:
    parts: list[str] = []
    owed = ""  # padding is written only when something follows: no line ends in spaces
    for column, cell, width in zip(columns, row, widths, strict=True):
        text = cell.text if column.shorten is None else column.shorten(cell.text, width)
        padding = " " * (width - cells(text))
        before, after = (padding, "") if column.align is Align.RIGHT else ("", padding)
        if text:
            painted = text if cell.style is None else palette.paint(cell.style, text)
            parts.append(f"{owed}{before}{painted}")
            owed = after + _GAP
        else:
            owed += padding + _GAP
    return f"{''.join(parts)}\n"
