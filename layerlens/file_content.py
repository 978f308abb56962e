"""The bytes of one file: its layer streamed again up to them, and checked against the index.

Joins a source and a layer as ``loading`` does; which file is meant is for the caller to say.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Protocol

from layerlens.errors import DigestMismatch, MalformedInput, NotFound, UnsupportedInput
from layerlens.layer.entry import Entry, EntryKind
from layerlens.layer.layer_index import LayerIndex
from layerlens.layer.read_layer import LayerFacts
from layerlens.oci.digest import Digest
from layerlens.source.blob_location import FileRange, StreamMember
from layerlens.source.registry.registry_blob import RegistryBlob
from layerlens.source.stored_image import StoredLayer
from layerlens.streams.clean_path import clean_path
from layerlens.streams.decompression import decompressed, sniff
from layerlens.streams.limits import DEFAULT_LIMITS, Limits
from layerlens.streams.tar_reader import TarReader


class ReadableLayer(Protocol):
    """A layer that was verified; ``facts`` is None for one that is no tar, which has no index."""

    @property
    def stored(self) -> StoredLayer: ...
    @property
    def facts(self) -> LayerFacts | None: ...
    @property
    def index(self) -> LayerIndex: ...


def file_content(
    inode: Entry, layers: Sequence[ReadableLayer], limits: Limits = DEFAULT_LIMITS
) -> Iterator[bytes]:
    """The bytes of the file that ``inode`` lists, holes filled, in bounded pieces.

    ``inode``: the very object that one of ``layers`` has in its index, as ``Node.inode`` is;
    where it is a hard link's, a layer below the link's own may hold it. Raises, at once,
    UnsupportedInput where the layer was read from a stream and is gone; while the bytes go by,
    what reading a layer raises; and DigestMismatch at their end where they are no longer those
    that were listed.
    """
    if inode.kind is not EntryKind.FILE:
        raise MalformedInput(f"{inode.path!a} has no content")
    layer = _layer_of(inode, layers)
    location = layer.stored.location
    if location is None or isinstance(location, StreamMember):
        raise UnsupportedInput(
            f"{layer.stored.where}: was read as a stream, its files can't be read any more"
        )
    return _content(inode, layer, location, limits)


def _layer_of(inode: Entry, layers: Sequence[ReadableLayer]) -> ReadableLayer:
    for layer in reversed(layers):
        if layer.facts is not None and any(entry is inode for entry in layer.index.entries):
            return layer
    raise NotFound(f"{inode.path!a} is in none of the layers")


def _content(
    inode: Entry, layer: ReadableLayer, location: FileRange | RegistryBlob, limits: Limits
) -> Iterator[bytes]:
    where = layer.stored.where
    chunks = location.chunks()
    first = next(chunks, b"")
    plain = decompressed(itertools.chain([first], chunks), sniff(first), where=where, limits=limits)
    reader = TarReader(plain, where, limits)
    _go_to(inode, _occurrence(inode, layer.index), reader)
    listed = Digest(algorithm="sha256", hex=(inode.content or b"").hex())
    hasher = listed.hasher()
    for piece in reader.payload():
        hasher.update(piece)
        yield bytes(piece)
    if hasher.hexdigest() != listed.hex:
        raise DigestMismatch(
            f"{where}: the bytes of {inode.path!a} hash to sha256:{hasher.hexdigest()}, "
            f"they were listed as {listed}"
        )


def _occurrence(inode: Entry, index: LayerIndex) -> int:
    """How many files of that path the layer lists up to ``inode``, itself included."""
    count = 0
    for entry in index.entries:
        if entry.path == inode.path and _is_file(entry):
            count += 1
        if entry is inode:
            break
    return count


def _is_file(entry: object) -> bool:
    return isinstance(entry, Entry) and entry.kind is EntryKind.FILE


def _go_to(inode: Entry, occurrence: int, reader: TarReader) -> None:
    """Read up to the payload of the file ``inode``, the ``occurrence``-th of its path."""
    name = inode.path.rpartition("/")[2]
    while (header := reader.next_header()) is not None:
        if header.isreg() and name in header.name and clean_path(header.name).path == inode.path:
            occurrence -= 1
            if not occurrence:
                return
    raise DigestMismatch(f"{reader.where}: no longer holds {inode.path!a}, which it listed before")
