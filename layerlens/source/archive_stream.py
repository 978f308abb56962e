"""An image archive that can't be sought in: read once, front to back, or spooled to a file.

Its documents are kept; what is done with each blob as it goes by is the caller's business.
"""

from __future__ import annotations

import itertools
import re
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.errors import LimitExceeded, MalformedInput, UnsupportedInput
from layerlens.oci.quoting import quoted
from layerlens.source.blob_location import BlobLocation, StreamMember
from layerlens.source.docker_archive import digest_of_blob_name
from layerlens.source.member_store import Link, follow_links, missing, symlink_target
from layerlens.streams.clean_path import clean_path
from layerlens.streams.decompression import decompressed, joined_start, sniff
from layerlens.streams.limits import MIB, Limits
from layerlens.streams.tar_header import BLOCK, TarHeader
from layerlens.streams.tar_reader import TarReader
from layerlens.streams.verified_reader import verified

DOCUMENT_LIMIT = 4 * MIB
_DOCUMENTS_LIMIT = 64 * MIB
_PREFIX_BYTES = 1 << 16
_ARCHIVE_NAME = re.compile(
    r"blobs(/.*)?|oci-layout|repositories|[^/]*\.json"
    r"|(sha256:)?[0-9a-f]{64}(\.tar(\.gz)?|/.*)?"
)


def plain_chunks(chunks: Iterator[bytes], where: str, limits: Limits) -> Iterator[bytes]:
    """The chunks of an archive with its own wrapping (gzip, zstd, bzip2, xz) undone."""
    first = joined_start(chunks)
    return decompressed(itertools.chain([first], chunks), sniff(first), where=where, limits=limits)


@dataclass(frozen=True, slots=True)
class StreamStart:
    """``first_name``: the archive's first member that has a name. ``chunks``: the whole archive."""

    first_name: str | None
    chunks: Iterator[bytes]

    def is_image_archive(self) -> bool:
        """Whether it begins as image archives do, so that its order allows one pass."""
        return self.first_name is not None and bool(_ARCHIVE_NAME.fullmatch(self.first_name))


def check_start(start: bytes, where: str) -> None:
    """Raise MalformedInput unless a tar may begin with ``start``, its first BLOCK bytes."""
    try:
        if len(start) < BLOCK:
            raise MalformedInput(f"{len(start)} bytes")
        if start.strip(b"\0"):
            TarHeader.frombuf(start[:BLOCK], "utf-8", "surrogateescape")
    except MalformedInput as error:
        raise MalformedInput(
            f"{where}: no image: it is not compressed in a way that layerlens knows, "
            f"and does not begin as a tar does ({error})"
        ) from error


def look_at_start(chunks: Iterator[bytes], where: str, limits: Limits) -> StreamStart:
    """Read as far as the first member's name; nothing is lost of ``chunks``.

    Raises MalformedInput for what is no tar, and UnsupportedInput for an empty one, before the
    rest of an endless stream is asked for.
    """
    prefix: list[bytes] = []
    size = 0
    for chunk in chunks:
        prefix.append(chunk)
        size += len(chunk)
        if size >= _PREFIX_BYTES:
            break
    start = b"".join(prefix)
    if start:
        check_start(start, where)
    if start and not start.strip(b"\0"):
        raise UnsupportedInput(f"{where}: a tar with no members")
    reader = TarReader(iter(prefix), where, limits)
    name: str | None = None
    while not name:
        try:
            header = reader.next_header()
        except MalformedInput:
            break
        if header is None:
            break
        name = clean_path(header.name).path[1:]
    return StreamStart(name, itertools.chain(prefix, chunks))


def spool(chunks: Iterator[bytes]) -> tempfile._TemporaryFileWrapper[bytes]:
    """A temporary file that holds all of ``chunks``; it is gone once it is closed.

    Raises OSError with the file's name where it can't be written.
    """
    file = tempfile.NamedTemporaryFile(prefix="layerlens-", suffix=".tar", buffering=0)  # noqa: SIM115
    try:
        for chunk in chunks:
            _write_whole(file, chunk)
    except BaseException:
        file.close()
        raise
    return file


