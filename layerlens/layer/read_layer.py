"""A layer's bytes, compressed or not, read once: verified, inflated, hashed and listed."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.errors import DigestMismatch
from layerlens.layer.layer_index import LayerIndex
from layerlens.layer.tar_entries import EntryReader
from layerlens.oci.digest import Digest
from layerlens.streams.decompression import Compression, decompressed, joined_start, sniff
from layerlens.streams.limits import DEFAULT_LIMITS, Limits
from layerlens.streams.overlap import overlapped
from layerlens.streams.tar_reader import TarReader
from layerlens.streams.verified_reader import verified


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFacts:
    """What is said of a layer without listing it.

    ``size``: uncompressed bytes; ``stored_size``: bytes as stored; ``entries``: how many.
    ``closed``: whether the tar has its end-of-archive marker, without which only a DiffID tells
    that nothing is missing.
    """

    diff_id: Digest
    size: int
    entries: int
    warnings: tuple[str, ...]
    compression: Compression
    stored_size: int
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerReading:
    """What one pass over a stored layer gave: its index, and how it was stored."""

    index: LayerIndex
    compression: Compression
    stored_size: int
    closed: bool

    def facts(self) -> LayerFacts:
        """The reading without the list of entries."""
        return LayerFacts(
            diff_id=self.index.diff_id,
            size=self.index.size,
            entries=len(self.index.entries),
            warnings=self.index.warnings,
            compression=self.compression,
            stored_size=self.stored_size,
            closed=self.closed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a manifest and a config promise of a layer; None where they promise nothing.

    ``blob_digest`` and ``blob_size``: of the stored bytes. ``diff_id``: of the uncompressed ones.
    """

    blob_digest: Digest | None = None
    blob_size: int | None = None
    diff_id: Digest | None = None


class _Tally:
    """Counts and hashes what passes."""

    def __init__(self, algorithm: str) -> None:
        self._algorithm = algorithm
        self._hasher = hashlib.new(algorithm)
        self.count = 0

    def passing(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        update = self._hasher.update
        for chunk in chunks:
            self.count += len(chunk)
            update(chunk)
            yield chunk

    def digest(self) -> Digest:
        return Digest(algorithm=self._algorithm, hex=self._hasher.hexdigest())


def read_layer(
    chunks: Iterator[bytes],
    expected: Expected,
    *,
    where: str,
    limits: Limits = DEFAULT_LIMITS,
    threads: int = 1,
) -> LayerReading:
    """Read the layer to its last byte and list it.

    ``chunks``: the stored bytes; ``where`` names the layer in errors. ``threads``: with 2 the
    layer is inflated in one while it is hashed and listed in the other. Raises DigestMismatch and
    SizeMismatch where the bytes are not what is expected, MalformedInput, LimitExceeded and
    MissingCodec.
    """
    first = joined_start(chunks)
    compression = sniff(first)
    plain_and_named_once = (
        compression is Compression.NONE and expected.blob_digest == expected.diff_id
    )
    stored = verified(
        itertools.chain([first], chunks),
        digest=None if plain_and_named_once else expected.blob_digest,
        size=expected.blob_size,
        where=where,
    )
    counted = _Count()
    plain = decompressed(counted.passing(stored), compression, where=where, limits=limits)
    with contextlib.ExitStack() as stack:
        if threads > 1:
            plain = stack.enter_context(contextlib.closing(overlapped(plain)))
        index, closed = _listed(plain, expected.diff_id, where, limits)
    return LayerReading(
        index=index, compression=compression, stored_size=counted.count, closed=closed
    )


class _Count:
    """Counts the bytes that pass."""

    def __init__(self) -> None:
        self.count = 0

    def passing(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.count += len(chunk)
            yield chunk


def _listed(
    plain: Iterator[bytes], diff_id: Digest | None, where: str, limits: Limits
) -> tuple[LayerIndex, bool]:
    tally = _Tally(diff_id.algorithm if diff_id else "sha256")
    reader = TarReader(tally.passing(plain), where, limits)
    entry_reader = EntryReader(reader, limits)
    entries = tuple(entry_reader)
    reader.drain()
    found = tally.digest()
    if diff_id is not None and found != diff_id:
        raise DigestMismatch(
            f"{where}: its uncompressed bytes hash to {found}, the config's diff_id is {diff_id}"
        )
    closed = reader.end_marker_seen or not tally.count
    warnings = entry_reader.warnings
    if not closed:
        warnings = (*warnings, "the tar has no end-of-archive marker")
    index = LayerIndex(diff_id=found, size=tally.count, entries=entries, warnings=warnings)
    return index, closed
