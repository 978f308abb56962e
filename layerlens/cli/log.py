"""``layerlens log``: the history of a path, through all the layers of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import (
    IMAGE_HELP,
    add_image_options,
    opened_image,
    warn_of_stacking,
)
from layerlens.errors import NotFound, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from layerlens.cli.output import Output
    from layerlens.filesystem.file_tree import FileTree

_DESCRIPTION = """\
Show which layers wrote, changed and removed a path, also one that is gone.
PATH is absolute in the image; links on the way to it are not followed. One
that no layer ever held is read as a glob: '*.pyc', '/etc/*.conf'."""

_EPILOG = """\
A added, M changed, D removed, R written again with nothing but its modification
time new. The size is that of the file that was written, or removed. Of a glob's
matches, what lies below a directory that matches is not listed.

examples:
  layerlens log image.tar /etc/passwd
  layerlens log image.tar '*.egg-info' --json
  layerlens log python:3.12-slim /usr/bin/python3 --bytes
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``log``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("image", metavar="IMAGE", help=IMAGE_HELP)
    parser.add_argument("path", metavar="PATH", help="the path, or a glob")
    parser.add_argument("--json", action="store_true", help="a JSON document with all details")
    parser.add_argument("--bytes", action="store_true", help="sizes as exact numbers of bytes")
    add_image_options(parser)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Tell the history of one path, or of those that a glob matches."""
    from layerlens.analysis.path_history import path_history
    from layerlens.opening import Access

    with opened_image(arguments.image, arguments, output, Access.LISTING) as image:
        last = len(image.layers) - 1
        warn_of_stacking(image, last, output)
        trees = [image.tree(number) for number in range(last + 1)]
        layers = [layer.title for layer in image.layers]
        title = image.title
    histories = [(path, path_history(trees, path)) for path in _paths(arguments, trees)]
    if arguments.json:
        from layerlens.report.as_json import write_json
        from layerlens.report.history_document import (
            HISTORY_SCHEMA_VERSION,
            HistoryDocument,
            path_history_fields,
        )

        fields = [path_history_fields(path, events, layers) for path, events in histories]
        document = HistoryDocument(image=title, paths=fields)
        write_json(output.write, document, schema_version=HISTORY_SCHEMA_VERSION)
        return ExitCode.DONE
    from layerlens.report.history_table import history_lines
    from layerlens.report.sizes import exact_size, human_size

    for position, (path, events) in enumerate(histories):
        if position:
            output.write("\n")
        for line in history_lines(
            path,
            events,
            layers,
            format_size=exact_size if arguments.bytes else human_size,
            width=output.width,
            palette=output.palette,
        ):
            output.write(line)
    return ExitCode.DONE


def _paths(arguments: Namespace, trees: Sequence[FileTree]) -> list[str]:
    """The paths that are meant. Raises NotFound where no layer ever held such a one."""
    from layerlens.analysis.path_history import ever_held, matching_paths
    from layerlens.filesystem.path_glob import compile_glob

    if not arguments.path:
        raise UsageError("log: the path is empty; / is the root")
    exact = "/" + "/".join(part for part in arguments.path.split("/") if part not in ("", "."))
    if any(tree.find(exact) is not None for tree in trees):
        return [exact]
    found = list(matching_paths(ever_held(trees), compile_glob(arguments.path)))
    if not found:
        raise NotFound(f"{arguments.image}: no layer ever held {arguments.path}")
    return found
