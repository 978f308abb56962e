"""Compressed chunks in, plain chunks out, by what the first bytes are and never by a name.

gzip (with several members, as eStargz has), zstd, bzip2, xz and plain. Output comes in bounded
chunks, so that a bomb costs time until a limit is met, and no memory. With the extra ``fast``,
gzip is inflated by isal; the bytes are the same.
"""

from __future__ import annotations

import enum
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from layerlens.errors import LimitExceeded, MalformedInput, MissingCodec
from layerlens.streams.limits import DEFAULT_LIMITS, Limits

CHUNK = 3 << 16
"""The most bytes of one decompressed chunk."""

# Having freed so much at once, glibc gives less no more back to the system (mallopt(3), "dynamic
# mmap threshold"), so that each chunk takes the pages of the last without a fault for every page.
bytes(1 << 24)

SNIFF_BYTES = 10

_MAX_EMPTY_MEMBERS = 10_000
_XZ_MEMORY = 256 << 20
_SLICE = 1 << 16
"""Compressed bytes handed to a member that is not the first in its chunk: what it leaves is copied
for the next one, which for a thousand small members in a chunk would cost a thousand chunks."""


class Compression(enum.Enum):
    """How a stream is compressed; the value is the word shown to people."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    BZIP2 = "bzip2"
    XZ = "xz"


_MAGIC = (
    (b"\x1f\x8b\x08", Compression.GZIP),
    (b"\x28\xb5\x2f\xfd", Compression.ZSTD),
    (b"\xfd7zXZ\x00", Compression.XZ),
)
_BZIP2_BLOCKS = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")


def sniff(start: bytes) -> Compression:
    """The compression that a stream's first bytes (SNIFF_BYTES of them suffice) show."""
    for magic, compression in _MAGIC:
        if start.startswith(magic):
            return compression
    # Three letters would be too little: a plain tar begins with a file's name.
    if start[:3] == b"BZh" and start[4:10] in _BZIP2_BLOCKS:
        return Compression.BZIP2
    # A zstd stream may open with a skippable frame (RFC 8878 section 3.1.2).
    if len(start) >= 4 and 0x50 <= start[0] <= 0x5F and start[1:4] == b"\x2a\x4d\x18":
        return Compression.ZSTD
    return Compression.NONE


def joined_start(chunks: Iterator[bytes], size: int = SNIFF_BYTES) -> bytes:
    """What the first chunks hold, as many of them as have ``size`` bytes; less at the end.

    A pipe may hand over a single byte, and a member may begin at the very end of a chunk.
    """
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) >= size:
            break
    return start


class Decompressor(Protocol):
    """What bz2, lzma, zstd and isal's decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _ZlibDecompressor:
    """zlib's decompressobj behind the interface of the other modules."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._filled = False

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def needs_input(self) -> bool:
        return not self._filled and not self._inflater.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        plain = self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)
        # A full chunk may leave output inside zlib with no input left over.
        self._filled = len(plain) == max_length
        return plain


class _IsalDecompressor:
    """isal's decompressor for a member whose header it reads as zlib does, else zlib's.

    isal 1.9 ignores reserved flags, and misreads a header with optional fields that is not handed
    over in one piece.
    """

    def __init__(self, make_isal: Callable[[], Decompressor]) -> None:
        self._make_isal = make_isal
        self._inflater: Decompressor | None = None

    @property
    def eof(self) -> bool:
        return self._inflater is not None and self._inflater.eof

    @property
    def needs_input(self) -> bool:
        return self._inflater is None or self._inflater.needs_input

    @property
    def unused_data(self) -> bytes:
        return b"" if self._inflater is None else self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if self._inflater is None:
            self._inflater = self._make_isal() if _plain_gzip_header(data) else _ZlibDecompressor()
        return self._inflater.decompress(data, max_length)


def _plain_gzip_header(start: bytes) -> bool:
    """Whether a member starts with a whole header without reserved flags (RFC 1952, 2.3)."""
    if len(start) < 10 or start[3] & 0xE0:
        return False
    flags, end = start[3], 10
    if flags & 4:  # FEXTRA
        end += 2 + int.from_bytes(start[10:12], "little")
    for flag in (8, 16):  # FNAME, FCOMMENT
        if flags & flag:
            nul = start.find(b"\0", end)
            if nul < 0:
                return False
            end = nul + 1
    return end + (flags & 2) <= len(start)  # FHCRC is two bytes


def _gzip_decompressor() -> Callable[[], Decompressor]:
    try:
        from isal import igzip_lib
    except ImportError:
        return _ZlibDecompressor
    return lambda: _IsalDecompressor(
        lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    )


