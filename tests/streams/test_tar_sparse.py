import hashlib
from collections.abc import Sequence

import pytest
from oci.messages import refusal

from layerlens.errors import LayerlensError, LimitExceeded, MalformedInput
from layerlens.layer.entry import Entry, EntryKind
from layerlens.layer.layer_index import LayerIndex

from .raw_images import read_tar, with_limits
from .raw_tar import BLOCK, END, OLD_SPARSE, base256, header, member, octal, padded, pax

TIB = 1 << 40
Segments = Sequence[tuple[int, int]]


def number(value: int) -> bytes:
    return octal(value, 12) if 0 <= value < 8**11 else base256(value, 12)


def slots(segments: Segments) -> bytes:
    return b"".join(number(offset) + number(length) for offset, length in segments)


def old_gnu(size: int, segments: Segments, stored: bytes, claimed: int | None = None) -> bytes:
    first, rest = segments[:4], segments[4:]
    blocks = [rest[at : at + 21] for at in range(0, len(rest), 21)]
    head = header(
        b"s",
        kind=OLD_SPARSE,
        size=len(stored) if claimed is None else claimed,
        fields={386: slots(first), 482: b"\1" if blocks else b"\0", 483: number(size)},
    )
    extensions = b"".join(
        slots(block).ljust(504, b"\0") + (b"\1" if block is not blocks[-1] else b"\0") + bytes(7)
        for block in blocks
    )
    return head + extensions + padded(stored) + END


def pax_00(size: int, segments: Segments, stored: bytes) -> bytes:
    records = [(b"GNU.sparse.size", b"%d" % size), (b"GNU.sparse.numblocks", b"%d" % len(segments))]
    for offset, length in segments:
        records += [
            (b"GNU.sparse.offset", b"%d" % offset),
            (b"GNU.sparse.numbytes", b"%d" % length),
        ]
    return pax(*records) + member(b"s", stored) + END


def pax_01(size: int, segments: Segments, stored: bytes) -> bytes:
    text = b",".join(b"%d,%d" % segment for segment in segments)
    head = pax((b"GNU.sparse.size", b"%d" % size), (b"GNU.sparse.map", text))
    return head + member(b"s", stored) + END


def pax_10(size: int, segments: Segments, stored: bytes) -> bytes:
    lines = b"%d\n" % len(segments) + b"".join(b"%d\n%d\n" % segment for segment in segments)
    records = (
        (b"GNU.sparse.major", b"1"),
        (b"GNU.sparse.minor", b"0"),
        (b"GNU.sparse.name", b"s"),
        (b"GNU.sparse.realsize", b"%d" % size),
    )
    return pax(*records) + member(b"GNUSparseFile.0/s", padded(lines) + stored) + END


FORMS = pytest.mark.parametrize("form", [old_gnu, pax_00, pax_01, pax_10])


def file_of(index: LayerIndex) -> Entry:
    (entry,) = index.entries
    assert isinstance(entry, Entry)
    assert entry.kind is EntryKind.FILE
    return entry


class Form:
    """Any of the four writers above."""

    def __call__(self, size: int, segments: Segments, stored: bytes) -> bytes:
        raise NotImplementedError


@FORMS
@pytest.mark.parametrize(
    ("size", "segments"),
    [
        (0, []),
        (5000, []),
        (5000, [(0, 100), (4000, 1000)]),
        (5000, [(4999, 1), (5000, 0)]),
        (60_000, [(at * 1000, 7) for at in range(60)]),
    ],
)
def test_holes_are_nuls(form: Form, size: int, segments: Segments) -> None:
    stored = b"".join(b"%c" % (65 + at % 26) * length for at, (_, length) in enumerate(segments))
    whole = bytearray(size)
    at = 0
    for offset, length in segments:
        whole[offset : offset + length] = stored[at : at + length]
        at += length
    entry = file_of(read_tar(form(size, segments, stored)).index)
    assert (entry.path, entry.size) == ("/s", size)
    assert entry.content == hashlib.sha256(whole).digest()


@FORMS
def test_a_hole_of_a_tebibyte(form: Form) -> None:
    with refusal(LimitExceeded, "layer: at byte 0: 's'", "of holes", "--limit hole-bytes=N"):
        read_tar(form(TIB, [], b""))


