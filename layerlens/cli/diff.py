"""``layerlens diff``: what each layer changed, or how two images differ."""

from __future__ import annotations

import contextlib
import copy
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
    opened_image,
    warn_of_stacking,
)
from layerlens.cli.numbers import whole_number
from layerlens.cli.table_options import check_top
from layerlens.errors import NotFound, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.analysis.layer_changes import ChangeKind
    from layerlens.cli.output import Output
    from layerlens.image import Image
    from layerlens.image_layer import Layer
    from layerlens.report.diff_format import DiffFormat, DiffRequest

_DESCRIPTION = """\
Show what each layer of IMAGE added (A), changed (M) and removed (D), compared
with the layers below it; or, given a second image, what differs between the
file systems and configs of the two."""

_EPILOG = """\
A size with a sign came (+) or went (-) with its path. One without is what a
changed file holds now, all of which the layer stores again.

A PATTERN without a slash matches a name anywhere ('*.pyc'), one with a slash
from the root ('/etc/*.conf', 'usr/**/bin'); what lies below a match matches
too. The configs of two images are not compared with --path, --name-status or
--name-only.

examples:
  layerlens diff image.tar                  every layer's changes
  layerlens diff image.tar --layer -1       what the last layer did
  layerlens diff image.tar --layers 2..5    what layers 2 to 5 did as a whole
  layerlens diff image.tar --top 10         each layer's ten largest changes
  layerlens diff old.tar new.tar --stat     growth by top-level directory
  layerlens diff old.tar new.tar --quiet --exclude /var/log && echo same
  docker save web:1.0 | layerlens diff - --path /etc --name-status
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``diff``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("image", metavar="IMAGE", help=IMAGE_HELP)
    parser.add_argument(
        "other", metavar="IMAGE_B", nargs="?", help="compare IMAGE with this one, the newer"
    )
    _add_choices(parser)
    _add_forms(parser)
    add_full_option(parser)
    add_image_options(parser)


def _add_choices(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("what to show")
    group.add_argument(
        "--platform-b",
        metavar="OS/ARCH",
        help="the platform of IMAGE_B, where it is not that of IMAGE (see --platform)",
    )
    group.add_argument(
        "--layer", metavar="N", help="only this layer of one image, from 0; -1 is the last"
    )
    group.add_argument(
        "--layers",
        metavar="A..B",
        help="what layers A to B did as a whole; also A.. and ..B, and -3.. from the end",
    )
    group.add_argument(
        "--path",
        metavar="PATTERN",
        action="append",
        default=[],
        help="only matching paths; repeatable",
    )
    group.add_argument(
        "--exclude",
        metavar="PATTERN",
        action="append",
        default=[],
        help="no matching paths; repeatable",
    )
    group.add_argument(
        "--only", metavar="LETTERS", help="only these kinds of change: one or more of A,M,D,R"
    )
    group.add_argument(
        "--rewritten",
        action="store_true",
        help="also files that were written again unchanged (R)",
    )
    group.add_argument(
        "--mtime",
        action="store_true",
        help="modification times, and when images were created, count as changes",
    )
    group.add_argument(
        "--sort",
        choices=("path", "bytes"),
        help="the order: path by default, with --top the largest first",
    )
    group.add_argument(
        "--top", metavar="N", type=whole_number, help="only the first N lines of each list"
    )


def _add_forms(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("how to show it")
    exclusive = group.add_mutually_exclusive_group()
    exclusive.add_argument(
        "--stat", action="store_true", help="counts and bytes by top-level directory"
    )
    exclusive.add_argument(
        "--name-status", action="store_true", help="a letter, a tab and a path a line"
    )
    exclusive.add_argument("--name-only", action="store_true", help="a path a line")
    group.add_argument(
        "-z",
        "--null",
        action="store_true",
        help="with the two above: names as they are, not escaped, and each field ended by NUL",
    )
    group.add_argument(
        "--json", action="store_true", help="a JSON document: all that is known of each change"
    )
    group.add_argument("--bytes", action="store_true", help="sizes as exact numbers of bytes")
    group.add_argument(
        "--exit-code",
        action="store_true",
        help="exit with 1 where anything that was asked for differs",
    )
    group.add_argument(
        "--quiet", action="store_true", help="write nothing to stdout; implies --exit-code"
    )


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Compare, and show what is asked for."""
    from layerlens.analysis.comparison import ImageComparison
    from layerlens.opening import Access

    _check(arguments)
    form = _form(arguments, _request(arguments), output)
    load_settings = listing_settings_of(arguments)
    with contextlib.ExitStack() as stack:
        if arguments.other is not None:
            cache = stack.enter_context(cache_for_several(keep=not arguments.no_cache))
            load_settings = replace(load_settings, cache=cache)
        images: list[Image] = []
        for name, settings in _wanted_images(arguments):
            opened = opened_image(
                name,
                settings,
                output,
                Access.LISTING,
                _lay_on_those_below,
                load_settings=load_settings,
            )
            image = stack.enter_context(opened)
            warn_of_stacking(image, len(image.layers) - 1, output)
            images.append(image)
        if arguments.other is None:
            different = _diff_layers(images[0], arguments, form)
        else:
            comparison = ImageComparison(images[0].compared(), images[1].compared())
            different = form.write_comparison(comparison) or bool(comparison.unreadable)
    wanted = arguments.exit_code or arguments.quiet
    return ExitCode.DIFFERENT if different and wanted else ExitCode.DONE


