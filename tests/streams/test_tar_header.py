import pytest
from oci.messages import refusal

from layerlens.errors import MalformedInput
from layerlens.streams.tar_header import TarHeader

from .raw_tar import base256, header, sealed


def decoded(block: bytes) -> TarHeader:
    return TarHeader.frombuf(block, "utf-8", "surrogateescape")


def test_a_regular_header() -> None:
    found = decoded(header(b"etc/motd", size=7, mode=0o4755, mtime=1_700_000_000))
    assert (found.name, found.type, found.size, found.mode) == ("etc/motd", b"0", 7, 0o4755)
    assert (found.uid, found.gid, found.mtime, found.linkname) == (0, 0, 1_700_000_000, "")


@pytest.mark.parametrize("offset", [0, 100, 130, 150, 156, 511])
def test_one_changed_byte_is_a_bad_checksum(offset: int) -> None:
    block = bytearray(header(b"etc/motd", size=7))
    block[offset] ^= 0x01
    with refusal(MalformedInput, "checksum"):
        decoded(bytes(block))


@pytest.mark.parametrize("name", [b"\xff" * 100, b"a" * 99 + b"\xff"])
def test_a_checksum_of_signed_characters_is_right_too(name: bytes) -> None:
    assert decoded(sealed(header(name), signed=True)).name.encode(errors="surrogateescape") == name


def test_high_bytes_all_over_the_block_do_not_overflow_the_checksum() -> None:
    block = header(
        b"\xff" * 100, link=b"\xff" * 100, fields={265: b"\xff" * 64, 345: b"\xff" * 167}
    )
    assert len(decoded(block).linkname) == 100


@pytest.mark.parametrize(
    ("offset", "width", "field", "value"),
    [
        (100, 8, "mode", 0o1755),
        (108, 8, "uid", 1 << 40),
        (116, 8, "gid", 1 << 40),
        (124, 12, "size", 1 << 40),
        (136, 12, "mtime", -1),
        (136, 12, "mtime", 1 << 40),
    ],
)
def test_base_256_numbers(offset: int, width: int, field: str, value: int) -> None:
    found = decoded(header(b"a", fields={offset: base256(value, width)}))
    assert getattr(found, field) == value


@pytest.mark.parametrize(
    ("offset", "width", "field"),
    [(100, 8, "mode"), (108, 8, "uid"), (116, 8, "gid"), (124, 12, "size")],
)
def test_negative_numbers_are_refused(offset: int, width: int, field: str) -> None:
    with refusal(MalformedInput, f"negative {field} (-512)"):
        decoded(header(b"a", fields={offset: base256(-512, width)}))
    with refusal(MalformedInput, f"bad {field} field"):
        decoded(header(b"a", fields={offset: b"-1\0"}))


@pytest.mark.parametrize(
    "text", [b"0_1", b"+01", b"0x1", b"0o1", b"8", b"1 1", b"\xb2", b"\xc0\0\1"]
)
@pytest.mark.parametrize(("offset", "width"), [(100, 8), (108, 8), (124, 12), (136, 12)])
def test_only_octal_digits_are_numbers(offset: int, width: int, text: bytes) -> None:
    with refusal(MalformedInput, "field"):
        decoded(header(b"a", fields={offset: text.ljust(width, b"\0")}))


@pytest.mark.parametrize(
    "text", [b"0000755\0", b"000755 \0", b"   755 \0", b"755\0\0\0\0\0", b"755\0oops", b"00000755"]
)
def test_the_ways_in_which_numbers_are_padded(text: bytes) -> None:
    found = decoded(header(b"a", fields={100: text, 108: text, 116: text}))
    assert (found.mode, found.uid, found.gid) == (0o755, 0o755, 0o755)


def test_a_field_may_be_filled_to_its_last_digit() -> None:
    found = decoded(header(b"a", fields={108: b"77777777", 124: b"100000000001", 136: b"7" * 12}))
    assert (found.uid, found.size, found.mtime) == (0o77777777, 0o100000000001, 8**12 - 1)


def test_empty_fields_are_nought() -> None:
    found = decoded(header(b"a", fields={100: bytes(48)}))
    assert (found.mode, found.uid, found.gid, found.size, found.mtime) == (0, 0, 0, 0, 0)


def test_v7_has_no_types_and_marks_a_directory_by_a_slash() -> None:
    assert decoded(header(b"d/", kind=b"\0", magic=bytes(8))).type == b"5"
    assert decoded(header(b"d", kind=b"\0", magic=bytes(8))).type == b"0"
    assert decoded(header(b"d/", kind=b"0")).type == b"0"


def test_a_contiguous_file_is_a_file() -> None:
    assert decoded(header(b"a", kind=b"7")).type == b"0"


def test_the_prefix_counts_in_ustar_and_not_in_gnu_or_v7() -> None:
    prefix = {345: b"usr/lib"}
    assert decoded(header(b"a", fields=prefix)).name == "usr/lib/a"
    assert decoded(header(b"a", magic=b"ustar  \0", fields=prefix)).name == "a"
    assert decoded(header(b"a", magic=bytes(8), fields=prefix)).name == "a"


def test_star_keeps_times_behind_a_shorter_prefix() -> None:
    fields = {345: b"p" * 131, 476: b"00000000001 00000000002 ", 508: b"tar\0"}
    assert decoded(header(b"a", fields=fields)).name == "p" * 131 + "/a"


def test_a_name_ends_at_its_first_nul_and_may_fill_the_field() -> None:
    assert decoded(header(b"a\0b")).name == "a"
    assert decoded(header(b"n" * 100, link=b"l" * 100)).name == "n" * 100
    assert decoded(header(b"n", link=b"l" * 100)).linkname == "l" * 100


def test_bytes_that_are_not_utf8_are_kept() -> None:
    found = decoded(header(b"\xe9\xff", link=b"\xfe"))
    assert (found.name, found.linkname) == ("\udce9\udcff", "\udcfe")


def test_device_numbers() -> None:
    found = decoded(header(b"tty", kind=b"3", fields={329: b"0000004\0", 337: base256(70000, 8)}))
    assert (found.devmajor, found.devminor) == (4, 70000)