@FORMS
def test_holes_of_several_files_add_up(form: Form) -> None:
    one = form(3000, [], b"").removesuffix(END)
    limits = with_limits(hole_bytes=10_000)
    assert len(read_tar(one * 3 + END, limits).index.entries) == 3
    with refusal(LimitExceeded, "more than 10000 bytes of holes"):
        read_tar(one * 4 + END, limits)


@FORMS
@pytest.mark.parametrize(
    "segments",
    [
        [(100, 10), (50, 10)],
        [(0, 20), (10, 20)],
        [(0, 10), (0, 10)],
        [(990, 20)],
        [(2000, 1)],
        [(0, TIB)],
        [(TIB, 1)],
    ],
)
def test_a_map_out_of_order_overlapping_or_beyond_the_end(form: Form, segments: Segments) -> None:
    stored = b"x" * min(40, sum(length for _, length in segments))
    with refusal(MalformedInput, "sparse map out of order or beyond the file's size"):
        read_tar(form(1000, segments, stored))


@FORMS
@pytest.mark.parametrize("stored", [b"", b"x" * 9, b"x" * 11, b"x" * (10 + BLOCK)])
def test_a_map_that_is_not_of_what_is_stored(form: Form, stored: bytes) -> None:
    with refusal(MalformedInput, "layer: at byte 0", "its sparse map does not fit"):
        read_tar(form(1000, [(0, 10)], stored))


def test_negative_numbers_in_the_old_form() -> None:
    for size in (-5, -TIB):
        with refusal(MalformedInput, f"a sparse file of negative size ({size})"):
            read_tar(old_gnu(size, [], b""))
    for segment in ((-1, 1), (0, -1), (10, -5)):
        with refusal(MalformedInput, "out of order"):
            read_tar(old_gnu(1000, [segment], b""))


@pytest.mark.parametrize(
    "records",
    [
        [(b"GNU.sparse.size", b"-1")],
        [(b"GNU.sparse.size", b"nan")],
        [(b"GNU.sparse.size", b"1" * 21)],
        [(b"GNU.sparse.size", b"10"), (b"GNU.sparse.map", b"1")],
        [(b"GNU.sparse.size", b"10"), (b"GNU.sparse.map", b"1,,2")],
        [(b"GNU.sparse.size", b"10"), (b"GNU.sparse.map", b"1,\xb2")],
        [(b"GNU.sparse.size", b"10"), (b"GNU.sparse.offset", b"1")],
    ],
)
def test_maps_of_what_is_no_number(records: list[tuple[bytes, bytes]]) -> None:
    with refusal(MalformedInput, "layer: at byte 0", "sparse map"):
        read_tar(pax(*records) + header(b"s") + END)


@pytest.mark.parametrize(
    ("lines", "error", "fact"),
    [
        (b"1000000000\n", MalformedInput, "too many segments"),
        (b"9" * 600, MalformedInput, "sparse map without line ends"),
        (b"1\nx\n1\n", MalformedInput, "bad number in a sparse map"),
        (b"-1\n", MalformedInput, "bad number in a sparse map"),
        (b"\n", MalformedInput, "bad number in a sparse map"),
        (b"50\n0\n1\n", MalformedInput, "sparse map without line ends"),
        (b"", MalformedInput, "sparse map without line ends"),
    ],
)
def test_maps_in_the_payload_that_lie(lines: bytes, error: type[LayerlensError], fact: str) -> None:
    records = pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.realsize", b"10"))
    with refusal(error, "layer", fact):
        read_tar(records + member(b"s", padded(lines or b"\0")) + bytes(40 * BLOCK))


def test_a_map_that_reads_on_into_the_next_member() -> None:
    records = pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.realsize", b"10"))
    with refusal(MalformedInput, "its sparse map does not fit its stored bytes"):
        read_tar(records + header(b"s") + padded(b"0\n") + END)


def test_sparse_records_do_not_make_a_file_of_another_type() -> None:
    records = pax((b"GNU.sparse.size", b"10"))
    with refusal(MalformedInput, "the unknown tar type 'Z'"):
        read_tar(records + header(b"s", kind=b"Z") + END)
    (entry,) = read_tar(records + header(b"d", kind=b"5") + END).index.entries
    assert isinstance(entry, Entry)
    assert (entry.kind, entry.size) == (EntryKind.DIRECTORY, 0)


def test_an_old_map_whose_extension_is_cut_off() -> None:
    tar = old_gnu(60_000, [(at * 1000, 7) for at in range(60)], b"x" * 420)
    with refusal(MalformedInput, "layer: truncated at byte 600"):
        read_tar(tar[:600])
