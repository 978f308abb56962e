"""``layerlens waste``: dead bytes, and everything else in an image that need not be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import (
    IMAGE_HELP,
    add_image_options,
    limits_of,
    opened_image,
    warn_of_stacking,
)
from layerlens.cli.numbers import whole_number
from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from layerlens.analysis.waste_survey import WasteSurvey
    from layerlens.cli.output import Output
    from layerlens.image_layer import Layer

_SHOWN = 10

_DESCRIPTION = """\
Show what an image's layers hold that need not be there. Dead bytes are files
that the final file system does not show: a later layer overwrote or deleted
them, or copied them with nothing changed but mode, owner or time; a hard-linked
file counts once. Then what was found: package caches, leftovers, copies,
secrets, each with its instruction and what to do. The last line has dive's
figures as dive computes them, which count every copy of a path as wasted."""

_EPILOG = """\
Secrets are told by name and place, never by content, and also where a later
layer deletes them: whoever can pull the image can read that layer. Where a
name alone does not tell (*.pem, .npmrc), the file is read, if --look lets it.

kinds of finding, by which the rules of layerlens check name them:
  secret  secret-file, secret-variable
  waste   apt-lists, apt-cache, apk-cache, dnf-cache, zypper-cache,
          pacman-cache, pip-cache, uv-cache, poetry-cache, conda-cache,
          npm-cache, yarn-cache, pnpm-store, cargo-cache, go-cache,
          maven-cache, gradle-cache, composer-cache, bundler-cache,
          python-bytecode, version-control, build-context, core-dump,
          log-files, temporary-files, duplicate-content, metadata-copies,
          rewritten-files, overwritten-files, deleted-later
  told    documentation, manuals, locales, large-file

examples:
  layerlens waste image.tar
  layerlens waste --by layer image.tar           who wrote and who killed
  layerlens waste --by path --top 0 image.tar    every dead path
  layerlens waste --json image.tar | jq '.findings[] | [.kind, .bytes]'
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``waste``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("image", metavar="IMAGE", help=IMAGE_HELP)
    parser.add_argument(
        "--by",
        choices=("path", "layer", "instruction"),
        help="a table of dead bytes added up so, in place of what was found",
    )
    parser.add_argument(
        "--top",
        metavar="N",
        type=whole_number,
        help=f"the N largest of each list, 0 for all; {_SHOWN} by default, all with --json",
    )
    parser.add_argument("--json", action="store_true", help="a JSON document with all details")
    parser.add_argument("--bytes", action="store_true", help="sizes as exact numbers of bytes")
    parser.add_argument(
        "--look",
        choices=("never", "local", "always"),
        default="local",
        help="whose files to read where a name alone does not tell a secret: local ones (the "
        "default), or a registry's too, for which its layers are downloaded again",
    )
    add_image_options(parser)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Survey one image."""
    from layerlens.opening import Access
    from layerlens.surveying import LookInside, survey_image

    _check(arguments)
    look = LookInside(arguments.look)
    access = Access.CONTENT if look is LookInside.ALWAYS else Access.LISTING
    with opened_image(arguments.image, arguments, output, access, _lay_on_those_below) as image:
        warn_of_stacking(image, len(image.layers) - 1, output)
        survey = survey_image(image, look, limits_of(arguments))
        title = image.title
    _note_what_was_not_seen(survey, output)
    if arguments.json:
        from layerlens.report.as_json import write_json
        from layerlens.report.waste_document import WASTE_SCHEMA_VERSION, waste_document

        document = waste_document(title, survey, arguments.top or None)
        write_json(output.write, document, schema_version=WASTE_SCHEMA_VERSION)
    else:
        for line in _lines(title.image, survey, arguments, output):
            output.write(line)
    return ExitCode.DONE


def _lay_on_those_below(layer: Layer) -> object:
    return layer.changes  # which nobody iterates over: its trees are made while others are read


def _check(arguments: Namespace) -> None:
    if arguments.json and arguments.by:
        raise UsageError("--json holds all three sums: leave out --by")
    if arguments.top is not None and arguments.top < 0:
        raise UsageError("--top: the number must be 0 (for all) or more")


def _note_what_was_not_seen(survey: WasteSurvey, output: Output) -> None:
    left = survey.not_looked_into
    if left:
        first = left[0]
        files = "1 file may be a secret" if len(left) == 1 else f"{len(left)} files may be secrets"
        output.note(
            f"{files} and could not be looked into, the first "
            f"{first.entry.path} in layer {first.layer} (--look always reads them)"
        )


def _lines(name: str, survey: WasteSurvey, arguments: Namespace, output: Output) -> Iterator[str]:
    from layerlens.report import waste_table
    from layerlens.report.sizes import exact_size, human_size
    from layerlens.report.waste_text import WasteStyle, dive_line, findings_lines, sums_lines

    style = WasteStyle(
        format_size=exact_size if arguments.bytes else human_size,
        palette=output.palette,
        width=output.width,
        top=_SHOWN if arguments.top is None else arguments.top or None,
    )
    yield from sums_lines(name, survey, style)
    match arguments.by:
        case "path":
            yield from waste_table.paths_lines(survey.waste, style)
        case "layer":
            yield from waste_table.layers_lines(survey.waste, style)
        case "instruction":
            yield from waste_table.instructions_lines(survey.waste, style)
        case _:
            yield from findings_lines(survey.findings, style)
    yield "\n"
    yield dive_line(survey.dive, style)
