from collections.abc import Sequence

import pytest

from layerlens.report.as_table import Align, Cell, Column, Styled, table_lines
from layerlens.report.colour import ANSI, PLAIN, Style
from layerlens.report.safe_text import cells, shorten, shorten_middle

_COLUMNS = (
    Column(heading="KIND"),
    Column(heading="SIZE", align=Align.RIGHT),
    Column(heading="PATH", shorten=shorten_middle),
)
_ROWS: tuple[Sequence[Cell], ...] = (
    ("A", "1.5 kB", "/usr/lib/python3/os.py"),
    (Styled("D", Style.REMOVED), "0 B", "/日本"),
)


def _table(rows: Sequence[Sequence[Cell]] = _ROWS, width: int | None = None) -> list[str]:
    return list(table_lines(_COLUMNS, rows, width=width, palette=PLAIN))


def test_columns_are_aligned_and_no_line_ends_in_spaces() -> None:
    assert _table() == [
        "KIND    SIZE  PATH\n",
        "A     1.5 kB  /usr/lib/python3/os.py\n",
        "D        0 B  /日本\n",
    ]


def test_wide_characters_count_two_cells() -> None:
    columns = (Column(heading="A"), Column(heading="B"))
    lines = list(table_lines(columns, [("日本", "x"), ("a", "y")], width=None, palette=PLAIN))
    assert lines == ["A     B\n", "日本  x\n", "a     y\n"]


def test_an_empty_cell_in_the_middle_keeps_the_columns() -> None:
    columns = (Column(heading="A"), Column(heading="B"), Column(heading="C", align=Align.RIGHT))
    rows = [("x", "", "1"), ("", "y", ""), ("", "", "")]
    lines = list(table_lines(columns, rows, width=None, palette=PLAIN))
    assert lines == ["A  B  C\n", "x     1\n", "   y\n", "\n"]


def test_without_rows_there_are_headings() -> None:
    assert _table([]) == ["KIND  SIZE  PATH\n"]


def test_hostile_cells_stay_on_their_line() -> None:
    assert _table([("A", "1", "/a\n\x1b[2J"), (Styled("\x9b", Style.ADDED), "1", "/b")]) == [
        "KIND    SIZE  PATH\n",
        "A          1  /a\\n\\x1b[2J\n",
        "\\u009b     1  /b\n",
    ]


@pytest.mark.parametrize("width", range(24, 40))
def test_on_a_terminal_one_column_gives_way(width: int) -> None:
    lines = _table(width=width)
    assert max(cells(line.rstrip("\n")) for line in lines) == min(width, 36)
    assert lines[2] == "D        0 B  /日本\n"
    assert ("…" in lines[1]) == (width < 36)


def test_a_column_gives_way_only_so_far() -> None:
    assert _table(width=5)[1] == "A     1.5 kB  /us…/os.py\n"


def test_no_column_grows_to_the_least_width() -> None:
    columns = (Column(heading="LONG HEADING"), Column(heading="B", shorten=shorten))
    lines = list(table_lines(columns, [("x", "abc")], width=5, palette=PLAIN))
    assert lines == ["LONG HEADING  B\n", "x             abc\n"]


def test_colour_changes_nothing_but_colour() -> None:
    plain = _table()
    coloured = list(table_lines(_COLUMNS, _ROWS, width=None, palette=ANSI))
    assert coloured[0] == "\x1b[1mKIND\x1b[0m    \x1b[1mSIZE\x1b[0m  \x1b[1mPATH\x1b[0m\n"
    assert coloured[1] == plain[1]
    assert coloured[2] == "\x1b[31mD\x1b[0m        0 B  /日本\n"
