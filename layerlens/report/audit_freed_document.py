"""What ``audit freed --json`` writes, as values for ``as_json``, read while they are written.

Sizes are bytes, times are seconds since 1970. ``is_whole`` is false where the crawl does not know
all that the registry's tags lead to: what it does not know may hold what is counted here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.audit.freed import (
    Counted,
    DeletedTag,
    Freed,
    GoneBlob,
    GoneManifest,
    deleted_tags,
    gone_blobs,
    gone_manifests,
)
from layerlens.audit.holdings import Holdings
from layerlens.audit.records import ManifestKind
from layerlens.audit.scope import scope_of

FREED_SCHEMA_VERSION = 1

KINDS = {
    ManifestKind.INDEX: "index",
    ManifestKind.IMAGE: "image",
    ManifestKind.ARTIFACT: "artifact",
    None: None,
}
"""The kinds of manifests as documents name them; None was never read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedTagFields:
    """A tag; ``size``: bytes of all that it leads to; ``alone``: freed if only it were deleted."""

    repository: str
    tag: str
    date: int
    size: int
    alone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneBlobFields:
    """A blob that goes; ``role``: ``layer``, ``config`` or ``artifact``."""

    digest: str
    role: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneManifestFields:
    """A manifest that goes; ``kind``: ``image``, ``index`` or ``artifact``."""

    digest: str
    kind: str | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FreedDocument:
    """All that ``audit freed`` says. ``signature_tags``: tags that only sign what goes, and were
    not deleted with it."""

    registry: str
    is_whole: bool
    freed_bytes: int
    layers: Counted
    configs: Counted
    artifact_blobs: Counted
    manifests: Counted
    images: int
    indexes: int
    artifacts: int
    unread_manifests: int
    layers_kept: Counted
    signature_tags: int
    deleted_tags: int
    tags: Iterator[DeletedTagFields]
    gone_blobs: Iterator[GoneBlobFields]
    gone_manifests: Iterator[GoneManifestFields]


def freed_document(
    holdings: Holdings, found: Freed, signature_tags: int, top: int | None
) -> FreedDocument:
    """The document; it can be written once, while the catalogue is open."""
    return FreedDocument(
        registry=holdings.registry,
        is_whole=scope_of(holdings).is_whole,
        freed_bytes=found.bytes,
        layers=found.layers,
        configs=found.configs,
        artifact_blobs=found.artifact_blobs,
        manifests=found.manifests,
        images=found.images,
        indexes=found.indexes,
        artifacts=found.artifacts,
        unread_manifests=found.unread,
        layers_kept=found.layers_kept,
        signature_tags=signature_tags,
        deleted_tags=found.tags,
        tags=map(_tag, deleted_tags(holdings, top)),
        gone_blobs=map(_blob, gone_blobs(holdings, top)),
        gone_manifests=map(_manifest, gone_manifests(holdings, top)),
    )


def _tag(tag: DeletedTag) -> DeletedTagFields:
    return DeletedTagFields(
        repository=tag.name.repository,
        tag=tag.name.tag,
        date=tag.date,
        size=tag.size,
        alone=tag.alone,
    )


def _blob(blob: GoneBlob) -> GoneBlobFields:
    return GoneBlobFields(digest=str(blob.digest), role=blob.role.name.lower(), size=blob.size)


def _manifest(manifest: GoneManifest) -> GoneManifestFields:
    return GoneManifestFields(
        digest=str(manifest.digest), kind=KINDS[manifest.kind], size=manifest.size
    )
