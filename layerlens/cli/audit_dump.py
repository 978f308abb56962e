"""``layerlens audit dump``: a catalogue as NDJSON, for other engines to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.audit_catalogue import add_db_option, catalogue_path
from layerlens.cli.exit_code import ExitCode
from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.cli.output import Output

_SCHEMA_VERSION = 1

_DESCRIPTION = """\
Write all that a catalogue of 'layerlens audit' knows as NDJSON, one object a
line, for DuckDB, pandas, jq and the like. The first line is
{"record": "catalogue", "schema_version": 1}; each other says in "record" what
it is. Records name each other by digests and names."""

_FIELDS = """\
records and their fields (times in seconds since 1970, sizes in bytes, null for
what is not known):
"""

_EPILOG = """
What tags, manifests and repositories were before stays in a catalogue: where
"removed" is a time, the registry has it no longer.

examples:
  layerlens audit dump registry.example.com -o catalogue.ndjson
  layerlens audit dump --record tag | jq -r 'select(.tag == "latest").manifest'
  layerlens audit dump --record image_layer | duckdb -c "SELECT blob, count(*)
    FROM read_json('/dev/stdin') GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``audit dump``."""
    from textwrap import wrap

    from layerlens.audit.dump import DUMP_TABLES

    listed = [
        line
        for name, table in DUMP_TABLES.items()
        for line in wrap(
            f"{name}: {', '.join(table.names)}",
            width=79,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
        )
    ]
    parser.description = _DESCRIPTION
    parser.epilog = "\n".join((_FIELDS.rstrip(), *listed, _EPILOG))
    parser.add_argument(
        "registry",
        metavar="REGISTRY",
        nargs="?",
        help="whose catalogue; not needed where there is only one",
    )
    add_db_option(parser)
    parser.add_argument(
        "--record",
        metavar="RECORD",
        choices=tuple(DUMP_TABLES),
        action="append",
        help="only records of this kind, and of others so named, without the first line",
    )


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Write the records as they are read."""
    from layerlens.audit.dump import DUMP_TABLES, dump
    from layerlens.report.as_ndjson import ndjson_line

    if arguments.db is not None and arguments.registry is not None:
        raise UsageError("a dump is of a whole catalogue: name REGISTRY or --db FILE, not both")
    path = catalogue_path(arguments.db, arguments.registry)
    wanted = [name for name in DUMP_TABLES if name in (arguments.record or DUMP_TABLES)]
    records = dump(path, wanted)
    if not arguments.record:
        about = (("record", "catalogue"), ("schema_version", _SCHEMA_VERSION))
        output.write(ndjson_line(about))
    names = {name: DUMP_TABLES[name].names for name in wanted}
    for name, values in records:
        members = zip(names[name], values, strict=True)
        output.write(ndjson_line((("record", name), *members)))
    return ExitCode.DONE
