import hashlib
from collections.abc import Iterator

import pytest
from oci.messages import refusal

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.streams.limits import DEFAULT_LIMITS, Limits
from layerlens.streams.tar_reader import MAX_EXTENSION_BYTES, TarReader

from .raw_tar import (
    BLOCK,
    DIRECTORY,
    END,
    GLOBAL_PAX,
    HARD_LINK,
    LONG_LINK,
    SYMLINK,
    base256,
    directory,
    gnu_long,
    header,
    member,
    padded,
    pax,
)

SOME = member(b"a", b"first") + member(b"b", b"second" * 200)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def reader_of(data: bytes, limits: Limits = DEFAULT_LIMITS) -> TarReader:
    return TarReader(iter([data]), "it.tar", limits)


def names(reader: TarReader) -> list[str]:
    found = []
    while (head := reader.next_header()) is not None:
        found.append(head.name)
    return found


def test_members_and_payloads() -> None:
    reader = reader_of(SOME + END)
    read = {}
    while (head := reader.next_header()) is not None:
        read[head.name] = b"".join(reader.payload())
    assert read == {"a": b"first", "b": b"second" * 200}
    assert reader.end_marker_seen
    assert reader.warnings == []


@pytest.mark.parametrize("size", [1, 7, 511, 512, 513, 1500])
def test_how_the_stream_is_cut_makes_no_difference(size: int) -> None:
    tar = pax((b"path", b"long" * 100)) + SOME + gnu_long(b"g" * 300) + SOME + END
    reader = TarReader(pieces(tar, size), "it.tar")
    found = []
    while (head := reader.next_header()) is not None:
        found.append((head.name, reader.payload_sha256()))
    first, second = (hashlib.sha256(body).digest() for body in (b"first", b"second" * 200))
    assert found == [("long" * 100, first), ("b", second), ("g" * 300, first), ("b", second)]
    assert reader.end_marker_seen


def test_a_bad_checksum_in_the_first_and_in_a_later_header() -> None:
    for offset in (0, len(member(b"a", b"first"))):
        tar = bytearray(SOME + END)
        tar[offset] ^= 0x20
        with refusal(MalformedInput, f"it.tar: at byte {offset}: bad header checksum"):
            names(reader_of(bytes(tar)))


def test_a_negative_size_is_an_error_and_no_loop() -> None:
    for field in (base256(-BLOCK, 12), b"-0000001000\0"):
        with refusal(MalformedInput, "it.tar: at byte 1024", "size"):
            names(reader_of(member(b"a", b"1") + header(b"n", fields={124: field}) + END))


def test_every_truncation_is_told_unless_it_leaves_whole_members() -> None:
    tar = SOME + END
    whole = {0, len(member(b"a", b"first")), len(SOME)}
    # What is left out after the payload is padding: umoci ends its layers so.
    whole |= {BLOCK + len(b"first"), len(member(b"a", b"first")) + BLOCK + len(b"second" * 200)}
    for size in range(len(SOME)):
        reader = reader_of(tar[:size])
        if size in whole:
            names(reader)
        else:
            with refusal(MalformedInput, "it.tar: truncated at byte"):
                names(reader)
        assert not reader.end_marker_seen


def test_a_truncated_payload_names_its_member_on_one_line() -> None:
    with refusal(MalformedInput, "it.tar: truncated at byte 512 within 'a\\nb'"):
        names(reader_of(header(b"a\nb", size=5)))


def test_a_member_that_claims_more_than_any_disk() -> None:
    for size in (1 << 62, 1 << 87):
        with refusal(MalformedInput, "truncated at byte 512"):
            names(reader_of(header(b"a", size=0, fields={124: base256(size, 12)})))


def test_one_block_of_nuls_hides_nothing() -> None:
    with refusal(MalformedInput, "at byte 1024", "single block of NULs"):
        names(reader_of(member(b"a", b"") + bytes(BLOCK) + member(b"hidden", b"x") + END))


def test_an_archive_may_end_within_its_end_marker() -> None:
    for size in (BLOCK, BLOCK + 1, 2 * BLOCK, 20 * BLOCK):
        reader = reader_of(SOME + bytes(size))
        assert names(reader) == ["a", "b"]
        reader.drain()
        assert reader.end_marker_seen
        assert reader.warnings == []


def test_trailing_data_is_read_and_warned_of() -> None:
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for piece in pieces(SOME + END + bytes(5000) + b"more" + bytes(5000), 700):
            count += len(piece)
            yield piece

    reader = TarReader(counted(), "it.tar")
    assert names(reader) == ["a", "b"]
    reader.drain()
    assert count == len(SOME + END) + 10_004
    assert reader.warnings == ["trailing data after the end-of-archive marker is not read"]


def test_unknown_types_are_refused_whatever_stands_before_them() -> None:
    for before in (b"", pax((b"mtime", b"1")), gnu_long(b"x")):
        for kind in (b"V", b"M", b"D", b"Z", b"\xff"):
            with refusal(MalformedInput, "'n'" if before != gnu_long(b"x") else "'x'", "tar type"):
                names(reader_of(before + header(b"n", kind=kind) + END))


@pytest.mark.parametrize("kind", [DIRECTORY, HARD_LINK, SYMLINK, b"3", b"4", b"6"])
def test_types_that_have_no_payload_have_none_whatever_their_size(kind: bytes) -> None:
    inner = member(b"inner", b"seen by containerd")
    tar = member(b"outer", inner, kind=kind, link=b"x") + END
    reader = reader_of(tar)
    assert names(reader) == ["outer", "inner"]
    if kind != HARD_LINK:  # some tars do write the size of what a hard link names
        assert len(reader.warnings) == 1
        assert f"'outer' with {len(inner)} bytes" in reader.warnings[0]


