"""What changed between two trees: added, changed and removed paths, and what was rewritten.

Serves one layer against those below it, a range of layers, and one image against another: trees
that share branches are compared only where they differ.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from layerlens.analysis.link_charges import LinkCharges
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
    has MTIME as its only aspect. ``bytes_before`` and ``bytes_after``: charged to the path, those
    of a hard-linked file to one of its names and to none while another name keeps them.
    """

    path: str
    kind: ChangeKind
    aspects: Aspects
    before: Node | None
    after: Node | None
    bytes_before: int
    bytes_after: int

    @property
    def is_directory(self) -> bool:
        """Whether the path is a directory now, or was one when it was removed."""
        node = self.after or self.before
        return node is not None and node.children is not None


_NONE: Aspects = frozenset()
_MTIME_ALONE: Aspects = frozenset((Aspect.MTIME,))


def layer_changes(lower: FileTree, upper: FileTree) -> Iterator[Change]:
    """All that turned ``lower`` into ``upper``, rewritten entries included.

    In the order of paths, parents before children and names by their bytes; a removed or added
    directory is followed by everything below it. A directory that was only listed again is no
    change; one whose mtime alone differs is REWRITTEN.
    """
    return _changes(lower, upper)


def tree_differences(before: FileTree, after: FileTree) -> Iterator[Change]:
    """What differs between two trees that need not share anything.

    As ``layer_changes``, without what was rewritten to the same; REWRITTEN here means that only
    the mtime differs, or only whether a file has its bytes to itself or by a hard link.
    """
    for change in layer_changes(before, after):
        same_bytes = change.bytes_before == change.bytes_after
        if change.kind is not ChangeKind.REWRITTEN or change.aspects or not same_bytes:
            yield change


def _changes(lower: FileTree, upper: FileTree) -> Iterator[Change]:
    charges = LinkCharges(lower, upper)
    stack: list[tuple[str, Node | None, Node | None]] = [("", lower.root, upper.root)]
    while stack:
        path, before, after = stack.pop()
        if before is after:
            continue
        found = difference(before, after)
        if found is not None:
            kind, aspects = found
            lost = 0 if before is None else charges.lost(before)
            gained = 0 if after is None else charges.gained(after)
            yield Change(path or "/", kind, aspects, before, after, lost, gained)
        old = before.children if before is not None else None
        new = after.children if after is not None else None
        if old is new:
            continue
        differing = list(_differing(old or {}, new or {}))
        differing.sort(key=lambda child: name_key(child[0]), reverse=True)
        stack.extend((f"{path}/{name}", was, now) for name, was, now in differing)


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
        found = difference(before, after)
        if found is not None and (found[0] is not ChangeKind.REWRITTEN or after.children is None):
            counts[found[0]] += 1
        old, new = before.children or {}, after.children or {}
        if old is not new:
            stack.extend((was, now) for _, was, now in _differing(old, new))
    return counts


def _differing(
    old: Mapping[str, Node], new: Mapping[str, Node]
) -> Iterator[tuple[str, Node | None, Node | None]]:
    """The names whose nodes are not the same ones in both directories."""
    for name, now in new.items():
        was = old.get(name)
        if was is not now:
            yield name, was, now
    for name in old.keys() - new.keys():
        yield name, old[name], None


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


def difference(before: Node | None, after: Node | None) -> tuple[ChangeKind, Aspects] | None:
    """What a path's change is, if it is one: by its nodes in the lower and the upper tree."""
    if before is None:
        return ChangeKind.ADDED, _NONE
    if after is None:
        return ChangeKind.REMOVED, _NONE
    aspects = aspects_between(before.inode, after.inode)
    if aspects - _MTIME_ALONE:
        return ChangeKind.CHANGED, aspects
    if before.entry is after.entry and not aspects:
        return None  # only something below it was written
    if after.children is not None and not aspects:
        return None  # a directory listed on the way to a child
    return ChangeKind.REWRITTEN, aspects


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
