"""A file read a page at a time: no more than is looked at, and every byte where it belongs."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.errors import LimitExceeded, UnsupportedInput
from layerlens.tui.state import file_difference, file_pages
from layerlens.tui.state.file_difference import unified_diff
from layerlens.tui.state.file_pages import LONGEST_ROW, FilePages, hex_text

PIECES = st.lists(
    st.one_of(st.binary(max_size=30), st.just(b"\n"), st.just(b"x" * (LONGEST_ROW - 1))), max_size=8
)


def read_whole(pieces: list[bytes]) -> FilePages:
    pages = FilePages(sum(map(len, pieces)), iter(pieces))
    pages.read_on(lambda pages: False)
    assert pages.ended
    return pages


@given(PIECES)
def test_rows_of_text_are_the_lines_long_ones_cut(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    lines = data.split(b"\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    expected: list[bytes] = []
    numbers: list[tuple[int, bool]] = []
    for position, line in enumerate(lines):
        # A line as long as a row, or a multiple, needs no row more for its end.
        whole = [line[start : start + LONGEST_ROW] for start in range(0, len(line), LONGEST_ROW)]
        expected.extend(whole or [b""])
        numbers.extend((position, part == 0) for part in range(len(whole) or 1))
    pages = read_whole(pieces)
    shown = [
        pages.text_row(row).encode("utf-8", "surrogateescape") for row in range(pages.text_rows)
    ]
    assert shown == [row.removesuffix(b"\r") for row in expected]
    rows = range(pages.text_rows)
    assert [(pages.line_of(row), pages.starts_line(row)) for row in rows] == numbers
    pages.close()


@given(PIECES, st.integers(1, 5))
def test_rows_are_found_again_from_the_starts_that_are_kept(
    pieces: list[bytes], block: int
) -> None:
    whole = read_whole(pieces)
    bounds = [whole.row_bounds(row) for row in range(whole.text_rows)]
    lines = [whole.line_of(row) for row in range(whole.text_rows)]
    with mock.patch.object(file_pages, "BLOCK_ROWS", block):
        pages = FilePages(sum(map(len, pieces)), iter(pieces))
        while not pages.ended:
            pages.read_on(lambda now, before=pages.read: now.read > before)  # type: ignore[misc]
            last = pages.text_rows - 1  # looked at while it still grows
            assert pages.row_bounds(last)[0] == bounds[last][0]
        assert pages.text_rows == len(bounds)
        for row in reversed(range(len(bounds))):
            assert pages.row_bounds(row) == bounds[row]
            assert pages.line_of(row) == lines[row]
            assert bounds[row][0] == bounds[row][1] or pages.row_at(bounds[row][0]) == row
            assert pages.row_at(bounds[row][1]) >= row
        pages.close()
        assert pages.text_row(max(0, len(bounds) - 1)) == ""
    whole.close()


def test_little_is_kept_of_a_file_of_many_rows() -> None:
    rows = 200_000
    pages = read_whole([b"row\n" * 1000] * (rows // 1000))
    assert pages.text_rows == rows
    assert pages.row_bounds(rows - 1) == (4 * rows - 4, 4 * rows)
    assert pages.row_at(4 * 123_456 + 1) == 123_456
    assert len(pages._block_starts) == rows // file_pages.BLOCK_ROWS + 1
    pages.close()


@given(st.binary(max_size=100))
def test_rows_of_bytes_are_the_bytes(data: bytes) -> None:
    pages = read_whole([data])
    rows = [pages.hex_row(row) for row in range(pages.hex_rows)]
    assert b"".join(rows) == data
    for row in rows:
        hexadecimal, shown = hex_text(row)
        assert bytes.fromhex(hexadecimal) == row
        assert len(shown) == len(row)
    pages.close()


def test_no_more_is_read_than_was_asked_for() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        for number in itertools.count():
            taken += 1
            yield f"line {number}\n".encode() * 10

    pages = FilePages(10**12, endless())
    pages.read_on(lambda pages: pages.text_rows >= 25)
    assert taken == 3
    assert pages.text_row(24) == "line 2"
    pages.read_on(lambda pages: pages.text_rows >= 25)
    assert taken == 3
    pages.close()


def test_closing_ends_the_reading_and_the_generator() -> None:
    ended = []

    def content() -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            ended.append(True)

    pages = FilePages(2, content())
    pages.read_on(lambda pages: pages.read >= 1)
    pages.close()
    assert ended == [True]
    pages.read_on(lambda pages: False)
    assert pages.bytes_at(0, 1) == b""


@pytest.mark.parametrize(
    ("data", "is_text"),
    [
        (b"", True),
        (b"plain\n", True),
        ("ça".encode(), True),
        (("é" * 5000).encode(), True),
        (b"x" + ("é" * 5000).encode(), True),
        (b"\xff\xfe", False),
        (b"nul\0", False),
        ("cut é".encode()[:-1], False),
    ],
)
def test_text_is_utf_8_without_nuls(data: bytes, is_text: bool) -> None:
    pages = read_whole([data])
    assert pages.looks_like_text() is is_text
    pages.close()


LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12)


@given(LINES, LINES, st.lists(st.just("same"), max_size=8))
def test_a_diff_is_that_of_the_whole_files(a: list[str], b: list[str], around: list[str]) -> None:
    old, new = [*around, *a, *around], [*around, *b, *around]
    before = "".join(f"{line}\n" for line in old).encode()
    after = "".join(f"{line}\n" for line in new).encode()
    lines = unified_diff(before, after, ("old", "new"))
    assert applied(lines, old) == new
    assert bool(lines) == (before != after)
    if lines:
        assert lines[:2] == ["--- old", "+++ new"]


def applied(lines: list[str], old: list[str]) -> list[str]:
    """The old lines changed as the diff says, its numbers of lines taken at their word."""
    made: list[str] = []
    taken = 0
    for line in lines[2:]:
        if line.startswith("@@"):
            first, _, count = line.split(" ")[1][1:].partition(",")
            start = int(first) - (count != "0")
            made.extend(old[taken:start])
            taken = start
            continue
        if line[0] in " -":
            assert old[taken] == line[1:]
            taken += 1
        if line[0] in " +":
            made.append(line[1:])
    return [*made, *old[taken:]]


def test_a_diff_of_what_is_no_text_or_too_much_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsupportedInput, match="no text"):
        unified_diff(b"a\0", b"b", ("old", "new"))
    monkeypatch.setattr(file_difference, "LARGEST", 10)
    with pytest.raises(LimitExceeded, match="11 bytes"):
        unified_diff(b"a" * 11, b"b", ("old", "new"))
    monkeypatch.setattr(file_difference, "MOST_LINES", 2)
    with pytest.raises(LimitExceeded, match="more than 2 lines"):
        unified_diff(b"a\na\na\n", b"b\n", ("old", "new"))
    assert list(difflib.unified_diff(["a"], ["a"])) == []


def test_a_missing_last_newline_is_told() -> None:
    assert unified_diff(b"a", b"a\n", ("old", "new"))[3:] == ["-a  (no newline at the end)", "+a"]
