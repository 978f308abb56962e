"""All that ``shared`` says, for people: the tables in their order, an empty line between them."""

from __future__ import annotations

from collections.abc import Iterator

from layerlens.analysis.sharing_findings import SharingFindings
from layerlens.report.shared_files_table import files_lines
from layerlens.report.shared_pulls_table import pulls_lines
from layerlens.report.shared_table import (
    bases_lines,
    bytes_lines,
    images_lines,
    layers_lines,
    measures_lines,
    recompressed_lines,
)
from layerlens.report.table_style import TableStyle


def shared_lines(findings: SharingFindings, style: TableStyle) -> Iterator[str]:
    """The text, a line at a time, each with its newline."""
    yield from images_lines(findings, style)
    tables = (
        bytes_lines,
        measures_lines,
        layers_lines,
        recompressed_lines,
        pulls_lines,
        bases_lines,
    )
    for table in tables:
        yield from _after_a_gap(table(findings, style))
    if findings.files:
        yield from _after_a_gap(files_lines(findings.files, style))


def _after_a_gap(lines: Iterator[str]) -> Iterator[str]:
    """The lines after an empty one; nothing where there are none."""
    for number, line in enumerate(lines):
        if not number:
            yield "\n"
        yield line
