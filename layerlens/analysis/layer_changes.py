"""What changed between two trees: added, changed and removed paths, and what was rewritten.

Serves one layer against those below it, a range of layers, and one image against another: trees
that share branches are compared only where they differ.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from layerlens.filesystem.file_tree import FileTree, Node, name_key
from layerlens.layer.entry import Entry, EntryKind


class ChangeKind(enum.Enum):
    """What happened to a path; the value is the letter shown for it."""

    ADDED = "A"
    CHANGED = "M"
    REMOVED = "D"
    REWRITTEN = "R"

    __hash__ = object.__hash__


class Aspect(enum.Enum):
    """What of a file changed; the value is the word shown for it."""

    TYPE = "type"
    CONTENT = "content"
    LINK = "link"
    MODE = "mode"
    OWNER = "owner"
    XATTRS = "xattrs"
    MTIME = "mtime"

    __hash__ = object.__hash__


Aspects = frozenset[Aspect]


class Change(NamedTuple):
    """One path that differs. ``before`` is None where ADDED, ``after`` where REMOVED.

    REWRITTEN: written again with nothing changed (no aspects) or only its mtime. CHANGED never
    has MTIME as its only aspect.
    """

    path: str
    kind: ChangeKind
    aspects: Aspects
    before: Node | None
    after: Node | None

    @property
    def is_directory(self) -> bool:
        """Whether the path is a directory now, or was one when it was removed."""
        node = self.after or self.before
        return node is not None and node.children is not None

    @property
    def bytes_before(self) -> int:
        """Bytes charged to the path before; a hard link's stand at its first name."""
        return self.before.entry.size if self.before else 0

    @property
    def bytes_after(self) -> int:
        """Bytes charged to the path now."""
        return self.after.entry.size if self.after else 0


_NONE: Aspects = frozenset()


def layer_changes(lower: FileTree, upper: FileTree) -> Iterator[Change]:
    """All that turned ``lower`` into ``upper``, rewritten entries included.

    In the order of paths, parents before children and names by their bytes; a removed or added
    directory is followed by everything below it. A directory that was only listed again is no
    change; one whose mtime alone differs is REWRITTEN.
    """
    return _changes("", lower.root, upper.root)


def tree_differences(before: FileTree, after: FileTree) -> Iterator[Change]:
    """What differs between two trees that need not share anything.

    As ``layer_changes``, without what was rewritten to the same; REWRITTEN here means that only
    the mtime differs.
    """
    for change in layer_changes(before, after):
        if change.kind is not ChangeKind.REWRITTEN or change.aspects:
            yield change


def _changes(path: str, before: Node | None, after: Node | None) -> Iterator[Change]:
    stack: list[tuple[str, Node | None, Node | None]] = [(path, before, after)]
    while stack:
        path, before, after = stack.pop()
        if before is after:
            continue
        change = _change(path or "/", before, after)
        if change is not None:
            yield change
        old = before.children if before is not None else None
        new = after.children if after is not None else None
        if old is new:
            continue
        old, new = old or {}, new or {}
        names = sorted({*old, *new}, key=name_key, reverse=True)
        for name in names:
            was, now = old.get(name), new.get(name)
            if was is not now:
                stack.append((f"{path}/{name}", was, now))


def count_changes(lower: FileTree, upper: FileTree) -> Mapping[ChangeKind, int]:
    """How many of each kind ``layer_changes`` would give, directories REWRITTEN left out."""
    counts = dict.fromkeys(ChangeKind, 0)
    stack: list[tuple[Node | None, Node | None]] = [(lower.root, upper.root)]
    while stack:
        before, after = stack.pop()
        if before is None or after is None:
            node, kind = (
                (after, ChangeKind.ADDED) if before is None else (before, ChangeKind.REMOVED)
            )
            if node is not None:
                counts[kind] += _size_of_branch(node)
            continue
        change = _change("", before, after)
        if change is not None and not (change.kind is ChangeKind.REWRITTEN and change.is_directory):
            counts[change.kind] += 1
        old, new = before.children or {}, after.children or {}
        if old is not new:
            pairs = [(old.get(name), new.get(name)) for name in {*old, *new}]
            stack.extend((was, now) for was, now in pairs if was is not now)
    return counts


def _size_of_branch(node: Node) -> int:
    count = 0
    stack = [node]
    while stack:
        children = stack.pop().children
        count += 1
        if children:
            leaves = [child for child in children.values() if child.children is None]
            count += len(leaves)
            if len(leaves) < len(children):
                stack.extend(child for child in children.values() if child.children is not None)
    return count


def _change(path: str, before: Node | None, after: Node | None) -> Change | None:
    if before is None:
        return Change(path, ChangeKind.ADDED, _NONE, None, after)
    if after is None:
        return Change(path, ChangeKind.REMOVED, _NONE, before, None)
    aspects = aspects_between(before.inode, after.inode)
    if aspects - {Aspect.MTIME}:
        return Change(path, ChangeKind.CHANGED, aspects, before, after)
    if before.entry is after.entry and not aspects:
        return None  # only something below it was written
    if after.children is not None and not aspects:
        return None  # a directory listed on the way to a child
    return Change(path, ChangeKind.REWRITTEN, aspects, before, after)


def aspects_between(before: Entry, after: Entry) -> Aspects:
    """The set of what differs between two files at one path."""
    if before is after:
        return _NONE
    same_kind = before.kind is after.kind
    return _aspect_set(
        not same_kind or before.device != after.device,
        same_kind and (before.size != after.size or before.content != after.content),
        same_kind
        and before.kind is not EntryKind.HARD_LINK
        and before.link_target != after.link_target,
        before.mode != after.mode
        and EntryKind.SYMLINK not in (before.kind, after.kind),  # they have none of their own
        before.uid != after.uid or before.gid != after.gid,
        before.xattrs != after.xattrs,
        before.mtime_ns != after.mtime_ns,
    )


@lru_cache(maxsize=1 << len(Aspect))
def _aspect_set(*differs: bool) -> Aspects:
    return frozenset(aspect for aspect, yes in zip(Aspect, differs, strict=True) if yes)