def _wanted_images(arguments: Namespace) -> list[tuple[str, Namespace]]:
    """The name of each image, and the arguments to open it with."""
    if arguments.other is None:
        return [(arguments.image, arguments)]
    settings = copy.copy(arguments)
    if arguments.platform_b is not None:
        settings.platform = arguments.platform_b
    return [(arguments.image, arguments), (arguments.other, settings)]


def _lay_on_those_below(layer: Layer) -> object:
    return layer.changes  # to be iterated over later


def _diff_layers(image: Image, arguments: Namespace, form: DiffFormat) -> bool:
    from layerlens.analysis.comparison import parse_layer_range

    chosen = arguments.layer if arguments.layer is not None else arguments.layers
    if chosen is None:
        ranges = [image.layer_range(number, number) for number in range(len(image.layers))]
    else:
        try:
            numbers = parse_layer_range(chosen, len(image.layers))
        except NotFound as error:
            raise NotFound(f"{image.name}: {error}") from error
        ranges = [image.layer_range(*numbers)]
    different = form.write_layers(image.title, ranges)
    return different or any(layers.unreadable for layers in ranges)


def _check(arguments: Namespace) -> None:
    """Raise UsageError for options that don't go together."""
    layer, layers = arguments.layer is not None, arguments.layers is not None
    if arguments.other is not None and (layer or layers):
        raise UsageError("--layer and --layers go with one image, not with two")
    if arguments.other is None and arguments.platform_b is not None:
        raise UsageError("--platform-b goes with two images")
    if arguments.other is not None and is_stdin(arguments.image) and is_stdin(arguments.other):
        raise UsageError("only one of the two images can come from stdin")
    if layer and layers:
        raise UsageError("--layer and --layers can't be used together")
    if layer and ".." in arguments.layer:
        raise UsageError(f"--layer takes one number; for a range use --layers {arguments.layer}")
    names = arguments.name_status or arguments.name_only
    if arguments.null and not names:
        raise UsageError("-z goes with --name-status or --name-only")
    if arguments.json and names:
        raise UsageError("--json holds the names already: leave out --name-status, --name-only")
    check_top(arguments.top)


def _request(arguments: Namespace) -> DiffRequest:
    from layerlens.analysis.change_filter import ChangeFilter
    from layerlens.filesystem.path_glob import compile_glob
    from layerlens.report.diff_format import DiffRequest

    return DiffRequest(
        change_filter=ChangeFilter(
            paths=tuple(compile_glob(pattern) for pattern in arguments.path),
            excluded=tuple(compile_glob(pattern) for pattern in arguments.exclude),
            kinds=_kinds(arguments),
            mtime=arguments.mtime,
        ),
        by_bytes=arguments.sort == "bytes" or (arguments.top is not None and not arguments.sort),
        top=arguments.top,
        config=not arguments.path,
        times=arguments.mtime,
    )


def _kinds(arguments: Namespace) -> frozenset[ChangeKind]:
    from layerlens.analysis.change_filter import ALL_KINDS
    from layerlens.analysis.layer_changes import ChangeKind

    kinds = ALL_KINDS
    if arguments.only is not None:
        letters = arguments.only.upper().replace(",", "").replace(" ", "")
        known = {kind.value: kind for kind in ChangeKind}
        if not letters or not set(letters) <= set(known):
            raise UsageError(f"--only {arguments.only!r}: the letters are A, M, D and R")
        kinds = frozenset(known[letter] for letter in letters)
    return kinds | {ChangeKind.REWRITTEN} if arguments.rewritten else kinds


def _form(arguments: Namespace, request: DiffRequest, output: Output) -> DiffFormat:
    from layerlens.report import diff_json, diff_names, diff_text
    from layerlens.report.sizes import exact_size, human_size

    if arguments.quiet:
        return diff_names.QuietFormat(request)
    if arguments.json:
        if arguments.stat:
            return diff_json.JsonStatisticsFormat(request, output.write)
        return diff_json.JsonFormat(request, output.write)
    if arguments.name_status:
        if arguments.null:
            text = diff_names.raw_status_and_path
            return diff_names.NameFormat(request, text, output.write_raw)
        return diff_names.NameFormat(request, diff_names.status_and_path, output.write)
    if arguments.name_only:
        if arguments.null:
            return diff_names.NameFormat(request, diff_names.raw_path, output.write_raw)
        return diff_names.NameFormat(request, diff_names.path_only, output.write)
    style = diff_text.TextStyle(
        format_size=exact_size if arguments.bytes else human_size,
        palette=output.palette,
        width=output.width,
    )
    if arguments.stat:
        return diff_text.StatisticsFormat(request, style, output.write)
    return diff_text.TextFormat(request, style, output.write)
