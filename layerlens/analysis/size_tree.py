"""Bytes by directory as a tree of a bounded size: the largest branches opened, the rest added up.

Made for pictures: an image of a million files gives as many nodes as one can look at, and no byte
is lost by it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from layerlens.analysis.charged_files import charged_files
from layerlens.analysis.waste import Waste
from layerlens.analysis.written_layer import WrittenLayer
from layerlens.filesystem.file_tree import FileTree, name_key
from layerlens.layer.entry import Entry

CHILDREN_SHOWN = 100
"""Of one directory: the others are added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeNode:
    """A file, a directory, or a layer. ``dead``: those of the ``bytes`` that the image does not
    show. ``files``: in it, with those of no bytes. ``children``: with the most bytes first, and
    less than all of its bytes where some were left out; None for a file."""

    name: str
    bytes: int
    dead: int
    files: int
    children: tuple[SizeNode, ...] | None

    @property
    def rest(self) -> tuple[int, int, int]:
        """Bytes, dead bytes and files that are in no child."""
        children = self.children or ()
        return (
            self.bytes - sum(child.bytes for child in children),
            self.dead - sum(child.dead for child in children),
            self.files - sum(child.files for child in children),
        )


def tree_of_files(tree: FileTree, *, nodes: int, characters: int) -> SizeNode:
    """The final file system, hard links at their first names; at most so many nodes, whose names
    have at most so many characters in all."""
    growing = _Growing(_Branch("/"))
    for file in charged_files(tree):
        growing.add(file.path, file.bytes, 0)
    return _opened(growing.grown(), nodes, characters)


def tree_of_layers(
    layers: Iterable[WrittenLayer], waste: Waste, *, nodes: int, characters: int
) -> SizeNode:
    """All that layers list: a child a layer, named by its number, and its directories below."""
    dead = Counter((file.written, file.entry) for file in waste.files)
    root = _Branch("layers")
    for layer in layers:
        growing = _Growing(root.child(str(layer.number), is_directory=True))
        for entry in layer.entries:
            if not isinstance(entry, Entry) or not entry.size:
                continue
            lost = entry.size if dead[layer.number, entry] > 0 else 0
            if lost:
                dead[layer.number, entry] -= 1
            growing.add(entry.path, entry.size, lost)
        growing.grown()
    root.add_up()
    return _opened(root, nodes, characters)


class _Branch:
    """A node while the tree grows; a file as long as nothing is below it."""

    __slots__ = ("bytes", "children", "dead", "files", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.bytes = 0
        self.dead = 0
        self.files = 0
        self.children: dict[str, _Branch] | None = None

    def child(self, name: str, *, is_directory: bool) -> _Branch:
        if self.children is None:
            self.children = {}
        found = self.children.get(name)
        if found is None:
            found = self.children[name] = _Branch(name)
        if is_directory and found.children is None:
            found.children = {}
        return found

    def count(self, size: int, dead: int) -> None:
        self.bytes += size
        self.dead += dead
        self.files += 1

    def add_up(self) -> None:
        """Add the sums of the children to what was counted for itself."""
        for child in (self.children or {}).values():
            self.bytes += child.bytes
            self.dead += child.dead
            self.files += child.files

    def largest(self) -> Iterator[_Branch]:
        """The children with bytes, the largest first, as many as are shown."""
        children = [child for child in (self.children or {}).values() if child.bytes]
        if len(children) > CHILDREN_SHOWN:
            children = heapq.nlargest(CHILDREN_SHOWN, children, key=lambda child: child.bytes)
        return iter(sorted(children, key=lambda child: (-child.bytes, name_key(child.name))))


class _Growing:
    """A branch that files are added to by their paths. Each is counted where it lies alone, and
    directories are added up once all are there."""

    def __init__(self, root: _Branch) -> None:
        self._root = root
        self._directories: dict[str, _Branch] = {"": root}

    def add(self, path: str, size: int, dead: int) -> None:
        """Count a file at an absolute path."""
        cut = path.rindex("/")
        directory = self._directories.get(path[:cut]) or self._made(path[:cut])
        directory.child(path[cut + 1 :], is_directory=False).count(size, dead)

    def _made(self, path: str) -> _Branch:
        missing: list[str] = []
        branch = self._directories.get(path)
        while branch is None:
            path, _, name = path.rpartition("/")
            missing.append(name)
            branch = self._directories.get(path)
        for name in reversed(missing):
            path = f"{path}/{name}"
            branch = self._directories[path] = branch.child(name, is_directory=True)
        return branch

    def grown(self) -> _Branch:
        """The branch, all directories added up."""
        order = [self._root]
        for branch in order:
            order.extend(child for child in (branch.children or {}).values() if child.children)
        for branch in reversed(order):
            branch.add_up()
        return self._root


def _opened(root: _Branch, nodes: int, characters: int) -> SizeNode:
    """The branches with the most bytes opened first, until there is no room for nodes."""
    shown: dict[int, list[_Branch]] = {}
    waiting: list[tuple[int, int, _Branch]] = [(-root.bytes, 0, root)]
    count = 0
    while waiting:
        _, _, branch = heapq.heappop(waiting)
        children: list[_Branch] = []
        for child in branch.largest():
            if not nodes or len(child.name) > characters:
                break
            nodes -= 1
            characters -= len(child.name)
            children.append(child)
            if child.children is not None:
                count += 1
                heapq.heappush(waiting, (-child.bytes, count, child))
        shown[id(branch)] = children
    return _frozen(root, shown)


def _frozen(root: _Branch, shown: dict[int, list[_Branch]]) -> SizeNode:
    """The branch as values, deep ones without recursion: children are made before parents."""
    order = [root]
    for branch in order:
        order.extend(shown.get(id(branch), ()))
    made: dict[int, SizeNode] = {}
    for branch in reversed(order):
        children = None
        if branch.children is not None:
            children = tuple(made.pop(id(child)) for child in shown.get(id(branch), ()))
        made[id(branch)] = SizeNode(
            name=branch.name,
            bytes=branch.bytes,
            dead=branch.dead,
            files=branch.files,
            children=children,
        )
    return made[id(root)]
