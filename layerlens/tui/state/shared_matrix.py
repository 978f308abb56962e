"""Images against layers: who holds what, and the bytes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from layerlens.analysis.sharing import (
    Identity,
    ImageLayers,
    ImageShare,
    Sharing,
    UniqueLayer,
    Unit,
    sharing,
)
from layerlens.report.counted import counted
from layerlens.report.safe_text import shorten_middle
from layerlens.report.shared_numbers import numbers_text, ratio_text
from layerlens.report.sizes import human_size
from layerlens.tui.shown_text import MakeParts, Part, safe
from layerlens.tui.state.details import Field

UNITS = {
    Identity.BLOB_DIGEST: Unit.COMPRESSED,
    Identity.DIFF_ID: Unit.UNCOMPRESSED,
    Identity.CHAIN_ID: Unit.UNCOMPRESSED,
}

_SIZE_CELLS, _COUNT_CELLS = 9, 5
_LEAST_INSTRUCTION = 16
_WIDTH_FOR_OWN = 72
"""Cells of a row of an image that hold its name beside all its bytes."""
_HELD, _NOT_HELD = "●", "·"
_MOST_NAMED = 50


@dataclass(frozen=True, slots=True, eq=False)
class SharedMatrix:
    """The layers that several images hold, those that save most first, then the others by size."""

    images: tuple[ImageLayers, ...]
    sharing: Sharing
    layers: tuple[UniqueLayer, ...]

    def heading(self, width: int) -> list[Part]:
        """What stands above the columns; images go by their numbers."""
        room = self._columns(width)
        numbers = " ".join(str(number % 10) for number in range(room))
        more = "…" if room < len(self.images) else ""
        left = f"{'BYTES':>{_SIZE_CELLS}}{'HELD':>{_COUNT_CELLS}}  {numbers}{more}"
        return [(f"{left}  INSTRUCTION", "heading")]

    def rows(self) -> Sequence[MakeParts]:
        """A row a layer."""
        return [partial(self._row, layer) for layer in self.layers]

    def image_rows(self) -> Sequence[MakeParts]:
        """A row an image."""
        return [
            partial(_image_row, number, image, share)
            for number, (image, share) in enumerate(
                zip(self.images, self.sharing.images, strict=True)
            )
        ]

    def details(self, row: int) -> Iterator[Field]:
        """What is known of a layer."""
        layer = self.layers[row]
        identity = self.sharing.identity
        yield Field("is", identity.value)
        yield Field("digest", layer.digest)
        if layer.also_by:
            yield Field("also by", ", ".join(other.value for other in layer.also_by))
        yield Field("made by", layer.layer.instruction or "(the history does not tell)")
        unit = self.sharing.unit.value
        yield Field("bytes", f"{layer.size} {unit} ({human_size(layer.size)})")
        if len(layer.holders) > 1:
            yield Field("saved", f"{layer.saved} bytes by being stored once")
        yield Field("held by", f"image {numbers_text(layer.holders)}")
        for number in layer.holders[:_MOST_NAMED]:
            yield Field(f"  {number}", _name(self.images[number]))

    def holders(self, row: int) -> tuple[int, ...]:
        """The numbers of the images that hold a layer."""
        return self.layers[row].holders

    @property
    def summary(self) -> str:
        """The whole in one line."""
        measured = self.sharing
        left = f", {counted(measured.left_out, 'layer')} not counted" if measured.left_out else ""
        return (
            f"by {measured.identity.value}{left}: {human_size(measured.logical)} logical, "
            f"{human_size(measured.stored)} stored, ratio {ratio_text(measured.ratio)}"
        )

    def _columns(self, width: int) -> int:
        """How many images have a column of their own."""
        room = (width - _SIZE_CELLS - _COUNT_CELLS - 3 - _LEAST_INSTRUCTION) // 2
        return max(0, min(room, len(self.images)))

    def _row(self, layer: UniqueLayer, width: int) -> list[Part]:
        holders = frozenset(layer.holders)
        shared = len(holders) > 1
        room = self._columns(width)
        parts: list[Part] = [
            (f"{human_size(layer.size):>{_SIZE_CELLS}}", "" if shared else "faint"),
            (f"{len(holders):>{_COUNT_CELLS}}  ", "added" if shared else "faint"),
        ]
        for number in range(room):
            held = number in holders
            parts.append((f"{_HELD if held else _NOT_HELD} ", "accent" if held else "faint"))
        parts.append((" " if room < len(self.images) else "", ""))
        left = width - sum(len(text) for text, _ in parts) - 1
        text = "(empty)" if layer.layer.is_empty else layer.layer.instruction or ""
        parts.append((" " + safe(text, left), "" if shared else "faint"))
        return parts


def shared_matrix(
    images: Sequence[ImageLayers], identity: Identity, only: ImageLayers | None = None
) -> SharedMatrix:
    """The matrix of these images' layers by one identity, or of those that ``only`` holds; the
    empty layers are its last rows. Bytes are uncompressed where every layer's are known."""
    unit = UNITS[identity]
    if any(layer.size is None for image in images for layer in image.layers):
        unit = Unit.COMPRESSED
    found = sharing(images, identity, unit)
    number = None if only is None else images.index(only)
    ordered = sorted(
        (layer for layer in found.layers if number is None or number in layer.holders),
        key=lambda layer: (
            layer.layer.is_empty,
            -layer.saved,
            -len(layer.holders),
            -layer.size,
            layer.digest,
        ),
    )
    return SharedMatrix(tuple(images), found, tuple(ordered))


def best_identity(images: Sequence[ImageLayers]) -> Identity:
    """The blob digest where every layer has one, else the DiffID."""
    blobs = all(layer.blob_digest is not None for image in images for layer in image.layers)
    return Identity.BLOB_DIGEST if blobs else Identity.DIFF_ID


def _image_row(number: int, image: ImageLayers, share: ImageShare, width: int) -> list[Part]:
    own = f"{human_size(share.own):>{_SIZE_CELLS}}" if width >= _WIDTH_FOR_OWN else ""
    cells = [
        (f"{number:>3} ", "faint"),
        (own, ""),
        (f"{human_size(share.exclusive):>{_SIZE_CELLS}} exclusive", "changed"),
        (f"{human_size(share.shared):>{_SIZE_CELLS}} shared", "added"),
    ]
    left = width - sum(len(text) for text, _ in cells) - 2
    return [*cells, ("  " + shorten_middle(safe(_name(image)), max(8, left)), "")]


def _name(image: ImageLayers) -> str:
    names = ", ".join(image.title.names)
    return f"{image.title.image} ({names})" if names else image.title.image
