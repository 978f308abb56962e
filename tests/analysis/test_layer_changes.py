"""What changed between two trees: complete, exact, and the same whether or not they share."""

from __future__ import annotations

import pytest
from filesystem.layers import NO_HARD_LINKS, images, index_of, layers, tree_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from image_builder import (
    BuiltLayer,
    Member,
    character_device,
    directory,
    file,
    hard_link,
    layer,
    opaque,
    symlink,
    whiteout,
)

from layerlens.analysis.layer_changes import (
    Aspect,
    Change,
    ChangeKind,
    count_changes,
    layer_changes,
    tree_differences,
)
from layerlens.errors import MalformedInput
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree, Node
from layerlens.filesystem.stacking import stack
from layerlens.layer.entry import Entry, EntryKind, LayerEntry
from layerlens.layer.read_layer import Expected, read_layer

LayerLists = list[list[LayerEntry]]
ALL_KINDS = tuple(EntryKind)


def stacked(image: LayerLists) -> FileTree:
    """The image's tree; an image that no runtime could apply is no example."""
    try:
        return tree_of(image)
    except MalformedInput:
        assume(False)
        raise


def facts(entry: Entry) -> Entry:
    """What a change can be about: not where an entry was listed, nor a symlink's own mode, which
    no file system looks at."""
    mode = 0 if entry.kind is EntryKind.SYMLINK else entry.mode
    target = None if entry.kind is EntryKind.HARD_LINK else entry.link_target
    return entry._replace(path="", mode=mode, link_target=target)


def facts_by_path(tree: FileTree) -> dict[str, Entry]:
    return {item.path: facts(item.node.inode) for item in tree.walk()}


def applied(before: dict[str, Entry], changes: list[Change]) -> dict[str, Entry]:
    """``before`` after the changes, each of which has to fit what it finds."""
    found = dict(before)
    for change in changes:
        if change.kind is ChangeKind.REMOVED:
            assert change.before is not None
            assert change.after is None
            assert found.pop(change.path) == facts(change.before.inode)
        elif change.kind is ChangeKind.ADDED:
            assert change.before is None
            assert change.after is not None
            assert change.path not in found
            found[change.path] = facts(change.after.inode)
        else:
            assert change.before is not None
            assert change.after is not None
            assert found[change.path] == facts(change.before.inode)
            found[change.path] = facts(change.after.inode)
    return found


def aspects_by_hand(before: Entry, after: Entry) -> set[Aspect]:
    """What differs, field by field."""
    before, after = facts(before), facts(after)
    found: set[Aspect] = set()
    if (before.kind, before.device) != (after.kind, after.device):
        found.add(Aspect.TYPE)
    if before.kind is after.kind:
        if (before.size, before.content) != (after.size, after.content):
            found.add(Aspect.CONTENT)
        if before.link_target != after.link_target:
            found.add(Aspect.LINK)
    # A symlink has no mode of its own.
    if EntryKind.SYMLINK not in (before.kind, after.kind) and before.mode != after.mode:
        found.add(Aspect.MODE)
    if (before.uid, before.gid) != (after.uid, after.gid):
        found.add(Aspect.OWNER)
    if before.xattrs != after.xattrs:
        found.add(Aspect.XATTRS)
    if before.mtime_ns != after.mtime_ns:
        found.add(Aspect.MTIME)
    return found


@given(images(ALL_KINDS), images(ALL_KINDS))
def test_the_differences_of_two_trees_applied_to_one_give_the_other(
    a: LayerLists, b: LayerLists
) -> None:
    before, after = stacked(a), stacked(b)
    changes = list(tree_differences(before, after))
    assert applied(facts_by_path(before), changes) == facts_by_path(after)


@given(images(ALL_KINDS))
def test_a_layer_s_changes_applied_to_the_layers_below_give_the_image(image: LayerLists) -> None:
    lower, upper = stacked(image[:-1]), stacked(image)
    changes = list(layer_changes(lower, upper))
    assert applied(facts_by_path(lower), changes) == facts_by_path(upper)


