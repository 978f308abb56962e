"""Layers that images share: who holds which, and whose bytes they are, by one identity at a time.

Values in, values out, linear in the layers listed, so that it serves two images on a command line
and ten thousand of a registry. What is said of layers that two images pull, stack on each other or
compress differently stands in the modules beside this one.

An image holds a layer or it does not: one that it lists twice counts once. A layer without the
identity asked for, or whose bytes are not known in the unit asked for, is left out and counted as
left out. The empty layer counts in every sum of bytes, and stands apart where layers are counted
or listed.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

from layerlens.analysis.titles import ImageTitle

_TAR_BLOCK = 512
EMPTY_DIFF_IDS = frozenset(
    f"sha256:{sha256(bytes(_TAR_BLOCK * blocks)).hexdigest()}" for blocks in (0, 1, 2, 20)
)
"""DiffIDs of tars without entries: no bytes, or the zeros that tools write (1,024 is docker's)."""


class Identity(enum.Enum):
    """By what two layers are one; the value is the name it goes by."""

    BLOB_DIGEST = "blob digest"
    """The stored bytes: one place in a registry, one transfer."""
    DIFF_ID = "DiffID"
    """The uncompressed tar, however it is compressed."""
    CHAIN_ID = "ChainID"
    """The layer and all below it: one place on a host's disk."""

    # A member is looked up for every layer.
    __hash__ = object.__hash__

    def of(self, layer: LayerIdentity) -> str | None:
        """The digest that ``layer`` has for this identity, None where it is not known."""
        if self is Identity.BLOB_DIGEST:
            return layer.blob_digest
        return layer.diff_id if self is Identity.DIFF_ID else layer.chain_id


class Unit(enum.Enum):
    """Which bytes of a layer are counted."""

    COMPRESSED = "compressed"
    """As stored. One DiffID may be stored as several blobs: the smallest would be enough."""
    UNCOMPRESSED = "uncompressed"

    __hash__ = object.__hash__

    def of(self, layer: LayerIdentity) -> int | None:
        """The bytes of ``layer`` in this unit, None where they are not known."""
        return layer.stored_size if self is Unit.COMPRESSED else layer.size


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerIdentity:
    """One layer of an image. Digests are text, None where they are not known.

    ``stored_size``: bytes of the blob, None where no blob is known (an uncompressed layer of a
    docker-archive). ``size``: uncompressed bytes, None where they were never read. ``instruction``:
    a Dockerfile's line. ``empty``: known to list nothing, for tars not among `EMPTY_DIFF_IDS`.
    ``from_toc``: not read, but listed from its table of contents; its digests were not verified.
    """

    blob_digest: str | None
    diff_id: str | None
    chain_id: str | None
    stored_size: int | None
    size: int | None
    instruction: str | None
    empty: bool = False
    from_toc: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it is a tar without entries."""
        return self.empty or self.diff_id in EMPTY_DIFF_IDS


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLayers:
    """An image, or anything else that holds layers, and its layers, lowest first."""

    title: ImageTitle
    layers: tuple[LayerIdentity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueLayer:
    """A layer that stands once. ``digest``: its identity. ``holders``: indexes of images,
    ascending. ``size``: bytes to store it once, of its blobs the smallest; ``held``: bytes of all
    holders together, each counted as it has it. ``also_by``: the other identities that are one for
    all holders. ``layer``: as the first holder lists it."""

    digest: str
    layer: LayerIdentity
    holders: tuple[int, ...]
    size: int
    held: int
    also_by: tuple[Identity, ...]

    @property
    def saved(self) -> int:
        """Bytes that storing it once saves."""
        return self.held - self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageShare:
    """The bytes of one image's layers. ``own``: all of them, ``exclusive``: of those that no other
    image holds, ``amortised``: its part of what is stored. ``left_out``: layers not counted."""

    own: int
    exclusive: int
    amortised: int
    left_out: int

    @property
    def shared(self) -> int:
        """Bytes of layers that another image holds too."""
        return self.own - self.exclusive


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceCounts:
    """How many layers are held by how many images, the empty layer apart."""

    once: int
    twice: int
    up_to_25: int
    more: int

    @property
    def layers(self) -> int:
        """All of them."""
        return self.once + self.twice + self.up_to_25 + self.more


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """What images share by one identity, in one unit.

    ``layers``: each once, in the order of their first holders. ``images``: as they were given.
    """

    identity: Identity
    unit: Unit
    layers: tuple[UniqueLayer, ...]
    images: tuple[ImageShare, ...]

    @property
    def logical(self) -> int:
        """Bytes of every image's layers, as if nothing were shared."""
        return sum(image.own for image in self.images)

    @property
    def stored(self) -> int:
        """Bytes of the layers, each once; the sum of what images have amortised."""
        return sum(layer.size for layer in self.layers)

    @property
    def ratio(self) -> Fraction | None:
        """The layer-sharing ratio: logical / stored; None where nothing is stored."""
        return quotient(self.logical, self.stored)

    @property
    def left_out(self) -> int:
        """Layers, as images list them, that are in none of these figures."""
        return sum(image.left_out for image in self.images)

    def shared_layers(self) -> list[UniqueLayer]:
        """The layers that more than one image holds, those that save most first; not the empty."""
        shared = (layer for layer in self.layers if len(layer.holders) > 1)
        return sorted(
            (layer for layer in shared if not layer.layer.is_empty),
            key=lambda layer: (-layer.saved, -len(layer.holders), layer.digest),
        )

    def empty_layers(self) -> list[UniqueLayer]:
        """The layers that list nothing, whoever holds them."""
        return [layer for layer in self.layers if layer.layer.is_empty]

    def reference_counts(self) -> ReferenceCounts:
        """How many layers are held once, twice and so on."""
        once = twice = up_to_25 = more = 0
        for layer in self.layers:
            count = len(layer.holders)
            if layer.layer.is_empty:
                continue
            once += count == 1
            twice += count == 2
            up_to_25 += 2 < count <= 25
            more += count > 25
        return ReferenceCounts(once=once, twice=twice, up_to_25=up_to_25, more=more)

    def freed(self, images: Collection[int]) -> int:
        """Bytes that deleting ``images`` (indexes) frees: layers that no image left holds."""
        gone = frozenset(images)
        return sum(layer.size for layer in self.layers if gone.issuperset(layer.holders))


def sharing(images: Iterable[ImageLayers], identity: Identity, unit: Unit) -> Sharing:
    """What ``images`` share by ``identity``, in bytes of ``unit``.

    ``images`` is gone through once and not kept. Amortised bytes are whole numbers: of a layer
    that does not divide evenly, the first of its holders take one byte more.
    """
    gathered: dict[str, _Gathered] = {}
    own: list[int] = []
    left_out: list[int] = []
    others = tuple(other for other in Identity if other is not identity)
    for number, image in enumerate(images):
        missing = 0
        bytes_held = 0
        for layer in image.layers:
            digest, size = identity.of(layer), unit.of(layer)
            if digest is None or size is None:
                missing += 1
                continue
            known = gathered.get(digest)
            if known is None:
                gathered[digest] = known = _Gathered(layer, size, others)
            bytes_held += known.hold(number, layer, size)
        own.append(bytes_held)
        left_out.append(missing)
    exclusive, amortised = [0] * len(own), [0] * len(own)
    for each in gathered.values():
        if len(each.holders) == 1:
            exclusive[each.holders[0]] += each.held
        for holder, part in _parts(each.size, each.holders):
            amortised[holder] += part
    return Sharing(
        identity=identity,
        unit=unit,
        layers=tuple(each.whole(digest) for digest, each in gathered.items()),
        images=tuple(
            ImageShare(own=a, exclusive=b, amortised=c, left_out=d)
            for a, b, c, d in zip(own, exclusive, amortised, left_out, strict=True)
        ),
    )


def quotient(dividend: int, divisor: int) -> Fraction | None:
    """The exact quotient; None where there is nothing to divide by."""
    return Fraction(dividend, divisor) if divisor else None


class _Gathered:
    """A layer while images are gone through in order."""

    __slots__ = ("_last", "_others", "held", "holders", "layer", "size")

    def __init__(self, layer: LayerIdentity, size: int, others: tuple[Identity, ...]) -> None:
        self.layer = layer
        self.size = size
        self.held = 0
        self.holders: list[int] = []
        self._last = 0  # bytes as the last holder has it
        self._others = tuple(other for other in others if other.of(layer) is not None)

    def hold(self, number: int, layer: LayerIdentity, size: int) -> int:
        """Image ``number`` holds it in so many bytes; how many more it holds by that."""
        self.size = min(self.size, size)
        if layer is not self.layer:
            self._others = tuple(
                other for other in self._others if other.of(layer) == other.of(self.layer)
            )
        more = size
        if self.holders and self.holders[-1] == number:  # listed twice, perhaps as another blob
            more = min(size - self._last, 0)
        else:
            self.holders.append(number)
            self._last = 0
        self._last += more
        self.held += more
        return more

    def whole(self, digest: str) -> UniqueLayer:
        return UniqueLayer(
            digest=digest,
            layer=self.layer,
            holders=tuple(self.holders),
            size=self.size,
            held=self.held,
            also_by=self._others,
        )


def _parts(size: int, holders: Collection[int]) -> Iterator[tuple[int, int]]:
    """A layer's bytes divided among its holders."""
    part, rest = divmod(size, len(holders))
    for position, holder in enumerate(holders):
        yield holder, part + (position < rest)
