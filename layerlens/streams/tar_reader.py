"""A tar stream walked block by block: headers decoded by tarfile, extension headers applied.

tarfile's own iteration ends silently at a bad checksum or a truncation, and keeps every member;
this walk does neither. Header-only types (directories, links, devices) have no payload whatever
size they declare, as Go's archive/tar, and so containerd, reads them.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from hashlib import sha256

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.oci.quoting import quoted, quoted_bytes
from layerlens.streams.chunk_cursor import ChunkCursor
from layerlens.streams.limits import DEFAULT_LIMITS, MIB, Limits
from layerlens.streams.pax_records import PaxRecord, parse_pax_records
from layerlens.streams.tar_header import BLOCK, TarHeader
from layerlens.streams.tar_sparse import SparseMap, old_gnu_sparse, pax_sparse

MAX_EXTENSION_BYTES = MIB
MAX_EXTENSION_CHAIN = 8

_SOLARIS_XHDTYPE = b"X"
_EXTENSIONS = (
    tarfile.XHDTYPE,
    _SOLARIS_XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_HEADER_ONLY = frozenset(
    (
        tarfile.DIRTYPE,
        tarfile.LNKTYPE,
        tarfile.SYMTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
    )
)
_EMPTY_SHA256 = sha256(b"").digest()
_ZEROS = bytes(MIB)


class TarReader(ChunkCursor):
    """One pass over a tar stream: ``next_header``, then what is wanted of that member's payload.

    ``chunks``: the tar's bytes. ``where``: names the tar in errors. ``offset`` counts bytes from
    the tar's start. ``skip`` passes over that many bytes of a source that can seek, and says how
    many there were.
    """

    def __init__(
        self,
        chunks: Iterator[bytes],
        where: str,
        limits: Limits = DEFAULT_LIMITS,
        *,
        skip: Callable[[int], int] | None = None,
    ) -> None:
        super().__init__(chunks, where, skip)
        self.records: list[PaxRecord] = []
        self.sparse: SparseMap | None = None
        self.end_marker_seen = False
        self._limits = limits
        self._payload = 0
        self._padding = 0
        self._metadata_bytes = 0
        self._hole_bytes = 0
        self._oversized = 0
        self._first_oversized: tuple[str, int] | None = None
        self._global_records = 0
        self._trailing = False

    @property
    def warnings(self) -> list[str]:
        """What was odd so far without being wrong, a sentence each."""
        found = []
        if self._first_oversized is not None:
            name, size = self._first_oversized
            found.append(
                f"{self._oversized} links, directories or devices declare a size, which their "
                f"type cannot have; read without, as containerd does; the first is "
                f"{quoted(name)} with {size} bytes"
            )
        if self._global_records:
            found.append("global PAX records are ignored, as containerd does")
        if self._trailing:
            found.append("trailing data after the end-of-archive marker is not read")
        return found

    @property
    def payload_bytes(self) -> int:
        """Stored bytes of the current member that are not read yet (holes not counted)."""
        return self._payload

    def next_header(self) -> TarHeader | None:
        """The next member's header, PAX and GNU extensions applied; None after the last.

        What is left of the current payload is skipped. ``records`` then holds the member's PAX
        records and ``sparse`` its map of data. Raises MalformedInput and LimitExceeded.
        """
        if self._payload or self._padding:
            end = self._position + self._payload + self._padding
            if end <= len(self._buffer):
                self._position = end
            else:
                self._skip(self._payload)
                self._skip_padding()
        self._payload = self._padding = 0
        start = self._buffer_offset + self._position
        block = self._block()
        if block is None:
            return None
        try:
            header = TarHeader.frombuf(block, "utf-8", "surrogateescape")
            if self.records:
                self.records = []
            self.sparse = None
            if header.type == tarfile.REGTYPE:
                self._payload = header.size
                self._padding = -header.size % BLOCK
            elif header.type not in _HEADER_ONLY:
                header = self._start_odd(header, block)
            elif header.size and header.type != tarfile.LNKTYPE:
                self._warn_of_size(header)
        except MalformedInput as error:
            if str(error).startswith(self.where):
                raise
            raise type(error)(f"{self.where}: at byte {start}: {error}") from error
        self._name = header.name
        return header

    def payload(self) -> Iterator[bytes | memoryview]:
        """The current member's bytes, its holes filled with NULs, in bounded pieces."""
        if self.sparse is None:
            yield from self._stored(self._payload)
            return
        at = 0
        for offset, length in self.sparse.segments:
            yield from _hole(offset - at)
            yield from self._stored(length)
            at = offset + length
        yield from _hole(self.sparse.size - at)

    def payload_sha256(self) -> bytes:
        """The SHA-256 of what ``payload`` would give, which is thereby read."""
        size = self._payload
        if self.sparse is None:
            if not size:
                return _EMPTY_SHA256
            start = self._position
            end = start + size
            if end <= len(self._buffer):
                self._position = end
                self._payload = 0
                return sha256(self._view[start:end]).digest()
        hasher = sha256()
        for piece in self.payload():
            hasher.update(piece)
        return hasher.digest()

    def read_payload(self, limit: int) -> bytes:
        """The whole payload; raises LimitExceeded where it has more than ``limit`` bytes."""
        size = self.sparse.size if self.sparse else self._payload
        if size > limit:
            raise LimitExceeded(
                f"{self.where}: {quoted(self._name)} has {size} bytes, "
                f"at most {limit} are read here"
            )
        return b"".join(self.payload())

    def drain(self, limit: int | None = None) -> None:
        """Read to the stream's end, so that all of it is counted and hashed by the stages before;
        with a ``limit``, only so many bytes and the rest of a chunk.

        After the end marker there may be NULs; anything else becomes a warning.
        """
        end = None if limit is None else self.offset + limit
        while True:
            if self._buffer[self._position :].strip(b"\0"):
                self._trailing = True
            if not self._refill() or (end is not None and self.offset > end):
                break

    def _with_extensions(self, header: TarHeader) -> tuple[TarHeader, bytes]:
        """Read extension headers up to the member that they describe, and apply them to it."""
        records: list[PaxRecord] = []
        long_name: str | None = None
        long_link: str | None = None
        for _ in range(MAX_EXTENSION_CHAIN):
            body = self._extension_body(header)
            if header.type == tarfile.GNUTYPE_LONGNAME:
                long_name = _until_nul(body)
            elif header.type == tarfile.GNUTYPE_LONGLINK:
                long_link = _until_nul(body)
            elif header.type == tarfile.XGLTYPE:
                if any(keyword != b"comment" for keyword, _ in parse_pax_records(body)):
                    self._global_records += 1
            else:
                records = parse_pax_records(body)
            block = self._block()
            if block is None:
                raise MalformedInput("an extension header with no member after it")
            header = TarHeader.frombuf(block, "utf-8", "surrogateescape")
            if header.type not in _EXTENSIONS:
                break
        else:
            raise LimitExceeded(f"more than {MAX_EXTENSION_CHAIN} extension headers in a row")
        if long_name is not None:
            header.name = long_name
        if long_link is not None:
            header.linkname = long_link
        self.records = records
        _apply_records(header, records)
        return header, block

    def _extension_body(self, header: TarHeader) -> bytes:
        if header.size > MAX_EXTENSION_BYTES:
            raise LimitExceeded(
                f"an extension header of {header.size} bytes; "
                f"at most {MAX_EXTENSION_BYTES} are read"
            )
        self._metadata_bytes += header.size
        if self._metadata_bytes > self._limits.metadata_bytes:
            raise LimitExceeded(
                f"more than {self._limits.metadata_bytes} bytes of extension headers "
                "(raise with --limit metadata-bytes=N)"
            )
        body = self._take(header.size)
        self._skip(-header.size % BLOCK)
        return body

    def _start_odd(self, header: TarHeader, block: bytes) -> TarHeader:
        """A member with extension headers before it, or of an unusual type."""
        if header.type in _EXTENSIONS:
            header, block = self._with_extensions(header)
        if header.type in _HEADER_ONLY:
            if header.size and header.type != tarfile.LNKTYPE:
                self._warn_of_size(header)
            return header
        self._payload = header.size
        self._padding = -header.size % BLOCK
        if header.type == tarfile.GNUTYPE_SPARSE:
            self.sparse = old_gnu_sparse(block, self._take)
        elif header.type != tarfile.REGTYPE:
            raise MalformedInput(
                f"{quoted(header.name)} has the unknown tar type {quoted_bytes(header.type)}"
            )
        elif self.records:
            before = self.offset
            self.sparse = pax_sparse(self.records, self._take)
            self._payload -= self.offset - before
        if self.sparse is not None:
            self._check_sparse(self.sparse, header)
        return header

    def _check_sparse(self, sparse: SparseMap, header: TarHeader) -> None:
        if sparse.stored_bytes() != self._payload:
            raise MalformedInput(
                f"{quoted(header.name)}: its sparse map does not fit its stored bytes"
            )
        header.type = tarfile.REGTYPE
        self._hole_bytes += sparse.size - self._payload
        if self._hole_bytes > self._limits.hole_bytes:
            raise LimitExceeded(
                f"{quoted(header.name)}: sparse files claim more than {self._limits.hole_bytes} "
                "bytes of holes (raise with --limit hole-bytes=N)"
            )
        header.size = sparse.size

    def _warn_of_size(self, header: TarHeader) -> None:
        self._oversized += 1
        self._first_oversized = self._first_oversized or (header.name, header.size)

    def _block(self) -> bytes | None:
        """The next header block; None at the end of the archive."""
        position = self._position
        end = position + BLOCK
        if end <= len(self._buffer):
            block = self._buffer[position:end]
            self._position = end
        elif position == len(self._buffer) and not self._refill():
            return None
        else:
            block = self._take(BLOCK)
        if block[0] == 0 and not block.strip(b"\0"):
            self._end_marker()
            return None
        return block

    def _end_marker(self) -> None:
        """An archive ends with two blocks of NULs. One alone and then more is refused, as Go's
        reader does: it would hide members."""
        second = b""
        while len(second) < BLOCK:
            piece = self._buffer[self._position : self._position + BLOCK - len(second)]
            if not piece and not self._refill():
                break
            second += piece
            self._position += len(piece)
        if second.strip(b"\0"):
            raise MalformedInput(
                f"{self.where}: at byte {self.offset - len(second)}: data after a single block "
                "of NULs; two end an archive"
            )
        self.end_marker_seen = True

    def _stored(self, size: int) -> Iterator[memoryview]:
        for piece in self._pieces(size):
            self._payload -= len(piece)
            yield piece

    def _skip_padding(self) -> None:
        """Pass over what fills the last block; umoci writes layers that end without it."""
        size = self._padding
        end = self._position + size
        if end <= len(self._buffer):
            self._position = end
            return
        at_end = self._position == len(self._buffer) and not self._refill()
        if not at_end:
            self._skip(size)


def _hole(size: int) -> Iterator[memoryview]:
    zeros = memoryview(_ZEROS)
    while size:
        count = min(size, len(zeros))
        yield zeros[:count]
        size -= count


def _until_nul(body: bytes) -> str:
    return body.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _apply_records(header: TarHeader, records: list[PaxRecord]) -> None:
    for keyword, value in records:
        if not value:
            continue  # an empty value takes the header's own (POSIX)
        if keyword == b"path":
            header.name = _path_value(value)
        elif keyword == b"linkpath":
            header.linkname = _path_value(value)
        elif keyword in (b"size", b"uid", b"gid"):
            if not value.isdigit() or len(value) > 20:
                raise MalformedInput(f"bad PAX {keyword.decode()}: {quoted_bytes(value)}")
            setattr(header, keyword.decode(), int(value))
    for keyword, value in records:
        if keyword == b"GNU.sparse.name" and value:  # form 1.0 puts a made-up name into ``path``
            header.name = _path_value(value)


def _path_value(value: bytes) -> str:
    if b"\0" in value:
        raise MalformedInput("a NUL in a PAX path")
    return value.decode("utf-8", "surrogateescape")
