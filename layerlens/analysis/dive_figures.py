"""dive's figures, computed as dive does: on the paths that each layer's tar lists, not on files.

They stand beside our own (see `waste`) for those who come from dive, under its names and with its
faults: every copy of a path is wasted, the needed one too; a directory's whiteout counts what lay
below it; opaque whiteouts are dropped; a layer is read no further than a whiteout of a path that
dive does not find in the layers below. A path is a leaf of a layer where the layer lists nothing
below it. Hard links are files of 0 bytes.

Source: dive's filetree/efficiency.go and filetree/file_tree.go.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerlens.filesystem.file_tree import name_key
from layerlens.layer.entry import Entry, EntryKind, LayerEntry, OpaqueWhiteout, Whiteout

_WHITEOUT_PREFIX = ".wh."

DiveNodes = Mapping[str, LayerEntry | None]
"""What dive keeps of a layer, by absolute path: the last entry of each, whiteouts under their own
names (``/etc/.wh.passwd``), None for a directory that the layer does not list itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiveReference:
    """A path that was met more than once. ``count``: how often. ``size``: bytes of all copies."""

    path: str
    count: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiveFigures:
    """``layer_bytes``: of the files each layer lists. ``minimum_bytes``, ``cumulative_bytes``:
    over all paths, of the smallest and of all copies. ``references``: the largest first."""

    layer_bytes: tuple[int, ...]
    minimum_bytes: int
    cumulative_bytes: int
    references: tuple[DiveReference, ...]

    @property
    def size_bytes(self) -> int:
        """Of the whole image."""
        return sum(self.layer_bytes)

    @property
    def user_size_bytes(self) -> int:
        """Of the layers above the first, which dive takes for the base."""
        return sum(self.layer_bytes[1:])

    @property
    def wasted_bytes(self) -> int:
        """dive's ``wastedBytes``, in its JSON ``inefficientBytes``."""
        return sum(reference.size for reference in self.references)

    @property
    def efficiency(self) -> float:
        """dive's ``efficiency``, from 0 to 1."""
        if not self.cumulative_bytes:
            return 1.0
        return self.minimum_bytes / self.cumulative_bytes

    @property
    def user_wasted_percent(self) -> float:
        """dive's ``userWastedPercent``, a share and no percentage; as with dive, infinite or not a
        number where the layers above the first have no bytes."""
        if self.user_size_bytes:
            return self.wasted_bytes / self.user_size_bytes
        return math.inf if self.wasted_bytes else math.nan


def dive_figures(layers: Sequence[Iterable[LayerEntry]]) -> DiveFigures:
    """The figures of an image whose layers, lowest first, list these entries."""
    sizes: list[int] = []
    paths: dict[str, list[int]] = {}  # smallest, all, how many
    stacked = _Stacked()
    waiting: list[DiveNodes] = []  # of the layers below, not yet stacked: seldom needed
    for number, entries in enumerate(layers):
        listed = tuple(entries)
        sizes.append(sum(entry.size for entry in listed if isinstance(entry, Entry)))
        nodes = dive_nodes(listed)
        if not number:
            stacked.start_from(nodes)
        for path, size in _leaf_sizes(nodes, stacked, waiting):
            known = paths.get(path)
            if known is None:
                paths[path] = [size, size, 1]
            else:
                known[0] = min(known[0], size)
                known[1] += size
                known[2] += 1
        waiting.append(nodes)
    references = [
        DiveReference(path=path, count=count, size=size)
        for path, (_, size, count) in paths.items()
        if count > 1
    ]
    references.sort(key=lambda each: (-each.size, name_key(each.path)))
    return DiveFigures(
        layer_bytes=tuple(sizes),
        minimum_bytes=sum(smallest for smallest, _, _ in paths.values()),
        cumulative_bytes=sum(size for _, size, _ in paths.values()),
        references=tuple(references),
    )


