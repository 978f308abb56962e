import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oci.messages import refusal
from streams.raw_images import read_tar, with_limits
from streams.raw_tar import (
    CHARACTER_DEVICE,
    END,
    FIFO,
    HARD_LINK,
    LONG_LINK,
    SYMLINK,
    base256,
    directory,
    gnu_long,
    header,
    member,
    pax,
)

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.layer.entry import Entry, EntryKind, LayerEntry, OpaqueWhiteout, Whiteout
from layerlens.streams.limits import DEFAULT_LIMITS, Limits


def entries(tar: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[LayerEntry, ...]:
    return read_tar(tar + END, limits).index.entries


def entry(tar: bytes, limits: Limits = DEFAULT_LIMITS) -> Entry:
    (found,) = entries(tar, limits)
    assert isinstance(found, Entry)
    return found


def warnings(tar: bytes) -> tuple[str, ...]:
    return read_tar(tar + END).index.warnings


def test_every_kind() -> None:
    found = entries(
        directory(b"d/")
        + member(b"d/f", b"text", mode=0o4755)
        + header(b"d/l", kind=SYMLINK, link=b"../f")
        + header(b"d/h", kind=HARD_LINK, link=b"./d/f")
        + header(b"d/c", kind=CHARACTER_DEVICE, fields={329: b"0000005\0", 337: b"0000001\0"})
        + header(b"d/b", kind=b"4")
        + header(b"d/p", kind=FIFO)
    )
    assert all(isinstance(each, Entry) for each in found)
    text = hashlib.sha256(b"text").digest()
    seen = [
        (each.path, each.kind.value, each.size, each.content, each.link_target, each.device)
        for each in found
        if isinstance(each, Entry)
    ]
    assert seen == [
        ("/d", "d", 0, None, None, None),
        ("/d/f", "f", 4, text, None, None),
        ("/d/l", "l", 0, None, "../f", None),
        ("/d/h", "h", 0, None, "/d/f", None),
        ("/d/c", "c", 0, None, None, (5, 1)),
        ("/d/b", "b", 0, None, None, (0, 0)),
        ("/d/p", "p", 0, None, None, None),
    ]


def test_a_payload_that_its_type_cannot_have_is_not_charged() -> None:
    for kind in (b"5", HARD_LINK, SYMLINK, CHARACTER_DEVICE, b"4", FIFO):
        found = entry(header(b"x", kind=kind, size=1 << 40, link=b"y"))
        assert (found.size, found.content) == (0, None)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        (b".wh.a", Whiteout("/a")),
        (b"d/.wh.a", Whiteout("/d/a")),
        (b"./d/.wh..hidden", Whiteout("/d/.hidden")),
        (b".wh....", Whiteout("/...")),
        (b".wh..wh..opq", OpaqueWhiteout("/")),
        (b"d/e/.wh..wh..opq", OpaqueWhiteout("/d/e")),
        (b"/d/.wh..wh..opq/", OpaqueWhiteout("/d")),
        (b"d/.wh.a\nb", Whiteout("/d/a\nb")),
        (b"d/.wh.\xff", Whiteout("/d/\udcff")),
    ],
)
@pytest.mark.parametrize("kind", [b"0", b"5", SYMLINK, HARD_LINK, CHARACTER_DEVICE])
def test_whiteouts_of_any_type(name: bytes, meaning: LayerEntry, kind: bytes) -> None:
    assert entries(header(name, kind=kind, link=b"x")) == (meaning,)


@pytest.mark.parametrize("name", [b".wh.", b"d/.wh.", b"d/.wh./", b".wh..", b"d/.wh..."])
def test_a_whiteout_of_nothing(name: bytes) -> None:
    with refusal(MalformedInput, "layer: '/", "is a whiteout of nothing"):
        entries(header(name))


def test_what_only_resembles_a_whiteout() -> None:
    found = entries(header(b".whx") + header(b"a.wh.b") + header(b".wh") + header(b".WH.a"))
    assert [each.path for each in found] == ["/.whx", "/a.wh.b", "/.wh", "/.WH.a"]
    (below,) = entries(header(b"d/.wh.a/b"))
    assert isinstance(below, Entry)