@settings(max_examples=200)
@given(layers(NO_HARD_LINKS), layers(NO_HARD_LINKS))
def test_each_change_says_what_differs_and_no_more(
    a: list[LayerEntry], b: list[LayerEntry]
) -> None:
    for change in layer_changes(stacked([a]), stacked([b])):
        if change.before is None or change.after is None:
            assert change.aspects == frozenset()
            continue
        expected = aspects_by_hand(change.before.inode, change.after.inode)
        assert change.aspects == expected
        only_times = expected <= {Aspect.MTIME}
        assert (change.kind is ChangeKind.REWRITTEN) == only_times


def unshared(node: Node) -> Node:
    """The same branch made of other objects."""
    inode = Entry(*node.inode)
    entry = inode if node.inode is node.entry else Entry(*node.entry)
    children = node.children
    if children is not None:
        children = {name: unshared(child) for name, child in children.items()}
    return Node(entry, inode, node.layer, children)


def essence(changes: list[Change]) -> list[tuple[str, ChangeKind, frozenset[Aspect]]]:
    return [(change.path, change.kind, change.aspects) for change in changes]


@settings(max_examples=50)
@given(images(NO_HARD_LINKS))
def test_sharing_branches_saves_work_and_changes_nothing(image: LayerLists) -> None:
    lower, upper = stacked(image[:-1]), stacked(image)
    other = FileTree(unshared(lower.root))
    assert essence(list(tree_differences(lower, upper))) == essence(
        list(tree_differences(other, upper))
    )
    assert list(tree_differences(lower, other)) == []


@settings(max_examples=50)
@given(images(ALL_KINDS), images(ALL_KINDS))
def test_counting_agrees_with_listing(a: LayerLists, b: LayerLists) -> None:
    before, after = stacked(a), stacked(b)
    counts = dict.fromkeys(ChangeKind, 0)
    for change in layer_changes(before, after):
        if change.kind is not ChangeKind.REWRITTEN or not change.is_directory:
            counts[change.kind] += 1
    assert count_changes(before, after) == counts


@settings(max_examples=50)
@given(images(NO_HARD_LINKS), images(NO_HARD_LINKS))
def test_looked_at_the_other_way_what_was_added_is_removed(a: LayerLists, b: LayerLists) -> None:
    before, after = stacked(a), stacked(b)
    mirror = {
        ChangeKind.ADDED: ChangeKind.REMOVED,
        ChangeKind.REMOVED: ChangeKind.ADDED,
        ChangeKind.CHANGED: ChangeKind.CHANGED,
        ChangeKind.REWRITTEN: ChangeKind.REWRITTEN,
    }
    there = [
        (path, mirror[kind], aspects)
        for path, kind, aspects in essence(list(tree_differences(before, after)))
    ]
    assert essence(list(tree_differences(after, before))) == there


@settings(max_examples=50)
@given(images(ALL_KINDS), images(ALL_KINDS))
def test_paths_come_once_and_in_the_order_of_their_bytes(a: LayerLists, b: LayerLists) -> None:
    paths = [change.path for change in layer_changes(stacked(a), stacked(b))]
    keys = [
        [part.encode("utf-8", "surrogateescape") for part in path.split("/") if part]
        for path in paths
    ]
    assert keys == sorted(keys)
    assert len(set(paths)) == len(paths)


@settings(max_examples=50)
@given(images(NO_HARD_LINKS), st.integers(0, 3))
def test_an_empty_layer_changes_nothing(image: LayerLists, number: int) -> None:
    lower = stacked(image)
    assert list(layer_changes(lower, stack(lower, index_of([]), number).tree)) == []


# ---- one example each ----

BASE = layer(
    directory("/d", mode=0o755),
    file("/d/a", b"1", mtime=5),
    directory("/d/sub"),
    file("/d/sub/x", b"22"),
    symlink("/l", "d"),
    file("/linked", b"333"),
    hard_link("/name", "/linked"),
    character_device("/null", 1, 3),
)


