"""The same content at several paths of one image's final file system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from layerlens.filesystem.file_tree import FileTree, name_key
from layerlens.layer.entry import Entry


class Copy(NamedTuple):
    """A file that stands in the image, under the first of its names; ``layer`` linked it there."""

    path: str
    layer: int
    inode: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateContent:
    """``content``: SHA-256. ``size``: bytes of one copy. ``copies``: two or more, those of the
    lowest layer first; a file with several hard links is one."""

    content: bytes
    size: int
    copies: tuple[Copy, ...]

    @property
    def excess(self) -> int:
        """Bytes of all copies but the first."""
        return self.size * (len(self.copies) - 1)


def duplicate_contents(tree: FileTree) -> tuple[DuplicateContent, ...]:
    """Contents that several live files have, those with the most excess bytes first. Empty files
    are left out."""
    several = _contents_met_twice(tree)
    copies: dict[bytes, dict[int, Copy]] = {}
    directories = [("", tree.root)]
    while directories:
        path, directory = directories.pop()
        for name, node in (directory.children or {}).items():
            if node.children is not None:
                directories.append((f"{path}/{name}", node))
                continue
            inode = node.inode
            if inode.content is not None and inode.content in several:
                known = copies.setdefault(inode.content, {})
                copy = Copy(f"{path}/{name}", node.layer, inode)
                other = known.get(id(inode))
                if other is None or _order(copy) < _order(other):
                    known[id(inode)] = copy
    found = [
        DuplicateContent(
            content=content,
            size=next(iter(files.values())).inode.size,
            copies=tuple(sorted(files.values(), key=_order)),
        )
        for content, files in copies.items()
        if len(files) > 1
    ]
    found.sort(key=lambda each: (-each.excess, name_key(each.copies[0].path)))
    return tuple(found)


def _order(copy: Copy) -> tuple[int, bytes]:
    return copy.layer, name_key(copy.path)


def _contents_met_twice(tree: FileTree) -> set[bytes]:
    """The contents of files that are not empty and have more than one name."""
    once: set[bytes] = set()
    twice: set[bytes] = set()
    directories = [tree.root]
    while directories:
        for node in (directories.pop().children or {}).values():
            inode = node.inode
            if node.children is not None:
                directories.append(node)
            elif inode.size and inode.content is not None:
                (twice if inode.content in once else once).add(inode.content)
    return twice
