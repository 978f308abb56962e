"""``layerlens audit report``: what a registry holds, what is shared, and whose bytes they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.numbers import whole_number
from layerlens.cli.table_options import add_table_options, check_table, check_top, table_style
from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.audit.holdings import Holdings
    from layerlens.cli.output import Output
    from layerlens.report.audit_sections import ReportRequest

_SECTIONS = (
    "scope",
    "sharing",
    "references",
    "percentiles",
    "shared",
    "exclusive",
    "recompressed",
    "repositories",
    "bases",
    "stale",
    "near-duplicates",
    "files",
)
_TABLES = (
    "repositories",
    "sharing",
    "references",
    "percentiles",
    "shared",
    "exclusive",
    "recompressed",
    "bases",
    "annotated",
    "stale",
    "near-duplicates",
    "files",
    "failures",
)
_IDENTITIES = ("blob", "diff-id", "chain-id")
_ORDERS = ("amortised", "exclusive", "own", "name")
_ROWS_SHOWN = 10

_DESCRIPTION = """\
Say what a registry holds, from the catalogue that 'layerlens audit' made of
it, without a network: logical and stored bytes and their ratio by blob digest,
DiffID and ChainID; how often layers are referenced; percentiles; the layers
whose sharing saves most and the largest that nobody shares; each repository's
exclusive, shared and amortised bytes; base images, images on a stale base,
layers that one instruction made and that differ; duplicate files."""

_EPILOG = """\
sections: scope, sharing, references, percentiles, shared, exclusive,
recompressed, repositories, bases, stale, near-duplicates, files

An image is a manifest that tags lead to, counted once whoever tags it. What
was not crawled, or failed, is in no figure: the scope says what that is.

examples:
  layerlens audit report registry.example.com
  layerlens audit report --section repositories --sort exclusive --top 50
  layerlens audit report --csv --table stale -o stale.csv
  layerlens audit report --json | jq '.sharing[] | {by, logical, stored, ratio}'
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``audit report``."""
    from layerlens.cli.audit_catalogue import add_registry_argument

    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    add_registry_argument(parser)
    group = parser.add_argument_group("what to show")
    group.add_argument(
        "--section",
        metavar="SECTION",
        choices=_SECTIONS,
        action="append",
        help="only this section, and others so named; by default all",
    )
    group.add_argument(
        "--by",
        choices=_IDENTITIES,
        default="blob",
        help="the identity by which layers and repositories are counted and listed",
    )
    group.add_argument(
        "--sort",
        choices=_ORDERS,
        default="amortised",
        help="by what repositories are listed, the largest first; by default amortised",
    )
    group.add_argument(
        "--top",
        metavar="N",
        type=whole_number,
        help=f"only the first N of each list; by default {_ROWS_SHOWN}, with --json and --csv all",
    )
    add_table_options(parser, _TABLES, "repositories")


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Ask the catalogue, and say what it answers."""
    _check(arguments)
    from layerlens.audit.holdings import open_holdings
    from layerlens.cli.audit_catalogue import catalogue_path

    path = catalogue_path(arguments.db, arguments.registry)
    with open_holdings(path, arguments.registry) as holdings:
        _write(arguments, holdings, output)
    return ExitCode.DONE


def _check(arguments: Namespace) -> None:
    """Raise UsageError for arguments that don't go together."""
    check_table(arguments)
    if arguments.section and arguments.csv:
        raise UsageError("--section: with --csv, --table chooses what is written")
    check_top(arguments.top)


def _write(arguments: Namespace, holdings: Holdings, output: Output) -> None:
    request = _request(arguments)
    if arguments.json:
        from layerlens.report.as_json import write_json
        from layerlens.report.audit_report_document import REPORT_SCHEMA_VERSION, report_document

        document = report_document(holdings, request)
        write_json(output.write, document, schema_version=REPORT_SCHEMA_VERSION)
    elif arguments.csv:
        from layerlens.report.as_csv import write_csv
        from layerlens.report.audit_report_csv import REPORT_TABLES

        table = REPORT_TABLES[arguments.table or "repositories"]
        write_csv(output.write, table.header, table.rows(holdings, request))
    else:
        from layerlens.report.audit_report_text import report_lines

        style = table_style(arguments, output, request.top)
        for line in report_lines(holdings, request, style):
            output.write(line)


def _request(arguments: Namespace) -> ReportRequest:
    from layerlens.analysis.sharing import Identity
    from layerlens.audit.repository_shares import ShareOrder
    from layerlens.report.audit_sections import ReportRequest, Section

    identities = dict(zip(_IDENTITIES, Identity, strict=True))
    as_text = not (arguments.json or arguments.csv)
    return ReportRequest(
        sections=frozenset(map(Section, arguments.section or _SECTIONS)),
        identity=identities[arguments.by],
        order=ShareOrder(arguments.sort),
        top=_ROWS_SHOWN if arguments.top is None and as_text else arguments.top,
    )
