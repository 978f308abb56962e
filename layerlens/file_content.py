"""The bytes of files: their layer streamed again up to them, and checked against the index.

Joins a source and a layer as ``loading`` does; which file is meant is for the caller to say.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Protocol

from layerlens.errors import DigestMismatch, MalformedInput, NotFound, UnsupportedInput
from layerlens.layer.entry import Entry, EntryKind
from layerlens.layer.layer_index import LayerIndex
from layerlens.layer.read_layer import LayerFacts
from layerlens.oci.digest import Digest
from layerlens.oci.quoting import quoted
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
    inode: Entry,
    layers: Sequence[ReadableLayer],
    limits: Limits = DEFAULT_LIMITS,
    check: Callable[[], object] = lambda: None,
) -> Iterator[bytes]:
    """The bytes of the file that ``inode`` lists, holes filled, in bounded pieces.

    ``inode``: the very object that one of ``layers`` has in its index, as ``Node.inode`` is;
    where it is a hard link's, a layer below the link's own may hold it. ``check`` is called now
    and then on the way to the file too, and may raise to end the reading. Raises, at once,
    UnsupportedInput where the layer was read from a stream and is gone; while the bytes go by,
    what reading a layer raises; and DigestMismatch at their end where they are no longer those
    that were listed.
    """
    if inode.kind is not EntryKind.FILE:
        raise MalformedInput(f"{quoted(inode.path)} has no content")
    layer = _layer_of(inode, layers)
    return _content(inode, layer, _location(layer), limits, check)


def small_files(
    wanted: Sequence[Entry], layer: ReadableLayer, limits: Limits = DEFAULT_LIMITS
) -> Iterator[tuple[Entry, bytes]]:
    """The whole content of files that ``layer`` lists, in one pass that ends with the last.

    Each is held in memory, so they should be small. Those whose bytes are no longer what was
    listed are left out. Raises as ``file_content`` does.
    """
    location = _location(layer)
    by_path: dict[str, list[Entry]] = {}
    for entry in wanted:
        by_path.setdefault(entry.path, []).append(entry)
    reader = _reader(layer, location, limits)
    names = {path.rpartition("/")[2] for path in by_path}
    while by_path and (header := reader.next_header()) is not None:
        if not header.isreg() or header.name.rpartition("/")[2] not in names:
            continue
        path = clean_path(header.name).path
        entries = by_path.get(path, ())
        if not any(entry.size == header.size for entry in entries):
            continue
        content = b"".join(reader.payload())
        digest = sha256(content).digest()
        for entry in [entry for entry in entries if entry.content == digest]:
            by_path[path].remove(entry)
            yield entry, content
        if not by_path[path]:
            del by_path[path]


def _layer_of(inode: Entry, layers: Sequence[ReadableLayer]) -> ReadableLayer:
    for layer in reversed(layers):
        if layer.facts is not None and any(entry is inode for entry in layer.index.entries):
            return layer
    raise NotFound(f"{quoted(inode.path)} is in none of the layers")


def _location(layer: ReadableLayer) -> FileRange | RegistryBlob:
    location = layer.stored.location
    if location is None or isinstance(location, StreamMember):
        raise UnsupportedInput(
            f"{layer.stored.where}: was read as a stream, its files can't be read any more"
        )
    return location


def _reader(
    layer: ReadableLayer,
    location: FileRange | RegistryBlob,
    limits: Limits,
    check: Callable[[], object] = lambda: None,
) -> TarReader:
    where = layer.stored.where
    chunks = _checked(location.chunks(), check)
    first = next(chunks, b"")
    plain = decompressed(itertools.chain([first], chunks), sniff(first), where=where, limits=limits)
    return TarReader(plain, where, limits)


def _checked(chunks: Iterator[bytes], check: Callable[[], object]) -> Iterator[bytes]:
    for chunk in chunks:
        check()
        yield chunk


def _content(
    inode: Entry,
    layer: ReadableLayer,
    location: FileRange | RegistryBlob,
    limits: Limits,
    check: Callable[[], object],
) -> Iterator[bytes]:
    reader = _reader(layer, location, limits, check)
    _go_to(inode, _occurrence(inode, layer.index), reader)
    listed = Digest(algorithm="sha256", hex=(inode.content or b"").hex())
    hasher = listed.hasher()
    for piece in reader.payload():
        hasher.update(piece)
        yield bytes(piece)
    if hasher.hexdigest() != listed.hex:
        raise DigestMismatch(
            f"{layer.stored.where}: the bytes of {quoted(inode.path)} hash to "
            f"sha256:{hasher.hexdigest()}, they were listed as {listed}"
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
    raise DigestMismatch(
        f"{reader.where}: no longer holds {quoted(inode.path)}, which it listed before"
    )
