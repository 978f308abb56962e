"""A layer's table of contents as it is stored, to the JSON in it: checked, bounded, inflated.

Which bytes of the blob it takes is said here; fetching them is not done here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from layerlens.errors import DigestMismatch, LimitExceeded, MalformedInput, SizeMismatch
from layerlens.oci.digest import Digest
from layerlens.oci.table_of_contents import EstargzToc, ZstdChunkedToc
from layerlens.streams.decompression import Compression, decompressed, sniff
from layerlens.streams.limits import Limits
from layerlens.streams.tar_reader import TarReader
from layerlens.streams.verified_reader import verified_bytes

DOCUMENT_BYTES = 64 << 20
"""The most JSON that is read: some 200,000 files. Of more, the layer itself takes less memory."""

STORED_BYTES = 32 << 20
"""The most compressed bytes that are fetched for it."""

FOOTER_BYTES = 51
"""The end of every eStargz blob: an empty gzip member that tells where the TOC begins."""

_FOOTER = re.compile(rb"\x1f\x8b\x08\x04.{6}\x1a\x00SG\x16\x00([0-9a-f]{16})STARGZ.{13}", re.DOTALL)
_MEMBER_NAME = "stargz.index.json"


def chunked_range(toc: ZstdChunkedToc, blob_size: int) -> tuple[int, int]:
    """Offset and length of a zstd:chunked TOC in its blob. Raises MalformedInput, LimitExceeded."""
    if toc.offset + toc.stored_size > blob_size or not toc.stored_size:
        raise MalformedInput(f"its {toc.stored_size} bytes at {toc.offset} are not in the layer")
    _check_bounds(toc.stored_size, toc.size)
    return toc.offset, toc.stored_size


def chunked_document(toc: ZstdChunkedToc, stored: bytes, where: str, limits: Limits) -> bytes:
    """The JSON of a zstd:chunked TOC. Raises DigestMismatch, SizeMismatch, MalformedInput,
    LimitExceeded and MissingCodec."""
    data = verified_bytes(stored, digest=toc.digest, size=toc.stored_size, where=where)
    plain = decompressed(iter([data]), Compression.ZSTD, where=where, limits=limits)
    document = _bounded(plain)
    if len(document) != toc.size:
        raise SizeMismatch(f"it inflates to {len(document)} bytes, not to {toc.size}")
    return document


def estargz_range(footer: bytes, blob_size: int) -> tuple[int, int]:
    """Offset and length of an eStargz TOC in its blob, by the blob's last FOOTER_BYTES.

    Raises MalformedInput and LimitExceeded.
    """
    match = _FOOTER.fullmatch(footer)
    if match is None:
        raise MalformedInput("the layer has no eStargz footer")
    offset = int(match[1], 16)
    length = blob_size - FOOTER_BYTES - offset
    if length <= 0:
        raise MalformedInput(f"the footer says it begins at {offset}, where the layer has ended")
    _check_bounds(length, 0)
    return offset, length


def estargz_document(toc: EstargzToc, stored: bytes, where: str, limits: Limits) -> bytes:
    """The JSON of an eStargz TOC: the first member of a gzipped tar, of the declared digest.

    Raises DigestMismatch, MalformedInput and LimitExceeded.
    """
    if sniff(stored) is not Compression.GZIP:
        raise MalformedInput("no gzip stream begins where the footer says")
    plain = decompressed(iter([stored]), Compression.GZIP, where=where, limits=limits)
    reader = TarReader(plain, where, limits)
    header = reader.next_header()
    if header is None or header.name != _MEMBER_NAME or not header.isreg():
        raise MalformedInput(f"it does not begin with {_MEMBER_NAME}")
    _check_bounds(0, header.size)
    document = _bounded(reader.payload())
    _check_digest(document, toc.digest)
    return document


def _check_digest(document: bytes, digest: Digest) -> None:
    hasher = digest.hasher()
    hasher.update(document)
    if hasher.hexdigest() != digest.hex:
        raise DigestMismatch(
            f"it hashes to {digest.algorithm}:{hasher.hexdigest()}, the manifest declares {digest}"
        )


def _check_bounds(stored: int, document: int) -> None:
    for size, limit in ((stored, STORED_BYTES), (document, DOCUMENT_BYTES)):
        if size > limit:
            raise LimitExceeded(f"it has {size} bytes, at most {limit} are read")


def _bounded(pieces: Iterable[bytes | bytearray | memoryview]) -> bytes:
    document = bytearray()
    for piece in pieces:
        document += piece
        if len(document) > DOCUMENT_BYTES:
            raise LimitExceeded(
                f"it has more than {DOCUMENT_BYTES} bytes of JSON, which is not read"
            )
    return bytes(document)
