from filesystem.layers import entry_of, tree_of

from layerlens.analysis.change_statistics import (
    ChangeStatistics,
    by_top_level_directory,
    total,
)
from layerlens.analysis.layer_changes import Change, layer_changes
from layerlens.layer.entry import EntryKind, LayerEntry, Whiteout

FILE, DIRECTORY = EntryKind.FILE, EntryKind.DIRECTORY

LOWER: list[LayerEntry] = [
    entry_of("/etc/changed", FILE, content=b"12345"),
    entry_of("/etc/same", FILE, content=b"12"),
    entry_of("/gone", DIRECTORY),
    entry_of("/gone/file", FILE, content=b"1234567"),
    entry_of("/top", FILE, content=b"1"),
]
UPPER: list[LayerEntry] = [
    entry_of("/etc/changed", FILE, content=b"12"),
    entry_of("/etc/same", FILE, content=b"12"),
    entry_of("/etc/new", FILE, content=b"123"),
    entry_of("/etc/other-name", EntryKind.HARD_LINK, link_target="/etc/new"),
    Whiteout("/gone"),
    entry_of("/new", DIRECTORY),
    entry_of("/top", FILE, content=b"11"),
    entry_of("/\udcff", DIRECTORY),
]


def changes() -> list[Change]:
    return list(layer_changes(tree_of([LOWER]), tree_of([LOWER, UPPER])))


def test_counts_and_bytes_are_added_up_by_kind() -> None:
    assert total(changes()) == ChangeStatistics(
        added=4,  # among them a hard link, whose bytes are those of its first name
        added_bytes=3,
        changed=2,
        changed_bytes_before=6,
        changed_bytes_after=4,
        removed=2,
        removed_bytes=7,
        rewritten=1,
        rewritten_bytes_before=2,
        rewritten_bytes=2,
    )


def test_growth_is_what_came_less_what_went() -> None:
    assert total(changes()).growth == 3 + 4 - 6 - 7
    assert total([]).growth == 0


def test_bytes_touched_are_those_that_were_written_or_went() -> None:
    assert total(changes()).bytes_touched == 3 + 6 + 7 + 2


def test_each_change_counts_for_its_first_directory_and_the_root_for_itself() -> None:
    rows = by_top_level_directory(changes())
    assert [row.directory for row in rows] == ["/", "/etc", "/gone", "/new", "/\udcff"]
    by_name = {row.directory: row.statistics for row in rows}
    assert by_name["/"] == ChangeStatistics(
        changed=1, changed_bytes_before=1, changed_bytes_after=2
    )
    assert by_name["/gone"] == ChangeStatistics(removed=2, removed_bytes=7)
    assert by_name["/new"] == ChangeStatistics(added=1)


def test_the_rows_add_up_to_the_total() -> None:
    rows = by_top_level_directory(changes())
    whole = total(changes())
    for name in ChangeStatistics.__dataclass_fields__:
        assert sum(getattr(row.statistics, name) for row in rows) == getattr(whole, name)
    assert sum(row.statistics.growth for row in rows) == whole.growth
