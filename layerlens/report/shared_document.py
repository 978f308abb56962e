"""What ``shared --json`` writes, as values for ``as_json``; the order of fields is the document's.

Images are named by their index in ``images``, from 0. Sizes are bytes. Ratios and shares are
decimal text of four places, None where they would divide by nothing; the integers that they come
from stand beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from layerlens.analysis.sharing import Identity, ImageLayers, ReferenceCounts, Sharing, UniqueLayer
from layerlens.analysis.sharing_bases import BaseRelation, DuplicatedImage
from layerlens.analysis.sharing_blobs import HeldBlob, RecompressedLayer
from layerlens.analysis.sharing_findings import SharingFindings
from layerlens.analysis.sharing_pulls import Pull
from layerlens.analysis.titles import ImageTitle
from layerlens.report.files_fields import FilesFields, files_fields
from layerlens.report.shared_numbers import exact_text

SHARED_SCHEMA_VERSION = 1

IDENTITY_KEYS = {
    Identity.BLOB_DIGEST: "blob_digest",
    Identity.DIFF_ID: "diff_id",
    Identity.CHAIN_ID: "chain_id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFields:
    """One image. The sizes are sums over its layers, None where one of them is not known.
    ``toc_layers``: those listed from their table of contents, not verified against the layer."""

    index: int
    title: ImageTitle
    layers: int
    compressed_size: int | None
    uncompressed_size: int | None
    toc_layers: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageShareFields:
    """One image's part by one identity. ``left_out``: its layers that are not counted."""

    image: int
    own: int
    exclusive: int
    shared: int
    amortised: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLayerFields:
    """A layer that several images hold. ``also_by``: other identities that are one for them all.
    ``size``: bytes of one. The digests are those of its first holder."""

    digest: str
    size: int
    saved: int
    images: Sequence[int]
    also_by: Sequence[str]
    blob_digest: str | None
    diff_id: str | None
    chain_id: str | None
    instruction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyLayerFields:
    """A layer that lists nothing, and the images that hold it."""

    digest: str
    size: int
    images: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingFields:
    """Sharing by one identity (``by``), in ``compressed`` or ``uncompressed`` bytes (``unit``).
    ``distinct_layers``: the empty layer included. ``shared_layers``: most saved first."""

    by: str
    unit: str
    logical: int
    stored: int
    saved: int
    ratio: str | None
    distinct_layers: int
    left_out: int
    references: ReferenceCounts
    images: Sequence[ImageShareFields]
    shared_layers: Sequence[SharedLayerFields]
    empty_layers: Sequence[EmptyLayerFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobFields:
    """One blob, and the images that hold it."""

    blob_digest: str
    size: int
    images: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecompressedFields:
    """One DiffID in several blobs. ``excess``: bytes of all but the smallest."""

    diff_id: str
    excess: int
    instruction: str | None
    blobs: Sequence[BlobFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class PullFields:
    """Pulling ``target`` where ``source`` is there (null: nothing). ``bytes`` are compressed
    ones, and ``uncompressed_bytes`` of layers without a known compressed size. ``by_diff_id``:
    layers compared by DiffID for want of a blob digest. ``unknown``: layers of unknown size."""

    source: int | None
    target: int
    bytes: int
    uncompressed_bytes: int
    image_bytes: int
    reuse_ratio: str | None
    by_diff_id: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedDocument:
    """All that ``shared`` says."""

    images: Sequence[ImageFields]
    duplicates: Sequence[DuplicatedImage]
    sharing: Sequence[SharingFields]
    recompressed_layers: Sequence[RecompressedFields]
    pulls: Iterator[PullFields]
    base_images: Sequence[BaseRelation]
    files: FilesFields | None


def shared_document(findings: SharingFindings, top: int | None) -> SharedDocument:
    """The findings, with at most ``top`` layers in each list of them."""
    files = findings.files
    return SharedDocument(
        images=[_image(number, image) for number, image in enumerate(findings.images)],
        duplicates=findings.duplicates,
        sharing=[_sharing(measure, top) for measure in findings.measures],
        recompressed_layers=[_recompressed(layer) for layer in findings.recompressed[:top]],
        pulls=map(_pull, findings.pulls()),
        base_images=findings.bases,
        files=files_fields(files.sharing, files.duplicated) if files else None,
    )


def _image(number: int, image: ImageLayers) -> ImageFields:
    return ImageFields(
        index=number,
        title=image.title,
        layers=len(image.layers),
        compressed_size=_sum(layer.stored_size for layer in image.layers),
        uncompressed_size=_sum(layer.size for layer in image.layers),
        toc_layers=[number for number, layer in enumerate(image.layers) if layer.from_toc],
    )


def _sum(sizes: Iterable[int | None]) -> int | None:
    total = 0
    for size in sizes:
        if size is None:
            return None
        total += size
    return total


def _sharing(measure: Sharing, top: int | None) -> SharingFields:
    logical, stored = measure.logical, measure.stored
    return SharingFields(
        by=IDENTITY_KEYS[measure.identity],
        unit=measure.unit.value,
        logical=logical,
        stored=stored,
        saved=logical - stored,
        ratio=exact_text(measure.ratio),
        distinct_layers=len(measure.layers),
        left_out=measure.left_out,
        references=measure.reference_counts(),
        images=[
            ImageShareFields(
                image=number,
                own=image.own,
                exclusive=image.exclusive,
                shared=image.shared,
                amortised=image.amortised,
                left_out=image.left_out,
            )
            for number, image in enumerate(measure.images)
        ],
        shared_layers=[_layer(layer) for layer in islice(measure.shared_layers(), top)],
        empty_layers=[
            EmptyLayerFields(digest=layer.digest, size=layer.size, images=layer.holders)
            for layer in measure.empty_layers()
        ],
    )


def _layer(layer: UniqueLayer) -> SharedLayerFields:
    return SharedLayerFields(
        digest=layer.digest,
        size=layer.size,
        saved=layer.saved,
        images=layer.holders,
        also_by=[IDENTITY_KEYS[identity] for identity in layer.also_by],
        blob_digest=layer.layer.blob_digest,
        diff_id=layer.layer.diff_id,
        chain_id=layer.layer.chain_id,
        instruction=layer.layer.instruction,
    )


def _recompressed(layer: RecompressedLayer) -> RecompressedFields:
    return RecompressedFields(
        diff_id=layer.diff_id,
        excess=layer.excess,
        instruction=layer.layer.instruction,
        blobs=[_blob(blob) for blob in layer.blobs],
    )


def _blob(blob: HeldBlob) -> BlobFields:
    return BlobFields(blob_digest=blob.blob_digest, size=blob.size, images=blob.holders)


def _pull(pull: Pull) -> PullFields:
    cost = pull.cost
    return PullFields(
        source=pull.source,
        target=pull.target,
        bytes=cost.compressed,
        uncompressed_bytes=cost.uncompressed,
        image_bytes=cost.whole,
        reuse_ratio=exact_text(cost.reuse),
        by_diff_id=cost.by_diff_id,
        unknown=cost.unknown,
    )
