"""One layer laid on the tree of those below it, entry by entry, as containerd would apply it.

The lower tree is left as it is: directories are copied when the layer first writes in them, and
every branch that it does not touch is shared with the tree below.

Source: image-spec layer.md; where it is silent, containerd's archive/tar.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.filesystem.file_tree import (
    IMPLIED_LAYER,
    MAX_LINKS,
    FileTree,
    Node,
    implied_directory,
)
from layerlens.layer.entry import Entry, EntryKind, LayerEntry, OpaqueWhiteout, Whiteout
from layerlens.oci.quoting import quoted

MAX_DEPTH = 600
"""Directories in each other, links followed. PATH_MAX allows more; no real image comes near."""

MAX_LINK_PARTS = 20_000_000
"""Names that one layer's entries may pass through by way of links: each costs time, not bytes."""

_Children = dict[str, Node]

# As Node(...) would make it, at half the cost, which is paid for every path.
_make = tuple.__new__


@dataclass(frozen=True, slots=True)
class StackedLayer:
    """The tree that a layer makes, and what was odd in the layer without being wrong."""

    tree: FileTree
    warnings: tuple[str, ...]


class Listing(Protocol):
    """A layer, listed."""

    @property
    def entries(self) -> tuple[LayerEntry, ...]: ...


def stack(lower: FileTree, layer: Listing, number: int) -> StackedLayer:
    """Apply ``layer``, the image's layer ``number`` from 0, to the tree of those below.

    Raises MalformedInput where a runtime could not apply it either: an entry below something
    that is no directory, a loop of links, a hard link to a directory.
    """
    stacking = _Stacking(lower, number)
    for entry in layer.entries:
        if isinstance(entry, Entry):
            stacking.put(entry)
        elif isinstance(entry, Whiteout):
            stacking.remove(entry)
        else:
            stacking.empty(entry)
    return StackedLayer(stacking.tree(), stacking.warnings())


