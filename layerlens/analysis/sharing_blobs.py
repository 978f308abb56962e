"""Identical content compressed differently: one DiffID stored as several blobs.

That is all of the gap between what is stored by blob digest and what would be by DiffID, as far
as every layer has both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from layerlens.analysis.sharing import ImageLayers, LayerIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBlob:
    """One blob, its bytes, and the images that hold it (indexes, ascending)."""

    blob_digest: str
    size: int
    holders: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecompressedLayer:
    """One uncompressed tar in several blobs, smallest first."""

    diff_id: str
    layer: LayerIdentity
    blobs: tuple[HeldBlob, ...]

    @property
    def excess(self) -> int:
        """Compressed bytes that the smallest blob alone would save."""
        return sum(blob.size for blob in self.blobs[1:])


def recompressed_layers(images: Iterable[ImageLayers]) -> list[RecompressedLayer]:
    """The DiffIDs that are stored as more than one blob, those with most excess first."""
    first: dict[str, LayerIdentity] = {}
    sizes: dict[str, int] = {}
    holders: dict[str, dict[str, list[int]]] = {}
    for number, image in enumerate(images):
        for layer in image.layers:
            digest, size = layer.blob_digest, layer.stored_size
            if layer.diff_id is None or digest is None or size is None:
                continue
            first.setdefault(layer.diff_id, layer)
            sizes[digest] = min(size, sizes.get(digest, size))
            held_by = holders.setdefault(layer.diff_id, {}).setdefault(digest, [])
            if number not in held_by[-1:]:
                held_by.append(number)
    several = (
        RecompressedLayer(
            diff_id=diff_id,
            layer=first[diff_id],
            blobs=tuple(
                HeldBlob(blob_digest=digest, size=sizes[digest], holders=tuple(blobs[digest]))
                for digest in sorted(blobs, key=lambda digest: (sizes[digest], digest))
            ),
        )
        for diff_id, blobs in holders.items()
        if len(blobs) > 1
    )
    return sorted(several, key=lambda layer: (-layer.excess, layer.diff_id))
