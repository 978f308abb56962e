"""Logical and stored bytes of a registry's images, and how often their layers are referenced.

Logical: over images, each distinct manifest once; stored: over layers, each once. Both are
compressed bytes. By DiffID and ChainID a layer of several blobs would be stored as the smallest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from layerlens.analysis.sharing import Identity, quotient
from layerlens.audit.holdings import Holdings
from layerlens.audit.layer_holders import gather

_TOTALS = """
SELECT COUNT(*), COALESCE(SUM(held), 0), COALESCE(SUM(size), 0) FROM temp.layer_{x}
"""
_LEFT_OUT = """
SELECT COUNT(*) FROM temp.live_image JOIN image_layer ON manifest_id = live_image.id
WHERE {x}_id IS NULL
"""
_REFERENCES = """
SELECT CASE WHEN empty THEN 4 WHEN images = 1 THEN 0 WHEN images = 2 THEN 1
        WHEN images <= 25 THEN 2 ELSE 3 END,
    COUNT(*), SUM(size), MAX(images)
FROM temp.layer_{x} GROUP BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceClass:
    """Layers that so many images hold: how many they are, and their bytes, each once."""

    layers: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Distinct layers by how many images hold them. ``empty``: layers that list nothing, which
    are in none of the others; ``most``: images that hold the layer most referenced of those."""

    once: ReferenceClass
    twice: ReferenceClass
    up_to_25: ReferenceClass
    more: ReferenceClass
    empty: ReferenceClass
    most: int

    @property
    def layers(self) -> int:
        """All but the empty ones."""
        classes = (self.once, self.twice, self.up_to_25, self.more)
        return sum(each.layers for each in classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingTotals:
    """Sharing by one identity. ``layers``: distinct ones, the empty included. ``left_out``: layers
    as images list them that have no such identity known, and are in no figure."""

    identity: Identity
    layers: int
    logical: int
    stored: int
    left_out: int
    references: References

    @property
    def saved(self) -> int:
        """Bytes that storing each layer once saves."""
        return self.logical - self.stored

    @property
    def ratio(self) -> Fraction | None:
        """The layer-sharing ratio: logical / stored; None where nothing is stored."""
        return quotient(self.logical, self.stored)


def sharing_totals(holdings: Holdings) -> Iterator[SharingTotals]:
    """The totals by blob digest, DiffID and ChainID."""
    for identity in Identity:
        suffix = gather(holdings, identity)
        layers, logical, stored = holdings.connection.execute(_TOTALS.format(x=suffix)).fetchone()
        yield SharingTotals(
            identity=identity,
            layers=layers,
            logical=logical,
            stored=stored,
            left_out=holdings.number(_LEFT_OUT.format(x=suffix)),
            references=_references(holdings, suffix),
        )


def _references(holdings: Holdings, suffix: str) -> References:
    classes = [ReferenceClass(layers=0, bytes=0)] * 5
    most = 0
    for number, layers, size, images in holdings.connection.execute(_REFERENCES.format(x=suffix)):
        classes[number] = ReferenceClass(layers=layers, bytes=size)
        most = max(most, images) if number < 4 else most
    once, twice, up_to_25, more, empty = classes
    return References(once=once, twice=twice, up_to_25=up_to_25, more=more, empty=empty, most=most)