def did(*members: Member, base: BuiltLayer = BASE) -> list[str]:
    """What a layer of ``members`` did to the base, as ``letter path aspects``."""
    trees = [EMPTY_TREE]
    for number, built in enumerate([base, layer(*members)]):
        index = read_layer(iter([built.tar]), Expected(), where="test").index
        trees.append(stack(trees[-1], index, number).tree)
    return [
        " ".join([change.kind.value, change.path, *sorted(item.value for item in change.aspects)])
        for change in layer_changes(trees[1], trees[2])
    ]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([], []),
        ([file("/new", b"1")], ["A /new"]),
        ([file("/p/q/new")], ["A /p", "A /p/q", "A /p/q/new"]),
        ([directory("/d"), file("/d/new")], ["A /d/new"]),
        ([directory("/d", mode=0o700)], ["M /d mode"]),
        ([directory("/d", owner=(0, 5))], ["M /d owner"]),
        ([directory("/d", xattrs={"user.x": b""})], ["M /d xattrs"]),
        ([directory("/d", mtime=9), file("/d/new")], ["R /d mtime", "A /d/new"]),
        ([file("/d/a", b"1", mtime=5)], ["R /d/a"]),
        ([file("/d/a", b"1", mtime=6)], ["R /d/a mtime"]),
        ([file("/d/a", b"2", mtime=5)], ["M /d/a content"]),
        ([file("/d/a", b"2", mtime=6)], ["M /d/a content mtime"]),
        ([file("/d/a", b"1", mtime=5, mode=0o600)], ["M /d/a mode"]),
        ([file("/d/a", b"1", mtime=5, mode=0o4644)], ["M /d/a mode"]),
        ([file("/d/a", b"1", mtime=5, owner=(7, 0))], ["M /d/a owner"]),
        ([file("/d/a", b"1", mtime=5, xattrs={"user.x": b"1"})], ["M /d/a xattrs"]),
        ([symlink("/l", "d")], ["R /l"]),
        ([symlink("/l", "e")], ["M /l link"]),
        ([symlink("/d/a", "sub", mtime=5)], ["M /d/a type"]),
        ([file("/l")], ["M /l type"]),
        ([character_device("/null", 1, 3)], ["R /null"]),
        ([character_device("/null", 1, 5)], ["M /null type"]),
        ([whiteout("/d/a")], ["D /d/a"]),
        ([whiteout("/d")], ["D /d", "D /d/a", "D /d/sub", "D /d/sub/x"]),
        ([opaque("/d")], ["D /d/a", "D /d/sub", "D /d/sub/x"]),
        ([opaque("/d"), file("/d/a", b"1", mtime=5)], ["R /d/a", "D /d/sub", "D /d/sub/x"]),
        (
            [file("/d", mode=0o755)],
            ["M /d type", "D /d/a", "D /d/sub", "D /d/sub/x"],
        ),
        ([directory("/linked", mode=0o644), file("/linked/x")], ["M /linked type", "A /linked/x"]),
        ([whiteout("/linked")], ["D /linked"]),
        ([file("/linked", b"333")], ["R /linked"]),
        ([file("/linked", b"4444")], ["M /linked content"]),
        (
            [file("/linked", b"4"), hard_link("/name", "/linked")],
            ["M /linked content", "M /name content"],
        ),
        ([hard_link("/third", "/name")], ["A /third"]),
        ([hard_link("/name", "/linked")], ["R /name"]),
        ([file("/l/by-link")], ["A /d/by-link"]),
        ([whiteout("/l/a")], ["D /d/a"]),
        ([whiteout("/d/a"), file("/d/a", b"1", mtime=5)], ["R /d/a"]),
        ([whiteout("/none")], []),
    ],
)
def test_what_a_layer_did(members: list[Member], expected: list[str]) -> None:
    assert did(*members) == expected


def test_bytes_of_a_hard_link_are_charged_to_the_first_name() -> None:
    index = read_layer(iter([BASE.tar]), Expected(), where="test").index
    tree = stack(EMPTY_TREE, index, 0).tree
    sizes = {change.path: change.bytes_after for change in layer_changes(EMPTY_TREE, tree)}
    assert sizes["/linked"] == 3
    assert sizes["/name"] == 0
    assert sum(sizes.values()) == 6
    gone = {change.path: change.bytes_before for change in layer_changes(tree, EMPTY_TREE)}
    assert gone == sizes