def test_what_aufs_left_is_skipped_with_all_below_it() -> None:
    tar = (
        directory(b".wh..wh.plnk/")
        + member(b".wh..wh.plnk/81.123", b"a link's other name")
        + header(b".wh..wh.aufs")
        + directory(b"./.wh..wh.orph/")
        + header(b"d/.wh..wh.tmp")
        + member(b"kept")
    )
    assert [each.path for each in entries(tar)] == ["/kept"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (b"../../etc/passwd", "/etc/passwd"),
        (b"/etc/passwd", "/etc/passwd"),
        (b"//etc//passwd", "/etc/passwd"),
        (b"a/../../b", "/b"),
        (b"..", "/"),
    ],
)
def test_names_that_climb_are_clamped_and_warned_of(name: bytes, path: str) -> None:
    assert entry(directory(name)).path == path
    (warning,) = warnings(directory(name) * 3)
    assert warning.startswith("3 names are absolute or climb with '..'")
    assert repr(name.decode()) in warning
    (linked,) = entries(header(b"h", kind=HARD_LINK, link=name))
    assert isinstance(linked, Entry)
    assert linked.link_target == path


def test_a_symlink_is_kept_as_it_is_written() -> None:
    assert entry(header(b"l", kind=SYMLINK, link=b"../../../x//y/")).link_target == "../../../x//y/"
    assert entry(header(b"l", kind=SYMLINK)).link_target == ""


def test_the_root_in_all_its_spellings() -> None:
    for name in (b"/", b"./", b".", b"//", b""):
        assert entry(directory(name)).path == "/"
        assert warnings(directory(name)) == ()


@pytest.mark.parametrize(
    ("path", "limits"),
    [
        (b"n" * 101, with_limits(path_bytes=100)),
        (b"\xc3\xa9" * 51, with_limits(path_bytes=100)),
        (b"d/" * 10 + b"f", with_limits(path_depth=10)),
        (b"n" * 4096, DEFAULT_LIMITS),
        (b"d/" * 1024 + b"f", DEFAULT_LIMITS),
    ],
)
def test_paths_beyond_the_limits(path: bytes, limits: Limits) -> None:
    for tar in (
        gnu_long(path) + header(b"x"),
        pax((b"path", path)) + header(b"x"),
        gnu_long(path, LONG_LINK) + header(b"x", kind=HARD_LINK),
    ):
        with refusal(LimitExceeded, "layer: the path", "--limit path-bytes=N"):
            entries(tar, limits)


def test_paths_at_the_limits() -> None:
    assert len(entry(gnu_long(b"n" * 99) + header(b"x"), with_limits(path_bytes=100)).path) == 100
    entry(header(b"\xc3\xa9" * 49), with_limits(path_bytes=99))
    entry(header(b"d/" * 9 + b"f"), with_limits(path_depth=10))
    assert len(entry(gnu_long(b"n" * 4095) + header(b"x")).path) == 4096


def test_a_symlink_longer_than_a_path_may_be() -> None:
    with refusal(LimitExceeded, "layer: the symlink target", "5000 bytes"):
        entries(gnu_long(b"../" * 1666 + b"xx", LONG_LINK) + header(b"l", kind=SYMLINK))


def test_more_entries_than_the_limit() -> None:
    tar = b"".join(header(b"f%d" % number) for number in range(50))
    assert len(entries(tar, with_limits(entries=50))) == 50
    with refusal(LimitExceeded, "layer: has more than 49 entries", "--limit entries=N"):
        entries(tar, with_limits(entries=49))
    with refusal(LimitExceeded, "has more than 49 entries"):
        entries(header(b".wh..wh.aufs") * 50, with_limits(entries=49))


@pytest.mark.parametrize(
    "value",
    [b"nan", b"inf", b"-inf", b"1e300", b"0x1", b"--1", b"1.2.3", b"-", b"1.-2", b"\xb2", b"1 "],
)
def test_times_that_are_no_times(value: bytes) -> None:
    with refusal(MalformedInput, "layer", "mtime"):
        entries(pax((b"mtime", value)) + header(b"x"))


@pytest.mark.parametrize(
    ("value", "nanoseconds"),
    [
        (b"0", 0),
        (b"1700000000.123456789", 1_700_000_000_123_456_789),
        (b"1700000000.1234567899999", 1_700_000_000_123_456_789),
        (b"1.5", 1_500_000_000),
        (b"-1.5", -1_500_000_000),
        (b"-0.25", -250_000_000),
    ],
)
def test_times(value: bytes, nanoseconds: int) -> None:
    assert entry(pax((b"mtime", value)) + header(b"x")).mtime_ns == nanoseconds
    assert entry(pax((b"mtime", b"7"), (b"mtime", value)) + header(b"x")).mtime_ns == nanoseconds


