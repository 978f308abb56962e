"""The same content at several live paths: copies counted once a file, the first one free."""

from __future__ import annotations

from collections import defaultdict

from filesystem.layers import images
from hypothesis import assume, given
from image_builder import BuiltLayer, file, hard_link, layer, symlink, whiteout

from analysis.written_layers import built, drawn
from layerlens.analysis.duplicates import DuplicateContent, duplicate_contents
from layerlens.errors import MalformedInput
from layerlens.layer.entry import EntryKind, LayerEntry


def duplicates(*layers: BuiltLayer) -> list[tuple[int, list[tuple[str, int]]]]:
    return list(map(told, duplicate_contents(built(*layers)[-1].tree)))


def told(found: DuplicateContent) -> tuple[int, list[tuple[str, int]]]:
    return found.excess, [(copy.path, copy.layer) for copy in found.copies]


def test_copies_of_the_lowest_layer_come_first() -> None:
    lower = layer(file("/z", b"12345"), file("/once", b"1"))
    upper = layer(file("/a", b"12345"), file("/b", b"12345"))
    assert duplicates(lower, upper) == [(10, [("/z", 0), ("/a", 1), ("/b", 1)])]


def test_the_most_bytes_come_first() -> None:
    members = [file("/a", b"1"), file("/b", b"1"), file("/c", b"12"), file("/d", b"12")]
    assert [excess for excess, _ in duplicates(layer(*members))] == [2, 1]


def test_links_and_empty_files_are_no_copies() -> None:
    members = [
        file("/a", b"1"),
        hard_link("/b", "/a"),
        symlink("/c", "a"),
        file("/e"),
        file("/f"),
    ]
    assert duplicates(layer(*members)) == []


def test_a_hard_linked_copy_is_told_by_its_first_path() -> None:
    members = [file("/z", b"1"), hard_link("/y", "/z"), file("/x", b"1")]
    assert duplicates(layer(*members)) == [(1, [("/x", 0), ("/y", 0)])]


def test_what_is_not_visible_is_no_copy() -> None:
    lower = layer(file("/a", b"1"), file("/b", b"1"))
    assert duplicates(lower, layer(whiteout("/b"))) == []


@given(images(tuple(EntryKind)))
def test_they_are_those_of_a_walk(image: list[list[LayerEntry]]) -> None:
    try:
        tree = drawn(image)[-1].tree
    except MalformedInput:
        assume(False)
        raise
    files: dict[bytes, set[int]] = defaultdict(set)
    for _, node in tree.walk():
        if node.inode.size and node.inode.content:
            files[node.inode.content].add(id(node.inode))
    found = {each.content: len(each.copies) for each in duplicate_contents(tree)}
    assert found == {content: len(ids) for content, ids in files.items() if len(ids) > 1}
