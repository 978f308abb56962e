"""``layerlens shared``: the layers and files that images have in common, and what that saves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import (
    IMAGE_HELP,
    add_full_option,
    add_image_options,
    cache_for_several,
    is_stdin,
    listing_settings_of,
    load_settings_of,
)
from layerlens.cli.numbers import whole_number
from layerlens.cli.table_options import add_table_options, check_table, check_top, table_style
from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.analysis.sharing import Identity
    from layerlens.analysis.sharing_findings import SharingFindings
    from layerlens.cli.output import Output
    from layerlens.loading import LoadSettings

_TABLES = ("layers", "images", "sharing", "recompressed", "pulls", "bases", "files")
_IDENTITIES = ("blob", "diff-id", "chain-id")
_FILES_SHOWN = 10

_DESCRIPTION = """\
Show what images share: the layers that more than one holds and the bytes that
saves; each image's exclusive, shared and amortised bytes; the ratio of logical
to stored bytes by blob digest, DiffID and ChainID; what pulling each image
costs where another is there; and which image is the base of which."""

_EPILOG = """\
A PATH that holds several images stands for all of them; PATH:NAME and PATH:@N
choose one. Images are numbered from 0, in their order.

Layers are listed by blob digest where every layer has one. The uncompressed
layers of a docker-archive have none, and no compressed size: then layers are
listed by DiffID, in uncompressed bytes. --json has all identities.

An image that lists a layer twice holds it once. A layer's bytes are amortised
over the images that hold it: the amortised bytes sum up to what is stored.

Among images of registries, layers with a table of contents are not read (see
--full) unless --files is given: what is stored is known without, their
uncompressed bytes are not.

With --files, files are compared by SHA-256 over the distinct layers; files
that a layer above hides count too, empty files and hard links do not.

examples:
  layerlens shared app-1.tar app-2.tar
  layerlens shared --by diff-id oci:layout:1.0 python:3.12-slim
  layerlens shared --files --top 20 images.tar   all images of one archive
  layerlens shared --csv --table pulls *.tar     what each pull costs
  layerlens shared --json a.tar b.tar | jq '.sharing[] | {by, unit, ratio}'
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``shared``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("images", metavar="IMAGE", nargs="+", help=IMAGE_HELP)
    group = parser.add_argument_group("what to show")
    group.add_argument(
        "--by", choices=_IDENTITIES, help="the identity by which layers and images are listed"
    )
    group.add_argument(
        "--files", action="store_true", help="also the files that stand more than once in layers"
    )
    group.add_argument(
        "--top",
        metavar="N",
        type=whole_number,
        help=f"only the first N rows of each list; by default all layers, {_FILES_SHOWN} files",
    )
    add_table_options(parser, _TABLES, "layers")
    add_full_option(parser)
    add_image_options(parser)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Read the images, and say what they share."""
    _check(arguments)
    findings = _findings(arguments, output)
    if arguments.json:
        from layerlens.report.as_json import write_json
        from layerlens.report.shared_document import SHARED_SCHEMA_VERSION, shared_document

        document = shared_document(findings, arguments.top)
        write_json(output.write, document, schema_version=SHARED_SCHEMA_VERSION)
    elif arguments.csv:
        from layerlens.report.as_csv import write_csv
        from layerlens.report.shared_csv import CSV_TABLES

        table = CSV_TABLES[arguments.table or "layers"]
        write_csv(output.write, table.header, table.rows(findings, arguments.top))
    else:
        from layerlens.report.shared_text import shared_lines

        style = table_style(arguments, output, arguments.top)
        for line in shared_lines(findings, style):
            output.write(line)
    return ExitCode.DONE


def _check(arguments: Namespace) -> None:
    """Raise UsageError for arguments that don't go together."""
    check_table(arguments)
    if arguments.table == "files" and not arguments.files:
        raise UsageError("--table files goes with --files")
    check_top(arguments.top)
    if sum(map(is_stdin, arguments.images)) > 1:
        raise UsageError("stdin can be read once: - stands for all images of an archive there")


def _findings(arguments: Namespace, output: Output) -> SharingFindings:
    from layerlens.analysis.sharing_files import FileTally
    from layerlens.analysis.sharing_findings import sharing_findings
    from layerlens.cli.shared_images import ImageReader, read_images
    from layerlens.oci.platform import Platform

    tally = FileTally() if arguments.files else None
    with cache_for_several(keep=not arguments.no_cache) as cache:
        reader = ImageReader(
            output=output,
            settings=replace(_settings(arguments), cache=cache),
            platform=Platform.parse(arguments.platform) if arguments.platform else None,
            tally=tally,
        )
        images = read_images(arguments.images, reader)
    if len(images) < 2:
        raise UsageError(
            f"{arguments.images[0]}: holds one image, and sharing takes two: name another"
        )
    return sharing_findings(images, _identity(arguments), tally, arguments.top or _FILES_SHOWN)


def _settings(arguments: Namespace) -> LoadSettings:
    """Tables of contents will do among images of registries, whose layers are known by their
    blobs; what an archive or a file shares with them is counted in uncompressed bytes."""
    from layerlens.source.image_name import RegistryImage, parse_image_name

    names = (parse_image_name(name) for name in arguments.images)
    if arguments.files or not all(isinstance(name, RegistryImage) for name in names):
        return load_settings_of(arguments)
    return listing_settings_of(arguments)


def _identity(arguments: Namespace) -> Identity | None:
    from layerlens.analysis.sharing import Identity

    if arguments.by is None:
        return None
    return {
        "blob": Identity.BLOB_DIGEST,
        "diff-id": Identity.DIFF_ID,
        "chain-id": Identity.CHAIN_ID,
    }[arguments.by]
