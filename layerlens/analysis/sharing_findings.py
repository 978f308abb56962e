"""All that is found of a few images taken together, for a report to choose from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from layerlens.analysis.sharing import Identity, ImageLayers, Sharing, Unit, sharing
from layerlens.analysis.sharing_bases import (
    BaseRelation,
    DuplicatedImage,
    base_relations,
    duplicated_images,
)
from layerlens.analysis.sharing_blobs import RecompressedLayer, recompressed_layers
from layerlens.analysis.sharing_files import DuplicatedFile, FileSharing, FileTally
from layerlens.analysis.sharing_pulls import Pull, pulls

MEASURES = (
    (Identity.BLOB_DIGEST, Unit.COMPRESSED),
    (Identity.DIFF_ID, Unit.COMPRESSED),
    (Identity.DIFF_ID, Unit.UNCOMPRESSED),
    (Identity.CHAIN_ID, Unit.UNCOMPRESSED),
)
"""What is measured: a registry's storage, the same were content compressed once, the content
itself, and a host's disk."""

_UNIT_SHOWN = {
    Identity.BLOB_DIGEST: Unit.COMPRESSED,
    Identity.DIFF_ID: Unit.UNCOMPRESSED,
    Identity.CHAIN_ID: Unit.UNCOMPRESSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFindings:
    """File-level duplication, and the duplicated files that take most bytes."""

    sharing: FileSharing
    duplicated: Sequence[DuplicatedFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingFindings:
    """``measures``: one for each of `MEASURES`; ``shown``: the one that lists are made by.
    ``files``: None where they were not asked for."""

    images: Sequence[ImageLayers]
    measures: Sequence[Sharing]
    shown: Sharing
    recompressed: Sequence[RecompressedLayer]
    bases: Sequence[BaseRelation]
    duplicates: Sequence[DuplicatedImage]
    files: FileFindings | None

    def pulls(self) -> Iterator[Pull]:
        """What pulling each image costs, from nothing and from each other one."""
        return pulls(self.images)


def sharing_findings(
    images: Sequence[ImageLayers],
    by: Identity | None,
    tally: FileTally | None,
    most_files: int,
) -> SharingFindings:
    """What ``images`` share. ``by``: what to list layers by; by default the blob digest where
    every layer has one, else the DiffID. ``tally``: their files, of which the ``most_files``
    largest duplicated ones are listed.

    What one image's layer was found to hold is known of the others of its DiffID that were listed
    from a table of contents.
    """
    images = _with_all_sizes(images)
    measures = {measure: sharing(images, *measure) for measure in MEASURES}
    if by is None:
        by_blob = measures[Identity.BLOB_DIGEST, Unit.COMPRESSED]
        by = Identity.DIFF_ID if by_blob.left_out else Identity.BLOB_DIGEST
    return SharingFindings(
        images=images,
        measures=tuple(measures.values()),
        shown=measures[by, _UNIT_SHOWN[by]],
        recompressed=recompressed_layers(images),
        bases=tuple(base_relations(images)),
        duplicates=duplicated_images(images),
        files=_files(measures[Identity.DIFF_ID, Unit.UNCOMPRESSED], tally, most_files),
    )


def _with_all_sizes(images: Sequence[ImageLayers]) -> Sequence[ImageLayers]:
    sizes = {
        layer.diff_id: layer.size
        for image in images
        for layer in image.layers
        if layer.size is not None and layer.diff_id is not None
    }
    return [
        replace(
            image,
            layers=tuple(
                layer
                if layer.size is not None or layer.diff_id is None
                else replace(layer, size=sizes.get(layer.diff_id))
                for layer in image.layers
            ),
        )
        for image in images
    ]


def _files(by_diff_id: Sharing, tally: FileTally | None, most: int) -> FileFindings | None:
    if tally is None:
        return None
    references = {layer.digest: len(layer.holders) for layer in by_diff_id.layers}
    return FileFindings(sharing=tally.sharing(references), duplicated=tally.duplicated(most))
