"""A file searched piece by piece: what is found, how far is read for it, and how it is marked."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.errors import DigestMismatch, UsageError
from layerlens.layer_jobs import Cancelled
from layerlens.report.safe_text import cells, escape
from layerlens.tui.state import file_search
from layerlens.tui.state.file_difference import DiffText
from layerlens.tui.state.file_pages import FilePages, hex_cell, hex_text
from layerlens.tui.state.file_search import (
    Needle,
    Reach,
    Search,
    SoughtKind,
    Span,
    look,
    matches_in,
    needle,
)
from layerlens.tui.state.match_marks import HERE, MATCH, Mark, character_marks, marked_text, marks

ALPHABET = "aAbé\n"
TEXTS = st.text(ALPHABET, min_size=1, max_size=3)
PIECES = st.lists(st.text(ALPHABET, max_size=9).map(str.encode), max_size=5)


def unwatched(position: int) -> None:
    """Lets a search go on."""


def of_text(text: str) -> Needle:
    return needle(text, SoughtKind.TEXT)


def pages_of(pieces: list[bytes]) -> FilePages:
    return FilePages(sum(map(len, pieces)), iter(pieces))


def starts_of(data: bytes, text: str) -> list[int]:
    """Where a text starts in a file, found character by character."""
    shown = data.decode()
    if text == text.lower():
        shown = shown.lower()
    assert len(shown) == len(data.decode())
    return [
        len(data.decode()[:place].encode())
        for place in range(len(shown))
        if shown.startswith(text, place)
    ]


@given(PIECES, TEXTS, st.integers(1, 20))
def test_every_match_is_come_to_forwards_and_back(
    pieces: list[bytes], text: str, step: int
) -> None:
    data = b"".join(pieces)
    expected = starts_of(data, text)
    with mock.patch.object(file_search, "_STEP", step):
        pages = pages_of(pieces)
        sought = of_text(text)
        start, seen = 0, []
        while not (
            answer := look(pages, Search(sought, start, Reach.READING_ON), unwatched)
        ).turned:
            if answer.match is None:
                break
            seen.append(answer.match.start)
            assert answer.number is None or answer.number[0] == len(seen)
            start = answer.match.start + 1
        assert seen == expected
        assert pages.ended
        assert answer.whole
        if expected:  # and round to the first
            assert answer.match is not None
            assert answer.match.start == expected[0]
            assert answer.number == (1, len(expected))
        seen, start = [], pages.read
        while (answer := look(pages, Search(sought, start, Reach.BACK), unwatched)).match:
            if answer.turned:
                assert answer.match.start == expected[-1]
                break
            seen.append(answer.match.start)
            start = answer.match.start
        assert seen == expected[::-1]
        pages.close()


@given(PIECES, TEXTS, st.integers(0, 30), st.integers(0, 30))
def test_what_is_marked_is_what_matches(
    pieces: list[bytes], text: str, start: int, length: int
) -> None:
    data = b"".join(pieces)
    pages = pages_of(pieces)
    pages.read_on(lambda pages: False)
    sought = of_text(text)
    where = Span(min(start, len(data)), min(start + length, len(data)))
    marked: set[int] = set()
    for place in starts_of(data, text):
        match = sought.pattern.match(data, place)
        assert match is not None
        marked.update(range(place, match.end()))
    found = matches_in(pages, sought, where)
    assert sorted(byte for span in found for byte in range(*span)) == sorted(
        marked & set(range(*where))
    )
    assert all(one.end < other.start for one, other in itertools.pairwise(found))
    pages.close()


@pytest.mark.parametrize(
    ("text", "kind", "found", "missed"),
    [
        ("debug", SoughtKind.TEXT, b"DeBug", b"de bug"),
        ("Debug", SoughtKind.TEXT, b"Debug", b"debug"),
        ("é", SoughtKind.TEXT, "É".encode(), b"e"),
        ("a.b", SoughtKind.TEXT, b"A.B", b"axb"),
        ("[(", SoughtKind.TEXT, b"[(", b"["),
        ("\udcff", SoughtKind.TEXT, b"\xff", "ÿ".encode()),
        ("7f 45 4C46", SoughtKind.BYTES, b"\x7fELF", b"\x7felf"),
    ],
)
def test_letters_match_either_case_unless_one_is_a_capital(
    text: str, kind: SoughtKind, found: bytes, missed: bytes
) -> None:
    sought = needle(text, kind)
    assert sought.pattern.fullmatch(found)
    assert len(found) <= sought.longest
    assert not sought.pattern.search(missed)


@pytest.mark.parametrize(
    ("text", "kind", "complaint"),
    [
        ("7", SoughtKind.BYTES, "two hexadecimal digits a byte, such as 7f 45 4c 46"),
        ("xy", SoughtKind.BYTES, "two hexadecimal digits"),
        (" ", SoughtKind.BYTES, "two hexadecimal digits"),
        ("x" * 1001, SoughtKind.TEXT, "more than 1000 characters"),
        ("\ud800", SoughtKind.TEXT, "half of a character"),
    ],
)
def test_what_cannot_be_looked_for_is_said(text: str, kind: SoughtKind, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        needle(text, kind)


def test_no_more_is_read_than_the_match_needs() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        for number in itertools.count():
            taken += 1
            yield f"line {number}\n".encode()

    pages = FilePages(10**12, endless())
    pages.read_beyond(0)
    answer = look(pages, Search(of_text("line 7"), 0, Reach.WHAT_IS_READ), unwatched)
    assert (answer.match, answer.whole, taken) == (None, False, 1)
    answer = look(pages, Search(of_text("line 70"), 0, Reach.READING_ON), unwatched)
    assert answer.match is not None
    assert pages.row_at(answer.match.start) == 70
    assert taken == 71
    answer = look(pages, Search(of_text("line 7"), 5, Reach.READING_ON), unwatched)
    assert answer.match is not None
    assert taken == 71  # it lies in what is read
    answer = look(pages, Search(of_text("line 9"), 5, Reach.BACK), unwatched)
    assert (answer.match, answer.turned, answer.whole, taken) == (None, False, False, 71)
    pages.close()


def test_a_search_holds_no_more_than_a_piece_and_ends_when_it_is_told_to() -> None:
    most = 0

    class Counting(FilePages):
        def bytes_at(self, offset: int, count: int) -> bytes:
            nonlocal most
            data = super().bytes_at(offset, count)
            most = max(most, len(data))
            return data

    pages = Counting(1 << 40, itertools.repeat(b"x" * (1 << 20)))

    def watch(position: int) -> None:
        if position > 10 << 20:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        look(pages, Search(of_text("needle"), 0, Reach.READING_ON), watch)
    assert pages.read <= 12 << 20
    assert most <= file_search._STEP + 5
    pages.close()
    with pytest.raises(Cancelled, match="closed"):
        look(pages, Search(of_text("needle"), 0, Reach.READING_ON), unwatched)


def test_a_file_that_cannot_be_read_further_is_never_one_without_a_match() -> None:
    def damaged() -> Iterator[bytes]:
        yield b"first"
        raise DigestMismatch("the bytes are others")

    pages = FilePages(100, damaged())
    for _ in range(2):
        with pytest.raises(DigestMismatch):
            look(pages, Search(of_text("second"), 0, Reach.READING_ON), unwatched)
    assert not pages.ended
    assert pages.bytes_at(0, 10) == b"first"
    pages.close()


def test_matches_are_not_counted_in_a_large_file() -> None:
    pages = pages_of([b"ab" * (1 << 18)])
    answer = look(pages, Search(of_text("ab"), 9, Reach.READING_ON), unwatched)
    assert (answer.match, answer.number) == (Span(10, 12), None)
    pages.close()


@given(st.lists(st.text("ab\udcff", max_size=6), max_size=6), st.text("ab", min_size=1, max_size=2))
def test_the_lines_of_a_diff_are_searched_line_by_line(lines: list[str], text: str) -> None:
    diff = DiffText(lines)
    expected = [
        (row, place)
        for row, line in enumerate(lines)
        for place in range(len(line))
        if line.startswith(text, place)
    ]
    found = []
    start = 0
    while True:
        answer = look(diff, Search(of_text(text), start, Reach.READING_ON), unwatched)
        if answer.match is None or answer.turned:
            break
        row = diff.row_at(answer.match.start)
        found.append((row, answer.match.start - diff.row_bounds(row)[0]))
        start = answer.match.start + 1
    assert found == [
        (row, len(lines[row][:place].encode("utf-8", "surrogateescape"))) for row, place in expected
    ]


ROWS = st.text("ab\\nx1\té日\udcff\x1b\u202e", max_size=30)


@given(ROWS, st.integers(0, 40), st.integers(1, 10), st.integers(16, 60))
def test_a_marked_row_reads_as_an_unmarked_one(
    row: str, start: int, length: int, width: int
) -> None:
    start, end = min(start, len(row)), min(start + length, len(row))
    whole = escape(row.expandtabs())
    parts = marked_text(row, [Mark(start, end, MATCH)] if start < end else [], width, "")
    text = "".join(part for part, _ in parts)
    assert cells(text) <= width
    if cells(whole) <= width:
        assert text == whole
        marked = "".join(part for part, style in parts if style == MATCH)
        assert marked in whole
        if "\t" not in row and start < end:
            assert marked in (escape(row[start:end]), f"{escape(row[start:end])}\\")
    else:
        assert text.endswith("…")
    # The one that the search stands on is seen, wherever it is.
    if start < end:
        parts = marked_text(row, [Mark(start, end, HERE)], width, "")
        assert any(style == HERE for _, style in parts)
        assert cells("".join(part for part, _ in parts)) <= width


def test_a_match_beyond_the_edge_is_told_by_the_ellipsis() -> None:
    assert marked_text("x" * 30 + "needle", [Mark(30, 36, MATCH)], 10, "") == [
        ("x" * 9, ""),
        ("…", MATCH),
    ]
    assert marked_text("x" * 30 + "needle", [Mark(30, 36, HERE)], 12, "") == [
        ("…", "faint"),
        ("xxxx", ""),
        ("needle", HERE),
    ]


def test_marks_of_bytes_take_whole_characters_and_stay_in_their_row() -> None:
    assert marks([Span(10, 16)], Span(12, 14), Span(8, 20)) == [
        Mark(2, 4, MATCH),
        Mark(4, 6, HERE),
        Mark(6, 8, MATCH),
    ]
    assert marks([Span(10, 12)], Span(30, 31), Span(8, 20)) == [Mark(2, 4, MATCH)]
    # The second byte of é, and the end of the line, which is no character of it.
    assert character_marks("aéb", [Mark(2, 3, MATCH)]) == [Mark(1, 2, MATCH)]
    assert character_marks("ab", [Mark(1, 9, MATCH), Mark(2, 3, HERE)]) == [Mark(1, 2, MATCH)]
    assert character_marks("é", [Mark(1, 3, MATCH), Mark(2, 3, HERE)]) == [Mark(0, 1, MATCH)]


@pytest.mark.parametrize("gap", [1, 2])
def test_a_byte_stands_where_its_mark_does(gap: int) -> None:
    hexadecimal, _ = hex_text(bytes(range(16)))
    if gap == 1:
        hexadecimal = hexadecimal.replace("  ", " ")
    for byte in range(16):
        place = hex_cell(byte, gap)
        assert hexadecimal[place : place + 2] == f"{byte:02x}"
