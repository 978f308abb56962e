import pytest
from filesystem.layers import entry_of, tree_of

from layerlens.analysis.change_filter import ALL_KINDS, ChangeFilter
from layerlens.analysis.layer_changes import Aspect, ChangeKind, layer_changes
from layerlens.filesystem.path_glob import compile_glob
from layerlens.layer.entry import EntryKind, LayerEntry, Whiteout

FILE, DIRECTORY = EntryKind.FILE, EntryKind.DIRECTORY

LOWER: list[LayerEntry] = [
    entry_of("/d", DIRECTORY, mtime=1),
    entry_of("/d/changed", FILE, content=b"x", mtime=1),
    entry_of("/d/gone", FILE),
    entry_of("/d/listed", DIRECTORY, mtime=1),
    entry_of("/d/same", FILE, mtime=1),
    entry_of("/d/touched", FILE, mtime=1),
]
UPPER: list[LayerEntry] = [
    entry_of("/d", DIRECTORY, mtime=1),
    entry_of("/d/added.txt", FILE),
    entry_of("/d/changed", FILE, content=b"y", mtime=2),
    Whiteout("/d/gone"),
    entry_of("/d/listed", DIRECTORY, mtime=2),
    entry_of("/d/same", FILE, mtime=1),
    entry_of("/d/touched", FILE, mtime=2),
]


def shown(change_filter: ChangeFilter) -> list[str]:
    changes = layer_changes(tree_of([LOWER]), tree_of([LOWER, UPPER]))
    return [f"{change.kind.value} {change.path}" for change in change_filter.apply(changes)]


def test_by_default_what_was_rewritten_is_left_out() -> None:
    assert shown(ChangeFilter()) == ["A /d/added.txt", "M /d/changed", "D /d/gone"]


def test_times_are_not_among_what_changed_unless_asked_for() -> None:
    def aspects(mtime: bool) -> set[Aspect]:
        changes = layer_changes(tree_of([LOWER]), tree_of([LOWER, UPPER]))
        passed = ChangeFilter(mtime=mtime).apply(changes)
        (changed,) = [change for change in passed if change.path == "/d/changed"]
        return set(changed.aspects)

    assert aspects(mtime=False) == {Aspect.CONTENT}
    assert aspects(mtime=True) == {Aspect.CONTENT, Aspect.MTIME}


def test_rewritten_files_are_shown_when_asked_for_but_no_listed_directory() -> None:
    assert shown(ChangeFilter(kinds=ALL_KINDS | {ChangeKind.REWRITTEN})) == [
        "A /d/added.txt",
        "M /d/changed",
        "D /d/gone",
        "R /d/same",
        "R /d/touched",
    ]


def test_with_mtime_a_time_is_a_change_also_of_a_directory() -> None:
    assert shown(ChangeFilter(mtime=True)) == [
        "A /d/added.txt",
        "M /d/changed",
        "D /d/gone",
        "M /d/listed",
        "M /d/touched",
    ]


def test_mtime_leaves_only_what_has_not_changed_at_all_rewritten() -> None:
    kinds = frozenset({ChangeKind.REWRITTEN})
    assert shown(ChangeFilter(kinds=kinds, mtime=True)) == ["R /d/same"]
    assert shown(ChangeFilter(kinds=kinds)) == ["R /d/same", "R /d/touched"]


@pytest.mark.parametrize(
    ("paths", "excluded", "expected"),
    [
        (["*.txt"], [], ["A /d/added.txt"]),
        (["*.txt", "gone"], [], ["A /d/added.txt", "D /d/gone"]),
        (["/d"], ["*.txt"], ["M /d/changed", "D /d/gone"]),
        ([], ["*.txt", "c*"], ["D /d/gone"]),
        (["/d"], ["/d"], []),
    ],
)
def test_one_path_must_match_and_no_excluded_one(
    paths: list[str], excluded: list[str], expected: list[str]
) -> None:
    change_filter = ChangeFilter(
        paths=tuple(map(compile_glob, paths)), excluded=tuple(map(compile_glob, excluded))
    )
    assert shown(change_filter) == expected
    assert change_filter.narrows


def test_asking_for_more_narrows_nothing() -> None:
    assert not ChangeFilter(kinds=frozenset(ChangeKind), mtime=True).narrows
    assert ChangeFilter(kinds=frozenset({ChangeKind.ADDED, ChangeKind.REWRITTEN})).narrows
