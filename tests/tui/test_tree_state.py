"""The rows of the tree agree with what the layers changed, however they are filtered and folded."""

from __future__ import annotations

import re
from array import array
from dataclasses import replace

import pytest
from filesystem.layers import entry_of, images, index_of
from hypothesis import assume, given
from hypothesis import strategies as st

from layerlens.analysis.change_statistics import total
from layerlens.analysis.layer_changes import ChangeKind, layer_changes, tree_differences
from layerlens.errors import MalformedInput, UsageError
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree
from layerlens.filesystem.stacking import stack
from layerlens.layer.entry import EntryKind, LayerEntry
from layerlens.tui.state.name_filter import (
    FilterKind,
    NameFilter,
    Searching,
    paths,
    pattern_matches,
)
from layerlens.tui.state.tree_arrays import (
    ROOT,
    STATE_OF,
    NotWanted,
    State,
    TreeArrays,
    compact,
    tree_arrays,
)
from layerlens.tui.state.tree_sorting import by_bytes
from layerlens.tui.state.tree_view import ALL_STATES, TreeView

ANY_IMAGE = images(tuple(EntryKind))


def two_trees(layers: list[list[LayerEntry]]) -> tuple[FileTree, FileTree]:
    """The trees before and after the last layer; an image that can't be stacked is no example."""
    trees = [EMPTY_TREE]
    for number, entries in enumerate(layers):
        try:
            trees.append(stack(trees[-1], index_of(entries), number).tree)
        except MalformedInput:
            assume(False)
    return trees[-2], trees[-1]


def arrays_of(layers: list[list[LayerEntry]]) -> TreeArrays:
    return tree_arrays(*two_trees(layers))


@given(ANY_IMAGE)
def test_each_row_tells_what_became_of_its_path(layers: list[list[LayerEntry]]) -> None:
    before, after = two_trees(layers)
    arrays = tree_arrays(before, after)
    told = {
        change.path: STATE_OF[change.kind]
        for change in layer_changes(before, after)
        if change.kind is not ChangeKind.REWRITTEN or not change.is_directory
    }
    every = {item.path for tree in (before, after) for item in tree.walk()}
    shown = {path: arrays.state(row) for row, path in enumerate(paths(arrays))}
    assert shown == {path: told.get(path, State.UNMODIFIED) for path in every}
    assert list(shown) == [arrays.path(row) for row in range(arrays.count)]
    assert all(arrays.find(path) == row for row, path in enumerate(shown))


@given(ANY_IMAGE)
def test_a_directory_has_the_bytes_of_what_is_in_it(layers: list[list[LayerEntry]]) -> None:
    before, after = two_trees(layers)
    arrays = tree_arrays(before, after)
    changes = [
        change
        for change in layer_changes(before, after)
        if change.kind is not ChangeKind.REWRITTEN or not change.is_directory
    ]
    sums = total(changes)
    assert arrays.gained[ROOT] == (
        sums.added_bytes + sums.changed_bytes_after + sums.rewritten_bytes
    )
    assert arrays.lost[ROOT] == (
        sums.removed_bytes + sums.changed_bytes_before + sums.rewritten_bytes_before
    )
    files = {id(item.node.inode): item.node.inode.size for item in after.walk()}
    assert arrays.bytes[ROOT] == sum(files.values())
    for row in range(arrays.count):
        branch = range(row, row + arrays.lengths[row])
        mask = 0
        for below in branch:
            mask |= arrays.state(below).bit
        assert arrays.masks[row] == mask
        assert all(arrays.parents[child] == row for child in arrays.children(row))


