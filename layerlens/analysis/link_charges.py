"""Which name a hard-linked file's bytes are charged to when trees are compared.

The first name carries them while it stands; removing one name frees nothing while another is
left; once the last goes, the bytes go with it. Files with one name, nearly all, cost a look-up;
for the others the names in what differs between the trees are gathered, and only where these do
not tell, as when one of several names was removed, those in what the trees share too.
"""

from __future__ import annotations

from collections.abc import Mapping

from layerlens.filesystem.file_tree import FileTree, Node


class LinkCharges:
    """Bytes lost and gained between two trees, asked for once a change, in the changes' order."""

    def __init__(self, lower: FileTree, upper: FileTree) -> None:
        self._lower = lower
        self._upper = upper
        self._linked = lower.linked | upper.linked
        self._names: _Names | None = None
        self._charged: set[int] = set()

    def lost(self, node: Node) -> int:
        """Bytes that go with a name of the lower tree."""
        if id(node.inode) not in self._linked:
            return node.entry.size
        names = self._gathered()
        if id(node.inode) not in names.upper:
            names.add_shared()
        return self._charge(node, names.lower, names.upper)

    def gained(self, node: Node) -> int:
        """Bytes that come with a name of the upper tree."""
        if id(node.inode) not in self._linked:
            return node.entry.size
        names = self._gathered()
        if id(node.inode) not in names.lower and id(node.inode) not in names.new:
            names.add_shared()
        return self._charge(node, names.upper, names.lower)

    def _charge(self, node: Node, own: Mapping[int, bool], other: Mapping[int, bool]) -> int:
        inode = id(node.inode)
        if inode in other:
            return 0
        if own.get(inode):
            return node.entry.size
        if inode in self._charged:
            return 0
        self._charged.add(inode)
        return node.inode.size

    def _gathered(self) -> _Names:
        if self._names is None:
            self._names = _Names(self._lower, self._upper, self._linked)
        return self._names


class _Names:
    """The linked files that have a name in each tree, and whether the first one is there.

    ``new``: those that were written above the lower tree, none of whose names it can have: a leaf
    that is not the lower tree's own was put there by a layer above, and its entry is that layer's.
    """

    def __init__(self, lower: FileTree, upper: FileTree, linked: frozenset[int]) -> None:
        self.lower: dict[int, bool] = {}
        self.upper: dict[int, bool] = {}
        self.new: set[int] = set()
        self._linked = linked
        self._shared: list[Mapping[str, Node]] = []
        self._gather(lower.root, upper.root)

    def add_shared(self) -> None:
        """Add the names in what the trees share, unless they are there."""
        while self._shared:
            for node in self._shared.pop().values():
                if node.children is not None:
                    self._shared.append(node.children)
                elif id(node.inode) in self._linked:
                    self._note(node, self.lower)
                    self._note(node, self.upper)

    def _gather(self, lower: Node, upper: Node) -> None:
        pairs: list[tuple[Mapping[str, Node], Mapping[str, Node]]]
        pairs = [(lower.children or {}, upper.children or {})]
        linked = self._linked
        while pairs:
            old, new = pairs.pop()
            if old is new:
                self._shared.append(old)
                continue
            for name, was in old.items():
                if was is not new.get(name):
                    if was.children is None and id(was.inode) in linked:
                        self._note(was, self.lower)
                elif was.children is not None:
                    self._shared.append(was.children)
                elif id(was.inode) in linked:
                    self._note(was, self.lower)
                    self._note(was, self.upper)
            for name, now in new.items():
                before = old.get(name)
                if now is before:
                    continue
                if now.children is None and id(now.inode) in linked:
                    self._note(now, self.upper)
                    if now.entry is now.inode:
                        self.new.add(id(now.inode))
                pairs.extend(_below(before, now))
            pairs.extend(
                pair for name, was in old.items() if name not in new for pair in _below(was, None)
            )

    def _note(self, node: Node, names: dict[int, bool]) -> None:
        inode = id(node.inode)
        names[inode] = node.entry is node.inode or names.get(inode, False)


def _below(
    before: Node | None, after: Node | None
) -> list[tuple[Mapping[str, Node], Mapping[str, Node]]]:
    """The children of what stands at one path in both trees, if there can be any."""
    old = before.children if before is not None else None
    new = after.children if after is not None else None
    return [(old or {}, new or {})] if old or new else []
