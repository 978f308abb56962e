"""dive's way of counting, done the obvious and slow way: a tree of nodes for every layer.

Written from what dive does, to be held against layerlens.analysis.dive_figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from layerlens.layer.entry import Entry, EntryKind, LayerEntry, OpaqueWhiteout, Whiteout

WHITEOUT = ".wh."


class _Missing(Exception):
    """The path is not in the tree."""


@dataclass(slots=True)
class _Node:
    size: int = 0
    is_directory: bool = False
    children: dict[str, _Node] = field(default_factory=dict)

    def at(self, path: str) -> _Node:
        node = self
        for name in path.strip("/").split("/"):
            if name not in node.children:
                raise _Missing(path)
            node = node.children[name]
        return node

    def add(self, path: str, size: int, *, is_directory: bool) -> None:
        node = self
        for name in path.strip("/").split("/"):
            if name.startswith(".wh..wh.."):
                return
            node = node.children.setdefault(name, _Node())
        node.size, node.is_directory = size, is_directory

    def visit(self, path: str = "") -> Iterator[tuple[str, str, _Node]]:
        """The directory, name and node of all that is below, children first, names in order."""
        for name in sorted(self.children, key=lambda name: name.encode("utf-8", "surrogateescape")):
            child = self.children[name]
            yield from child.visit(f"{path}/{name}")
            yield path, name, child


def _tree(entries: Iterable[LayerEntry]) -> _Node:
    root = _Node()
    for entry in entries:
        if isinstance(entry, Entry):
            if entry.path != "/":
                is_directory = entry.kind is EntryKind.DIRECTORY
                root.add(entry.path, entry.size, is_directory=is_directory)
        elif isinstance(entry, Whiteout):
            parent, _, name = entry.path.rpartition("/")
            root.add(f"{parent}/{WHITEOUT}{name}", 0, is_directory=False)
        elif isinstance(entry, OpaqueWhiteout):
            root.add(f"{entry.path}/.wh..wh..opq", 0, is_directory=False)
    return root


def _stacked(layers: Sequence[Iterable[LayerEntry]], count: int) -> _Node:
    root = _tree(layers[0])
    for entries in layers[:count]:
        for directory, name, node in list(_tree(entries).visit()):
            if not name.startswith(WHITEOUT):
                root.add(f"{directory}/{name}", node.size, is_directory=node.is_directory)
                continue
            try:
                parent = root.at(directory) if directory else root
            except _Missing:
                continue
            parent.children.pop(name.removeprefix(WHITEOUT), None)
    return root


def _counted(
    layers: Sequence[Iterable[LayerEntry]], number: int
) -> Iterator[tuple[str, int | None]]:
    for directory, name, node in _tree(layers[number]).visit():
        if node.children:
            continue
        if not name.startswith(WHITEOUT):
            yield f"{directory}/{name}", node.size
            continue
        path = f"{directory}/{name.removeprefix(WHITEOUT)}"
        try:
            hidden = _stacked(layers, number).at(path)
        except _Missing:
            yield path, None  # dive has entered the path, and then gives up
            return
        below = sum(child.size for _, _, child in hidden.visit())
        yield path, hidden.size + below if hidden.is_directory else 0


@dataclass(frozen=True, slots=True)
class Figures:
    """``references``: (count, bytes) by path, of those met twice or oftener."""

    efficiency: float
    wasted_bytes: int
    references: dict[str, tuple[int, int]]
    layer_bytes: list[int]


def figures(layers: Sequence[Iterable[LayerEntry]]) -> Figures:
    """The figures of an image whose layers list these entries."""
    found: dict[str, list[int]] = {}
    for number in range(len(layers)):
        for path, size in _counted(layers, number):
            found.setdefault(path, []).extend([] if size is None else [size])
    everything = sum(sum(sizes) for sizes in found.values())
    smallest = sum(min(sizes, default=-1) for sizes in found.values())
    references = {path: (len(sizes), sum(sizes)) for path, sizes in found.items() if len(sizes) > 1}
    return Figures(
        smallest / everything if everything else 1.0,
        sum(size for _, size in references.values()),
        references,
        [sum(entry.size for entry in layer if isinstance(entry, Entry)) for layer in layers],
    )
