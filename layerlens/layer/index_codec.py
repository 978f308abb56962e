"""A layer's reading as bytes and back: what the cache keeps and what a worker process hands over.

Columns rather than records, so that a million entries cost a few joins. Nothing is executed or
believed on the way back: a checksum covers all, and every column must fit the others.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterator
from hashlib import sha256
from itertools import repeat

from layerlens.errors import MalformedInput
from layerlens.layer.entry import Entry, EntryKind, LayerEntry, OpaqueWhiteout, Whiteout
from layerlens.layer.layer_index import LayerIndex
from layerlens.layer.read_layer import LayerReading
from layerlens.oci.digest import Digest
from layerlens.oci.json_fields import parse_object
from layerlens.streams.decompression import Compression

MAGIC = b"layerlens index 1\n"
"""Changes with the format, and whenever the same layer would be indexed differently."""

_WHITEOUT = "w"
_OPAQUE = "o"
_KINDS = {kind.value: kind for kind in EntryKind}
_DIGEST_BYTES = 32
_LINKS = (EntryKind.SYMLINK, EntryKind.HARD_LINK)


def encode_reading(reading: LayerReading) -> bytes:
    """The bytes of ``reading``; the same reading gives the same bytes on any machine."""
    entries = reading.index.entries
    files = [entry for entry in entries if isinstance(entry, Entry)]
    head = {
        "diff_id": str(reading.index.diff_id),
        "size": reading.index.size,
        "warnings": list(reading.index.warnings),
        "compression": reading.compression.value,
        "stored_size": reading.stored_size,
        "closed": reading.closed,
        "entries": len(entries),
    }
    odd = [
        {
            "at": number,
            "xattrs": {_hex(name): value.hex() for name, value in entry.xattrs},
            "device": entry.device and {"major": entry.device[0], "minor": entry.device[1]},
        }
        for number, entry in enumerate(files)
        if entry.xattrs or entry.device
    ]
    columns = [
        json.dumps(head).encode(),
        json.dumps({"odd": odd}).encode(),
        "".join(_letter(entry) for entry in entries).encode(),
        _joined(entry.path for entry in entries),
        _numbers("H", (entry.mode for entry in files)),
        _numbers("q", (entry.uid for entry in files)),
        _numbers("q", (entry.gid for entry in files)),
        _numbers("q", (entry.size for entry in files)),
        _numbers("q", (entry.mtime_ns for entry in files)),
        b"".join(entry.content or b"" for entry in files),
        _joined(entry.link_target or "" for entry in files if entry.kind in _LINKS),
    ]
    body = b"".join(part for column in columns for part in (_length(column), column))
    return MAGIC + sha256(body).digest() + body


def decode_reading(data: bytes) -> LayerReading:
    """The reading that ``encode_reading`` made ``data`` of. Raises MalformedInput for damage."""
    start = len(MAGIC) + _DIGEST_BYTES
    body = memoryview(data)[start:]
    if data[: len(MAGIC)] != MAGIC or sha256(body).digest() != data[len(MAGIC) : start]:
        raise MalformedInput("layer index: damaged, or of another version")
    try:
        return _decoded([bytes(column) for column in _columns(body)])
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise MalformedInput(f"layer index: damaged: {error}") from error


def _decoded(columns: list[bytes]) -> LayerReading:
    head_json, odd_json, letters, paths, *numbers, contents, links = columns
    head = parse_object(head_json, "layer index")
    modes, uids, gids, sizes, mtimes = (
        _array(code, column) for code, column in zip("Hqqqq", numbers, strict=True)
    )
    kinds = [_kind(letter) for letter in letters.decode("ascii")]
    path_list = _split(paths)
    link_list = iter(_split(links))
    content_list = _contents(contents)
    if len(contents) != kinds.count(EntryKind.FILE) * _DIGEST_BYTES:
        raise ValueError("digests and files differ in number")
    if links.count(b"\0") != sum(kinds.count(kind) for kind in _LINKS):
        raise ValueError("targets and links differ in number")
    file_kinds = [kind for kind in kinds if kind is not None]
    file_paths = [path for path, kind in zip(path_list, kinds, strict=True) if kind is not None]
    if {len(column) for column in (modes, uids, gids, sizes, mtimes)} != {len(file_kinds)}:
        raise ValueError("columns of different lengths")
    files: list[Entry] = list(
        map(
            Entry,
            file_paths,
            file_kinds,
            modes,
            uids,
            gids,
            sizes,
            mtimes,
            [next(content_list) if kind is EntryKind.FILE else None for kind in file_kinds],
            [next(link_list) if kind in _LINKS else None for kind in file_kinds],
            repeat(()),
            repeat(None),
        )
    )
    for odd in parse_object(odd_json, "layer index", limit=len(odd_json)).objects("odd"):
        at = odd.integer("at")
        device = odd.optional_object("device")
        files[at] = files[at]._replace(
            xattrs=tuple(
                (_unhex(name), bytes.fromhex(value))
                for name, value in odd.string_map("xattrs").items()
            ),
            device=(device.integer("major"), device.integer("minor")) if device else None,
        )
    return LayerReading(
        index=LayerIndex(
            diff_id=Digest.parse(head.string("diff_id")),
            size=head.integer("size"),
            entries=_merged(letters.decode("ascii"), path_list, files),
            warnings=head.strings("warnings"),
        ),
        compression=Compression(head.string("compression")),
        stored_size=head.integer("stored_size"),
        closed=head.boolean("closed", default=False),
    )


def _merged(letters: str, paths: list[str], files: list[Entry]) -> tuple[LayerEntry, ...]:
    if len(files) == len(letters):
        return tuple(files)
    remaining = iter(files)
    return tuple(
        Whiteout(path)
        if letter == _WHITEOUT
        else OpaqueWhiteout(path)
        if letter == _OPAQUE
        else next(remaining)
        for letter, path in zip(letters, paths, strict=True)
    )


def _kind(letter: str) -> EntryKind | None:
    """None for a whiteout. Raises KeyError for what is no letter."""
    return None if letter in (_WHITEOUT, _OPAQUE) else _KINDS[letter]


def _letter(entry: LayerEntry) -> str:
    if isinstance(entry, Entry):
        return entry.kind.value
    return _WHITEOUT if isinstance(entry, Whiteout) else _OPAQUE


def _length(column: bytes) -> bytes:
    return len(column).to_bytes(8, "little")


def _columns(body: memoryview) -> Iterator[memoryview]:
    position = 0
    while position < len(body):
        end = position + 8 + int.from_bytes(body[position : position + 8], "little")
        yield body[position + 8 : end]
        position = end


def _numbers(code: str, values: Iterator[int]) -> bytes:
    column = array(code, values)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _array(code: str, data: bytes) -> array[int]:
    column = array(code)
    column.frombytes(data)
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _joined(texts: Iterator[str]) -> bytes:
    # Neither paths nor link targets can hold a NUL, in tar as on disk.
    return "".join(text + "\0" for text in texts).encode("utf-8", "surrogateescape")


def _split(data: bytes) -> list[str]:
    return data.decode("utf-8", "surrogateescape").split("\0")[:-1]


def _contents(data: bytes) -> Iterator[bytes]:
    return (data[at : at + _DIGEST_BYTES] for at in range(0, len(data), _DIGEST_BYTES))


def _hex(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").hex()


def _unhex(text: str) -> str:
    return bytes.fromhex(text).decode("utf-8", "surrogateescape")
