"""Stacking agrees with a naive model, whatever the layers hold."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from layerlens.errors import MalformedInput
from layerlens.filesystem.file_tree import FileTree
from layerlens.filesystem.stacking import stack
from layerlens.layer.entry import Entry, EntryKind, LayerEntry, OpaqueWhiteout, Whiteout

from .layers import NO_LINKS, PATHS, WHITEOUTS, entry_of, files, images, index_of, layers, tree_of
from .naive_model import Impossible, Item, stacked


def items_of(tree: FileTree) -> dict[str, Item]:
    """A tree as the model would have it."""
    return {
        item.path: Item(None, None)
        if item.node.layer < 0
        else Item(item.node.entry, item.node.layer)
        for item in tree.walk()
        if item.path != "/"
    }


@settings(max_examples=300)
@given(images())
def test_stacking_agrees_with_the_naive_model(image: list[list[LayerEntry]]) -> None:
    try:
        expected = stacked(image)
    except Impossible:
        with pytest.raises(MalformedInput):
            tree_of(image)
    else:
        assert items_of(tree_of(image)) == expected


@given(images())
def test_the_trees_below_stay_as_they_were(image: list[list[LayerEntry]]) -> None:
    try:
        lower = tree_of(image[:-1])
        before = items_of(lower)
        upper = stack(lower, index_of(image[-1]), len(image) - 1).tree
    except MalformedInput:
        assume(False)
    assert items_of(lower) == before
    # A branch that the layer did not touch is the same object.
    for name, node in (upper.root.children or {}).items():
        touched = any(
            isinstance(entry, OpaqueWhiteout) or entry.path.startswith(f"/{name}")
            for entry in image[-1]
        )
        linked = any(item.node.inode.kind is EntryKind.SYMLINK for item in upper.walk())
        if not touched and not linked:
            assert lower.root.children is not None
            assert node is lower.root.children[name]


def ancestors(path: str) -> list[str]:
    """``/a`` and ``/a/b`` of ``/a/b/c``."""
    parts = path.split("/")[1:-1]
    return ["/" + "/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def as_tools_write(entries: list[Entry]) -> list[LayerEntry]:
    """The entries, with a directory for each parent before them."""
    parents = {parent: entry for entry in entries for parent in ancestors(entry.path)}
    return [
        *(
            entry_of(path, EntryKind.DIRECTORY, mode=entry.mode)
            for path, entry in sorted(parents.items())
        ),
        *(entry for entry in entries if entry.path not in parents),
    ]


@st.composite
def shuffled_whiteouts(
    draw: st.DrawFn,
) -> tuple[list[list[LayerEntry]], list[LayerEntry], list[LayerEntry]]:
    """Lower layers, and a layer twice: whiteouts first, and whiteouts anywhere."""
    lower = draw(images(NO_LINKS))
    kinds = (EntryKind.DIRECTORY, EntryKind.FILE)
    own = draw(st.lists(files(kinds, PATHS), max_size=6, unique_by=lambda entry: entry.path))
    whiteouts = draw(st.lists(WHITEOUTS, max_size=4))
    listed = as_tools_write(own)
    first: list[LayerEntry] = [*whiteouts, *listed]
    mixed = list(listed)
    for whiteout in whiteouts:
        mixed.insert(draw(st.integers(0, len(mixed))), whiteout)
    return lower, first, mixed


@settings(max_examples=200)
@given(shuffled_whiteouts())
def test_whiteouts_count_the_same_wherever_they_stand_in_the_tar(
    case: tuple[list[list[LayerEntry]], list[LayerEntry], list[LayerEntry]],
) -> None:
    lower, first, mixed = case
    try:
        tree_of(lower)
    except MalformedInput:
        assume(False)
    assert items_of(tree_of([*lower, mixed])) == items_of(tree_of([*lower, first]))


@given(images(NO_LINKS), st.lists(WHITEOUTS, max_size=6))
def test_a_layer_of_whiteouts_only_removes(
    image: list[list[LayerEntry]], whiteouts: list[Whiteout | OpaqueWhiteout]
) -> None:
    try:
        lower = tree_of(image)
    except MalformedInput:
        assume(False)
    before = items_of(lower)
    after = items_of(stack(lower, index_of(list(whiteouts)), len(image)).tree)
    assert after.items() <= before.items()
    for path in before.keys() - after.keys():
        assert any(
            path == whiteout.path or path.startswith(whiteout.path.rstrip("/") + "/")
            for whiteout in whiteouts
        )
    for whiteout in whiteouts:
        if isinstance(whiteout, Whiteout):
            assert whiteout.path not in after


@given(st.lists(layers(NO_LINKS), min_size=1, max_size=3))
def test_stacking_a_layer_again_changes_nothing_more(image: list[list[LayerEntry]]) -> None:
    number = len(image) - 1
    try:
        once = tree_of(image)
        twice = stack(once, index_of(image[-1]), number).tree
    except MalformedInput:
        assume(False)
    assert items_of(twice) == items_of(once)