@pytest.mark.parametrize(
    "tar",
    [
        pax((b"mtime", b"9" * 300)) + header(b"x"),
        pax((b"mtime", b"9" * 19)) + header(b"x"),
        header(b"x", fields={136: base256(1 << 86, 12)}),
    ],
)
def test_times_out_of_range_are_clamped_and_warned_of(tar: bytes) -> None:
    assert entry(tar).mtime_ns == (1 << 63) - 1
    assert warnings(tar) == ("1 modification times are out of range",)


def test_times_long_before_the_epoch() -> None:
    for value in (b"-" + b"9" * 19, b"-" + b"9" * 300):
        assert entry(pax((b"mtime", value)) + header(b"x")).mtime_ns == -((1 << 63) - 1)
    assert entry(header(b"x", fields={136: base256(-5, 12)})).mtime_ns == -5_000_000_000


def test_owner_ids() -> None:
    big = pax((b"uid", b"4294967294"), (b"gid", b"9223372036854775807"))
    found = entry(big + header(b"x"))
    assert (found.uid, found.gid) == (4294967294, (1 << 63) - 1)
    for keyword in (b"uid", b"gid"):
        with refusal(MalformedInput, "layer: '/x' has an owner id out of range"):
            entries(pax((keyword, b"9223372036854775808")) + header(b"x"))


def test_only_the_permission_bits_are_the_mode() -> None:
    assert entry(header(b"x", fields={100: b"0104755\0"})).mode == 0o4755
    assert entry(header(b"x", fields={100: base256(1 << 50 | 0o755, 8)})).mode == 0o755


def test_xattrs_are_bytes_in_order_and_the_last_of_one_name_counts() -> None:
    tar = pax(
        (b"SCHILY.xattr.user.b", b"\0\xff\n="),
        (b"SCHILY.xattr.user.a", b""),
        (b"SCHILY.xattr.user.c", b"1"),
        (b"SCHILY.xattr.user.c", b"2"),
        (b"SCHILY.xattr.user.=\xff", b"x"),
        (b"LIBARCHIVE.xattr.user.c", b"bm90IHRha2Vu"),
        (b"LIBARCHIVE.xattr.user.%64", b"eHl6"),
    )
    # A keyword ends at its first equals sign, so that one in an attribute's name moves.
    assert entry(tar + header(b"x")).xattrs == (
        ("user.", b"\xff=x"),
        ("user.a", b""),
        ("user.b", b"\0\xff\n="),
        ("user.c", b"2"),
        ("user.d", b"xyz"),
    )


def test_an_xattr_in_bad_base64() -> None:
    with refusal(MalformedInput, "layer: bad LIBARCHIVE.xattr value"):
        entries(pax((b"LIBARCHIVE.xattr.user.a", b"a*b")) + header(b"x"))


def test_records_of_one_member_are_not_the_next_one_s() -> None:
    tar = pax((b"SCHILY.xattr.user.a", b"1"), (b"mtime", b"5")) + header(b"x") + header(b"y")
    second = entries(tar)[1]
    assert isinstance(second, Entry)
    assert (second.xattrs, second.mtime_ns) == ((), 0)


def test_names_that_a_terminal_would_act_on_are_kept_as_they_are() -> None:
    for name in (b"a\nb", b"\x1b[2J", b"\xff\xfe", "\u202egnp.exe".encode(), b" ", b"\\x41"):
        assert entry(header(name)).path == "/" + name.decode(errors="surrogateescape")


@given(st.lists(st.binary(min_size=1, max_size=30).filter(lambda part: b"\0" not in part)))
def test_any_name_gives_one_clean_path_below_the_root(parts: list[bytes]) -> None:
    name = b"/".join(parts)
    # After ./ a name can't look like the beginning of a compressed stream.
    for tar in (header(b"./" + name[:98]), pax((b"path", name or b"x")) + header(b"x")):
        try:
            found = entries(tar)
        except MalformedInput as error:
            assert "whiteout of nothing" in str(error)  # noqa: PT017 - the names are made up
            continue
        for each in found:
            assert each.path.startswith("/")
            assert each.path == "/" or not {"", ".", ".."} & set(each.path[1:].split("/"))


def test_a_first_name_like_the_beginning_of_a_bzip2_stream() -> None:
    assert entry(header(b"BZh9.txt")).path == "/BZh9.txt"


def test_kinds_are_those_that_find_knows() -> None:
    assert {kind.value for kind in EntryKind} == set("fdlhcbp")
