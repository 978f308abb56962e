"""dive's figures, computed as dive does: on the paths that each layer's tar lists, not on files.

They stand beside our own (see `waste`) for those who come from dive, under its names and with its
faults: every copy of a path is wasted, the needed one too; a directory's whiteout counts what lay
below it; opaque whiteouts are dropped; a layer is read no further than a whiteout of a path that
dive does not find in the layers below, whose smallest copy then counts as -1 byte. A path is a leaf
of a layer where the layer lists nothing below it. Hard links are files of 0 bytes.

Source: dive's filetree/efficiency.go and filetree/file_tree.go.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from layerlens.filesystem.file_tree import name_key
from layerlens.layer.entry import Entry, EntryKind, LayerEntry, Whiteout

_WHITEOUT_PREFIX = ".wh."
_GIVEN_UP = -1
"""Bytes of the smallest copy of a path of which dive met none: it adds this up with the others."""

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
    smallest: dict[str, int] = {}
    repeated: dict[str, tuple[int, int]] = {}  # how often, and the bytes of all copies
    everything = 0
    stacked = _Stacked()
    for entries in layers:
        listed = tuple(entries)
        sizes.append(sum([entry.size for entry in listed if isinstance(entry, Entry)]))
        nodes = dive_nodes(listed)
        for path, size in _leaf_sizes(nodes, stacked):
            known = smallest.setdefault(path, -1)
            if size < 0:
                break
            everything += size
            if known < 0:
                smallest[path] = size
                continue
            count, total = repeated.get(path, (1, known))
            repeated[path] = (count + 1, total + size)
            if size < known:
                smallest[path] = size
        stacked.add(nodes)
    references = [
        DiveReference(path=path, count=count, size=size) for path, (count, size) in repeated.items()
    ]
    references.sort(key=lambda each: (-each.size, name_key(each.path)))
    return DiveFigures(
        layer_bytes=tuple(sizes),
        minimum_bytes=sum(smallest.values()),
        cumulative_bytes=everything,
        references=tuple(references),
    )


def dive_nodes(entries: Iterable[LayerEntry]) -> DiveNodes:
    """What dive keeps of a layer that lists these entries; the root itself is left out."""
    nodes: dict[str, LayerEntry | None] = {}
    known = ""  # a directory that is there, with all above it: mostly that of the next entry too
    for entry in entries:
        path = entry.path
        if isinstance(entry, Entry):
            nodes[path] = entry
        elif isinstance(entry, Whiteout):
            parent, _, name = path.rpartition("/")
            path = f"{parent}/{_WHITEOUT_PREFIX}{name}"
            nodes[path] = entry
        else:
            nodes.setdefault(path, None)  # dive makes the directory on the way to the marker
        parent = path[: path.rindex("/")]
        if parent != known:
            known = parent
            while parent and parent not in nodes:
                nodes[parent] = None
                parent = parent[: parent.rindex("/")]
    nodes.pop("/", None)
    return nodes


def _leaf_sizes(nodes: DiveNodes, stacked: _Stacked) -> list[tuple[str, int]]:
    """The path of each leaf and the bytes that dive counts there; a whiteout's is what it hides.

    The last one may be `_GIVEN_UP`: a whiteout of what dive does not find.
    """
    parents = {path[: path.rindex("/")] for path in nodes}
    whiteouts = [
        path for path, entry in nodes.items() if isinstance(entry, Whiteout) and path not in parents
    ]
    if not whiteouts:
        return [
            (path, entry.size if isinstance(entry, Entry) else 0)
            for path, entry in nodes.items()
            if path not in parents
        ]
    stacked.be_ready_for(nodes)
    leaves = [path for path in nodes if path not in parents]
    missing = [path for path in whiteouts if not stacked.has(_hidden_path(path))]
    first = min(missing, key=_order, default=None)
    if first is not None:
        before = _order(first)
        leaves = [path for path in leaves if _order(path) < before]
    sizes = [_leaf_size(path, nodes[path], stacked) for path in leaves]
    return sizes if first is None else [*sizes, (_hidden_path(first), _GIVEN_UP)]


def _leaf_size(path: str, entry: LayerEntry | None, stacked: _Stacked) -> tuple[str, int]:
    if isinstance(entry, Whiteout):
        hidden = _hidden_path(path)
        return hidden, stacked.directory_size(hidden)
    return path, entry.size if isinstance(entry, Entry) else 0


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
        self._layers = 0
        self._waiting: list[DiveNodes] = []  # whiteouts are seldom, and so is a need of this
        self._entries: dict[str, LayerEntry | None] = {}
        self._children: dict[str, set[str]] = {}

    def add(self, nodes: DiveNodes) -> None:
        """A layer to be laid on those that were added before, once somebody asks."""
        self._layers += 1
        self._waiting.append(nodes)

    def be_ready_for(self, nodes: DiveNodes) -> None:
        """Lay what is below a layer; below the first one dive sees that layer itself."""
        if not self._layers:
            self._put_all(nodes)
        for waiting in self._waiting:
            self._lay(waiting)
        self._waiting.clear()

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

    def _lay(self, nodes: DiveNodes) -> None:
        early, late = self._whiteouts(nodes)
        for path in early:
            self._remove(path)
        self._put_all(nodes)
        for path in late:
            self._remove(path)

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

    def _put_all(self, nodes: DiveNodes) -> None:
        entries, children = self._entries, self._children
        for path, entry in nodes.items():
            if isinstance(entry, Whiteout):
                continue
            if path not in entries:
                children.setdefault(path[: path.rindex("/")], set()).add(path)
            entries[path] = entry

    def _remove(self, path: str) -> None:
        if path not in self._entries:
            return
        self._children[path[: path.rindex("/")]].discard(path)
        pending = [path]
        while pending:
            here = pending.pop()
            del self._entries[here]
            pending.extend(self._children.pop(here, ()))
