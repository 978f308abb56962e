"""The bytes of a file system by path: each file once, at the first of its names that stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from layerlens.filesystem.file_tree import FileTree, Node, name_key


class ChargedFile(NamedTuple):
    """A path that is no directory, and the bytes charged to it: 0 for a further hard link."""

    path: str
    node: Node
    bytes: int


def charged_files(tree: FileTree) -> Iterator[ChargedFile]:
    """Every path of *tree* that is no directory, in the order of paths."""
    charged: set[int] = set()
    stack: list[tuple[str, Node]] = [("", tree.root)]
    while stack:
        path, node = stack.pop()
        children = node.children
        if children is not None:
            names = sorted(children, key=name_key, reverse=True)
            stack.extend((f"{path}/{name}", children[name]) for name in names)
            continue
        size = node.inode.size
        if size and id(node.inode) in tree.linked:
            if id(node.inode) in charged:
                size = 0
            charged.add(id(node.inode))
        yield ChargedFile(path, node, size)


def directory_sizes(tree: FileTree) -> Mapping[str, int]:
    """Bytes by top-level directory; ``/`` stands for the files that lie in the root itself."""
    sizes = {
        f"/{name}": 0
        for name, node in (tree.root.children or {}).items()
        if node.children is not None
    }
    for file in charged_files(tree):
        end = file.path.find("/", 1)
        directory = file.path[:end] if end > 0 else "/"
        sizes[directory] = sizes.get(directory, 0) + file.bytes
    return sizes