def _write_whole(file: tempfile._TemporaryFileWrapper[bytes], chunk: bytes) -> None:
    rest = memoryview(chunk)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        reason = f"{error.strerror} (TMPDIR names the directory for temporary files)"
        raise OSError(error.errno, reason, file.name) from error


class ArchiveStream:
    """The members of a tar stream, each met once. Implements MemberStore for its documents."""

    def __init__(self, chunks: Iterator[bytes], where: str, limits: Limits) -> None:
        self._where = where
        self._limits = limits
        self._reader = TarReader(chunks, where, limits)
        self._members: dict[str, BlobLocation | Link] = {}
        self._documents: dict[str, bytes] = {}
        self._documents_bytes = 0
        self.warnings: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Names the archive in errors."""
        return self._where

    def blobs(self) -> Iterator[tuple[StreamMember, Iterator[bytes]]]:
        """Each member that may be a layer, with its bytes, to be read before the next is asked
        for. Raises MalformedInput where the archive is damaged or cut short."""
        reader = self._reader
        count = 0
        while (header := reader.next_header()) is not None:
            count += 1
            if count > self._limits.entries:
                raise LimitExceeded(f"{self._where}: has more than {count - 1} members")
            name = clean_path(header.name).path[1:]
            if header.type == tarfile.LNKTYPE:
                self._members[name] = Link(clean_path(header.linkname).path[1:])
            elif header.type == tarfile.SYMTYPE:
                self._members[name] = Link(symlink_target(name, header.linkname))
            elif header.type == tarfile.REGTYPE:
                self._documents.pop(name, None)  # listed again, the last counts
                member = StreamMember(name, header.size)
                self._members[name] = member
                yield from self._blob(member)
        reader.drain()
        if not reader.end_marker_seen:
            raise MalformedInput(f"{self._where}: truncated: no end-of-archive marker")
        self.warnings = tuple(reader.warnings)

    def find(self, name: str) -> BlobLocation | None:
        """Which member it is; see MemberStore."""
        return follow_links(self._members, name, self._where)

    def read(self, name: str, limit: int) -> bytes:
        """A document's bytes; see MemberStore."""
        member = self.find(name)
        if not isinstance(member, StreamMember):
            raise missing(self._where, name)
        if member.size > limit:
            raise LimitExceeded(
                f"{self._where}: {quoted(name)} has {member.size} bytes, at most {limit} are read"
            )
        if not member.size:
            return b""
        if member.name not in self._documents:
            raise MalformedInput(f"{self._where}: {quoted(name)} is no document")
        return self._documents[member.name]

    def _blob(self, member: StreamMember) -> Iterator[tuple[StreamMember, Iterator[bytes]]]:
        reader = self._reader
        if member.size > DOCUMENT_LIMIT:
            pieces = (bytes(piece) for piece in reader.payload())
            first = joined_start(pieces, BLOCK)
            if _may_be_layer(first):
                yield member, itertools.chain([first], pieces)
            else:
                self._check(member, itertools.chain([first], pieces))
            return
        data = reader.read_payload(DOCUMENT_LIMIT)
        if _may_be_layer(data):
            yield member, iter([data])
            return
        self._check(member, iter([data]))
        self._documents_bytes += len(data)
        if self._documents_bytes > _DOCUMENTS_LIMIT:
            raise LimitExceeded(
                f"{self._where}: has more than {_DOCUMENTS_LIMIT} bytes of documents"
            )
        self._documents[member.name] = data

    def _check(self, member: StreamMember, chunks: Iterator[bytes]) -> None:
        """Hash a blob that no layer's reader will hash."""
        digest = digest_of_blob_name(member.name)
        if digest is not None:
            where = f"{self._where}: {quoted(member.name)}"
            for _ in verified(chunks, digest=digest, size=None, where=where):
                pass


def _may_be_layer(start: bytes) -> bool:
    """Whether a member begins as a tar or a compressed stream; an empty one is an empty layer."""
    block = start[:BLOCK]
    if not block or sniff(block).value != "none":
        return True
    if len(block) < BLOCK:
        return False
    if not block.strip(b"\0"):
        return True
    try:
        TarHeader.frombuf(block, "utf-8", "surrogateescape")
    except MalformedInput:
        return False
    return True