class _Stacking:
    """A tree in the making. Only dictionaries whose id is in ``_owned`` may be written to: the
    others belong to the lower tree, which also keeps their ids from being used again."""

    def __init__(self, lower: FileTree, number: int) -> None:
        self._number = number
        self._root = lower.root
        self._lower = lower
        self._owned: set[int] = set()
        # Those of them that hold nothing of the layers below: a second whiteout finds no work.
        self._ours: set[int] = set()
        self._link_parts = 0
        # Directories that were walked to, by their paths; void once one may lead elsewhere.
        self._known: dict[str, _Children] = {}
        self._linked_inodes: set[int] = set()
        self._duplicates: list[str] = []
        self._dangling: list[str] = []

    def tree(self) -> FileTree:
        linked = self._lower.linked
        return FileTree(self._root, linked | self._linked_inodes if self._linked_inodes else linked)

    def warnings(self) -> tuple[str, ...]:
        found = []
        if self._duplicates:
            found.append(f"listed twice, the last counts: {_some_of(self._duplicates, 'path')}")
        if self._dangling:
            found.append(
                f"linked to a file that is not there: {_some_of(self._dangling, 'hard link')}"
            )
        return tuple(found)

    def put(self, entry: Entry) -> None:
        path = entry.path
        if path == "/":
            self._put_root(entry)
            return
        cut = path.rindex("/")
        name = path[cut + 1 :]
        parent = path[:cut]
        children = self._known.get(parent)
        if children is None:
            children = self._directory(parent, path)
        existing = children.get(name)
        if existing is not None and existing.layer == self._number:
            self._duplicates.append(path)
        if entry.kind is EntryKind.DIRECTORY:
            below = existing.children if existing is not None else None
            if below is None:
                below = self._new_children()
                if existing is not None:
                    self._known.clear()  # it may have been a link on the way elsewhere
            children[name] = _make(Node, (entry, entry, self._number, below))
            return
        inode = entry
        if entry.kind is EntryKind.HARD_LINK:
            inode = self._linked(entry)
            children = self._directory(parent, path)
        if existing is not None and _leads_on(existing):
            self._known.clear()
        children[name] = _make(Node, (entry, inode, self._number, None))

    def remove(self, whiteout: Whiteout) -> None:
        parent, _, name = whiteout.path.rpartition("/")
        children = self._existing_directory(parent, whiteout.path)
        node = children.get(name) if children is not None else None
        if children is None or node is None:
            return
        if _leads_on(node):
            self._known.clear()
        kept = self._without_lower(node)
        if kept is None:
            del children[name]
        else:
            children[name] = kept

    def empty(self, opaque: OpaqueWhiteout) -> None:
        children = self._existing_directory(opaque.path, opaque.path)
        if children is None or id(children) in self._ours:
            return
        self._known.clear()
        for name, node in list(children.items()):
            kept = self._without_lower(node)
            if kept is None:
                del children[name]
            else:
                children[name] = kept
        self._ours.add(id(children))

    def _without_lower(self, node: Node) -> Node | None:
        """What of a branch this layer itself wrote; whiteouts only reach the layers below."""
        ours = node.layer == self._number
        if node.children is None or id(node.children) not in self._owned:
            if not ours:
                return None
            if node.children is None:
                return node
            return Node(node.entry, node.inode, node.layer, self._new_children())
        below: Mapping[str, Node] = node.children
        if id(below) not in self._ours:
            below = self._ours_of(below)
        if ours:
            return Node(node.entry, node.inode, node.layer, below)
        if not below:
            return None
        implied = implied_directory(node.entry.path)
        return Node(implied, implied, IMPLIED_LAYER, below)

    def _ours_of(self, children: Mapping[str, Node]) -> _Children:
        ours = self._new_children()
        for name, child in children.items():
            kept = self._without_lower(child)
            if kept is not None:
                ours[name] = kept
        return ours

    def _put_root(self, entry: Entry) -> None:
        if entry.kind is not EntryKind.DIRECTORY:
            raise MalformedInput(f"layer {self._number}: the root is not a directory")
        self._root = Node(entry, entry, self._number, self._root.children)

    def _linked(self, entry: Entry) -> Entry:
        """The file that a hard link names; the link's own entry where there is none."""
        target = entry.link_target or ""
        if target == entry.path:
            raise MalformedInput(
                f"layer {self._number}: {quoted(entry.path)} is a hard link to itself"
            )
        parent, _, name = target.rpartition("/")
        if not name:
            raise MalformedInput(
                f"layer {self._number}: {quoted(entry.path)} is a hard link to the root"
            )
        children = self._existing_directory(parent, target)
        node = children.get(name) if children is not None else None
        if node is None:
            self._dangling.append(entry.path)
            return entry
        if node.children is not None:
            raise MalformedInput(
                f"layer {self._number}: {quoted(entry.path)} is a hard link to a directory, "
                f"{quoted(target)}"
            )
        self._linked_inodes.add(id(node.inode))
        return node.inode

    def _new_children(self) -> _Children:
        children: _Children = {}
        self._owned.add(id(children))
        self._ours.add(id(children))
        return children

    def _directory(self, path: str, wanted_for: str) -> _Children:
        """The children of the directory at ``path``, to write to; made where it is missing."""
        children = self._existing_below_known(path)
        if children is None:
            children = self._descend(path, wanted_for, self._make_directory)
        if children is None:
            raise MalformedInput(
                f"layer {self._number}: {quoted(wanted_for)} lies below something "
                "that is no directory"
            )
        self._known[path] = children
        return children

    def _existing_below_known(self, path: str) -> _Children | None:
        """The children of a directory whose parent was walked to before; None if in doubt."""
        cut = path.rfind("/")
        above = self._known.get(path[:cut]) if cut >= 0 else None
        if above is None or path.count("/") > MAX_DEPTH // 2:
            return None
        name = path[cut + 1 :]
        node = above.get(name)
        if node is None or node.children is None:
            return None
        return self._owned_children(above, name, node)

    def _existing_directory(self, path: str, wanted_for: str) -> _Children | None:
        """The same, but None where there is no such directory."""
        children = self._known.get(path)
        if children is None:
            children = self._descend(path, wanted_for, _nothing)
            if children is not None:
                self._known[path] = children
        return children

    def _make_directory(self, path: str) -> Node | None:
        implied = implied_directory(path)
        return Node(implied, implied, IMPLIED_LAYER, self._new_children())

    def _descend(
        self, path: str, wanted_for: str, missing: Callable[[str], Node | None]
    ) -> _Children | None:
        """Walk to a directory through the links on its way, owning what is walked through.

        ``missing`` gives the node to put where there is none, or None to stop there.
        """
        trail = [self._owned_root()]
        pending = path.split("/")[::-1]
        links = 0
        while pending:
            name = pending.pop()
            if name in ("", "."):
                continue
            if name == "..":
                if len(trail) > 1:
                    trail.pop()
                continue
            children = trail[-1]
            node = children.get(name)
            if node is None:
                node = missing(path)
                if node is None:
                    return None
                children[name] = node
            if node.children is not None:
                trail.append(self._owned_children(children, name, node))
                if len(trail) > MAX_DEPTH:
                    raise LimitExceeded(
                        f"layer {self._number}: {quoted(wanted_for)} lies more than "
                        f"{MAX_DEPTH} directories deep"
                    )
            elif node.inode.kind is EntryKind.SYMLINK:
                target = node.inode.link_target or ""
                links += 1
                if links > MAX_LINKS:
                    raise MalformedInput(
                        f"layer {self._number}: {quoted(wanted_for)} leads through a loop of links"
                    )
                if target.startswith("/"):
                    del trail[1:]
                pending.extend(self._parts_of_link(target)[::-1])
            else:
                return None
        return trail[-1]

    def _parts_of_link(self, target: str) -> list[str]:
        parts = target.split("/")
        self._link_parts += len(parts)
        if self._link_parts > MAX_LINK_PARTS:
            raise LimitExceeded(
                f"layer {self._number}: its links lead through more than "
                f"{MAX_LINK_PARTS} names in all"
            )
        return parts

    def _owned_root(self) -> _Children:
        children = self._root.children if self._root.children is not None else {}
        if id(children) in self._owned and isinstance(children, dict):
            return children
        copied = self._copied(children)
        self._root = self._root._replace(children=copied)
        return copied

    def _owned_children(self, siblings: _Children, name: str, node: Node) -> _Children:
        children = node.children if node.children is not None else {}
        if id(children) in self._owned and isinstance(children, dict):
            return children
        copied = self._copied(children)
        siblings[name] = _make(Node, (node.entry, node.inode, node.layer, copied))
        return copied

    def _copied(self, children: Mapping[str, Node]) -> _Children:
        copied = dict(children)
        self._owned.add(id(copied))
        self._ours.discard(id(copied))  # an id may be used again
        return copied


def _leads_on(node: Node) -> bool:
    """Whether a path may lead through the node: a directory or a symlink."""
    return node.children is not None or node.inode.kind is EntryKind.SYMLINK


def _nothing(path: str) -> Node | None:
    return None


def _some_of(paths: list[str], word: str) -> str:
    if len(paths) == 1:
        return f"the {word} {quoted(paths[0])}"
    return f"{len(paths)} {word}s, the first of them {quoted(paths[0])}"
