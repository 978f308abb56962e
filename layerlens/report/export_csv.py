"""The entries of an image's layers as CSV, a row each, in the order of their tars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from layerlens.layer.entry import Entry, EntryKind, LayerEntry, Whiteout
from layerlens.report.as_csv import Field, write_csv

HEADER = (
    "layer",
    "path",
    "kind",
    "mode",
    "uid",
    "gid",
    "size",
    "mtime_ns",
    "sha256",
    "link_target",
    "device",
    "xattrs",
)
"""``kind``: as `find -type` has it, ``h`` for a hard link, ``whiteout`` and ``opaque`` for what
removes a path or empties a directory of the layers below. ``xattrs``: names, by spaces."""


def write_entries_csv(
    write: Callable[[str], object], layers: Iterable[tuple[int, Iterable[LayerEntry]]]
) -> None:
    """Write the entries of the layers, each with its number, through ``write``."""
    write_csv(write, HEADER, _rows(layers))


def _rows(layers: Iterable[tuple[int, Iterable[LayerEntry]]]) -> Iterator[Sequence[Field]]:
    for number, entries in layers:
        for entry in entries:
            if isinstance(entry, Entry):
                yield _row(number, entry)
            else:
                kind = "whiteout" if isinstance(entry, Whiteout) else "opaque"
                yield (number, entry.path, kind, *[None] * (len(HEADER) - 3))


def _row(number: int, entry: Entry) -> Sequence[Field]:
    return (
        number,
        entry.path,
        entry.kind.value,
        f"{entry.mode:04o}",
        entry.uid,
        entry.gid,
        entry.size if entry.kind is EntryKind.FILE else None,
        entry.mtime_ns,
        entry.content.hex() if entry.content is not None else None,
        entry.link_target,
        ",".join(map(str, entry.device)) if entry.device is not None else None,
        " ".join(name for name, _ in entry.xattrs) or None,
    )
