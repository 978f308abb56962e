"""How reports of several tables are written: headings, tables, sentences between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from layerlens.report.as_table import Cell, Column, table_lines
from layerlens.report.colour import Palette, Style
from layerlens.report.safe_text import escape
from layerlens.report.sizes import FormatSize

UNKNOWN = "-"

_PROSE_WIDTH = 79
_SHORT_DIGEST = 12  # digits, as docker shows them


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStyle:
    """How to write. ``width``: cells of the terminal, None where nothing may be shortened.
    ``top``: at most so many rows of each list."""

    format_size: FormatSize
    palette: Palette
    width: int | None
    top: int | None

    def heading(self, text: str) -> str:
        """A line above a table; the text is escaped."""
        return f"{self.palette.paint(Style.HEADING, escape(text))}\n"

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
        """The lines of a table."""
        return table_lines(columns, rows, width=self.width, palette=self.palette)

    def rest(self, count: int) -> Iterator[str]:
        """A line that says how many of *count* rows are not shown, where some are not."""
        if self.top is not None and count > self.top:
            yield f"… and {count - self.top} more\n"


def prose_lines(paragraphs: Iterable[str]) -> Iterator[str]:
    """Sentences in lines that fit any terminal, escaped."""
    for paragraph in paragraphs:
        for line in wrap(escape(paragraph), _PROSE_WIDTH, break_on_hyphens=False):
            yield f"{line}\n"


def short_digest(digest: str) -> str:
    """The first digits of a digest, as many as docker shows."""
    return digest.partition(":")[2][:_SHORT_DIGEST]
