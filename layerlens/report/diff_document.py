"""What ``diff --json`` writes, as values for ``as_json``; the order of fields is the document's."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerlens.analysis.change_statistics import ChangeStatistics, DirectoryStatistics
from layerlens.analysis.config_differences import ConfigDifference
from layerlens.analysis.layer_alignment import LayerPair
from layerlens.analysis.layer_changes import Aspect, Change
from layerlens.analysis.titles import ImageTitle, LayerTitle
from layerlens.filesystem.file_tree import IMPLIED_LAYER, Node
from layerlens.report.change_lines import node_kind

DIFF_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFields:
    """One file. ``mode``: octal text. ``size``: bytes. ``xattrs``: values in base64.

    ``hard_link_to``: the name that the layer linked this one to; all else is then that of the
    file both stand for. ``layer``: which one wrote it; null, as ``mtime_ns``, for a directory
    that no layer lists.
    """

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
class ChangeFields:
    """One change. ``change``: A, M, D or R. ``what``: the aspects that changed, by name.
    ``bytes_…``: what the totals add up, a hard-linked file's under one of its names."""

    path: str
    change: str
    what: Sequence[str]
    bytes_before: int
    bytes_after: int
    before: FileFields | None
    after: FileFields | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalFields:
    """Changes added up; sizes in bytes, hard links counted at their first name."""

    added: int
    added_bytes: int
    changed: int
    changed_bytes_before: int
    changed_bytes_after: int
    removed: int
    removed_bytes: int
    rewritten: int
    rewritten_bytes: int
    growth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryFields:
    """``--stat``'s row for one top-level directory; ``/`` is what lies in the root itself."""

    path: str
    totals: TotalFields


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerChangesFields:
    """The changes of one layer, or of a range of them as a whole (then what is known of one layer
    alone is null). ``totals``: of all changes, also where ``changes`` is cut by ``--top``.
    ``unreadable_layers``: those that are no tar, whose changes are not known. ``toc_layers``:
    those listed from their table of contents, which was not verified against the layer."""

    first: int
    last: int
    size: int | None
    diff_id: str | None
    blob_digest: str | None
    chain_id: str | None
    instruction: str | None
    unreadable_layers: Sequence[int]
    toc_layers: Sequence[int]
    totals: TotalFields
    changes: Iterable[ChangeFields] | Iterable[DirectoryFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDiffDocument:
    """``diff IMAGE``."""

    image: ImageTitle
    layers: Iterator[LayerChangesFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPairFields:
    """Two aligned layers. ``relation``: same, moved, rebuilt, only-a, only-b. ``size_…``:
    uncompressed bytes, null where the layer is no tar or was not read. ``toc_…``: whether it was
    listed from its table of contents instead, which was not verified against it. The instruction
    is B's where there is one."""

    a: int | None
    b: int | None
    relation: str
    size_a: int | None
    size_b: int | None
    toc_a: bool
    toc_b: bool
    diff_id_a: str | None
    diff_id_b: str | None
    instruction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDiffDocument:
    """``diff A B``. ``config``: before and after are null where not set."""

    a: ImageTitle
    b: ImageTitle
    config: Sequence[ConfigDifference]
    layers: Sequence[LayerPairFields]
    totals: TotalFields
    changes: Iterable[ChangeFields] | Iterable[DirectoryFields]


def change_fields(changes: Iterable[Change]) -> Iterator[ChangeFields]:
    """The changes, one by one as they are written."""
    for change in changes:
        yield ChangeFields(
            path=change.path,
            change=change.kind.value,
            what=[aspect.value for aspect in Aspect if aspect in change.aspects],
            bytes_before=change.bytes_before,
            bytes_after=change.bytes_after,
            before=file_fields(change.before) if change.before else None,
            after=file_fields(change.after) if change.after else None,
        )


def total_fields(statistics: ChangeStatistics) -> TotalFields:
    """The sums of a list of changes."""
    return TotalFields(
        added=statistics.added,
        added_bytes=statistics.added_bytes,
        changed=statistics.changed,
        changed_bytes_before=statistics.changed_bytes_before,
        changed_bytes_after=statistics.changed_bytes_after,
        removed=statistics.removed,
        removed_bytes=statistics.removed_bytes,
        rewritten=statistics.rewritten,
        rewritten_bytes=statistics.rewritten_bytes,
        growth=statistics.growth,
    )


def directory_fields(rows: Iterable[DirectoryStatistics]) -> Iterator[DirectoryFields]:
    """The rows of ``--stat``."""
    for row in rows:
        yield DirectoryFields(path=row.directory, totals=total_fields(row.statistics))


def layer_pair_fields(
    pair: LayerPair, a: Sequence[LayerTitle], b: Sequence[LayerTitle]
) -> LayerPairFields:
    """Two layers that ``align_layers`` paired."""
    layer_a = a[pair.a] if pair.a is not None else None
    layer_b = b[pair.b] if pair.b is not None else None
    layer = layer_b or layer_a
    return LayerPairFields(
        a=pair.a,
        b=pair.b,
        relation=pair.relation.value,
        size_a=layer_a.size if layer_a else None,
        size_b=layer_b.size if layer_b else None,
        toc_a=layer_a is not None and layer_a.from_toc,
        toc_b=layer_b is not None and layer_b.from_toc,
        diff_id_a=layer_a.diff_id if layer_a else None,
        diff_id_b=layer_b.diff_id if layer_b else None,
        instruction=layer.instruction if layer else None,
    )


def file_fields(node: Node) -> FileFields:
    """All that is known of a file; that of a hard link is the file it stands for."""
    inode = node.inode
    implied = node.layer == IMPLIED_LAYER
    return FileFields(
        kind=node_kind(node),
        mode=f"{inode.permissions:04o}",
        uid=inode.uid,
        gid=inode.gid,
        size=inode.size,
        mtime_ns=None if implied else inode.mtime_ns,
        sha256=inode.content.hex() if inode.content is not None else None,
        link_target=inode.link_target,
        hard_link_to=node.entry.link_target if node.entry is not inode else None,
        device=inode.device,
        xattrs={name: base64.b64encode(value).decode() for name, value in inode.xattrs},
        layer=None if implied else node.layer,
    )
