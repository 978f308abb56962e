"""``layerlens audit freed``: what deleting tags of a registry would free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.audit_catalogue import add_catalogue_options, catalogue_path, registry_of
from layerlens.cli.exit_code import ExitCode
from layerlens.cli.numbers import whole_number
from layerlens.cli.table_options import add_table_options, check_table, check_top, table_style
from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.audit.freed import Freed
    from layerlens.audit.holdings import Holdings
    from layerlens.cli.output import Output

_TABLES = ("tags", "blobs", "manifests")
_ROWS_SHOWN = 10

_DESCRIPTION = """\
Say what deleting tags would free, exactly, given everything else in the
registry, from the catalogue that 'layerlens audit' made: layers, configs and
manifests that no other tag leads to. Nothing is deleted, and no network used.

Tags are named, or chosen by rules; a tag is chosen if all rules given allow
it: --older-than 90d --keep-newest 10 spares what is young, and the ten newest
of each repository whatever their age."""

_EPILOG = """\
A REF is repository:tag, with or without the registry's host, or
repository@digest for all tags there that lead to it.

A tag is as old as the newest image it leads to, by the created of its config;
where that is missing or from before 2013 (as reproducible builds write it), as
old as the first crawl that saw the tag leading there. Tags that lead to one
manifest count as one for --keep-newest. Rules pass over images that were
crawled by digest, and over tags that signatures are kept under
(sha256-HEX.sig): --signatures counts those that sign what goes as well.

examples:
  layerlens audit freed registry.example.com/team/app:1.4 team/app:1.5
  layerlens audit freed --older-than 90d --keep-newest 10
  layerlens audit freed --repo 'team/*' --tags 'pr-*' --older-than 2w
  layerlens audit freed --keep-newest 5 --csv | cut -d, -f1,2   the tags
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``audit freed``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("references", metavar="REF", nargs="*", help="a tag to delete")
    rules = parser.add_argument_group("which tags, if none is named")
    rules.add_argument("--older-than", metavar="AGE", help="those older than 12h, 90d or 8w, say")
    rules.add_argument(
        "--keep-newest",
        metavar="N",
        type=whole_number,
        help="never the N newest of a repository, among those that the globs match",
    )
    rules.add_argument("--repo", metavar="GLOB", help="only of repositories like 'team/*'")
    rules.add_argument("--tags", metavar="GLOB", help="only tags like 'pr-*'")
    parser.add_argument(
        "--signatures", action="store_true", help="also the tags with signatures of what goes"
    )
    add_catalogue_options(parser)
    form = add_table_options(parser, _TABLES, "tags")
    form.add_argument(
        "--top",
        metavar="N",
        type=whole_number,
        help=f"only the first N of each list; by default {_ROWS_SHOWN}, with --json and --csv all",
    )


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Count what would go, and say it."""
    _check(arguments)
    from layerlens.audit.holdings import open_holdings

    registry = arguments.registry or registry_of(arguments.references, arguments.db)
    path = catalogue_path(arguments.db, registry)
    with open_holdings(path, registry) as holdings:
        found, signatures = _freed(arguments, holdings)
        _write(arguments, output, holdings, found, signatures)
    return ExitCode.DONE


def _check(arguments: Namespace) -> None:
    """Raise UsageError for arguments that don't go together."""
    rules = (arguments.older_than, arguments.keep_newest, arguments.repo, arguments.tags)
    ruled = any(rule is not None for rule in rules)
    if arguments.references and ruled:
        raise UsageError("tags are either named, or chosen by rules: not both")
    if not arguments.references and not ruled:
        raise UsageError(
            "name tags, or choose them: --older-than AGE, --keep-newest N, --repo GLOB, --tags GLOB"
        )
    if arguments.keep_newest is not None and arguments.keep_newest < 0:
        raise UsageError("--keep-newest: the number must be 0 or more")
    check_table(arguments)
    check_top(arguments.top)


def _freed(arguments: Namespace, holdings: Holdings) -> tuple[Freed, int]:
    """What goes, and how many tags only sign it and stay."""
    import time

    from layerlens.audit.freed import freed, gone_manifests
    from layerlens.audit.tag_choice import (
        TagRules,
        chosen_tags,
        named_tags,
        parse_age,
        signature_tags,
    )

    if arguments.references:
        tags = named_tags(holdings, arguments.references)
    else:
        older_than = None if arguments.older_than is None else parse_age(arguments.older_than)
        rules = TagRules(
            repositories=arguments.repo,
            tags=arguments.tags,
            older_than=older_than,
            keep_newest=arguments.keep_newest,
        )
        tags = chosen_tags(holdings, rules, now=int(time.time()))
    found = freed(holdings, tags)
    gone = frozenset(manifest.digest for manifest in gone_manifests(holdings, None))
    signatures = signature_tags(holdings, gone) - tags
    if signatures and arguments.signatures:
        return freed(holdings, tags | signatures), 0
    return found, len(signatures)


def _write(
    arguments: Namespace, output: Output, holdings: Holdings, found: Freed, signatures: int
) -> None:
    if arguments.json:
        from layerlens.report.as_json import write_json
        from layerlens.report.audit_freed_document import FREED_SCHEMA_VERSION, freed_document

        document = freed_document(holdings, found, signatures, arguments.top)
        write_json(output.write, document, schema_version=FREED_SCHEMA_VERSION)
        return
    from layerlens.report.audit_freed_text import FREED_TABLES, freed_lines

    if arguments.csv:
        from layerlens.report.as_csv import write_csv

        table = FREED_TABLES[arguments.table or "tags"]
        write_csv(output.write, table.header, table.rows(holdings, arguments.top))
        return
    top = _ROWS_SHOWN if arguments.top is None else arguments.top
    style = table_style(arguments, output, top)
    for line in freed_lines(holdings, found, signatures, style):
        output.write(line)
