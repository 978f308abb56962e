"""The paths that an instruction was seen to write, from its layer and the tree below it.

Links on the way to a path are followed, so that two names of one place meet. What is not seen is
kept as directories below which anything may be written.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from layerlens.dockerfile.link_walk import walk_links
from layerlens.filesystem.file_tree import MAX_LINKS, FileTree, Node
from layerlens.layer.entry import Entry, EntryKind, LayerEntry


class Attributes(NamedTuple):
    """What of a directory two instructions could disagree on."""

    mode: int
    uid: int
    gid: int
    xattrs: tuple[tuple[str, bytes], ...]


ROOTS_OWN = Attributes(0o755, 0, 0, ())
"""A directory as builders make one on the way to something."""


@dataclass(frozen=True, kw_only=True)
class WrittenPaths:
    """`files`: what is written or removed that is no directory, and opaque directories.
    `directories`: those listed, with what they are after. `created`, `changed`: those among them
    that were not there before, or were different. `linked`: what hard links name. `through`:
    links that were followed, and the names that led through them. `anywhere`: directories below
    which there may be more.
    """

    files: frozenset[str] = frozenset()
    directories: Mapping[str, Attributes] = field(default_factory=dict)
    created: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    linked: frozenset[str] = frozenset()
    through: frozenset[str] = frozenset()
    anywhere: frozenset[str] = frozenset()

    @cached_property
    def above(self) -> frozenset[str]:
        """Every directory that a written path lies in, however deep."""
        found: set[str] = set()
        for path in (*self.files, *self.directories):
            parent = path
            while parent != "/":
                parent = posixpath.dirname(parent)
                if parent in found:
                    break
                found.add(parent)
        return frozenset(found)

    @cached_property
    def touched(self) -> frozenset[str]:
        """Every path that is written, listed or gone through."""
        return self.files | self.directories.keys() | self.above | self.through

    @cached_property
    def written(self) -> frozenset[str]:
        """Every path that is not only listed."""
        return self.files | self.created | self.changed

    def below(self, directory: str, spared: Collection[str] = ()) -> str | None:
        """A path written at *directory* or below it, but not below one of the *spared*; None
        where there is none."""
        if directory in self.written:
            return directory
        if directory not in self.above:
            return None
        start = directory.rstrip("/") + "/"
        found = (path for path in self.written if path.startswith(start))
        if spared:
            left_out = tuple(f"{each}/" for each in spared)
            found = (path for path in found if not f"{path}/".startswith(left_out))
        return min(found, default=None)


NOTHING = WrittenPaths()


class Places:
    """Where paths lead in one tree; the same directory is asked for once."""

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._known: dict[str, str] = {"/": "/"}

    def find(self, path: str) -> Node | None:
        """The node at a path, links not followed."""
        return self._tree.find(path)

    def real(self, path: str) -> str:
        """A clean absolute path with the links on the way and at its end followed.

        What is not there is taken as it is written, after the part that is.
        """
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self.walk(path, set())
        return known

    def walk(self, path: str, passed: set[str]) -> str:
        """As `real`; the links that were followed are put into *passed*."""

        def target_of(where: str) -> str | None:
            node = self._tree.find(where)
            if node is None or node.inode.kind is not EntryKind.SYMLINK:
                return None
            if node.inode.link_target is not None:
                passed.add(where)
            return node.inode.link_target

        return walk_links(path, target_of, MAX_LINKS).end

    def landing(self, path: str) -> str:
        """Where an entry of this name is put: links are followed on the way, not at its end."""
        if path == "/":
            return path
        return posixpath.join(self.real(posixpath.dirname(path)), posixpath.basename(path))


def observed_paths(entries: Iterable[LayerEntry], before: FileTree) -> WrittenPaths:
    """What a layer's entries write onto the tree of those below it."""
    places = Places(before)
    files: set[str] = set()
    directories: dict[str, Attributes] = {}
    linked: set[str] = set()
    through: set[str] = set()
    for entry in entries:
        path = places.landing(entry.path)
        if path != entry.path:
            parent = posixpath.dirname(entry.path)
            places.walk(parent, through)
            while parent != "/":
                through.add(parent)
                parent = posixpath.dirname(parent)
        if not isinstance(entry, Entry) or entry.kind is not EntryKind.DIRECTORY:
            files.add(path)
            if isinstance(entry, Entry) and entry.kind is EntryKind.HARD_LINK:
                target = entry.link_target or "/"
                linked.update((target, places.landing(target)))
            continue
        directories[path] = Attributes(entry.mode, entry.uid, entry.gid, entry.xattrs)
    created, changed = set(), set()
    for path, attributes in directories.items():
        node = before.find(path)
        if node is None:
            created.add(path)
        elif node.children is None:
            created.add(path)
            files.add(path)  # a file gives way to it
        elif attributes != _attributes(node.entry):
            changed.add(path)
    return WrittenPaths(
        files=frozenset(files),
        directories=directories,
        created=frozenset(created),
        changed=frozenset(changed),
        linked=frozenset(linked),
        through=frozenset(through),
    )


def _attributes(entry: Entry) -> Attributes:
    return Attributes(entry.mode, entry.uid, entry.gid, entry.xattrs)
