"""The history of a path agrees with what each layer changed, and nothing that was there is lost."""

from __future__ import annotations

import pytest
from filesystem.layers import images, index_of
from hypothesis import assume, given
from image_builder import Member, directory, file, symlink, tar_of, whiteout

from layerlens.analysis.layer_changes import Aspect, ChangeKind, layer_changes
from layerlens.analysis.path_history import ever_held, matching_paths, path_history
from layerlens.errors import MalformedInput
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree
from layerlens.filesystem.path_glob import compile_glob
from layerlens.filesystem.stacking import stack
from layerlens.layer.entry import LayerEntry
from layerlens.layer.read_layer import Expected, read_layer


def trees_of(layers: list[list[LayerEntry]]) -> list[FileTree]:
    trees = [EMPTY_TREE]
    for number, entries in enumerate(layers):
        try:
            trees.append(stack(trees[-1], index_of(entries), number).tree)
        except MalformedInput:  # no runtime could apply it either
            assume(False)
    return trees[1:]


def built(*layers: list[Member]) -> list[FileTree]:
    trees = [EMPTY_TREE]
    for number, members in enumerate(layers):
        index = read_layer(iter([tar_of(*members)]), Expected(), where="test").index
        trees.append(stack(trees[-1], index, number).tree)
    return trees[1:]


@given(images())
def test_each_path_has_the_events_that_the_changes_of_layers_tell(
    layers: list[list[LayerEntry]],
) -> None:
    trees = trees_of(layers)
    told: dict[str, list[tuple[int, ChangeKind, frozenset[Aspect]]]] = {}
    below = EMPTY_TREE
    for number, tree in enumerate(trees):
        for change in layer_changes(below, tree):
            if change.kind is not ChangeKind.REWRITTEN or not change.is_directory:
                told.setdefault(change.path, []).append((number, change.kind, change.aspects))
        below = tree
    for item in ever_held(trees).walk():
        events = path_history(trees, item.path)
        assert [(event.layer, event.kind, event.aspects) for event in events] == told.pop(
            item.path, []
        )
    assert told == {}


@given(images())
def test_what_any_layer_left_there_is_held_as_the_last_one_had_it(
    layers: list[list[LayerEntry]],
) -> None:
    trees = trees_of(layers)
    last = {item.path: item.node.entry for tree in trees for item in tree.walk()}
    held = {item.path: item.node.entry for item in ever_held(trees).walk()}
    assert held == last or (not trees and set(held) == {"/"})


def test_a_path_is_written_changed_removed_and_brought_back() -> None:
    trees = built(
        [file("/a", b"1")],
        [file("/b")],
        [file("/a", b"22", mode=0o600)],
        [file("/a", b"22", mode=0o600)],
        [whiteout("/a")],
        [symlink("/a", "b")],
    )
    events = path_history(trees, "/a")
    assert [(event.layer, event.kind) for event in events] == [
        (0, ChangeKind.ADDED),
        (2, ChangeKind.CHANGED),
        (3, ChangeKind.REWRITTEN),
        (4, ChangeKind.REMOVED),
        (5, ChangeKind.ADDED),
    ]
    assert events[1].aspects == {Aspect.CONTENT, Aspect.MODE}
    assert path_history(trees, "/c") == ()


def test_removing_a_directory_removes_what_is_in_it() -> None:
    trees = built([directory("/d"), file("/d/x")], [whiteout("/d")])
    assert [event.layer for event in path_history(trees, "/d/x")] == [0, 1]


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("*.py", ["/d/x.py", "/gone.py"]),
        ("/d", ["/d"]),
        ("d/*", ["/d/sub", "/d/x.py"]),
        ("*.c", []),
        ("/", ["/"]),
    ],
)
def test_a_glob_finds_paths_that_are_gone_and_not_what_is_below_a_match(
    pattern: str, paths: list[str]
) -> None:
    trees = built(
        [directory("/d"), file("/d/x.py"), directory("/d/sub"), file("/d/sub/y"), file("/gone.py")],
        [whiteout("/gone.py")],
    )
    assert list(matching_paths(ever_held(trees), compile_glob(pattern))) == paths