@given(ANY_IMAGE, ANY_IMAGE)
def test_of_two_images_it_tells_what_differs(
    one: list[list[LayerEntry]], other: list[list[LayerEntry]]
) -> None:
    before, after = two_trees(one)[1], two_trees(other)[1]
    arrays = tree_arrays(before, after, of_two_images=True)
    changes = [
        change
        for change in tree_differences(before, after)
        if change.kind is not ChangeKind.REWRITTEN or not change.is_directory
    ]
    told = {change.path: STATE_OF[change.kind] for change in changes}
    shown = {path: arrays.state(row) for row, path in enumerate(paths(arrays))}
    assert shown == {path: told.get(path, State.UNMODIFIED) for path in shown}
    assert told.keys() <= shown.keys()
    sums = total(changes)
    assert arrays.gained[ROOT] == sums.added_bytes + sums.changed_bytes_after
    assert arrays.lost[ROOT] == sums.removed_bytes + sums.changed_bytes_before


def test_what_two_images_have_alike_is_unmodified() -> None:
    def built(mtime: int) -> FileTree:
        entries: list[LayerEntry] = [
            entry_of("/a", EntryKind.FILE, content=b"same"),
            entry_of("/b", EntryKind.FILE, content=b"same", mtime=mtime),
        ]
        return stack(EMPTY_TREE, index_of(entries), 0).tree

    arrays = tree_arrays(built(1), built(2), of_two_images=True)
    assert [arrays.state(row) for row in range(3)] == [
        State.UNMODIFIED,
        State.UNMODIFIED,
        State.REWRITTEN,
    ]
    assert list(arrays.gained) == list(arrays.lost) == [0, 0, 0]


@given(ANY_IMAGE)
def test_sorted_by_bytes_it_has_the_same_rows(layers: list[list[LayerEntry]]) -> None:
    arrays = arrays_of(layers)
    ordered = by_bytes(arrays)
    facts = {
        path: (arrays.state(row), arrays.bytes[row], arrays.lengths[row], arrays.before.get(row))
        for row, path in enumerate(paths(arrays))
    }
    assert facts == {
        path: (
            ordered.state(row),
            ordered.bytes[row],
            ordered.lengths[row],
            ordered.before.get(row),
        )
        for row, path in enumerate(paths(ordered))
    }
    for row in range(ordered.count):
        sizes = [ordered.bytes[child] for child in ordered.children(row)]
        assert sizes == sorted(sizes, reverse=True)


@given(ANY_IMAGE, st.sets(st.sampled_from(State)), st.sampled_from([None, "a", "b/a", "/b"]))
def test_what_is_shown_is_wanted_or_leads_to_it(
    layers: list[list[LayerEntry]], states: set[State], text: str | None
) -> None:
    arrays = arrays_of(layers)
    view = TreeView(arrays, frozenset(states))
    view.unfold_all()
    if text is not None:
        view.show_matches(Searching(arrays).matches(text))
    wanted = {
        row
        for row, path in enumerate(paths(arrays))
        if arrays.state(row) in states and (text is None or text in path)
    }
    expected = {ROOT}
    for row in wanted:
        while row != ROOT:
            expected.add(row)
            row = arrays.parents[row]  # noqa: PLW2901
    assert list(view.rows) == sorted(expected)


@given(ANY_IMAGE, st.data())
def test_folding_one_by_one_shows_what_folding_at_once_shows(
    layers: list[list[LayerEntry]], data: st.DataObject
) -> None:
    arrays = arrays_of(layers)
    view = TreeView(arrays, ALL_STATES)
    view.unfold_all()
    for _ in range(6):
        row = data.draw(st.sampled_from(list(view.rows)))
        (view.unfold if view.is_folded(row) else view.fold)(row)
        hidden = {
            below
            for folded in range(arrays.count)
            if view.is_folded(folded)
            for below in range(folded + 1, folded + arrays.lengths[folded])
        }
        assert list(view.rows) == [row for row in range(arrays.count) if row not in hidden]
    again = TreeView(arrays, ALL_STATES, view.folding)
    assert list(again.rows) == list(view.rows)


