"""Files of an image as ``ls`` lists them, for people: a line each, with the layer that wrote it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Set
from functools import lru_cache
from typing import NamedTuple

from layerlens.filesystem.file_tree import IMPLIED_LAYER, Node
from layerlens.layer.entry import Entry, EntryKind
from layerlens.report.colour import Palette, Style
from layerlens.report.safe_text import escape
from layerlens.report.sizes import FormatSize

_UNKNOWN = "-"
_TYPE_LETTERS = {
    EntryKind.FILE: "-",
    EntryKind.DIRECTORY: "d",
    EntryKind.SYMLINK: "l",
    EntryKind.HARD_LINK: "?",  # one to a file that is not there; others are what they stand for
    EntryKind.CHARACTER_DEVICE: "c",
    EntryKind.BLOCK_DEVICE: "b",
    EntryKind.FIFO: "p",
}
_SPECIAL_BITS = ((0o4000, 2, "s", "S"), (0o2000, 5, "s", "S"), (0o1000, 8, "t", "T"))
_HEADINGS = ("MODE", "OWNER", "SIZE", "MODIFIED", "LAYER")
_NAME_HEADING = "NAME"
_REMEMBERED = 1 << 12
"""Texts kept of each kind: most files of an image share their times, modes and sizes."""


class ListedFile(NamedTuple):
    """A file under the name to show for it, not yet escaped."""

    name: str
    node: Node


def listing_lines(
    files: Callable[[], Iterable[ListedFile]],
    *,
    format_size: FormatSize,
    palette: Palette,
    toc_layers: Set[int] = frozenset(),
) -> Iterator[str]:
    """The lines of a listing, a heading first, each with its newline; nothing without files.

    *toc_layers* are marked: they were not verified. *files* is called twice, the first time for
    the widths of columns: so no line is kept.
    """
    sized = lru_cache(maxsize=_REMEMBERED)(format_size)
    widths = [len(heading) for heading in _HEADINGS]
    count = 0
    for file in files():
        count += 1
        cells = _cells(file.node, sized, toc_layers)
        widths = [max(width, len(cell)) for width, cell in zip(widths, cells, strict=True)]
    if not count:
        return
    mode, owner, size, modified, layer = widths
    line = (
        f"{{:<{mode}}}  {{:<{owner}}}  {{:>{size}}}  {{:<{modified}}}  {{:>{layer}}}  {{}}".format
    )
    yield palette.paint(Style.HEADING, line(*_HEADINGS, _NAME_HEADING)) + "\n"
    for file in files():
        yield line(*_cells(file.node, sized, toc_layers), _shown_name(file, palette)) + "\n"


def mode_text(entry: Entry) -> str:
    """A file's type and permissions as ``ls -l`` writes them: ``drwxr-xr-x``, ``-rwsr-xr-x``."""
    return _TYPE_LETTERS[entry.kind] + _permissions(entry.permissions)


@lru_cache(maxsize=_REMEMBERED)
def _permissions(mode: int) -> str:
    letters = [
        letter if mode & (0o400 >> position) else "-" for position, letter in enumerate("rwxrwxrwx")
    ]
    for bit, position, executable, plain in _SPECIAL_BITS:
        if mode & bit:
            letters[position] = plain if letters[position] == "-" else executable
    return "".join(letters)


def time_text(nanoseconds: int) -> str:
    """A time since 1970 in UTC, to the second: ``2023-11-14T22:13:20Z``."""
    return _second_text(nanoseconds // 1_000_000_000)


@lru_cache(maxsize=_REMEMBERED)
def _second_text(seconds: int) -> str:
    moment = time.gmtime(seconds)
    return (
        f"{moment.tm_year:04}-{moment.tm_mon:02}-{moment.tm_mday:02}"
        f"T{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02}Z"
    )


def _cells(node: Node, format_size: FormatSize, toc_layers: Set[int]) -> list[str]:
    inode = node.inode
    implied = node.layer == IMPLIED_LAYER
    return [
        mode_text(inode),
        f"{inode.uid}:{inode.gid}",
        _size(inode, format_size),
        _UNKNOWN if implied else time_text(inode.mtime_ns),
        _UNKNOWN if implied else _layer(node.layer, toc_layers),
    ]


def _layer(number: int, toc_layers: Set[int]) -> str:
    return f"TOC {number}" if number in toc_layers else str(number)


def _size(inode: Entry, format_size: FormatSize) -> str:
    """As ``ls`` has it: a device's numbers stand in the place of its size."""
    if inode.kind is EntryKind.FILE:
        return format_size(inode.size)
    if inode.device is not None:
        major, minor = inode.device
        return f"{major},{minor}"
    return _UNKNOWN


def _shown_name(file: ListedFile, palette: Palette) -> str:
    entry = file.node.entry
    name = escape(file.name)
    target = escape(entry.link_target or "")
    if entry.kind is EntryKind.SYMLINK:
        return f"{name} {palette.paint(Style.FAINT, '->')} {target}"
    if entry.kind is EntryKind.HARD_LINK:
        return f"{name} {palette.paint(Style.FAINT, 'link to')} {target}"
    return name