def test_a_directory_with_a_payload_that_is_no_tar() -> None:
    with refusal(MalformedInput, "it.tar: at byte 512: bad checksum"):
        names(reader_of(member(b"d", b"payload" * 100, kind=DIRECTORY) + END))


def test_many_odd_members_make_one_warning() -> None:
    odd = header(b"d" * 90, kind=DIRECTORY, size=BLOCK)
    reader = reader_of((odd + pax((b"mtime", b"1"), kind=GLOBAL_PAX) + directory(b"e")) * 500 + END)
    names(reader)
    assert len(reader.warnings) == 2
    assert "500 links, directories or devices" in reader.warnings[0]


def test_pax_records_of_the_member_and_the_gnu_long_names() -> None:
    tar = pax((b"path", b"p"), (b"linkpath", b"q"), (b"uid", b"70000"), (b"size", b"3"))
    reader = reader_of(tar + header(b"x") + padded(b"abc") + SOME + END)
    head = reader.next_header()
    assert head is not None
    assert (head.name, head.linkname, head.uid, head.size) == ("p", "q", 70000, 3)
    assert b"".join(reader.payload()) == b"abc"
    assert names(reader) == ["a", "b"]
    assert reader.records == []


def test_empty_pax_values_take_the_header() -> None:
    tar = pax((b"path", b""), (b"linkpath", b""), (b"size", b""), (b"uid", b""))
    head = reader_of(tar + header(b"x", kind=SYMLINK, link=b"y") + END).next_header()
    assert head is not None
    assert (head.name, head.linkname) == ("x", "y")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        (b"size", b"-1"),
        (b"size", b"1e9"),
        (b"size", b"1" * 21),
        (b"uid", b"0x1"),
        (b"gid", b"nan"),
        (b"uid", b"\xb2"),
    ],
)
def test_bad_numbers_in_pax_records(keyword: bytes, value: bytes) -> None:
    with refusal(MalformedInput, "it.tar: at byte 0: bad PAX " + keyword.decode()):
        names(reader_of(pax((keyword, value)) + header(b"x") + END))


def test_nuls_in_names_are_refused_or_end_them() -> None:
    with refusal(MalformedInput, "at byte 0: a NUL in a PAX path"):
        names(reader_of(pax((b"path", b"etc/passwd\0.txt")) + header(b"x") + END))
    with refusal(MalformedInput, "a NUL in a PAX path"):
        names(reader_of(pax((b"linkpath", b"a\0b")) + header(b"x") + END))
    assert names(reader_of(gnu_long(b"a\0b") + header(b"x") + END)) == ["a"]


@pytest.mark.parametrize(
    "extension", [pax((b"mtime", b"1")), gnu_long(b"n"), gnu_long(b"l", LONG_LINK)]
)
def test_a_chain_of_3000_extension_headers(extension: bytes) -> None:
    with refusal(LimitExceeded, "at byte 0: more than 8 extension headers in a row"):
        names(reader_of(extension * 3000 + header(b"x") + END))


def test_a_chain_is_counted_anew_for_each_member() -> None:
    chain = pax((b"mtime", b"1")) * 8 + member(b"x", b"1")
    assert names(reader_of(chain * 20 + END)) == ["x"] * 20


def test_an_extension_header_without_a_member() -> None:
    for end in (b"", END):
        with refusal(MalformedInput, "an extension header with no member after it"):
            names(reader_of(pax((b"mtime", b"1")) + end))


def test_a_large_extension_is_refused_before_it_is_read() -> None:
    read = 0

    def body() -> Iterator[bytes]:
        nonlocal read
        yield header(b"p", kind=b"x", size=200 << 20)
        while True:
            read += 1
            yield bytes(BLOCK)

    with refusal(LimitExceeded, f"an extension header of {200 << 20} bytes"):
        names(TarReader(body(), "it.tar"))
    assert read == 0


def test_large_extensions_within_the_limit_add_up() -> None:
    comment = pax((b"comment", b"c" * (MAX_EXTENSION_BYTES - 100))) + header(b"x")
    limits = Limits(metadata_bytes=3 * MAX_EXTENSION_BYTES)
    with refusal(LimitExceeded, "bytes of extension headers", "--limit metadata-bytes=N"):
        names(reader_of(comment * 4 + END, limits))
    assert names(reader_of(comment * 3 + END, limits)) == ["x"] * 3


def test_global_records_change_nothing() -> None:
    reader = reader_of(pax((b"path", b"evil"), kind=GLOBAL_PAX) + header(b"x") + header(b"y") + END)
    assert names(reader) == ["x", "y"]
    assert reader.warnings == ["global PAX records are ignored, as containerd does"]


def test_a_document_larger_than_wanted() -> None:
    reader = reader_of(SOME + END)
    reader.next_header()
    with refusal(LimitExceeded, "it.tar: 'a' has 5 bytes, at most 4 are read here"):
        reader.read_payload(4)


def test_skipping_in_a_source_that_seeks() -> None:
    tar = member(b"a", b"x" * 100_000) + member(b"b", b"y") + END
    position = BLOCK

    def chunks() -> Iterator[bytes]:
        nonlocal position
        yield tar[:BLOCK]
        while position < len(tar):
            position += BLOCK
            yield tar[position - BLOCK : position]

    def skip(count: int) -> int:
        nonlocal position
        skipped = min(count, len(tar) - position)
        position += skipped
        return skipped

    assert names(TarReader(chunks(), "it.tar", skip=skip)) == ["a", "b"]
    tar, position = tar[:50_000], BLOCK
    with refusal(MalformedInput, "it.tar: truncated at byte 50000 within 'a'"):
        names(TarReader(chunks(), "it.tar", skip=skip))
