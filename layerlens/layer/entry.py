"""What a layer's tar lists: ``Entry | Whiteout | OpaqueWhiteout``.

Named tuples rather than dataclasses, because an image has a million of them.
"""

from __future__ import annotations

import enum
from typing import NamedTuple


class EntryKind(enum.Enum):
    """The type of a file; the value is the letter that ``find -type`` uses, and ``h``."""

    FILE = "f"
    DIRECTORY = "d"
    SYMLINK = "l"
    HARD_LINK = "h"
    CHARACTER_DEVICE = "c"
    BLOCK_DEVICE = "b"
    FIFO = "p"

    # Members are looked up by identity in dictionaries many times a file.
    __hash__ = object.__hash__


class Entry(NamedTuple):
    """One file as a layer writes it.

    ``path``: absolute and clean, ``/`` is the root; bytes that are not UTF-8 stand as lone
    surrogates (``surrogateescape``). ``mode``: the 12 permission bits. ``size``: bytes, 0 unless
    a FILE. ``content``: SHA-256 (32 bytes) of a FILE's bytes, else None. ``link_target``: a
    symlink's text as written, or the clean path a hard link names. ``xattrs``: sorted by name.
    ``device``: (major, minor).
    """

    path: str
    kind: EntryKind
    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    content: bytes | None
    link_target: str | None
    xattrs: tuple[tuple[str, bytes], ...]
    device: tuple[int, int] | None

    @property
    def permissions(self) -> int:
        """The mode that a container sees: on Linux a symlink's is 0777 whatever its tar says."""
        return 0o777 if self.kind is EntryKind.SYMLINK else self.mode


class Whiteout(NamedTuple):
    """``path`` of the layers below is removed (image-spec, layer.md, 'Whiteouts')."""

    path: str


class OpaqueWhiteout(NamedTuple):
    """All children of the directory ``path`` from the layers below are removed."""

    path: str


LayerEntry = Entry | Whiteout | OpaqueWhiteout


def copied(entries: tuple[LayerEntry, ...]) -> tuple[LayerEntry, ...]:
    """The same entries as objects of their own."""
    return tuple(type(entry)(*entry) for entry in entries)
