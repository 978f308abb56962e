"""A layer's tar read to entries: names cleaned, whiteouts told from files, contents hashed.

Source: image-spec layer.md; where it is silent, containerd's archive/tar.go.
"""

from __future__ import annotations

import base64
import binascii
import tarfile
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.layer.entry import Entry, EntryKind, LayerEntry
from layerlens.layer.entry_names import AUFS_ROOT, WHITEOUT_PREFIX, EntryNames
from layerlens.oci.quoting import quoted, quoted_bytes
from layerlens.streams.limits import DEFAULT_LIMITS, Limits
from layerlens.streams.pax_records import PaxRecord
from layerlens.streams.tar_header import TarHeader
from layerlens.streams.tar_reader import TarReader

_MAX_ID = (1 << 63) - 1
_MAX_MTIME_NS = (1 << 63) - 1

_KINDS = {
    tarfile.REGTYPE: EntryKind.FILE,
    tarfile.DIRTYPE: EntryKind.DIRECTORY,
    tarfile.SYMTYPE: EntryKind.SYMLINK,
    tarfile.LNKTYPE: EntryKind.HARD_LINK,
    tarfile.CHRTYPE: EntryKind.CHARACTER_DEVICE,
    tarfile.BLKTYPE: EntryKind.BLOCK_DEVICE,
    tarfile.FIFOTYPE: EntryKind.FIFO,
}
_FILE = EntryKind.FILE
_make = tuple.__new__
_XATTR_PREFIX = b"SCHILY.xattr."
_LIBARCHIVE_PREFIX = b"LIBARCHIVE.xattr."


class EntryReader:
    """The entries of one layer's tar, in its order; ``warnings`` is complete after the last."""

    def __init__(self, reader: TarReader, limits: Limits = DEFAULT_LIMITS) -> None:
        self._reader = reader
        self._limits = limits
        self._names = EntryNames(reader.where, limits)
        self._clamped_mtimes = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd without being wrong, a sentence each."""
        found = [*self._reader.warnings, *self._names.warnings]
        if self._clamped_mtimes:
            found.append(f"{self._clamped_mtimes} modification times are out of range")
        return tuple(found)

    def __iter__(self) -> Iterator[LayerEntry]:
        reader = self._reader
        limits = self._limits
        next_header = reader.next_header
        path_of = self._names.path
        count = 0
        while (header := next_header()) is not None:
            count += 1
            if count > limits.entries:
                raise LimitExceeded(
                    f"{reader.where}: has more than {limits.entries} entries "
                    "(raise with --limit entries=N)"
                )
            path = path_of(header.name)
            name = path[path.rfind("/") + 1 :]
            if name.startswith(WHITEOUT_PREFIX):
                whiteout = self._names.whiteout(path, name)
                if whiteout is not None:
                    yield whiteout
            elif not path.startswith(AUFS_ROOT):  # below what AUFS kept for itself
                yield self._entry(header, path)

    def _entry(self, header: TarHeader, path: str) -> Entry:
        reader = self._reader
        kind = _KINDS[header.type]
        size = 0
        content = link_target = device = None
        if kind is _FILE:
            size = header.size
            content = reader.payload_sha256()
        elif kind is EntryKind.DIRECTORY:
            pass
        elif kind is EntryKind.SYMLINK:
            link_target = self._names.symlink_target(header.linkname)
        elif kind is EntryKind.HARD_LINK:
            link_target = self._names.path(header.linkname)
        elif kind is EntryKind.CHARACTER_DEVICE or kind is EntryKind.BLOCK_DEVICE:
            device = (header.devmajor, header.devminor)
        mtime_ns = int(header.mtime) * 1_000_000_000
        xattrs: tuple[tuple[str, bytes], ...] = ()
        if reader.records:
            xattrs = self._xattrs(reader.records)
            mtime_ns = self._mtime_ns(reader.records, mtime_ns)
        if not -_MAX_MTIME_NS <= mtime_ns <= _MAX_MTIME_NS:
            self._clamped_mtimes += 1
            mtime_ns = max(-_MAX_MTIME_NS, min(mtime_ns, _MAX_MTIME_NS))
        if header.uid > _MAX_ID or header.gid > _MAX_ID:
            raise MalformedInput(f"{reader.where}: {quoted(path)} has an owner id out of range")
        mode, uid, gid = header.mode & 0o7777, header.uid, header.gid
        # As Entry(...) would make it, at half the cost, which is paid for every file.
        return _make(
            Entry,
            (path, kind, mode, uid, gid, size, mtime_ns, content, link_target, xattrs, device),
        )

    def _mtime_ns(self, records: list[PaxRecord], default: int) -> int:
        for keyword, value in reversed(records):  # of several, the last counts
            if keyword == b"mtime" and value:
                return self._nanoseconds(value)
        return default

    def _nanoseconds(self, value: bytes) -> int:
        """PAX time: decimal seconds, perhaps negative, perhaps with a fraction."""
        seconds, _, fraction = value.partition(b".")
        digits = seconds.lstrip(b"-")
        if len(seconds) - len(digits) > 1 or not (digits.isdigit() and (b"0" + fraction).isdigit()):
            raise MalformedInput(f"{self._reader.where}: bad PAX mtime {quoted_bytes(value)}")
        if len(digits) > 19:
            return -_MAX_MTIME_NS - 1 if seconds.startswith(b"-") else _MAX_MTIME_NS + 1
        nanoseconds = int(digits) * 1_000_000_000 + int(fraction[:9].ljust(9, b"0"))
        return -nanoseconds if seconds.startswith(b"-") else nanoseconds

    def _xattrs(self, records: list[PaxRecord]) -> tuple[tuple[str, bytes], ...]:
        found: dict[str, bytes] = {}
        for keyword, value in records:
            if keyword.startswith(_XATTR_PREFIX):
                name = keyword[len(_XATTR_PREFIX) :]
                found[name.decode("utf-8", "surrogateescape")] = value
            elif keyword.startswith(_LIBARCHIVE_PREFIX):
                name = unquote_to_bytes(keyword[len(_LIBARCHIVE_PREFIX) :])
                found.setdefault(name.decode("utf-8", "surrogateescape"), self._base64(value))
        return tuple(sorted(found.items()))

    def _base64(self, value: bytes) -> bytes:
        try:
            return base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
        except binascii.Error:
            raise MalformedInput(f"{self._reader.where}: bad LIBARCHIVE.xattr value") from None