def dive_nodes(entries: Iterable[LayerEntry]) -> DiveNodes:
    """What dive keeps of a layer that lists these entries; the root itself is left out."""
    nodes: dict[str, LayerEntry | None] = {}
    for entry in entries:
        if isinstance(entry, OpaqueWhiteout):
            path, known = entry.path, nodes.get(entry.path)
            if path != "/":
                nodes[path] = known  # dive makes the directory on the way to the marker
        elif isinstance(entry, Whiteout):
            parent, _, name = entry.path.rpartition("/")
            path = f"{parent}/{_WHITEOUT_PREFIX}{name}"
            nodes[path] = entry
        else:
            path = entry.path
            if path != "/":
                nodes[path] = entry
        parent = path[: path.rindex("/")]
        while parent and parent not in nodes:
            nodes[parent] = None
            parent = parent[: parent.rindex("/")]
    return nodes


def _leaf_sizes(
    nodes: DiveNodes, stacked: _Stacked, waiting: list[DiveNodes]
) -> Iterator[tuple[str, int]]:
    """The path of each leaf and the bytes that dive counts there; a whiteout's is what it hides."""
    parents = {path[: path.rindex("/")] for path in nodes}
    leaves = [path for path in nodes if path not in parents]
    whiteouts = [path for path in leaves if isinstance(nodes[path], Whiteout)]
    if whiteouts:
        for below in waiting:
            stacked.lay(below)
        waiting.clear()
        missing = [path for path in whiteouts if not stacked.has(_hidden_path(path))]
        if missing:  # dive gives up on the layer there
            first = min(map(_order, missing))
            leaves = [path for path in leaves if _order(path) < first]
    for path in leaves:
        entry = nodes[path]
        if isinstance(entry, Whiteout):
            yield _hidden_path(path), stacked.directory_size(_hidden_path(path))
        else:
            yield path, entry.size if isinstance(entry, Entry) else 0


def _hidden_path(path: str) -> str:
    parent, _, name = path.rpartition("/")
    return f"{parent}/{name.removeprefix(_WHITEOUT_PREFIX)}"


def _order(path: str) -> list[bytes]:
    """Sorts leaves as dive goes through them: directory by directory, names by their bytes."""
    return name_key(path).split(b"/")


class _Stacked:
    """The layers laid on each other as dive does it, to know what a whiteout hides.

    Paths alone count: links are not followed, what becomes a file keeps what was below it, and a
    directory that a layer only passes through is no directory any more.
    """

    def __init__(self) -> None:
        self._entries: dict[str, LayerEntry | None] = {}
        self._children: dict[str, set[str]] = {}

    def start_from(self, nodes: DiveNodes) -> None:
        """Take a copy of the first layer, whiteouts and all."""
        for path, entry in nodes.items():
            self._put(path, entry)

    def lay(self, nodes: DiveNodes) -> None:
        """Lay a layer on those that were laid before."""
        early, late = self._whiteouts(nodes)
        for path in early:
            self._remove(path)
        for path, entry in nodes.items():
            if not isinstance(entry, Whiteout):
                self._put(path, entry)
        for path in late:
            self._remove(path)

    def has(self, path: str) -> bool:
        """Whether anything stands at ``path``."""
        return path in self._entries

    def directory_size(self, path: str) -> int:
        """The bytes at and below ``path`` if it is a directory; of anything else 0."""
        entry = self._entries.get(path)
        if not isinstance(entry, Entry) or entry.kind is not EntryKind.DIRECTORY:
            return 0
        size = 0
        pending = [path]
        while pending:
            here = pending.pop()
            entry = self._entries[here]
            if isinstance(entry, Entry):
                size += entry.size
            pending.extend(self._children.get(here, ()))
        return size

    def _whiteouts(self, nodes: DiveNodes) -> tuple[list[str], list[str]]:
        """What is removed before the layer's own files are put there, and what after: dive goes
        by names, and a name such as ``.cache`` comes before ``.wh..cache``."""
        early: list[str] = []
        late: list[str] = []
        for path, entry in nodes.items():
            if isinstance(entry, Whiteout):
                hidden = _hidden_path(path)
                (early if _order(path) < _order(hidden) else late).append(hidden)
        return early, late

    def _put(self, path: str, entry: LayerEntry | None) -> None:
        if path not in self._entries:
            self._children.setdefault(path[: path.rindex("/")], set()).add(path)
        self._entries[path] = entry

    def _remove(self, path: str) -> None:
        if path not in self._entries:
            return
        self._children[path[: path.rindex("/")]].discard(path)
        pending = [path]
        while pending:
            here = pending.pop()
            del self._entries[here]
            pending.extend(self._children.pop(here, ()))
