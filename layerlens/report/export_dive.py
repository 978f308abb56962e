"""dive's JSON, as ``dive --json`` writes it, for what was built on that.

Two-space indent and Go's escapes, in ASCII; a byte that is not UTF-8 becomes U+FFFD, as Go has it.
Where dive tells where an archive stores a layer (``id``), this tells its DiffID's digits. Owner and
mode of a whiteout, and the type flags of other sorts of regular files, are not kept and stand as 0
and ``0``.

Source: dive's cmd/dive/cli/internal/command/export/export.go and dive/filetree/file_info.go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from layerlens.analysis.dive_figures import DiveFigures, DiveNodes, dive_nodes
from layerlens.filesystem.file_tree import name_key
from layerlens.layer.entry import Entry, EntryKind, LayerEntry, Whiteout

_PIECES_HELD = 4096
_SHELL = "/bin/sh -c "
_MISSING = "(missing)"

_TYPE_FLAGS = {
    EntryKind.FILE: ord("0"),
    EntryKind.HARD_LINK: ord("1"),
    EntryKind.SYMLINK: ord("2"),
    EntryKind.CHARACTER_DEVICE: ord("3"),
    EntryKind.BLOCK_DEVICE: ord("4"),
    EntryKind.DIRECTORY: ord("5"),
    EntryKind.FIFO: ord("6"),
}
# Go's io/fs.FileMode.
_MODE_BITS = {
    EntryKind.FILE: 0,
    EntryKind.HARD_LINK: 0,
    EntryKind.SYMLINK: 1 << 27,
    EntryKind.CHARACTER_DEVICE: 1 << 26 | 1 << 21,
    EntryKind.BLOCK_DEVICE: 1 << 26,
    EntryKind.DIRECTORY: 1 << 31,
    EntryKind.FIFO: 1 << 25,
}
_SPECIAL_BITS = ((0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20))

_GO_ESCAPES = re.compile(r"[<>&]")
_NOT_UTF8 = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiveLayer:
    """One layer. ``diff_id``: digest as text. ``created_by``: as the history has it; None where it
    is missing. ``entries``: in the tar's order."""

    diff_id: str
    created_by: str | None
    entries: tuple[LayerEntry, ...]


def write_dive(
    write: Callable[[str], object], layers: Iterable[DiveLayer], figures: DiveFigures
) -> None:
    """Write the document through ``write``, a piece at a time."""
    pieces: list[str] = []
    for piece in chain(_layers(layers, figures), _image(figures)):
        pieces.append(piece)
        if len(pieces) > _PIECES_HELD:
            write("".join(pieces))
            pieces.clear()
    write("".join(pieces))


def _layers(layers: Iterable[DiveLayer], figures: DiveFigures) -> Iterator[str]:
    yield '{\n  "layer": ['
    separator = "\n"
    for index, (layer, size) in enumerate(zip(layers, figures.layer_bytes, strict=True)):
        command = _MISSING if layer.created_by is None else layer.created_by.removeprefix(_SHELL)
        yield f'{separator}    {{\n      "index": {index},\n'
        yield f'      "id": {_text(layer.diff_id.rpartition(":")[2])},\n'
        yield f'      "digestId": {_text(layer.diff_id)},\n'
        yield f'      "sizeBytes": {size},\n'
        yield f'      "command": {_text(command)},\n'
        yield '      "fileList": ['
        yield from _array(map(_file, _children_first(dive_nodes(layer.entries))), " " * 6)
        yield "\n    }"
        separator = ",\n"
    yield "],\n" if separator == "\n" else "\n  ],\n"


def _image(figures: DiveFigures) -> Iterator[str]:
    yield '  "image": {\n'
    yield f'    "sizeBytes": {figures.size_bytes},\n'
    yield f'    "inefficientBytes": {figures.wasted_bytes},\n'
    yield f'    "efficiencyScore": {go_float(figures.efficiency)},\n'
    yield '    "fileReference": ['
    references = (
        (("count", each.count), ("sizeBytes", each.size), ("file", each.path))
        for each in figures.references
    )
    yield from _array(references, " " * 4)
    yield "\n  }\n}\n"


_Fields = tuple[tuple[str, str | int | bool], ...]


def _array(items: Iterable[_Fields], indent: str) -> Iterator[str]:
    """The items after the opening bracket, each an object, and the closing bracket."""
    before = f"\n{indent}  {{"
    after = f"\n{indent}  }}"
    empty = True
    for fields in items:
        lines = ",".join(f'\n{indent}    "{name}": {_value(value)}' for name, value in fields)
        yield f"{before if empty else ',' + before}{lines}{after}"
        empty = False
    yield "]" if empty else f"\n{indent}]"


def _children_first(nodes: DiveNodes) -> Iterator[tuple[str, LayerEntry | None]]:
    """dive's order: what is in a directory before it, names by their bytes."""
    children: dict[str, list[str]] = {}
    for path in nodes:
        children.setdefault(path[: path.rindex("/")], []).append(path)
    for paths in children.values():
        paths.sort(key=name_key, reverse=True)
    pending = [(path, False) for path in children.get("", ())]
    while pending:
        path, ready = pending.pop()
        below = children.get(path)
        if ready or not below:
            yield path, nodes[path]
        else:
            pending.append((path, True))
            pending.extend((child, False) for child in below)


def _file(node: tuple[str, LayerEntry | None]) -> _Fields:
    path, entry = node
    if isinstance(entry, Entry):
        return _fields(
            path=path.removeprefix("/"),
            type_flag=_TYPE_FLAGS[entry.kind],
            link_name=_link_name(entry),
            size=entry.size,
            mode=_go_mode(entry),
            owner=(entry.uid, entry.gid),
        )
    listed = path.removeprefix("/") if isinstance(entry, Whiteout) else ""
    flag = _TYPE_FLAGS[EntryKind.FILE] if isinstance(entry, Whiteout) else 0
    return _fields(path=listed, type_flag=flag, link_name="", size=0, mode=0, owner=(0, 0))


def _fields(
    *, path: str, type_flag: int, link_name: str, size: int, mode: int, owner: tuple[int, int]
) -> _Fields:
    uid, gid = owner
    return (
        ("path", path),
        ("typeFlag", type_flag),
        ("linkName", link_name),
        ("size", size),
        ("fileMode", mode),
        ("uid", uid),
        ("gid", gid),
        ("isDir", bool(mode & _MODE_BITS[EntryKind.DIRECTORY])),
    )


def _link_name(entry: Entry) -> str:
    """As tars have it: a hard link's is a path from the root, without the slash."""
    target = entry.link_target or ""
    return target.removeprefix("/") if entry.kind is EntryKind.HARD_LINK else target


def _go_mode(entry: Entry) -> int:
    mode = _MODE_BITS[entry.kind] | entry.mode & 0o777
    for bit, go_bit in _SPECIAL_BITS:
        if entry.mode & bit:
            mode |= go_bit
    return mode


def _value(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    quoted = json.dumps(_NOT_UTF8.sub("\ufffd", text))
    return _GO_ESCAPES.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def go_float(number: float) -> str:
    """A number below 10^21 as Go's encoding/json writes it."""
    if not number or abs(number) >= 1e-6:
        text = format(Decimal(repr(number)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return re.sub(r"e-0(?=[0-9]\Z)", "e-", repr(number))
