"""What every command with an IMAGE has in common: its options, and how it opens the image.

An image is opened here with its cache, its limits and a line of progress, and what a person
should know of it is said on stderr; what is done with it is the command's own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from layerlens.cli.numbers import whole_number
from layerlens.errors import MalformedInput, NotFound, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.cli.output import Output
    from layerlens.cli.progress import Progress
    from layerlens.filesystem.file_tree import PathNode
    from layerlens.image import Image
    from layerlens.image_layer import Layer
    from layerlens.index_cache import IndexCache
    from layerlens.loading import LoadSettings
    from layerlens.opening import Access
    from layerlens.source.registry.registry_options import RegistryOptions
    from layerlens.streams.limits import Limits

IMAGE_HELP = "a file, a directory, - for stdin, FORMAT:PATH[:REF] or a registry's [docker://]REF"


def is_stdin(name: str) -> bool:
    """Whether the name of an image means one that comes through stdin."""
    return name == "-" or name.startswith("-:")


def add_image_options(parser: ArgumentParser) -> None:
    """Declare how images are read: from which platform, cache and registry, within what limits."""
    group = parser.add_argument_group("reading images")
    group.add_argument(
        "--platform",
        metavar="OS/ARCH",
        help="the platform to choose from an index, such as linux/arm64 or linux/arm/v7",
    )
    group.add_argument(
        "--no-cache",
        action="store_true",
        help="read every layer anew, and keep nothing for the next time",
    )
    group.add_argument(
        "--limit",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="raise or lower a bound on hostile input, such as entries=9000000; repeatable",
    )
    group.add_argument(
        "--plain-http",
        metavar="HOST",
        action="append",
        default=[],
        help="reach this registry by http, which anybody on the way can read; repeatable",
    )
    group.add_argument(
        "--insecure",
        metavar="HOST",
        action="append",
        default=[],
        help="take any certificate from this registry, or http where it has none; repeatable",
    )


def add_full_option(parser: ArgumentParser) -> None:
    """Declare ``--full``, which `listing_settings_of` reads."""
    parser.add_argument(
        "--full",
        action="store_true",
        help="read a registry's layers whole and verify them, also those with a table of "
        "contents (eStargz, zstd:chunked), which are else listed from that",
    )


def add_layer_option(parser: ArgumentParser, *, meaning: str) -> None:
    """Declare ``--layer N``, which `chosen_layer` reads."""
    parser.add_argument("--layer", metavar="N", type=whole_number, help=meaning)


def chosen_layer(arguments: Namespace, image: Image) -> int:
    """The layer that ``--layer`` names, counted from 0: negative ones from the last, by default
    the last. Raises NotFound where there is no such layer; -1 where the image has none at all.
    """
    count = len(image.layers)
    wanted: int | None = arguments.layer
    if wanted is None:
        return count - 1
    if not -count <= wanted < count:
        there = f"they are 0 to {count - 1}" if count else "there are none"
        raise NotFound(f"{image.name}: has no layer {wanted}; {there}")
    return wanted % count


@contextlib.contextmanager
def opened_image(
    name: str,
    arguments: Namespace,
    output: Output,
    access: Access,
    each: Callable[[Layer], object] = lambda layer: None,
    *,
    load_settings: LoadSettings | None = None,
) -> Iterator[Image]:
    """The image ``name`` with every layer read, closed when the block ends.

    ``arguments`` hold what `add_image_options` declared. ``each`` is done with every layer while
    those above it are read: what the command will ask of all of them. ``load_settings``: by
    default those of the arguments, with which every layer is verified; the progress is put in.
    Progress is shown meanwhile; the image's notes, which layers are not verified, and the warnings
    of each layer's tar are then on stderr. What is odd only when layers are laid on each other
    `warn_of_stacking` tells. Raises LayerlensError, and OSError where a file can't be read.
    """
    from dataclasses import replace

    from layerlens.image import open_image
    from layerlens.loading import bytes_to_read

    load_settings = load_settings or load_settings_of(arguments)
    with contextlib.ExitStack() as stack:
        with output.progress(f"reading {name}") as progress:
            counted = _Counted(progress)
            settings = replace(load_settings, progress=counted)
            image = stack.enter_context(
                open_image(name, arguments.platform, access=access, settings=settings)
            )
            progress.expect(counted.bytes_done + bytes_to_read(image.stored.layers, settings))
            for note in image.notes:
                output.note(note)
            for layer in image.read_layers():
                each(layer)
        for note in image.layer_notes:
            output.note(f"{name}: {note}")
        for layer in image.layers:
            for warning in layer.warnings:
                output.warn(f"{name}: layer {layer.number}: {warning}")
        yield image


def load_settings_of(arguments: Namespace) -> LoadSettings:
    """How images are to be read, by what `add_image_options` declared. Raises UsageError."""
    from layerlens.layer_jobs import LoadSettings, Workers

    return LoadSettings(
        workers=Workers.PROCESSES,
        cache=None if arguments.no_cache else _cache(),
        limits=limits_of(arguments),
        registries=registries_of(arguments),
    )


def listing_settings_of(arguments: Namespace) -> LoadSettings:
    """As `load_settings_of`, but that tables of contents will do where ``--full`` is not given."""
    from dataclasses import replace

    from layerlens.layer_jobs import ListedFrom

    listing = ListedFrom.LAYER if arguments.full else ListedFrom.TOC
    return replace(load_settings_of(arguments), listing=listing)


@contextlib.contextmanager
def cache_for_several(*, keep: bool) -> Iterator[IndexCache]:
    """The user's cache; or one that is gone when the block ends, if nothing is to be kept or
    there is no place for it: even then a layer that images share is read once."""
    import tempfile
    from pathlib import Path

    from layerlens.index_cache import IndexCache

    kept = _cache() if keep else None
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="layerlens-") as temporary:
        yield IndexCache(Path(temporary))


def limits_of(arguments: Namespace) -> Limits:
    """The limits with what ``--limit`` changes. Raises UsageError."""
    from layerlens.streams.limits import DEFAULT_LIMITS

    return DEFAULT_LIMITS.with_settings(tuple(arguments.limit))


def registries_of(arguments: Namespace) -> RegistryOptions:
    """How registries may be reached, by ``--plain-http`` and ``--insecure``."""
    from layerlens.source.registry.registry_options import RegistryOptions

    for option, hosts in (
        ("--plain-http", arguments.plain_http),
        ("--insecure", arguments.insecure),
    ):
        for host in hosts:
            if not host or "/" in host:
                raise UsageError(f"{option} {host!r}: write HOST[:PORT], such as localhost:5000")
    return RegistryOptions(
        plain_http=frozenset(arguments.plain_http), insecure=frozenset(arguments.insecure)
    )


def resolved_path(image: Image, number: int, path: str) -> PathNode:
    """What ``path`` leads to after layer ``number``, links followed inside the image.

    Raises NotFound and MalformedInput (a loop of links), which name the image too.
    """
    try:
        return image.tree(number).resolve(path)
    except (NotFound, MalformedInput) as error:
        raise type(error)(f"{image.name}: {error}") from error


def warn_of_stacking(image: Image, last: int, output: Output) -> None:
    """Say what was odd when layers 0 to ``last`` were laid on each other, which is done here."""
    for number in range(last + 1):
        for warning in image.stacked(number).warnings:
            output.warn(f"{image.name}: layer {number}: {warning}")


class _Counted:
    """Hands progress on, and remembers how far it is."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.bytes_done = 0

    def advance(self, count: int) -> None:
        self.bytes_done += count
        self._progress.advance(count)


def _cache() -> IndexCache | None:
    from layerlens.index_cache import IndexCache, default_directory

    try:
        return IndexCache(default_directory())
    except RuntimeError:  # no home directory, as in some containers: a slower run
        return None
