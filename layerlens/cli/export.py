"""``layerlens export``: an image's layers in the forms that other programs read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import IMAGE_HELP, add_image_options, opened_image
from layerlens.errors import UnsupportedInput

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.cli.output import Output
    from layerlens.image import Image

_DESCRIPTION = """\
Write what an image's layers hold, for other programs. dive: the JSON that
`dive --json` writes, with its figures, so that scripts built on it go on
working. csv: a row for each entry of each layer's tar, whiteouts included."""

_EPILOG = """\
A size of dive's is the sum of files; its figures are computed as dive computes
them (see layerlens waste). As dive does, the export lists a path of a layer
once, children before parents, and directories that the layer does not list
without a path. In the CSV, text is escaped as in every table.

examples:
  layerlens export --format dive image.tar -o dive.json
  layerlens export --format csv image.tar | csvcut -c layer,path,size
  layerlens export --format dive - < image.tar | jq .image.efficiencyScore
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``export``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("image", metavar="IMAGE", help=IMAGE_HELP)
    parser.add_argument(
        "--format", choices=("dive", "csv"), required=True, help="which form to write"
    )
    add_image_options(parser)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Write one image's entries."""
    from layerlens.opening import Access

    with opened_image(arguments.image, arguments, output, Access.LISTING) as image:
        _check_is_listed(image)
        if arguments.format == "csv":
            from layerlens.report.export_csv import write_entries_csv

            layers = ((layer.number, layer.entries) for layer in image.layers)
            write_entries_csv(output.write, layers)
        else:
            _write_dive(image, output)
    return ExitCode.DONE


def _write_dive(image: Image, output: Output) -> None:
    from layerlens.analysis.dive_figures import dive_figures
    from layerlens.report.export_dive import DiveLayer, write_dive

    figures = dive_figures([layer.entries for layer in image.layers])
    layers = (
        DiveLayer(
            diff_id=str(layer.diff_id),
            created_by=layer.history.created_by or "" if layer.history else None,
            entries=layer.entries,
        )
        for layer in image.layers
    )
    write_dive(output.write, layers, figures)


def _check_is_listed(image: Image) -> None:
    for layer in image.layers:
        if layer.facts is None:
            raise UnsupportedInput(
                f"{image.name}: layer {layer.number} is of type {layer.media_type}, no tar: "
                "what it holds is not known and can't be exported"
            )
