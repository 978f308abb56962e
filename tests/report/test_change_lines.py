import pytest
from filesystem.layers import entry_of, tree_of

from layerlens.analysis.change_filter import ChangeFilter
from layerlens.analysis.layer_changes import ChangeKind, layer_changes
from layerlens.layer.entry import Entry, EntryKind, LayerEntry, Whiteout
from layerlens.report.change_lines import change_lines, size_change
from layerlens.report.colour import ANSI, PLAIN, Palette
from layerlens.report.sizes import exact_size, human_size

FILE, DIRECTORY, SYMLINK = EntryKind.FILE, EntryKind.DIRECTORY, EntryKind.SYMLINK
HARD_LINK = EntryKind.HARD_LINK


def lines(
    lower: list[LayerEntry],
    upper: list[LayerEntry],
    palette: Palette = PLAIN,
    mtime: bool = False,
) -> list[str]:
    changes = layer_changes(tree_of([lower]), tree_of([lower, upper]))
    shown = ChangeFilter(kinds=frozenset(ChangeKind), mtime=mtime).apply(changes)
    return list(change_lines(shown, human_size, palette))


def file(content: bytes = b"", path: str = "/f", mode: int = 0o644, mtime: int = 0) -> Entry:
    return entry_of(path, FILE, content=content, mode=mode, mtime=mtime)


def link(target: str, owner: int = 0) -> Entry:
    return entry_of("/l", SYMLINK, link_target=target, owner=owner)


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        ([], [file(b"12")], "  A       +2 B  /f\n"),
        ([], [file()], "  A        0 B  /f\n"),
        ([file(b"12")], [Whiteout("/f")], "  D       -2 B  /f\n"),
        ([file(b"12")], [file(b"12")], "  R        2 B  /f\n"),
        ([], [entry_of("/d", DIRECTORY)], "  A          -  /d/\n"),
        ([], [link("to/x")], "  A          -  /l -> to/x\n"),
        ([link("x")], [Whiteout("/l")], "  D          -  /l -> x\n"),
        ([link("x")], [link("y")], "  M          -  /l  (link x -> y)\n"),
        ([link("x")], [link("x", 7)], "  M          -  /l -> x  (owner 0:0 -> 7:7)\n"),
        ([file(b"12")], [file(b"34")], "  M        2 B  /f  (content)\n"),
        ([file(b"12")], [file(b"3")], "  M        1 B  /f  (content 2 B -> 1 B)\n"),
        ([file(b"1")], [file(b"1", mode=0o4755)], "  M        1 B  /f  (mode 0644 -> 4755)\n"),
        (
            [file(b"1")],
            [file(b"23", mode=0o600)],
            "  M        2 B  /f  (content 1 B -> 2 B, mode 0644 -> 0600)\n",
        ),
        (
            [file(b"12")],
            [entry_of("/f", SYMLINK, link_target="x", mode=0o644)],
            "  M          -  /f -> x  (type file of 2 B -> symlink)\n",
        ),
        (
            [entry_of("/c", EntryKind.CHARACTER_DEVICE, mode=0o600)],
            [entry_of("/c", EntryKind.BLOCK_DEVICE, mode=0o600)],
            "  M          -  /c  (type character device 1:6 -> block device 1:6)\n",
        ),
        (
            [],
            [file(path="/a\x1b[31m\n\u202eb"), Whiteout("/x")],
            "  A        0 B  /a\\x1b[31m\\n\\u202eb\n",
        ),
    ],
)
def test_a_change_is_a_line(
    lower: list[LayerEntry], upper: list[LayerEntry], expected: str
) -> None:
    assert lines(lower, upper) == [expected]


def test_a_directory_in_place_of_a_file_and_back() -> None:
    below = [entry_of("/x", DIRECTORY, mode=0o644), file(b"123", path="/x/leaf")]
    above = [file(b"1", path="/x")]
    assert lines([*below], [*above]) == [
        "  M        1 B  /x  (type directory -> file of 1 B)\n",
        "  D       -3 B  /x/leaf\n",
    ]
    assert lines([*above], [*below]) == [
        "  M          -  /x/  (type file of 1 B -> directory)\n",
        "  A       +3 B  /x/leaf\n",
    ]


def test_the_bytes_of_hard_links_stand_at_the_first_name() -> None:
    lower: list[LayerEntry] = [file(b"12"), entry_of("/g", HARD_LINK, link_target="/f")]
    upper: list[LayerEntry] = [file(b"123"), entry_of("/g", HARD_LINK, link_target="/f")]
    assert lines([], lower)[1:] == ["  A          -  /g = /f\n"]
    assert lines(lower, upper) == [
        "  M        3 B  /f  (content 2 B -> 3 B)\n",
        "  M          -  /g = /f  (content 2 B -> 3 B)\n",
    ]


def test_xattrs_are_told_by_name_with_a_sign() -> None:
    before = file()._replace(xattrs=(("user.a", b"1"), ("user.b", b"1"), ("user.d", b"")))
    after = file()._replace(xattrs=(("user.b", b"2"), ("user.\x1bc", b""), ("user.d", b"")))
    assert lines([before], [after]) == [
        "  M        0 B  /f  (xattrs +user.\\x1bc -user.a user.b)\n"
    ]


def test_times_are_told_to_the_second() -> None:
    before, after = file(mtime=0), file(mtime=61_000_000_000)
    told = "mtime 1970-01-01T00:00:00Z -> 1970-01-01T00:01:01Z"
    assert lines([before], [after], mtime=True) == [f"  M        0 B  /f  ({told})\n"]
    assert lines([before], [file(mtime=1)], mtime=True) == ["  M        0 B  /f  (mtime)\n"]
    assert lines([before], [after]) == [f"  R        0 B  /f  ({told})\n"]


def test_a_directory_that_no_layer_listed_had_no_time() -> None:
    found = lines([file(path="/d/f")], [entry_of("/d", DIRECTORY, mode=0o755)], mtime=True)
    assert found == []
    found = lines([file(path="/d/f")], [entry_of("/d", DIRECTORY, mode=0o755, mtime=5)], mtime=True)
    assert found == ["  M          -  /d/  (mtime none -> 1970-01-01T00:00:00Z)\n"]


def test_colour_adds_escape_sequences_and_nothing_else() -> None:
    lower: list[LayerEntry] = [file(b"1"), file(path="/gone"), file(path="/same")]
    upper: list[LayerEntry] = [file(b"2"), Whiteout("/gone"), file(path="/n"), file(path="/same")]
    coloured = lines(lower, upper, ANSI)
    sequences = ["\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2;33m", "\x1b[2m", "\x1b[0m"]
    stripped = "".join(coloured)
    for sequence in sequences:
        assert sequence in stripped
        stripped = stripped.replace(sequence, "")
    assert stripped == "".join(lines(lower, upper))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1, 2, "1 B -> 2 B"),
        (3_100_000, 3_100_000, "3.1 MB"),
        (3_100_000, 3_100_039, "3.1 MB, +39 B"),
        (3_100_039, 3_100_000, "3.1 MB, -39 B"),
        (0, 0, "0 B"),
    ],
)
def test_a_change_too_small_for_its_unit_is_told_in_bytes(
    before: int, after: int, expected: str
) -> None:
    assert size_change(before, after, human_size) == expected


def test_exact_sizes_differ_wherever_the_bytes_do() -> None:
    assert size_change(3_100_000, 3_100_039, exact_size) == "3100000 -> 3100039"
