import pytest

from layerlens.filesystem.file_tree import Node
from layerlens.layer.entry import Entry, EntryKind
from layerlens.report.colour import ANSI, PLAIN
from layerlens.report.listing import ListedFile, listing_lines, mode_text, time_text
from layerlens.report.sizes import exact_size


def _entry(kind: EntryKind, mode: int, size: int = 0, target: str | None = None) -> Entry:
    return Entry("/a", kind, mode, 0, 0, size, 0, None, target, (), None)


def _listed(name: str, entry: Entry) -> ListedFile:
    return ListedFile(name, Node(entry, entry, 0, None))


@pytest.mark.parametrize(
    ("kind", "mode", "text"),
    [
        (EntryKind.FILE, 0o644, "-rw-r--r--"),
        (EntryKind.FILE, 0o4755, "-rwsr-xr-x"),
        (EntryKind.FILE, 0o4655, "-rwSr-xr-x"),
        (EntryKind.FILE, 0o2755, "-rwxr-sr-x"),
        (EntryKind.FILE, 0o2745, "-rwxr-Sr-x"),
        (EntryKind.DIRECTORY, 0o1777, "drwxrwxrwt"),
        (EntryKind.DIRECTORY, 0o1776, "drwxrwxrwT"),
        (EntryKind.FILE, 0o7000, "---S--S--T"),
        (EntryKind.SYMLINK, 0o777, "lrwxrwxrwx"),
        (EntryKind.SYMLINK, 0o644, "lrwxrwxrwx"),
        (EntryKind.CHARACTER_DEVICE, 0, "c---------"),
        (EntryKind.BLOCK_DEVICE, 0o660, "brw-rw----"),
        (EntryKind.FIFO, 0o600, "prw-------"),
    ],
)
def test_modes_are_written_as_ls_does(kind: EntryKind, mode: int, text: str) -> None:
    assert mode_text(_entry(kind, mode)) == text


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_000_999_999_999, "2023-11-14T22:13:20Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (-((1 << 63) - 1), "1677-09-21T00:12:43Z"),
        ((1 << 63) - 1, "2262-04-11T23:47:16Z"),
    ],
)
def test_times_are_utc_and_never_out_of_range(nanoseconds: int, text: str) -> None:
    assert time_text(nanoseconds) == text


def test_columns_are_aligned_and_names_and_targets_escaped() -> None:
    files = [
        _listed("a", _entry(EntryKind.FILE, 0o644, size=1234567)),
        _listed("b\x1b[2J", _entry(EntryKind.SYMLINK, 0o777, target="to\n\udcff")),
    ]
    assert list(listing_lines(lambda: files, format_size=exact_size, palette=PLAIN)) == [
        "MODE        OWNER     SIZE  MODIFIED              LAYER  NAME\n",
        "-rw-r--r--  0:0    1234567  1970-01-01T00:00:00Z      0  a\n",
        "lrwxrwxrwx  0:0          -  1970-01-01T00:00:00Z      0  b\\x1b[2J -> to\\n\\xff\n",
    ]


def test_colour_changes_no_alignment() -> None:
    files = [_listed("a", _entry(EntryKind.FILE, 0o644))]
    heading, line = listing_lines(lambda: files, format_size=exact_size, palette=ANSI)
    assert heading == "\x1b[1mMODE        OWNER  SIZE  MODIFIED              LAYER  NAME\x1b[0m\n"
    assert line == "-rw-r--r--  0:0       0  1970-01-01T00:00:00Z      0  a\n"


def test_nothing_is_written_of_nothing() -> None:
    assert list(listing_lines(lambda: (), format_size=exact_size, palette=PLAIN)) == []
