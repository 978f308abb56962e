"""``layerlens cat``: the bytes of one file in an image, to stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import (
    IMAGE_HELP,
    add_image_options,
    add_layer_option,
    chosen_layer,
    limits_of,
    opened_image,
    resolved_path,
    warn_of_stacking,
)
from layerlens.errors import NotFound, UnsupportedInput

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.cli.output import Output
    from layerlens.filesystem.file_tree import PathNode

_DESCRIPTION = """\
Write the bytes of the file at PATH, as a container sees it, to stdout. Links
are followed inside the image; holes of sparse files are filled."""

_EPILOG = """\
A file is written as it is, whatever it holds: mind what a terminal makes of it.

examples:
  layerlens cat image.tar /etc/os-release
  layerlens cat image.tar app/settings.ini --layer 4      as layer 4 left it
  layerlens cat image.tar /usr/bin/tool -o tool
  docker save web:1.0 | layerlens cat - /etc/nginx/nginx.conf
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``cat``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("image", metavar="IMAGE", help=IMAGE_HELP)
    parser.add_argument("path", metavar="PATH", help="the file, from the image's root")
    add_layer_option(
        parser, meaning="the file after layer N, from 0 (-1 is the last); by default after all"
    )
    add_image_options(parser)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Write one file."""
    from layerlens.file_content import file_content
    from layerlens.opening import Access

    with opened_image(arguments.image, arguments, output, Access.CONTENT) as image:
        number = chosen_layer(arguments, image)
        warn_of_stacking(image, number, output)
        found = resolved_path(image, number, arguments.path)
        _check_has_bytes(found, image.name)
        layers = image.layers[: number + 1]
        for piece in file_content(found.node.inode, layers, limits_of(arguments)):
            output.write_bytes(piece)
    return ExitCode.DONE


def _check_has_bytes(found: PathNode, image: str) -> None:
    """Raise UnsupportedInput for what is no file, NotFound for a hard link to nothing."""
    from layerlens.layer.entry import EntryKind

    what = {
        EntryKind.DIRECTORY: "a directory",
        EntryKind.CHARACTER_DEVICE: "a character device",
        EntryKind.BLOCK_DEVICE: "a block device",
        EntryKind.FIFO: "a named pipe",
    }
    inode = found.node.inode
    if inode.kind is EntryKind.FILE:
        return
    if inode.kind is EntryKind.HARD_LINK:
        raise NotFound(
            f"{image}: {found.path} is a hard link to {inode.link_target}, which is not there"
        )
    raise UnsupportedInput(f"{image}: {found.path} is {what[inode.kind]}, not a file")