@given(
    ANY_IMAGE, st.text(alphabet="ab/\udcff", min_size=1, max_size=5), st.sampled_from(FilterKind)
)
def test_a_filter_finds_the_paths_that_contain_it(
    layers: list[list[LayerEntry]], text: str, kind: FilterKind
) -> None:
    arrays = arrays_of(layers)
    search = NameFilter(text, kind)
    if kind is FilterKind.SUBSTRING:
        found = Searching(arrays).matches(text)
        expected = [text in path and row != ROOT for row, path in enumerate(paths(arrays))]
    else:
        matches = pattern_matches(arrays, search, lambda: True)
        assert matches is not None
        found = matches
        pattern = search.pattern()
        find = pattern.match if kind is FilterKind.GLOB else pattern.search
        expected = [find(path) is not None for path in paths(arrays)]
    assert list(map(bool, found)) == expected


@given(ANY_IMAGE)
def test_small_letters_find_capitals_and_capitals_only_capitals(
    layers: list[list[LayerEntry]],
) -> None:
    arrays = arrays_of(layers)
    assert Searching(arrays).matches("A") == bytes(arrays.count)
    shouted = replace(arrays, names=[name.upper() for name in arrays.names])
    assert Searching(shouted).matches("a") == Searching(arrays).matches("a")


@pytest.mark.parametrize(
    ("text", "kind"),
    [("(", FilterKind.REGEX), ("[", FilterKind.GLOB), ("a{99999999999}", FilterKind.REGEX)],
)
def test_a_pattern_that_is_none_says_so(text: str, kind: FilterKind) -> None:
    with pytest.raises(UsageError):
        NameFilter(text, kind).pattern()


def test_what_nobody_waits_for_is_given_up() -> None:
    layers: list[LayerEntry] = []
    layers.extend(entry_of(f"/d{number}/f", EntryKind.FILE) for number in range(12_000))
    tree = stack(EMPTY_TREE, index_of(layers), 0).tree
    with pytest.raises(NotWanted):
        tree_arrays(EMPTY_TREE, tree, lambda: False)
    arrays = tree_arrays(EMPTY_TREE, tree)
    search = NameFilter("x", FilterKind.REGEX)
    assert pattern_matches(arrays, search, lambda: False) is None
    assert re.search("f$", arrays.path(arrays.count - 1))


def test_a_large_tree_opens_with_its_top_directories_and_a_small_one_unfolded() -> None:
    small: list[LayerEntry] = [entry_of(f"/d/e/{n}", EntryKind.FILE) for n in range(10)]
    large: list[LayerEntry] = [entry_of(f"/d{n % 7}/e/{n}", EntryKind.FILE) for n in range(900)]
    for entries, count in ((small, 13), (large, 1 + 7 + 7)):
        tree = stack(EMPTY_TREE, index_of(entries), 0).tree
        assert len(TreeView(tree_arrays(EMPTY_TREE, tree)).rows) == count


def test_typed_letter_by_letter_a_filter_finds_the_same() -> None:
    entries: list[LayerEntry] = [entry_of("/etc", EntryKind.DIRECTORY)]
    entries += [entry_of(f"/etc/f{number:03}", EntryKind.FILE) for number in range(300)]
    entries += [entry_of(f"/f01{name}/x", EntryKind.FILE) for name in "12"]
    arrays = tree_arrays(EMPTY_TREE, stack(EMPTY_TREE, index_of(entries), 0).tree)
    typed = Searching(arrays)
    for text in ("f", "f0", "f01", "f012", "f01", "f0", "f02", "f029"):
        assert typed.matches(text) == Searching(arrays).matches(text)
    assert typed.matches("f012").count(1) == 3  # a file, a directory and what is in it


@pytest.mark.parametrize("size", [0, 255, 256, 2**32 - 1, 2**32, 2**63])
def test_numbers_take_as_few_bytes_as_the_largest_needs(size: int) -> None:
    numbers = compact(array("Q", [0, size, 1]))
    assert list(numbers) == [0, size, 1]
    assert numbers.itemsize == (1 if size < 2**8 else 4 if size < 2**32 else 8)
