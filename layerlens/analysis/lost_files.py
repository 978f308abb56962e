"""How files lost their last name: by which layer, at which path, and to what.

Files are known by the ids of their entries, which are every layer's own (see ``written_layer``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from layerlens.analysis.written_layer import WrittenLayer
from layerlens.filesystem.file_tree import FileTree, Node, name_key


class Loss(NamedTuple):
    """``killed``: the layer that took the last name, ``path``; ``after``: what it put there."""

    killed: int
    path: str
    is_first_name: bool
    after: Node | None


def live_files(tree: FileTree) -> frozenset[int]:
    """The ids of the files with bytes that a tree shows."""
    found: set[int] = set()
    directories = [tree.root]
    while directories:
        for node in (directories.pop().children or {}).values():
            if node.children is not None:
                directories.append(node)
            elif node.inode.size:
                found.add(id(node.inode))
    return frozenset(found)


def lost_files(layers: Sequence[WrittenLayer], live: frozenset[int]) -> Mapping[int, Loss]:
    """How the files that are not live lost their last name, by their ids.

    From the last layer down: so what is found first of a file is the last that happened to it.
    """
    found: dict[int, Loss] = {}
    for lower, upper in zip(layers[-2::-1], layers[:0:-1], strict=True):
        for path, before, after in _lost_names(lower.tree, upper.tree):
            inode = before.inode
            key = id(inode)
            if key in live or not inode.size:
                continue
            known = found.get(key)
            if known is not None and (known.killed != upper.number or known.is_first_name):
                continue
            loss = Loss(upper.number, path, before.entry is inode, after)
            if known is None or loss.is_first_name or name_key(path) < name_key(known.path):
                found[key] = loss
    return found


def _lost_names(lower: FileTree, upper: FileTree) -> Iterator[tuple[str, Node, Node | None]]:
    """Each path of ``lower`` that is no directory and not the same in ``upper``, with both."""
    pairs: list[tuple[str, Node, Node | None]] = [("", lower.root, upper.root)]
    while pairs:
        path, before, after = pairs.pop()
        old = before.children or {}
        new = (after.children if after is not None else None) or {}
        if old is new:
            continue
        for name, was in old.items():
            now = new.get(name)
            if was is now:
                continue
            below = f"{path}/{name}"
            if was.children is None:
                yield below, was, now
            else:
                pairs.append((below, was, now))
