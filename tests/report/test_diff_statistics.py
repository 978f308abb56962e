import pytest

from layerlens.analysis.change_statistics import ChangeStatistics, DirectoryStatistics
from layerlens.report.colour import ANSI, PLAIN
from layerlens.report.diff_statistics import statistics_lines, summary_line
from layerlens.report.safe_text import cells
from layerlens.report.sizes import exact_size, human_size

EVERYTHING = ChangeStatistics(
    added=1,
    added_bytes=2_000_000,
    changed=3,
    changed_bytes_before=4,
    changed_bytes_after=5,
    removed=6,
    removed_bytes=7,
    rewritten=8,
    rewritten_bytes_before=9,
    rewritten_bytes=9,
)


@pytest.mark.parametrize(
    ("statistics", "expected"),
    [
        (ChangeStatistics(), "no changes"),
        (ChangeStatistics(added=1), "1 added (0 B)"),
        (ChangeStatistics(removed=2, removed_bytes=3), "2 removed (3 B)"),
        (
            EVERYTHING,
            "1 added (2.0 MB), 3 changed (4 B -> 5 B), 6 removed (7 B), 8 rewritten (9 B)",
        ),
    ],
)
def test_a_summary_names_what_occurs(statistics: ChangeStatistics, expected: str) -> None:
    assert summary_line(statistics, human_size) == expected


def rows(**statistics: ChangeStatistics) -> list[DirectoryStatistics]:
    return [
        DirectoryStatistics(directory=f"/{name}", statistics=each)
        for name, each in statistics.items()
    ]


def test_the_table_has_columns_for_the_kinds_that_occur() -> None:
    found = rows(etc=ChangeStatistics(added=2, added_bytes=30), usr=ChangeStatistics(removed=1))
    assert list(statistics_lines(found, human_size, width=None, palette=PLAIN)) == [
        "  PATH  ADDED  BYTES  REMOVED  BYTES  GROWTH\n",
        "  /etc      2   30 B        -      -   +30 B\n",
        "  /usr      -      -        1    0 B     0 B\n",
    ]


def test_all_kinds_fit_beside_each_other() -> None:
    found = rows(etc=EVERYTHING)
    assert list(statistics_lines(found, exact_size, width=None, palette=PLAIN)) == [
        "  PATH  ADDED    BYTES  CHANGED  BYTES  REMOVED  BYTES  REWRITTEN  BYTES    GROWTH\n",
        "  /etc      1  2000000        3      5        6      7          8      9  +1999994\n",
    ]


def test_a_long_name_gives_way_on_a_terminal_alone() -> None:
    found = rows(**{"x" * 200: EVERYTHING})
    wide = list(statistics_lines(found, human_size, width=None, palette=PLAIN))
    assert "x" * 200 in wide[1]
    narrow = list(statistics_lines(found, human_size, width=100, palette=PLAIN))
    assert max(cells(line.rstrip("\n")) for line in narrow) <= 100


def test_names_are_escaped() -> None:
    found = rows(**{"\x1b[31m": EVERYTHING})
    table = "".join(statistics_lines(found, human_size, width=None, palette=ANSI))
    assert "/\\x1b[31m" in table
    assert "/\x1b" not in table


def test_without_rows_there_is_no_table() -> None:
    assert list(statistics_lines([], human_size, width=None, palette=PLAIN)) == []
