"""The search of the file view, driven by keys on files made for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from textual.geometry import Size
from textual.widgets import Input

from layerlens.errors import DigestMismatch
from layerlens.layer.entry import Entry, EntryKind
from layerlens.streams.limits import DEFAULT_LIMITS
from layerlens.tui.screens.browse import BrowseScreen
from layerlens.tui.screens.file_view import FileView
from layerlens.tui.state.match_marks import HERE
from layerlens.tui.state.viewed_file import ViewedFile
from layerlens.tui.widgets import file_search
from layerlens.tui.widgets.file_rows import FileRows, Form

from .driving import Driver, drive, fixture

SIZES = [(160, 45), (100, 30), (80, 24), (60, 20)]
DEMO = [fixture("demo.tar")]
PIECE = 1000

Pieces = Callable[[], Iterator[bytes]]


def entry(size: int) -> Entry:
    return Entry("/made", EntryKind.FILE, 0o644, 0, 0, size, 0, None, None, (), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile(ViewedFile):
    """A file whose bytes a test hands out."""

    pieces: Pieces
    pieces_before: Pieces

    def content(self, is_wanted: Callable[[], bool] = lambda: True) -> Iterator[bytes]:
        return self.pieces()

    def content_before(self, is_wanted: Callable[[], bool] = lambda: True) -> Iterator[bytes]:
        return self.pieces_before()


def made_file(pieces: Pieces, size: int, before: bytes = b"") -> MadeFile:
    return MadeFile(
        path="/made",
        inode=entry(size),
        where="layer 1",
        before=entry(len(before)),
        before_where="layer 0",
        layers=(),
        limits=DEFAULT_LIMITS,
        pieces=pieces,
        pieces_before=lambda: iter([before]),
    )


def in_pieces(data: bytes) -> Pieces:
    return lambda: (data[start : start + PIECE] for start in range(0, len(data), PIECE))


async def opened(driver: Driver, file: ViewedFile, form: Form | None = None) -> FileView:
    view = FileView(file, form)
    driver.app.push_screen(view)
    await driver.settle()
    return view


def marked(driver: Driver) -> list[tuple[int, str, bool]]:
    """The texts on the screen that are marked: in which line, and whether as the one gone to."""
    strips = driver.app.screen._compositor.render_strips(Size(*driver.app.size))
    rows = driver.app.screen.query_one(FileRows)
    width = rows.scrollable_content_region.width
    here = rows._style(HERE, under_cursor=True).color
    return [
        (line, segment.text, segment.style.color == here)
        for line, strip in enumerate(strips[:-2])
        for segment in strip.crop(1, width + 1)  # without the scrollbar
        if segment.style is not None and segment.style.reverse
    ]


def state(driver: Driver) -> str:
    """The line in which the search is typed."""
    return driver.lines()[-2]


TEXT = "".join(
    f"{number} {'Needle needle' if number in (30, 700) else 'straw'}\n" for number in range(1000)
).encode()


@pytest.mark.parametrize("size", SIZES)
def test_matches_are_gone_to_marked_and_told(size: tuple[int, int]) -> None:
    async def steps(driver: Driver) -> None:
        view = await opened(driver, made_file(in_pieces(TEXT), len(TEXT)))
        await driver.press("slash", *"needle")
        assert view.rows.cursor == 30  # in what is read, as it is typed
        assert "text: needle" in state(driver)
        assert "line 31" in state(driver)
        line = marked(driver)[0][0]
        assert marked(driver) == [(line, "Needle", True), (line, "needle", False)]
        await driver.press("enter")
        assert view.rows.has_focus
        await driver.press("n")
        assert [here for *_, here in marked(driver)] == [False, True]
        await driver.press("n")
        assert view.rows.cursor == 700
        assert "line 701" in state(driver)
        assert "match" not in state(driver)  # how many there are is not known yet
        assert "700 Needle" in driver.text()
        await driver.press("n", "n")
        assert "line 31, match 1 of 4, on from the start" in state(driver)
        await driver.press("N")
        assert "line 701, match 4 of 4, on from the end" in state(driver)
        await driver.press("N")
        assert "match 3 of 4" in state(driver)
        assert "on from" not in state(driver)
        await driver.press("g", "down", "n")  # from where the cursor is
        assert "match 1 of 4" in state(driver)
        await driver.press("G", "N")
        assert "match 4 of 4" in state(driver)
        await driver.resize(100, 30)
        assert view.rows.cursor == 700
        await driver.press("slash", "enter")  # the same once more
        assert "match 1 of 4" in state(driver)
        await driver.press("ctrl+f", *"Straw")
        assert "not found" in state(driver)
        assert view.rows.cursor == 30
        assert marked(driver) == []
        await driver.press("escape")
        assert "text:" not in driver.text()
        await driver.press("escape")
        assert isinstance(driver.app.screen, BrowseScreen)

    drive(DEMO, steps, size)


def test_bytes_are_looked_for_by_their_digits_and_text_in_the_hex_view() -> None:
    data = bytes(range(256)) * 4 + b"\x7fELF straw"

    async def steps(driver: Driver) -> None:
        view = await opened(driver, made_file(in_pieces(data), len(data)))
        await driver.press("slash", "ctrl+t", *"7f 4")
        assert "bytes: 7f 4" in state(driver)
        assert "two hexadecimal digits a byte, such as 7f 45 4c 46" in state(driver)
        await driver.press("enter")
        assert not view.rows.has_focus  # as long as it is nothing to look for
        await driver.press(*"5 4c46", "enter")
        assert view.rows.cursor == 64
        assert "at 0x400, match 1 of 1" in state(driver)
        # The match is marked as bytes and as characters.
        assert [text for _, text, _ in marked(driver)] == ["7f 45 4c 46", ".ELF"]
        await driver.press("slash", "ctrl+t", *"0FG", "tab")
        assert "not found" in state(driver)
        await driver.press("slash", *"NOPQ", "down")
        here = [(line, text) for line, text, here in marked(driver) if here]
        assert [text for _, text in here] == ["4e 4f", "NO", "50 51", "PQ"]
        assert here[0][0] + 1 == here[-1][0]  # it starts in one row and ends in the next
        await driver.press("t")  # the place is the same in another form
        assert view.rows.row_bounds(view.rows.cursor).start <= 0x4E
        assert "at 0x" not in state(driver)
        await driver.press("n")  # from the match gone to, which is the first
        assert "match 2 of 4" in state(driver)

    drive(DEMO, steps, (100, 30))


@pytest.mark.parametrize("size", SIZES)
def test_a_diff_is_searched_as_it_is_shown(size: tuple[int, int]) -> None:
    before = TEXT.replace(b"700 Needle", b"700 needle")

    async def steps(driver: Driver) -> None:
        view = await opened(driver, made_file(in_pieces(TEXT), len(TEXT), before), Form.DIFF)
        await driver.press("slash", *"-700 ", "enter")
        assert "line 7 of the diff, match 1 of 1" in state(driver)
        assert view.rows.cursor == 6
        assert [text for _, text, _ in marked(driver)] == ["-700 "]
        await driver.press("d")  # the file has no such text
        assert marked(driver) == []
        assert "of the diff" not in state(driver)
        await driver.press("n")
        assert "not found" in state(driver)
        await driver.press("d", "N")
        assert "line 7 of the diff" in state(driver)

    drive(DEMO, steps, size)


class Handed:
    """Pieces of a file that are handed out as a test lets them through."""

    def __init__(self, pieces: Sequence[bytes], free: int) -> None:
        self._pieces = pieces
        self._free = threading.Semaphore(free)
        self.taken = 0

    def let_through(self, count: int) -> None:
        self._free.release(count)

    def __call__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._free.acquire()
            self.taken += 1
            yield piece


FILLER = b"straw\n" * 300


def test_typing_reads_nothing_and_enter_as_far_as_the_match() -> None:
    pieces = [*[FILLER] * 10, b"needle\n", *[FILLER] * 500]
    handed = Handed(pieces, len(pieces))

    async def steps(driver: Driver) -> None:
        view = await opened(driver, made_file(handed, sum(map(len, pieces))))
        read = handed.taken
        assert read < 10
        await driver.press("slash", *"needle")
        assert "not in the 1.8 kB that are read: enter reads on" in state(driver)
        assert handed.taken == read
        await driver.press("enter")
        assert "line 3001" in state(driver)
        assert view.rows.cursor == 3000
        assert handed.taken < 15  # the rows that are shown after it too
        await driver.press("g", "N")
        assert "not found above; " in state(driver)
        assert "read" in driver.lines()[-3]
        await driver.press("n", "n")
        assert "line 3001, on from the start" in state(driver)
        assert handed.taken == len(pieces)

    drive(DEMO, steps)


async def until(driver: Driver, is_so: Callable[[], bool]) -> None:
    """Let the program go on until something is so."""
    while not is_so():
        await driver.pilot.pause()


def test_a_search_tells_how_far_it_is_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_search, "TELL_EVERY", 0)
    handed = Handed([FILLER] * 100, 1)

    async def steps(driver: Driver) -> None:
        view = await opened(driver, made_file(handed, len(FILLER) * 100))
        driver.left_alone.add("file-search")
        driver.left_alone.add("file")
        await driver.press("slash", *"needle", "enter")
        handed.let_through(5)
        await until(driver, lambda: "searching, 10.8 kB so far" in state(driver))
        assert "(escape stops it)" in state(driver)
        assert view.rows.has_focus
        await driver.press("down")  # which can be looked around in meanwhile
        assert view.rows.cursor == 1
        await driver.press("escape")
        assert "stopped" in state(driver)
        assert driver.app.screen is view
        handed.let_through(100)
        driver.left_alone.clear()
        await driver.settle()
        assert handed.taken <= 8  # the piece that was waited for, and what is shown
        assert "stopped" in state(driver)
        await driver.press("n")
        assert "not found" in state(driver)
        assert handed.taken == 100

    drive(DEMO, steps)


def test_leaving_in_the_middle_of_a_search_ends_it() -> None:
    handed = Handed([FILLER] * 100, 1)

    async def steps(driver: Driver) -> None:
        await opened(driver, made_file(handed, len(FILLER) * 100))
        driver.left_alone.add("file-search")
        await driver.press("slash", *"needle", "enter", "q")
        assert isinstance(driver.app.screen, BrowseScreen)
        handed.let_through(100)
        driver.left_alone.clear()
        await driver.settle()
        assert handed.taken <= 3

    drive(DEMO, steps)


def test_a_file_that_turns_out_damaged_is_told_in_the_line() -> None:
    def damaged() -> Iterator[bytes]:
        yield FILLER
        raise DigestMismatch("the bytes are \x1b[31m others")

    async def steps(driver: Driver) -> None:
        await opened(driver, made_file(damaged, len(FILLER) * 100))
        for _ in range(2):
            await driver.press("slash", *"needle", "enter")
            assert r"the bytes are \x1b[31m others" in state(driver)
            assert "straw" in driver.text()

    drive(DEMO, steps)


def test_a_match_far_to_the_right_is_brought_into_sight() -> None:
    data = b"x" * 900 + b"needle" + b"y" * 90 + b"\nneedle\n"

    async def steps(driver: Driver) -> None:
        await opened(driver, made_file(in_pieces(data), len(data)))
        assert "needle" not in driver.lines()[1]
        await driver.press("slash", *"needle", "enter")
        assert (1, "needle", True) in marked(driver)
        await driver.press("n")
        assert (1, "…", False) in marked(driver)

    drive(DEMO, steps, (80, 24))


def test_there_is_nothing_to_search_while_nothing_is_shown() -> None:
    async def steps(driver: Driver) -> None:
        view = await opened(driver, made_file(lambda: iter(()), 0))
        await driver.press("slash")
        assert view.query_one(FileRows).has_focus
        await driver.press("n", "N")
        assert "The file is empty." in driver.text()

    drive(DEMO, steps)


def test_what_is_pasted_is_looked_for_as_it_is_and_shown_escaped() -> None:
    data = b"one \x1b[31m two \xff three\n" * 3

    async def steps(driver: Driver) -> None:
        await opened(driver, made_file(in_pieces(data), len(data)), Form.TEXT)
        await driver.press("slash")
        line = driver.app.screen.query_one(Input)
        for text, shown in (("\x1b[31m", r"\x1b[31m"), ("\udcff", r"\xff"), ("\n", r"\n")):
            line.value = text
            await driver.settle()
            assert f"text: {shown}" in state(driver)
            assert "line 1, match 1 of 3" in state(driver)
            assert "\x1b" not in driver.text()
        line.value = "\x1b[31m two"
        await driver.settle()
        assert (1, r"\x1b[31m two", True) in marked(driver)

    drive(DEMO, steps)
