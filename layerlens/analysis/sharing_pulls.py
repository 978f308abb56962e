"""What pulling one image costs where another is already there.

A layer is there if its blob digest is. Where one of the two sides has no blob digest for it (an
uncompressed layer of a docker-archive), DiffIDs are compared instead; where its compressed size is
not known, its uncompressed bytes are counted, apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from layerlens.analysis.sharing import ImageLayers, LayerIdentity, quotient


@dataclass(frozen=True, slots=True, kw_only=True)
class PullCost:
    """The bytes of the layers that are missing, and of all of them.

    ``compressed``: bytes to transfer. ``uncompressed``: of missing layers whose compressed size is
    not known. ``whole``: both of all the image's layers. ``by_diff_id``: layers found to be there
    by their DiffID for want of a blob digest. ``unknown``: missing layers of unknown size.
    """

    compressed: int
    uncompressed: int
    whole: int
    by_diff_id: int
    unknown: int

    @property
    def bytes(self) -> int:
        """Bytes of the missing layers, in whichever unit they are known."""
        return self.compressed + self.uncompressed

    @property
    def reuse(self) -> Fraction | None:
        """The reuse ratio: the part of the image's bytes that is there already."""
        return quotient(self.whole - self.bytes, self.whole)

    @property
    def is_exact(self) -> bool:
        """Whether it is compressed bytes throughout, compared by blob digest."""
        return not (self.uncompressed or self.by_diff_id or self.unknown)


class HeldLayers:
    """The layers that are there before a pull."""

    def __init__(self, layers: Iterable[LayerIdentity] = ()) -> None:
        self._blobs: set[str] = set()
        self._diff_ids: set[str] = set()
        self._diff_ids_without_blob: set[str] = set()
        for layer in layers:
            if layer.blob_digest is not None:
                self._blobs.add(layer.blob_digest)
            if layer.diff_id is not None:
                self._diff_ids.add(layer.diff_id)
                if layer.blob_digest is None:
                    self._diff_ids_without_blob.add(layer.diff_id)

    def cost(self, image: ImageLayers) -> PullCost:
        """What pulling ``image`` costs; a layer that it lists twice is pulled once."""
        compressed = uncompressed = whole = by_diff_id = unknown = 0
        seen: set[str] = set()
        for layer in image.layers:
            key = layer.blob_digest or layer.diff_id
            if key is not None:
                if key in seen:
                    continue
                seen.add(key)
            in_bytes = layer.stored_size if layer.stored_size is not None else layer.size
            whole += in_bytes or 0
            if layer.blob_digest is not None and layer.blob_digest in self._blobs:
                continue
            if layer.diff_id in self._comparable(layer):
                by_diff_id += 1
            elif layer.stored_size is not None:
                compressed += layer.stored_size
            elif layer.size is not None:
                uncompressed += layer.size
            else:
                unknown += 1
        return PullCost(
            compressed=compressed,
            uncompressed=uncompressed,
            whole=whole,
            by_diff_id=by_diff_id,
            unknown=unknown,
        )

    def _comparable(self, layer: LayerIdentity) -> set[str]:
        """The DiffIDs that say something of a layer whose blob is not there."""
        return self._diff_ids if layer.blob_digest is None else self._diff_ids_without_blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """Pulling image ``target`` where image ``source`` (None: nothing at all) is there."""

    source: int | None
    target: int
    cost: PullCost


def pulls(images: Sequence[ImageLayers]) -> Iterator[Pull]:
    """From nothing and from each image to each other one: as many as the square of the images."""
    sources = [(None, HeldLayers()), *((n, HeldLayers(i.layers)) for n, i in enumerate(images))]
    for source, held in sources:
        for target, image in enumerate(images):
            if source != target:
                yield Pull(source=source, target=target, cost=held.cost(image))
