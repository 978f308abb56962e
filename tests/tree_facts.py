"""A file tree as plain facts by path, so that trees from different places can be compared."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict

from layerlens.filesystem.file_tree import FileTree
from layerlens.layer.entry import EntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFacts:
    """All that is held against another tool's opinion of one path. ``same_file``: every name of
    the file where it has several. Times are not compared: the recipes leave them out."""

    kind: str
    mode: int
    owner: tuple[int, int]
    size: int | None
    sha256: str | None
    link_target: bytes | None
    device: tuple[int, ...] | None
    xattrs: tuple[tuple[str, bytes], ...]
    same_file: frozenset[bytes]


TreeFacts = Mapping[bytes, PathFacts]


def facts_of(tree: FileTree) -> TreeFacts:
    """The facts of a tree that layerlens stacked."""
    names: dict[int, set[bytes]] = {}
    nodes = {os.fsencode(item.path): item.node for item in tree.walk()}
    for path, node in nodes.items():
        if node.children is None:
            names.setdefault(id(node.inode), set()).add(path)
    found = {}
    for path, node in nodes.items():
        entry = node.inode
        is_file = entry.kind is EntryKind.FILE
        same_file = names.get(id(entry), set())
        found[path] = PathFacts(
            kind=entry.kind.value,
            mode=entry.mode,
            owner=(entry.uid, entry.gid),
            size=entry.size if is_file else None,
            sha256=entry.content.hex() if entry.content is not None else None,
            link_target=(
                os.fsencode(entry.link_target or "") if entry.kind is EntryKind.SYMLINK else None
            ),
            device=entry.device,
            xattrs=entry.xattrs,
            same_file=frozenset(same_file if len(same_file) > 1 else ()),
        )
    return found


def read_tree_facts(path: Path) -> TreeFacts:
    """The facts that a file of fixtures/trees keeps."""
    return parse_tree_facts(path.read_bytes())


def parse_tree_facts(data: bytes) -> TreeFacts:
    """The facts that fixtures/recipes/list_tree.py writes."""
    entries: list[_Listed] = json.loads(data)["entries"]
    names: dict[int, set[bytes]] = {}
    for entry in entries:
        if "inode" in entry:
            names.setdefault(entry["inode"], set()).add(_path(entry))
    return {_path(entry): _path_facts(entry, names) for entry in entries}


class _Listed(TypedDict):
    """One entry as list_tree.py writes it. What is not UTF-8 stands in base64 instead."""

    path: NotRequired[str]
    path_base64: NotRequired[str]
    kind: str
    mode: int
    uid: int
    gid: int
    size: NotRequired[int]
    sha256: NotRequired[str]
    link_target: NotRequired[str]
    link_target_base64: NotRequired[str]
    device: NotRequired[list[int]]
    xattrs: dict[str, str]
    inode: NotRequired[int]


def _path_facts(entry: _Listed, names: Mapping[int, set[bytes]]) -> PathFacts:
    return PathFacts(
        kind=entry["kind"],
        mode=entry["mode"],
        owner=(entry["uid"], entry["gid"]),
        size=entry.get("size"),
        sha256=entry.get("sha256"),
        link_target=_link_target(entry),
        device=tuple(entry["device"]) if "device" in entry else None,
        xattrs=tuple(
            sorted((name, base64.b64decode(value)) for name, value in entry["xattrs"].items())
        ),
        same_file=frozenset(names[entry["inode"]]) if "inode" in entry else frozenset(),
    )


def _path(entry: _Listed) -> bytes:
    if "path_base64" in entry:
        return base64.b64decode(entry["path_base64"])
    return os.fsencode(entry["path"])


def _link_target(entry: _Listed) -> bytes | None:
    if "link_target_base64" in entry:
        return base64.b64decode(entry["link_target_base64"])
    return os.fsencode(entry["link_target"]) if "link_target" in entry else None
