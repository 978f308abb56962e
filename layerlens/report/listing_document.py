"""What ``ls --json`` writes, as values for ``as_json``; the order of fields is the document's."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerlens.filesystem.file_tree import IMPLIED_LAYER, PathNode
from layerlens.report.change_lines import node_kind

LISTING_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFields:
    """One file. ``mode``: octal text. ``size``: bytes. ``xattrs``: values in base64.

    ``hard_link_to``: the name that the layer linked this one to; all else is then that of the
    file both stand for. ``layer``: which one wrote it; None, as ``mtime_ns``, for a directory
    that no layer lists.
    """

    path: str
    kind: str
    mode: str
    uid: int
    gid: int
    size: int
    mtime_ns: int | None
    sha256: str | None
    link_target: str | None
    hard_link_to: str | None
    device: Sequence[int] | None
    xattrs: Mapping[str, str]
    layer: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingDocument:
    """``ls``. ``path``: where the path asked for leads. ``layer``: the last one that is laid on
    the others; None for an image without layers. ``toc_layers``: those listed from their table of
    contents, which was not verified against the layer."""

    image: str
    platform: str
    layer: int | None
    path: str
    toc_layers: Sequence[int]
    entries: Iterator[ListedFields]


def listed_fields(files: Iterable[PathNode]) -> Iterator[ListedFields]:
    """The files, one by one as they are written."""
    for path, node in files:
        inode = node.inode
        linked = node.entry is not inode
        implied = node.layer == IMPLIED_LAYER
        yield ListedFields(
            path=path,
            kind=node_kind(node),
            mode=f"{inode.permissions:04o}",
            uid=inode.uid,
            gid=inode.gid,
            size=inode.size,
            mtime_ns=None if implied else inode.mtime_ns,
            sha256=None if inode.content is None else inode.content.hex(),
            link_target=inode.link_target,
            hard_link_to=node.entry.link_target if linked else None,
            device=inode.device,
            xattrs={name: base64.b64encode(value).decode() for name, value in inode.xattrs},
            layer=None if implied else node.layer,
        )
