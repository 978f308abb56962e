"""``layerlens ls``: the files of an image as a container sees them, and who wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import (
    IMAGE_HELP,
    add_full_option,
    add_image_options,
    add_layer_option,
    chosen_layer,
    listing_settings_of,
    opened_image,
    resolved_path,
    warn_of_stacking,
)
from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Iterator, Sequence

    from layerlens.cli.output import Output
    from layerlens.filesystem.file_tree import FileTree, PathNode
    from layerlens.report.listing import ListedFile

_DESCRIPTION = """\
List what a container sees at PATH: mode, owner, size, modification time (UTC),
the layer that wrote it, and name. A link is followed inside the image; a PATH
that is no directory lists itself."""

_EPILOG = """\
A further name of a file shows the name that its layer linked it to ('link to');
size and mode are those of the file both stand for. '-' as the layer: no layer
lists this directory, only something in it. 'TOC' beside it: the layer was
listed from its table of contents, not verified against the layer (see --full).
With -R, and for a PATH that is no directory, whole paths are shown, else names.

examples:
  layerlens ls image.tar
  layerlens ls image.tar /etc --layer 0      after the first layer
  layerlens ls -R --json image.tar | jq '.entries[] | select(.size > 1e6).path'
  layerlens ls -Rz image.tar /usr | xargs -0 -n1 echo
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``ls``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("image", metavar="IMAGE", help=IMAGE_HELP)
    parser.add_argument("path", metavar="PATH", nargs="?", default="/", help="by default /")
    add_layer_option(
        parser, meaning="what there is after layer N, from 0 (-1 is the last); by default after all"
    )
    parser.add_argument(
        "-R", "--recursive", action="store_true", help="also all that is below, as whole paths"
    )
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "-l", "--long", action="store_true", help="all columns, which is what you get anyway"
    )
    forms.add_argument("--name-only", action="store_true", help="a name on each line")
    forms.add_argument("--json", action="store_true", help="a JSON document with all details")
    parser.add_argument(
        "-z", "--null", action="store_true", help="names only, raw, each ended by NUL"
    )
    parser.add_argument("--bytes", action="store_true", help="sizes as exact numbers of bytes")
    add_full_option(parser)
    add_image_options(parser)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """List one path of an image."""
    from layerlens.opening import Access

    if arguments.null and (arguments.json or arguments.long):
        raise UsageError("-z writes names only: leave out --json, --long")
    settings = listing_settings_of(arguments)
    with opened_image(
        arguments.image, arguments, output, Access.LISTING, load_settings=settings
    ) as image:
        number = chosen_layer(arguments, image)
        warn_of_stacking(image, number, output)
        listing = _Listing(
            image.tree(number),
            resolved_path(image, number, arguments.path),
            recursive=arguments.recursive,
        )
        toc_layers = [layer.number for layer in image.layers[: number + 1] if layer.toc]
        if arguments.json:
            from layerlens.report.as_json import write_json
            from layerlens.report.listing_document import (
                LISTING_SCHEMA_VERSION,
                ListingDocument,
                listed_fields,
            )

            document = ListingDocument(
                image=image.name,
                platform=str(image.platform),
                layer=None if number < 0 else number,
                path=listing.start.path,
                toc_layers=toc_layers,
                entries=listed_fields(listing.files()),
            )
            write_json(output.write, document, schema_version=LISTING_SCHEMA_VERSION)
        elif arguments.null:
            for file in listing.named():
                output.write_raw(f"{file.name}\0")
        elif arguments.name_only:
            from layerlens.report.safe_text import escape

            for file in listing.named():
                output.write(f"{escape(file.name)}\n")
        else:
            _write_table(listing, toc_layers, arguments, output)
    return ExitCode.DONE


def _write_table(
    listing: _Listing, toc_layers: Sequence[int], arguments: Namespace, output: Output
) -> None:
    from layerlens.report.listing import listing_lines
    from layerlens.report.sizes import exact_size, human_size

    lines = listing_lines(
        listing.named,
        format_size=exact_size if arguments.bytes else human_size,
        palette=output.palette,
        toc_layers=frozenset(toc_layers),
    )
    for line in lines:
        output.write(line)


class _Listing:
    """The files to list: of a directory what is in it, of anything else that alone."""

    def __init__(self, tree: FileTree, start: PathNode, *, recursive: bool) -> None:
        self._tree = tree
        self.start = start
        self._is_directory = start.node.children is not None
        self._recursive = recursive

    def files(self) -> Iterable[PathNode]:
        """The files, parents first and names in the order of their bytes."""
        from itertools import islice

        from layerlens.filesystem.file_tree import children_of

        if not self._is_directory:
            return (self.start,)
        if self._recursive:
            return islice(self._tree.walk(self.start.path), 1, None)
        return children_of(self.start)

    def named(self) -> Iterator[ListedFile]:
        """The files under the names to show."""
        from layerlens.report.listing import ListedFile

        whole = self._recursive or not self._is_directory
        for path, node in self.files():
            yield ListedFile(path if whole else path[path.rindex("/") + 1 :], node)
