"""What ``diff`` is about: the layers of an image one by one or as ranges, or two images."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerlens.analysis.change_filter import ChangeFilter
from layerlens.analysis.config_differences import (
    ConfigDifference,
    config_differences,
    creation_difference,
)
from layerlens.analysis.layer_alignment import LayerKey, LayerPair, align_layers
from layerlens.analysis.layer_changes import Change, tree_differences
from layerlens.errors import NotFound, UsageError
from layerlens.image import Image, Layer


@dataclass(frozen=True, slots=True)
class LayerRange:
    """Layers ``first`` to ``last`` of an image, both included, taken as a whole."""

    image: Image
    first: int
    last: int

    @property
    def layers(self) -> Sequence[Layer]:
        """The layers of the range."""
        return self.image.layers[self.first : self.last + 1]

    def changes(self, change_filter: ChangeFilter) -> Iterator[Change]:
        """What the range did, as far as the filter lets it pass."""
        return change_filter.apply(self.image.changes(self.first, self.last))


def every_layer(image: Image) -> tuple[LayerRange, ...]:
    """Each layer on its own."""
    return tuple(LayerRange(image, number, number) for number in range(len(image.layers)))


def parse_layer_range(text: str, image: Image) -> LayerRange:
    """``N``, or ``A..B`` of which either may be left out; negative numbers count from the end.

    Raises UsageError for anything else, NotFound where there is no such layer.
    """
    first_text, dots, last_text = text.partition("..")
    count = len(image.layers)
    first = _number(first_text, 0, text, count)
    last = _number(last_text, count - 1, text, count) if dots else first
    if first > last:
        raise UsageError(f"the layers {text!a} run backwards: {first} comes after {last}")
    return LayerRange(image, first, last)


def _number(text: str, default: int, whole: str, count: int) -> int:
    if not text and whole != text:
        number = default
    else:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            raise UsageError(f"{whole!a} is no layer: expected a number, or A..B")
        number = int(text)
    found = number + count if number < 0 else number
    if not 0 <= found < count:
        there = f"they are 0 to {count - 1}" if count else "the image has none"
        raise NotFound(f"there is no layer {number}: {there}")
    return found


@dataclass(frozen=True, slots=True)
class ImageComparison:
    """Two images, ``a`` the older one."""

    a: Image
    b: Image

    def changes(self, change_filter: ChangeFilter) -> Iterator[Change]:
        """What differs between the final file systems."""
        return change_filter.apply(tree_differences(self.a.tree(), self.b.tree()))

    def layer_pairs(self) -> tuple[LayerPair, ...]:
        """The layers side by side."""
        return align_layers(_keys(self.a), _keys(self.b))

    def config_differences(self) -> tuple[ConfigDifference, ...]:
        """What differs between the configs, times left out."""
        return config_differences(self.a.config, self.b.config)

    def creation_difference(self) -> tuple[ConfigDifference, ...]:
        """When each was created, if not at one time."""
        return creation_difference(self.a.config, self.b.config)


# The classic builder names what it copied by a digest, which differs with every change of it.
_COPIED = re.compile(r"\b(file|dir|multi):[0-9a-f]{64}\b")


def _alike(instruction: str) -> str:
    return _COPIED.sub(r"\1", instruction)


def _keys(image: Image) -> list[LayerKey]:
    return [
        LayerKey(
            content=str(layer.diff_id or layer.blob_digest or f"{image.name} {layer.number}"),
            instruction=_alike(layer.instruction.text) if layer.instruction else None,
        )
        for layer in image.layers
    ]
