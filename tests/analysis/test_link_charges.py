"""The bytes of hard-linked files: charged to one name, and freed with the last one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_builder import BuiltLayer, Member, directory, file, hard_link, layer, whiteout

from layerlens.analysis import link_charges
from layerlens.analysis.change_statistics import total
from layerlens.analysis.layer_changes import layer_changes, tree_differences
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree
from layerlens.filesystem.stacking import stack
from layerlens.layer.read_layer import Expected, read_layer


def trees(*built: BuiltLayer) -> list[FileTree]:
    """The tree after each layer, the empty one first."""
    found = [EMPTY_TREE]
    for number, one in enumerate(built):
        index = read_layer(iter([one.tar]), Expected(), where="layer").index
        found.append(stack(found[-1], index, number).tree)
    return found


def charged(lower: FileTree, upper: FileTree) -> dict[str, tuple[int, int]]:
    return {
        change.path: (change.bytes_before, change.bytes_after)
        for change in layer_changes(lower, upper)
    }


LINKED = layer(file("/a", b"12345"), hard_link("/b", "/a"), hard_link("/c", "/a"))


def test_the_first_name_carries_the_bytes() -> None:
    empty, linked = trees(LINKED)
    assert charged(empty, linked) == {"/a": (0, 5), "/b": (0, 0), "/c": (0, 0)}


def test_removing_the_first_name_frees_nothing_while_another_is_left() -> None:
    _, linked, without = trees(LINKED, layer(whiteout("/a")))
    assert charged(linked, without) == {"/a": (0, 0)}


def test_the_last_name_takes_the_bytes_with_it() -> None:
    _, _, one_left, none = trees(
        LINKED, layer(whiteout("/a"), whiteout("/b")), layer(whiteout("/c"))
    )
    assert charged(one_left, none) == {"/c": (5, 0)}


def test_all_names_removed_at_once_free_the_bytes_once_at_the_first_name() -> None:
    _, linked, none = trees(LINKED, layer(whiteout("/a"), whiteout("/b"), whiteout("/c")))
    assert charged(linked, none) == {"/a": (5, 0), "/b": (0, 0), "/c": (0, 0)}


def test_names_that_outlived_the_first_free_the_bytes_once() -> None:
    _, _, two_left, none = trees(
        LINKED, layer(whiteout("/a")), layer(whiteout("/b"), whiteout("/c"))
    )
    assert charged(two_left, none) == {"/b": (5, 0), "/c": (0, 0)}


def test_overwriting_the_first_name_keeps_the_bytes_of_the_others() -> None:
    _, linked, overwritten = trees(LINKED, layer(file("/a", b"123")))
    assert charged(linked, overwritten) == {"/a": (0, 3)}


def test_a_link_in_a_later_layer_costs_nothing() -> None:
    _, base, linked = trees(layer(file("/a", b"12345")), layer(hard_link("/b", "/a")))
    assert charged(base, linked) == {"/b": (0, 0)}


def test_an_image_whose_first_name_is_gone_is_charged_for_the_file_once() -> None:
    *_, without = trees(LINKED, layer(whiteout("/a")))
    found = {change.path: change.bytes_after for change in tree_differences(EMPTY_TREE, without)}
    assert found == {"/b": 5, "/c": 0}


def test_what_a_layer_links_of_its_own_is_looked_for_in_nothing_that_it_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A layer of an image with many, each of which links something, cost a walk of all below."""
    monkeypatch.setattr(link_charges, "_Names", _NothingShared)
    _, lower, upper = trees(
        LINKED,
        layer(file("/d/x", b"123"), hard_link("/d/y", "/d/x"), hard_link("/z", "/d/x")),
    )
    assert charged(lower, upper)["/d/x"] == (0, 3)
    _, _, first, second = trees(
        LINKED, layer(file("/a", b"1"), hard_link("/d", "/a")), layer(file("/a"), file("/d"))
    )
    assert charged(first, second) == {"/a": (1, 0), "/d": (0, 0)}


class _NothingShared(link_charges._Names):
    def add_shared(self) -> None:
        assert not self.new, "nothing that was written above the lower tree needs a walk of it"
        super().add_shared()


def bytes_of(tree: FileTree) -> int:
    """What the files of a tree hold, each once however many names it has."""
    inodes = {id(item.node.inode): item.node.inode.size for item in tree.walk()}
    return sum(inodes.values())


NAMES = st.sampled_from(["/a", "/b", "/d/c", "/d/e", "/f/g/h", "/f/i"])
MEMBERS = st.lists(
    st.one_of(st.builds(file, NAMES, st.binary(max_size=9)), st.builds(whiteout, NAMES)),
    max_size=4,
)
LINKS = st.lists(st.tuples(NAMES, NAMES).filter(lambda pair: pair[0] != pair[1]), max_size=3)


@given(st.lists(st.tuples(MEMBERS, LINKS), max_size=4))
def test_growth_is_what_the_trees_hold(
    drawn: list[tuple[list[Member], list[tuple[str, str]]]],
) -> None:
    built = [
        layer(directory("/d"), *members, *(hard_link(name, target) for name, target in links))
        for members, links in drawn
    ]
    found = trees(*built)
    for lower, upper in itertools.combinations(found, 2):
        growth = total(layer_changes(lower, upper)).growth
        assert growth == bytes_of(upper) - bytes_of(lower)
