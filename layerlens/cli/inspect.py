"""``layerlens inspect``: what an image is, how it runs, and a row for each of its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import (
    IMAGE_HELP,
    add_full_option,
    add_image_options,
    listing_settings_of,
    opened_image,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.cli.output import Output
    from layerlens.image_layer import Layer

_DESCRIPTION = """\
Show an image's names, digests, platform and config, and a row for each layer:
its bytes as stored and raw, its entries, how many paths it added (A), changed
(M) and removed (D), its compression, and the instruction that made it. Every
size and digest is checked before anything is shown, but for layers marked TOC:
those a registry lists without sending them (see --full)."""

_EPILOG = """\
A layer that is stored uncompressed in a docker-archive has no blob: its stored
size is '-'. The JSON document also has each layer's blob digest, DiffID and
ChainID, and the history of instructions that made no layer.

examples:
  layerlens inspect image.tar
  layerlens inspect --bytes oci:layout:1.0
  layerlens inspect --platform linux/arm64 multi.tar
  layerlens inspect --full docker://localhost:5000/team/app:1.4
  docker save web:1.0 | layerlens inspect -
  layerlens inspect --json image.tar | jq '.layers[].diff_id'
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``inspect``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("image", metavar="IMAGE", help=IMAGE_HELP)
    parser.add_argument("--json", action="store_true", help="a JSON document with all details")
    parser.add_argument("--bytes", action="store_true", help="sizes as exact numbers of bytes")
    add_full_option(parser)
    add_image_options(parser)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Describe one image."""
    from layerlens.cli.inspected_image import inspect_document
    from layerlens.opening import Access

    def summarise(layer: Layer) -> None:
        layer.summary  # noqa: B018 - made now, while other layers are read

    with opened_image(
        arguments.image,
        arguments,
        output,
        Access.LISTING,
        summarise,
        load_settings=listing_settings_of(arguments),
    ) as image:
        document = inspect_document(image, image.attestations)
        for layer in image.layers:
            for warning in layer.summary.warnings:
                output.warn(f"{image.name}: layer {layer.number}: {warning}")
    if arguments.json:
        from layerlens.report.as_json import write_json
        from layerlens.report.inspect_document import INSPECT_SCHEMA_VERSION

        write_json(output.write, document, schema_version=INSPECT_SCHEMA_VERSION)
        return ExitCode.DONE
    from layerlens.report.inspect_table import inspect_lines
    from layerlens.report.sizes import exact_size, human_size

    lines = inspect_lines(
        document,
        format_size=exact_size if arguments.bytes else human_size,
        width=output.width,
        palette=output.palette,
    )
    for line in lines:
        output.write(line)
    return ExitCode.DONE
