"""The arguments of commands that write lists: as tables, as one CSV table or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _ArgumentGroup
    from collections.abc import Sequence

    from layerlens.cli.output import Output
    from layerlens.report.table_style import TableStyle


def add_table_options(parser: ArgumentParser, tables: Sequence[str], first: str) -> _ArgumentGroup:
    """Declare ``--json``, ``--csv``, ``--table`` and ``--bytes``; *first*: the table that is
    written where none is chosen."""
    form = parser.add_argument_group("how to show it")
    exclusive = form.add_mutually_exclusive_group()
    exclusive.add_argument("--json", action="store_true", help="a JSON document with all details")
    exclusive.add_argument("--csv", action="store_true", help="one table as CSV, sizes in bytes")
    form.add_argument(
        "--table",
        metavar="TABLE",
        choices=tables,
        help=f"which table --csv writes: {', '.join(tables)}; by default {first}",
    )
    form.add_argument("--bytes", action="store_true", help="sizes as exact numbers of bytes")
    return form


def check_table(arguments: Namespace) -> None:
    """Raise UsageError for ``--table`` without ``--csv``."""
    if arguments.table and not arguments.csv:
        raise UsageError("--table goes with --csv")


def check_top(top: int | None) -> None:
    """Raise UsageError for a ``--top`` that would show nothing."""
    if top is not None and top < 1:
        raise UsageError("--top: the number must be 1 or more")


def table_style(arguments: Namespace, output: Output, top: int | None) -> TableStyle:
    """How tables are written: as ``--bytes`` and the terminal want it, ``top`` rows of each."""
    from layerlens.report.sizes import exact_size, human_size
    from layerlens.report.table_style import TableStyle

    return TableStyle(
        format_size=exact_size if arguments.bytes else human_size,
        palette=output.palette,
        width=output.width,
        top=top,
    )
