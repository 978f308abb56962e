"""All that ``audit report`` says, for people: its sections in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from layerlens.audit.file_shares import duplicated_files, file_sharing
from layerlens.audit.holdings import Holdings
from layerlens.report.audit_bases_table import bases_lines, stale_lines
from layerlens.report.audit_layers_table import (
    exclusive_lines,
    near_duplicates_lines,
    recompressed_lines,
    repositories_lines,
    shared_lines,
)
from layerlens.report.audit_sections import ReportRequest, Section
from layerlens.report.audit_totals_table import (
    percentiles_lines,
    references_lines,
    scope_lines,
    sharing_lines,
)
from layerlens.report.shared_files_table import duplicated_lines, figures_lines
from layerlens.report.table_style import TableStyle, prose_lines

_Lines = Callable[[Holdings, ReportRequest, TableStyle], Iterator[str]]


def report_lines(holdings: Holdings, request: ReportRequest, style: TableStyle) -> Iterator[str]:
    """The text, a line at a time, each with its newline; an empty line between sections."""
    first = True
    for section, lines in _SECTIONS.items():
        if section not in request.sections:
            continue
        if not first:
            yield "\n"
        first = False
        yield from lines(holdings, request, style)


def _files_lines(holdings: Holdings, _: ReportRequest, style: TableStyle) -> Iterator[str]:
    sharing = file_sharing(holdings)
    if sharing is None:
        yield style.heading("Files: none are in the catalogue")
        yield from prose_lines(["'layerlens audit --files' reads those of every layer."])
        return
    yield from figures_lines(sharing, style)
    yield "\n"
    yield from duplicated_lines(
        list(duplicated_files(holdings, style.top)), sharing.distinct - sharing.singletons, style
    )


_SECTIONS: dict[Section, _Lines] = {
    Section.SCOPE: lambda holdings, _, style: scope_lines(holdings, style),
    Section.SHARING: lambda holdings, _, style: sharing_lines(holdings, style),
    Section.REFERENCES: lambda holdings, request, style: references_lines(
        holdings, request.identity, style
    ),
    Section.PERCENTILES: lambda holdings, _, style: percentiles_lines(holdings, style),
    Section.SHARED: lambda holdings, request, style: shared_lines(
        holdings, request.identity, style
    ),
    Section.EXCLUSIVE: lambda holdings, request, style: exclusive_lines(
        holdings, request.identity, style
    ),
    Section.RECOMPRESSED: lambda holdings, _, style: recompressed_lines(holdings, style),
    Section.REPOSITORIES: lambda holdings, request, style: repositories_lines(
        holdings, request.identity, request.order, style
    ),
    Section.BASES: lambda holdings, _, style: bases_lines(holdings, style),
    Section.STALE: lambda holdings, _, style: stale_lines(holdings, style),
    Section.NEAR_DUPLICATES: lambda holdings, _, style: near_duplicates_lines(holdings, style),
    Section.FILES: _files_lines,
}
