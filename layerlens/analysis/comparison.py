"""What ``diff`` is about: what a range of layers did, or how two images differ."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.analysis.change_filter import ChangeFilter
from layerlens.analysis.config_differences import (
    ConfigDifference,
    config_differences,
    creation_difference,
)
from layerlens.analysis.layer_alignment import LayerKey, LayerPair, Relation, align_layers
from layerlens.analysis.layer_changes import Change, layer_changes, tree_differences
from layerlens.analysis.titles import ImageTitle, LayerTitle
from layerlens.errors import NotFound, UsageError
from layerlens.filesystem.file_tree import FileTree
from layerlens.oci.image_config import ImageConfig

# The classic builder names what it copied by a digest, which differs with every change of it.
_COPIED = re.compile(r"\b(file|dir|multi):[0-9a-f]{64}\b")

_SHARED = (Relation.SAME, Relation.MOVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRange:
    """Successive layers taken as a whole, with the trees below the first and after the last."""

    layers: tuple[LayerTitle, ...]
    before: FileTree
    after: FileTree

    @property
    def unreadable(self) -> tuple[LayerTitle, ...]:
        """Its layers that are no tar: what they did is not known, and not among the changes."""
        return tuple(layer for layer in self.layers if layer.is_unknown)

    def changes(self, change_filter: ChangeFilter) -> Iterator[Change]:
        """What the range did, as far as the filter lets it pass."""
        return change_filter.apply(layer_changes(self.before, self.after))


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedImage:
    """One of two images that are compared."""

    title: ImageTitle
    config: ImageConfig
    layers: tuple[LayerTitle, ...]
    tree: FileTree

    @property
    def unreadable(self) -> tuple[LayerTitle, ...]:
        """Its layers that are no tar."""
        return tuple(layer for layer in self.layers if layer.is_unknown)


@dataclass(frozen=True, slots=True)
class ImageComparison:
    """Two images, ``a`` the older one."""

    a: ComparedImage
    b: ComparedImage

    def changes(self, change_filter: ChangeFilter) -> Iterator[Change]:
        """What differs between the final file systems."""
        return change_filter.apply(tree_differences(self.a.tree, self.b.tree))

    def layer_pairs(self) -> tuple[LayerPair, ...]:
        """The layers side by side."""
        return align_layers(_keys(self.a), _keys(self.b))

    @property
    def unreadable(self) -> tuple[LayerTitle, ...]:
        """Layers that are no tar and that one image has alone: the file systems may differ in
        ways that are not among the changes. First A's, then B's."""
        same = [pair for pair in self.layer_pairs() if pair.relation in _SHARED]
        shared_a, shared_b = {pair.a for pair in same}, {pair.b for pair in same}
        return (
            *(layer for layer in self.a.unreadable if layer.number not in shared_a),
            *(layer for layer in self.b.unreadable if layer.number not in shared_b),
        )

    def config_differences(self) -> tuple[ConfigDifference, ...]:
        """What differs between the configs, times left out."""
        return config_differences(self.a.config, self.b.config)

    def creation_difference(self) -> tuple[ConfigDifference, ...]:
        """When each was created, if not at one time."""
        return creation_difference(self.a.config, self.b.config)


def parse_layer_range(text: str, count: int) -> tuple[int, int]:
    """First and last layer of ``N``, or of ``A..B`` of which either may be left out.

    ``count``: how many layers there are; negative numbers count from the end. Raises UsageError
    for anything else, NotFound ("has no layer 9; …") where there is no such layer.
    """
    first_text, dots, last_text = text.partition("..")
    first = 0 if dots and not first_text else _layer_number(first_text, text)
    last = first if not dots else -1 if not last_text else _layer_number(last_text, text)
    first, last = _existing(first, count), _existing(last, count)
    if first > last:
        raise UsageError(f"the layers {text!r} run backwards: {first} comes after {last}")
    return first, last


def _layer_number(text: str, whole: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise UsageError(f"{whole!r} is no layer: expected a number, or A..B")
    return int(text)


def _existing(number: int, count: int) -> int:
    if not -count <= number < count:
        there = f"they are 0 to {count - 1}" if count else "there are none"
        raise NotFound(f"has no layer {number}; {there}")
    return number % count


def _keys(image: ComparedImage) -> list[LayerKey]:
    return [
        LayerKey(
            content=layer.diff_id or layer.blob_digest or f"{image.title.image} {layer.number}",
            instruction=_COPIED.sub(r"\1", layer.instruction) if layer.instruction else None,
        )
        for layer in image.layers
    ]
