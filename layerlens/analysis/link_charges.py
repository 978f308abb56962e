"""Which name a hard-linked file's bytes are charged to when trees are compared.

The first name carries them while it stands; removing one name frees nothing while another is
left; once the last goes, the bytes go with it. Files with one name, nearly all, cost a look-up.
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
        self._names: tuple[Mapping[int, bool], Mapping[int, bool]] | None = None
        self._charged: set[int] = set()

    def lost(self, node: Node) -> int:
        """Bytes that go with a name of the lower tree."""
        if id(node.inode) not in self._linked:
            return node.entry.size
        lower, upper = self._names_in_both()
        return self._charge(node, lower, upper)

    def gained(self, node: Node) -> int:
        """Bytes that come with a name of the upper tree."""
        if id(node.inode) not in self._linked:
            return node.entry.size
        lower, upper = self._names_in_both()
        return self._charge(node, upper, lower)

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

    def _names_in_both(self) -> tuple[Mapping[int, bool], Mapping[int, bool]]:
        if self._names is None:
            self._names = (self._names_in(self._lower), self._names_in(self._upper))
        return self._names

    def _names_in(self, tree: FileTree) -> Mapping[int, bool]:
        """The linked files that have a name in ``tree``, and whether the first one is there."""
        found: dict[int, bool] = {}
        stack = [tree.root]
        while stack:
            node = stack.pop()
            if node.children is not None:
                stack.extend(node.children.values())
            elif id(node.inode) in self._linked:
                first = node.entry is node.inode
                found[id(node.inode)] = first or found.get(id(node.inode), False)
        return found
