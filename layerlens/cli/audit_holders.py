"""``layerlens audit holders``: which images of a registry have a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.audit_catalogue import add_catalogue_options, catalogue_path
from layerlens.cli.exit_code import ExitCode
from layerlens.cli.numbers import whole_number
from layerlens.cli.table_options import check_top, table_style

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.cli.output import Output

_DESCRIPTION = """\
Say which images of a registry have a layer, from the catalogue that
'layerlens audit' made: a row for each tag that leads to one."""

_EPILOG = """\
A DIGEST is a blob digest (of a layer or a config), a DiffID or a ChainID, with
or without sha256:, and its first digits are enough where no other starts so.
What it is of these is found out; where it is several, each is told.

examples:
  layerlens audit holders sha256:3c5ae2b2a31d
  layerlens audit holders 3c5ae2 --csv | cut -d, -f2,3
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``audit holders``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("digest", metavar="DIGEST", help="the layer that is looked for")
    add_catalogue_options(parser)
    form = parser.add_argument_group("how to show it")
    exclusive = form.add_mutually_exclusive_group()
    exclusive.add_argument("--json", action="store_true", help="a JSON document with all details")
    exclusive.add_argument("--csv", action="store_true", help="CSV, sizes in bytes")
    form.add_argument(
        "--top", metavar="N", type=whole_number, help="only the first N; by default all"
    )
    form.add_argument("--bytes", action="store_true", help="sizes as exact numbers of bytes")


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Look the digest up, and say who has it."""
    check_top(arguments.top)
    from layerlens.audit.holders import find_digest
    from layerlens.audit.holdings import open_holdings
    from layerlens.report.audit_holders import (
        HOLDERS_HEADER,
        HOLDERS_SCHEMA_VERSION,
        holders_document,
        holders_lines,
        holders_rows,
    )

    path = catalogue_path(arguments.db, arguments.registry)
    with open_holdings(path, arguments.registry) as holdings:
        meanings = find_digest(holdings, arguments.digest)
        if arguments.json:
            from layerlens.report.as_json import write_json

            document = holders_document(holdings, meanings, arguments.top)
            write_json(output.write, document, schema_version=HOLDERS_SCHEMA_VERSION)
        elif arguments.csv:
            from layerlens.report.as_csv import write_csv

            rows = holders_rows(holdings, meanings, arguments.top)
            write_csv(output.write, HOLDERS_HEADER, rows)
        else:
            style = table_style(arguments, output, arguments.top)
            for line in holders_lines(holdings, meanings, style):
                output.write(line)
    return ExitCode.DONE