def _zstd_decompressor(where: str, limits: Limits) -> Callable[[], Decompressor]:
    try:
        from compression import zstd  # Python 3.14 and newer
    except ImportError:
        try:
            from backports import zstd
        except ImportError:
            raise MissingCodec(
                f"{where}: is compressed with zstd, which this Python reads with backports.zstd: "
                "pip install backports.zstd"
            ) from None
    options = {zstd.DecompressionParameter.window_log_max: limits.zstd_window_log}
    return lambda: zstd.ZstdDecompressor(options=options)


def _factory(compression: Compression, where: str, limits: Limits) -> Callable[[], Decompressor]:
    if compression is Compression.GZIP:
        return _gzip_decompressor()
    if compression is Compression.ZSTD:
        return _zstd_decompressor(where, limits)
    if compression is Compression.BZIP2:
        import bz2

        return bz2.BZ2Decompressor
    import lzma

    return lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY)


def decompressed(
    chunks: Iterator[bytes],
    compression: Compression,
    *,
    where: str,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[bytes]:
    """The plain bytes of ``chunks``, in chunks of at most CHUNK bytes when compressed.

    Members and frames that follow each other are read as one stream; NULs after the last one are
    padding. Raises MalformedInput for damage, truncation and trailing rubbish, MissingCodec, and
    LimitExceeded for ``limits.inflated_bytes`` and ``limits.inflation_ratio``.
    """
    if compression is Compression.NONE:
        return chunks
    return _inflated(chunks, compression, where, limits)


def _inflated(
    chunks: Iterator[bytes], compression: Compression, where: str, limits: Limits
) -> Iterator[bytes]:
    make = _factory(compression, where, limits)
    decompressor: Decompressor | None = None  # None before, between and after members
    ended = empty = taken = given = 0
    for chunk in chunks:
        taken += len(chunk)
        data, rest = chunk, b""
        while data or rest or (decompressor is not None and not decompressor.needs_input):
            if not data and (decompressor is None or decompressor.needs_input):
                data, rest = rest[:_SLICE], rest[_SLICE:]
            if decompressor is None:
                data = data.lstrip(b"\0") if ended else data
                if not data:
                    continue
                decompressor = make()
                before = given
            try:
                plain = decompressor.decompress(data, CHUNK)
            except Exception as error:
                problem = _problem(error, compression, ended, taken, limits)
                if problem is None:
                    raise
                raise type(problem)(f"{where}: {problem}") from error
            data = b""
            if plain:
                given += len(plain)
                _check_limits(taken, given, where, limits)
                yield plain
            if decompressor.eof:
                data = decompressor.unused_data
                if len(data) > _SLICE:  # all of the chunk's, so that there is no rest yet
                    data, rest = data[:_SLICE], data[_SLICE:]
                decompressor = None
                ended += 1
                empty = empty + 1 if given == before else 0
                if empty > _MAX_EMPTY_MEMBERS:
                    raise LimitExceeded(
                        f"{where}: more than {_MAX_EMPTY_MEMBERS} empty {compression.value} "
                        "streams in a row"
                    )
    if decompressor is not None:
        raise MalformedInput(
            f"{where}: truncated: its {compression.value} stream is not complete "
            f"after {taken} compressed bytes"
        )


def _problem(
    error: Exception, compression: Compression, ended: int, taken: int, limits: Limits
) -> MalformedInput | None:
    """What an error of a decompressor means, its place not named; None where it is no damage."""
    text = str(error)
    if "too much memory" in text:
        return LimitExceeded(
            f"its zstd stream has a window of more than 2^{limits.zstd_window_log} bytes "
            "(raise with --limit zstd-window-log=N)"
        )
    if "Memory usage limit" in text:
        return LimitExceeded(f"its xz stream needs more than {_XZ_MEMORY} bytes of memory")
    if not _is_damage(error):
        return None
    word = compression.value
    what = f"rubbish after a {word} stream, or one damaged," if ended else f"damaged {word} stream"
    return MalformedInput(f"{what} within the first {taken} compressed bytes: {text}")


def _is_damage(error: Exception) -> bool:
    # isal.igzip_lib.error, lzma.LZMAError and ZstdError are not imported just to be named here.
    return isinstance(error, zlib.error | OSError | EOFError | ValueError) or type(
        error
    ).__name__ in (
        "LZMAError",
        "ZstdError",
        "IsalError",
        "error",
    )


def _check_limits(taken: int, given: int, where: str, limits: Limits) -> None:
    if given > limits.inflated_bytes:
        raise LimitExceeded(
            f"{where}: inflates to more than {limits.inflated_bytes} bytes "
            "(raise with --limit inflated-bytes=N)"
        )
    if given > limits.inflation_floor and given > taken * limits.inflation_ratio:
        raise LimitExceeded(
            f"{where}: inflates to more than {limits.inflation_ratio} times its size "
            "(raise with --limit inflation-ratio=N)"
        )
