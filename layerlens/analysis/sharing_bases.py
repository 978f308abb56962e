"""Which images stand on which, and which are the same one: read from DiffIDs and config digests.

An image derives from a base if the base's DiffIDs are a proper prefix of its own. An image without
layers is no base, and neither is one with a layer whose DiffID is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from layerlens.analysis.sharing import ImageLayers
from layerlens.oci.digest import sha256_digest

_NO_CONFIG = str(sha256_digest(b""))  # of a root file system, which is stored without one


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRelation:
    """Image ``image`` derives from image ``base``, whose ``layers`` layers are its lowest ones.
    ``nearest``: no base between the two is among the images."""

    image: int
    base: int
    layers: int
    nearest: bool


def base_relations(images: Sequence[ImageLayers]) -> Iterator[BaseRelation]:
    """Every such pair, by image, the nearest base first."""
    steps: dict[tuple[int, str], int] = {}  # a tree of DiffIDs; its root is 0
    ends: dict[int, list[int]] = {}
    for number, image in enumerate(images):
        place = _enter(image, steps)
        if place:
            ends.setdefault(place, []).append(number)
    for number, image in enumerate(images):
        yield from _bases_of(number, image, steps, ends)


def _enter(image: ImageLayers, steps: dict[tuple[int, str], int]) -> int:
    """Where the image ends in the tree; 0 where that is not known, or where it has no layers."""
    place = 0
    for layer in image.layers:
        if layer.diff_id is None:
            return 0
        place = steps.setdefault((place, layer.diff_id), len(steps) + 1)
    return place


def _bases_of(
    number: int,
    image: ImageLayers,
    steps: dict[tuple[int, str], int],
    ends: dict[int, list[int]],
) -> list[BaseRelation]:
    found: list[tuple[int, list[int]]] = []
    place = 0
    for depth, layer in enumerate(image.layers[:-1], 1):
        if layer.diff_id is None:
            break
        place = steps[place, layer.diff_id]
        if place in ends:
            found.append((depth, ends[place]))
    return [
        BaseRelation(image=number, base=base, layers=depth, nearest=depth == found[-1][0])
        for depth, bases in reversed(found)
        for base in bases
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatedImage:
    """Images that are one: the same config, and by that the same layers (indexes, ascending)."""

    config_digest: str
    images: tuple[int, ...]


def duplicated_images(images: Iterable[ImageLayers]) -> list[DuplicatedImage]:
    """The configs that stand more than once, in the order of their first image."""
    holders: dict[str, list[int]] = {}
    for number, image in enumerate(images):
        if image.title.config_digest != _NO_CONFIG:
            holders.setdefault(image.title.config_digest, []).append(number)
    return [
        DuplicatedImage(config_digest=digest, images=tuple(numbers))
        for digest, numbers in holders.items()
        if len(numbers) > 1
    ]
