"""What became of a path, layer by layer: who wrote it, changed it, removed it, brought it back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from layerlens.analysis.layer_changes import Aspects, ChangeKind, difference
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree, Node, PathNode, children_of


class PathEvent(NamedTuple):
    """What layer ``layer`` (from 0) did to a path. ``before`` is None where it was not there,
    ``after`` where it is gone; REWRITTEN: written again, with nothing but its mtime new."""

    layer: int
    kind: ChangeKind
    aspects: Aspects
    before: Node | None
    after: Node | None


def path_history(trees: Sequence[FileTree], path: str) -> tuple[PathEvent, ...]:
    """All that happened to an absolute clean path, in order; links on the way are not followed.

    ``trees``: the file system after each layer, lowest first. A directory that a layer only
    listed on the way to something in it is no event; what became of that is not told here.
    """
    events = []
    names = [name for name in path.split("/") if name]
    way = _way(EMPTY_TREE.root, names, ())
    before = way[-1] if len(way) > len(names) else None
    for layer, tree in enumerate(trees):
        way = _way(tree.root, names, way)
        after = way[-1] if len(way) > len(names) else None
        if after is not before:
            found = _event(layer, before, after)
            if found is not None:
                events.append(found)
        before = after
    return tuple(events)


def _way(root: Node, names: Sequence[str], known: Sequence[Node]) -> Sequence[Node]:
    """The nodes from the root to a path, as far as there are any. Where a directory is the one in
    *known*, the way through another tree, so is the rest: most layers leave most of them alone."""
    way = [root]
    for depth, name in enumerate(names):
        children = way[depth].children
        if depth < len(known) and children is known[depth].children:
            return [*way, *known[depth + 1 :]]
        child = children.get(name) if children is not None else None
        if child is None:
            break
        way.append(child)
    return way


def _event(layer: int, before: Node | None, after: Node | None) -> PathEvent | None:
    found = difference(before, after)
    if found is None:
        return None
    kind, aspects = found
    if kind is ChangeKind.REWRITTEN and after is not None and after.children is not None:
        return None  # by every layer that writes below it
    return PathEvent(layer, kind, aspects, before, after)


def ever_held(trees: Sequence[FileTree]) -> FileTree:
    """Every path that there was after any of the layers, each as the last of them had it.

    Branches that later layers leave alone are shared with their trees.
    """
    root = EMPTY_TREE.root
    linked: frozenset[int] = frozenset()
    for tree in trees:
        root = _together(root, tree.root)
        linked |= tree.linked
    return FileTree(root, linked)


def _together(before: Node, after: Node) -> Node:
    """``after`` with what only ``before`` has. Trees are at most some hundreds of names deep."""
    if before is after or before.children is None:
        return after
    if after.children is None:
        # A directory that became a file: both are kept, under the file's own node.
        return Node(after.entry, after.inode, after.layer, before.children)
    if before.children is after.children:
        return after
    merged: dict[str, Node] = {}
    same = True
    for name, now in after.children.items():
        was = before.children.get(name)
        both = now if was is None or was is now else _together(was, now)
        merged[name] = both
        same = same and both is now
    gone = [name for name in before.children if name not in after.children]
    if same and not gone:
        return after
    for name in gone:
        merged[name] = before.children[name]
    return Node(after.entry, after.inode, after.layer, merged)


def matching_paths(tree: FileTree, pattern: re.Pattern[str]) -> Iterator[str]:
    """The paths of a tree that a pattern of `path_glob` matches, in order, none below another."""
    pending = [PathNode("/", tree.root)]
    while pending:
        item = pending.pop()
        if pattern.match(item.path):
            yield item.path
        elif item.node.children:
            pending.extend(children_of(item)[::-1])
