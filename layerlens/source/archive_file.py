"""A tar archive in a file that can be sought in: a table of its members, none of them read."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator

from layerlens.errors import LimitExceeded, MalformedInput, UnsupportedInput
from layerlens.oci.quoting import quoted
from layerlens.source.blob_location import BlobLocation, FileRange
from layerlens.source.member_store import Link, follow_links, missing, symlink_target
from layerlens.streams.clean_path import clean_path
from layerlens.streams.limits import Limits
from layerlens.streams.tar_header import TarHeader
from layerlens.streams.tar_reader import TarReader

_HEADER_CHUNK = 1 << 14
_TRAILING_BYTES = 1 << 20
"""After the archive's end these many are looked at, to tell whether there is more."""


class _SeekingChunks:
    """A file's bytes in small chunks, with the means to pass over a payload."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._offset = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = os.pread(self._descriptor, _HEADER_CHUNK, self._offset)
        if not chunk:
            raise StopIteration
        self._offset += len(chunk)
        return chunk

    def skip(self, count: int) -> int:
        """Pass over at most ``count`` bytes, and say how many there were."""
        skipped = min(count, max(self._size - self._offset, 0))
        self._offset += skipped
        return skipped


class ArchiveFile:
    """The members of an uncompressed tar file. Implements MemberStore."""

    def __init__(self, path: str, where: str, limits: Limits) -> None:
        """Walk the headers. Raises MalformedInput, also where the file ends before its end."""
        self._path = path
        self._where = where
        self._members: dict[str, BlobLocation | Link] = {}
        self._sparse: set[str] = set()
        self.top_level: set[str] = set()
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            chunks = _SeekingChunks(descriptor)
            reader = TarReader(chunks, where, limits, skip=chunks.skip)
            count = 0
            while (header := reader.next_header()) is not None:
                count += 1
                if count > limits.entries:
                    raise LimitExceeded(
                        f"{where}: has more than {limits.entries} members "
                        "(raise with --limit entries=N)"
                    )
                self._add(header, reader)
            reader.drain(_TRAILING_BYTES)
        finally:
            os.close(descriptor)
        if not reader.end_marker_seen:
            raise MalformedInput(f"{where}: truncated: no end-of-archive marker")
        self.warnings = tuple(reader.warnings)

    @property
    def where(self) -> str:
        """Names the archive in errors."""
        return self._where

    def find(self, name: str) -> BlobLocation | None:
        """Where the member stands; see MemberStore."""
        location = follow_links(self._members, name, self._where)
        if location is None and name in self._sparse:
            raise UnsupportedInput(
                f"{self._where}: {quoted(name)} is stored sparse; "
                "write the archive again without sparse files"
            )
        return location

    def read(self, name: str, limit: int) -> bytes:
        """The member's bytes; see MemberStore."""
        location = self.find(name)
        if not isinstance(location, FileRange):
            raise missing(self._where, name)
        if location.size > limit:
            raise LimitExceeded(
                f"{self._where}: {quoted(name)} has {location.size} bytes, at most {limit} are read"
            )
        return b"".join(location.chunks())

    def _add(self, header: TarHeader, reader: TarReader) -> None:
        name = clean_path(header.name).path[1:]
        if name:
            self.top_level.add(name.partition("/")[0])
        if header.type == tarfile.REGTYPE and reader.sparse is not None:
            self._members.pop(name, None)
            self._sparse.add(name)
        elif header.type == tarfile.REGTYPE:
            self._members[name] = FileRange(self._path, reader.offset, header.size)
        elif header.type == tarfile.LNKTYPE:
            self._members[name] = Link(clean_path(header.linkname).path[1:])
        elif header.type == tarfile.SYMTYPE:
            self._members[name] = Link(symlink_target(name, header.linkname))
