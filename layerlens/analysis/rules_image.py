"""An image as rules look at it: its layers, what they list and make, and what a pull would know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from layerlens.analysis.findings import Finding
from layerlens.analysis.findings_secrets import Candidate
from layerlens.analysis.rules import Measured, Place
from layerlens.analysis.sharing import ImageLayers
from layerlens.analysis.titles import ImageTitle
from layerlens.analysis.waste import Waste
from layerlens.analysis.written_layer import WrittenLayer
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree
from layerlens.filesystem.path_glob import compile_glob, matches_any
from layerlens.layer.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedImage:
    """``layers``: lowest first. ``identities``: the same layers as `sharing` knows them."""

    title: ImageTitle
    layers: tuple[WrittenLayer, ...]
    identities: ImageLayers

    @property
    def tree(self) -> FileTree:
        """The final file system."""
        return self.layers[-1].tree if self.layers else EMPTY_TREE

    @property
    def unreadable(self) -> tuple[int, ...]:
        """Numbers of the layers that are no tar."""
        return tuple(layer.number for layer in self.layers if layer.index is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseLayers:
    """The image's lowest ``count`` layers are those of its base, called ``name``. ``count``:
    None where that is not known; ``why`` then is a clause that says why."""

    name: str | None
    count: int | None
    why: str | None = None


def base_layers(
    name: str, image_diff_ids: Sequence[str | None], base_diff_ids: Sequence[str | None]
) -> BaseLayers:
    """How many of an image's layers are those of the base *name*: all of the base's, or unknown."""
    count = len(base_diff_ids)
    if None in base_diff_ids:
        return BaseLayers(name=name, count=None, why=f"the layers of {name} have no DiffIDs")
    if tuple(image_diff_ids[:count]) == tuple(base_diff_ids):
        return BaseLayers(name=name, count=count)
    shared = 0
    for own, based in zip(image_diff_ids, base_diff_ids, strict=False):
        if own != based:
            break
        shared += 1
    why = f"the image does not stand on {name}: it has {shared} of its {count} layers"
    return BaseLayers(name=name, count=None, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """All that rules are held against. ``waste``, ``findings``: of ``image``, and empty where no
    rule is about them. ``unsure``: files that may be secrets, and that nobody could look into.
    ``image`` and ``baseline`` are without layers where no rule needs their files."""

    image: CheckedImage
    waste: Waste
    findings: tuple[Finding, ...]
    unsure: tuple[Candidate, ...]
    baseline: CheckedImage | None
    base: BaseLayers


def in_bytes(value: int, places: Iterable[Place], layers: Iterable[WrittenLayer]) -> Measured:
    """Bytes of files in these layers, in doubt where one of them is no tar."""
    unreadable = tuple(layer.number for layer in layers if layer.index is None)
    incomplete = not_known(unreadable) if unreadable else None
    return Measured(value=Fraction(value), places=places, incomplete=incomplete)


def not_known(layers: Sequence[int]) -> str:
    """Why layers of these numbers leave something in doubt."""
    return f"layer {layers[0]} is no tar: what it holds is not known"


class PathFilter:
    """Paths that a rule names by globs: those it leaves out, say."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns: tuple[re.Pattern[str], ...] = tuple(map(compile_glob, patterns))

    def matches(self, path: str) -> bool:
        """Whether a glob matches the path or a directory it lies in; never without globs."""
        return bool(self._patterns) and matches_any(self._patterns, path)

    def file_bytes(self, layer: WrittenLayer) -> int:
        """Bytes of the files that a layer lists, hard links once, but those that match."""
        if not self._patterns:
            return sum(entry.size for entry in layer.entries if isinstance(entry, Entry))
        return sum(
            entry.size
            for entry in layer.entries
            if isinstance(entry, Entry) and entry.size and not self.matches(entry.path)
        )
