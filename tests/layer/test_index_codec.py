"""A layer's reading to bytes and back: exact for whatever a layer may hold, and proof to damage."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerlens.errors import MalformedInput
from layerlens.layer.entry import Entry, EntryKind, LayerEntry, OpaqueWhiteout, Whiteout
from layerlens.layer.index_codec import MAGIC, decode_reading, encode_reading
from layerlens.layer.layer_index import LayerIndex
from layerlens.layer.read_layer import LayerReading
from layerlens.oci.digest import Digest
from layerlens.streams.decompression import Compression

# What bytes can be on disk can be in a name: all but NUL, UTF-8 or not.
TEXTS = st.binary(max_size=12).map(
    lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape")
)
PATHS = TEXTS.map(lambda text: f"/{text}")
IDS = st.one_of(st.integers(0, 70_000), st.integers(0, (1 << 63) - 1))
TIMES = st.integers(-(1 << 63) + 1, (1 << 63) - 1)
NUMBERS = st.integers(0, (1 << 32) - 1)
LINKS = (EntryKind.SYMLINK, EntryKind.HARD_LINK)
DEVICES = (EntryKind.CHARACTER_DEVICE, EntryKind.BLOCK_DEVICE)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(EntryKind))
    is_file = kind is EntryKind.FILE
    xattrs = draw(st.dictionaries(TEXTS, st.binary(max_size=9), max_size=2))
    return Entry(
        path=draw(PATHS),
        kind=kind,
        mode=draw(st.integers(0, 0o7777)),
        uid=draw(IDS),
        gid=draw(IDS),
        size=draw(IDS) if is_file else 0,
        mtime_ns=draw(TIMES),
        content=draw(st.binary(min_size=32, max_size=32)) if is_file else None,
        link_target=draw(TEXTS) if kind in LINKS else None,
        xattrs=tuple(sorted(xattrs.items())),
        device=(draw(NUMBERS), draw(NUMBERS)) if kind in DEVICES else None,
    )


LAYER_ENTRIES: st.SearchStrategy[LayerEntry] = st.one_of(
    entries(), entries(), PATHS.map(Whiteout), PATHS.map(OpaqueWhiteout)
)


@st.composite
def readings(draw: st.DrawFn) -> LayerReading:
    index = LayerIndex(
        diff_id=Digest(algorithm="sha256", hex=draw(st.sampled_from(["0" * 64, "a" * 64]))),
        size=draw(IDS),
        entries=tuple(draw(st.lists(LAYER_ENTRIES, max_size=8))),
        warnings=tuple(draw(st.lists(st.text(max_size=5), max_size=2))),
    )
    return LayerReading(
        index=index,
        compression=draw(st.sampled_from(Compression)),
        stored_size=draw(IDS),
        closed=draw(st.booleans()),
    )


@settings(max_examples=200)
@given(readings())
def test_a_reading_comes_back_as_it_was(reading: LayerReading) -> None:
    encoded = encode_reading(reading)
    decoded = decode_reading(encoded)
    assert decoded == reading
    assert [type(entry) for entry in decoded.index.entries] == [
        type(entry) for entry in reading.index.entries
    ]
    assert encode_reading(decoded) == encoded


def entry(path: str, kind: EntryKind, **fields: object) -> Entry:
    plain = Entry(path, kind, 0o644, 0, 0, 0, 0, None, None, (), None)
    return plain._replace(**fields)  # type: ignore[arg-type]


SAMPLE = LayerReading(
    index=LayerIndex(
        diff_id=Digest(algorithm="sha256", hex="ab" * 32),
        size=10240,
        entries=(
            entry("/d", EntryKind.DIRECTORY, xattrs=(("user.x", b"\0\xff"),)),
            entry("/d/f", EntryKind.FILE, size=3, content=bytes(range(32)), mtime_ns=-1),
            Whiteout("/gone"),
            entry("/d/\udcff", EntryKind.SYMLINK, link_target="f"),
            entry("/h", EntryKind.HARD_LINK, link_target="/d/f"),
            OpaqueWhiteout("/o"),
            entry("/n", EntryKind.CHARACTER_DEVICE, device=(1, 3)),
        ),
        warnings=("odd",),
    ),
    compression=Compression.GZIP,
    stored_size=777,
    closed=True,
)


def test_every_flipped_byte_is_found() -> None:
    encoded = encode_reading(SAMPLE)
    for at in range(len(encoded)):
        damaged = bytearray(encoded)
        damaged[at] ^= 1
        with pytest.raises(MalformedInput):
            decode_reading(bytes(damaged))


def test_every_truncation_is_found() -> None:
    encoded = encode_reading(SAMPLE)
    for size in range(len(encoded)):
        with pytest.raises(MalformedInput):
            decode_reading(encoded[:size])


@pytest.mark.parametrize("change", [1, 0x80, 0xFF])
def test_bytes_that_lie_under_a_true_checksum_do_no_harm(change: int) -> None:
    # Somebody may have written the record on purpose: an error or some reading, nothing else.
    body = encode_reading(SAMPLE)[len(MAGIC) + 32 :]
    refused = 0
    for at in range(len(body)):
        lying = bytearray(body)
        lying[at] ^= change
        try:
            found = decode_reading(MAGIC + hashlib.sha256(lying).digest() + lying)
        except MalformedInput:
            refused += 1
        else:
            assert len(found.index.entries) == len(SAMPLE.index.entries)
    assert refused > len(body) // 4


def columns_of(encoded: bytes) -> list[bytes]:
    """The record's columns: eight bytes of length before each."""
    body = encoded[len(MAGIC) + 32 :]
    found = []
    while body:
        end = 8 + int.from_bytes(body[:8], "little")
        found.append(body[8:end])
        body = body[end:]
    return found


def record_of(columns: list[bytes]) -> bytes:
    body = b"".join(len(column).to_bytes(8, "little") + column for column in columns)
    return MAGIC + hashlib.sha256(body).digest() + body


CONTENTS = 9
COLUMNS = columns_of(encode_reading(SAMPLE))


@pytest.mark.parametrize("number", range(len(COLUMNS)))
def test_a_column_that_does_not_fit_the_others_is_found(number: int) -> None:
    assert decode_reading(record_of(COLUMNS)) == SAMPLE
    column = COLUMNS[number]
    changed = [b"", column[:-1], column + b"\0", column[:-8], column + column[-8:], column * 2]
    if number == CONTENTS:
        changed += [column[:-32], column + bytes(32)]
    for other in changed:
        with pytest.raises(MalformedInput):
            decode_reading(record_of([*COLUMNS[:number], other, *COLUMNS[number + 1 :]]))


def test_a_column_too_many_or_too_few_is_found() -> None:
    for columns in (COLUMNS[:-1], COLUMNS[1:], [*COLUMNS, b""], []):
        with pytest.raises(MalformedInput):
            decode_reading(record_of(columns))


def test_another_version_is_not_read() -> None:
    body = encode_reading(SAMPLE)[len(MAGIC) :]
    with pytest.raises(MalformedInput):
        decode_reading(MAGIC.replace(b"1", b"0") + body)
