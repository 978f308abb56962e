"""A file system as a tree of nodes that never change, so that trees may share their branches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from layerlens.errors import MalformedInput, NotFound
from layerlens.layer.entry import Entry, EntryKind

MAX_LINKS = 255
"""Symlinks followed in one path, as containerd does."""

IMPLIED_LAYER = -1


class Node(NamedTuple):
    """One path of a file system. Compare nodes with ``is``; ``==`` would compare whole branches.

    ``entry``: as the layer wrote it. ``inode``: the file that a hard link stands for, else
    ``entry`` itself. ``layer``: index of the layer that wrote it, IMPLIED_LAYER for a directory
    that exists only because of what is below it. ``children``: None unless a directory.
    """

    entry: Entry
    inode: Entry
    layer: int
    children: Mapping[str, Node] | None


class PathNode(NamedTuple):
    """A node and the absolute path it stands at (a layer's entry may land elsewhere)."""

    path: str
    node: Node


def implied_directory(path: str) -> Entry:
    """The directory that a runtime makes where no layer lists one: 0755, root's."""
    return Entry(path, EntryKind.DIRECTORY, 0o755, 0, 0, 0, 0, None, None, (), None)


@dataclass(frozen=True, slots=True)
class FileTree:
    """The file system after some number of layers.

    ``linked``: the ids of all inodes that a hard link ever stood for on the way here, some of
    which may be gone: few files are in doubt.
    """

    root: Node
    linked: frozenset[int] = frozenset()

    def find(self, path: str) -> Node | None:
        """The node at an absolute clean path, links not followed; None where there is none."""
        node = self.root
        for name in _parts(path):
            child = node.children.get(name) if node.children is not None else None
            if child is None:
                return None
            node = child
        return node

    def resolve(self, path: str) -> PathNode:
        """The node that ``path`` leads to, with every link followed inside the tree.

        Raises NotFound (also for a dangling link) and MalformedInput for a loop of links.
        """
        trail: list[tuple[str, Node]] = [("", self.root)]
        pending = _parts(path)[::-1]
        links = 0
        while pending:
            name = pending.pop()
            here = trail[-1][1]
            if here.children is None:
                raise NotFound(f"{path}: {_joined(trail)} is not a directory")
            if name == "..":
                if len(trail) > 1:
                    trail.pop()
                continue
            child = here.children.get(name)
            if child is None:
                missing = f"{_joined(trail)}/{name}"
                where = "" if missing == path else f" ({missing})"
                raise NotFound(f"{path}: no such path in the image{where}")
            target = child.inode.link_target
            if child.inode.kind is EntryKind.SYMLINK and target is not None:
                links += 1
                if links > MAX_LINKS:
                    raise MalformedInput(f"{path}: more than {MAX_LINKS} links; they form a loop")
                if target.startswith("/"):
                    del trail[1:]
                pending.extend(_parts(target)[::-1])
            else:
                trail.append((name, child))
        return PathNode(_joined(trail) or "/", trail[-1][1])

    def walk(self, path: str = "/") -> Iterator[PathNode]:
        """``path`` and all below it, parents before children, names in the order of their bytes."""
        start = self.find(path)
        if start is None:
            return
        stack = [PathNode(path, start)]
        while stack:
            item = stack.pop()
            yield item
            if item.node.children:
                stack.extend(children_of(item)[::-1])


EMPTY_TREE = FileTree(Node(implied_directory("/"), implied_directory("/"), IMPLIED_LAYER, {}))


def children_of(parent: PathNode) -> list[PathNode]:
    """A directory's children, in the order of their names' bytes; none for anything else."""
    prefix = parent.path if parent.path.endswith("/") else parent.path + "/"
    children = parent.node.children or {}
    return [PathNode(prefix + name, children[name]) for name in sorted(children, key=name_key)]


def name_key(name: str) -> bytes:
    """Sorts names as their bytes would be (lone surrogates are the bytes they stand for)."""
    return name.encode("utf-8", "surrogateescape")


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _joined(trail: list[tuple[str, Node]]) -> str:
    return "/".join(name for name, _ in trail)
