"""What rules measure of sizes: an image's, its layers', and what they are beside a baseline.

Bytes of files are uncompressed, as layers list them and hard links once; paths are excluded as the
layers' tars write them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from layerlens.analysis.layer_changes import ChangeKind, tree_differences
from layerlens.analysis.rules import Found, Measured, Place, Rule, Unmeasured
from layerlens.analysis.rules_image import CheckedImage, PathFilter, Subject, in_bytes, not_known
from layerlens.analysis.sharing_pulls import HeldLayers, PullCost
from layerlens.analysis.written_layer import WrittenLayer

PLACES = 20
"""Places told where a size is too large: those with the most bytes."""

_NO_BASELINE = "no baseline to compare with: name one with --baseline"


def image_size(rule: Rule, subject: Subject) -> Found:
    """Bytes of the files in all layers."""
    layers = subject.image.layers
    sizes = _sizes(layers, rule)
    return in_bytes(sum(sizes.values()), _layer_places(sizes, layers), layers)


def layer_size(rule: Rule, subject: Subject) -> Found:
    """Bytes of the files in the largest layer."""
    layers = subject.image.layers
    sizes = _sizes(layers, rule)
    too_large = {number: size for number, size in sizes.items() if _exceeds(size, rule)}
    return in_bytes(max(sizes.values(), default=0), _layer_places(too_large, layers), layers)


def user_size(rule: Rule, subject: Subject) -> Found:
    """Bytes of the files in the layers above the base."""
    if subject.base.count is None:
        return Unmeasured(why=subject.base.why or "the base image is not known")
    layers = subject.image.layers[subject.base.count :]
    sizes = _sizes(layers, rule)
    return in_bytes(sum(sizes.values()), _layer_places(sizes, layers), layers)


def compressed_size(rule: Rule, subject: Subject) -> Found:
    """Bytes of all layers as stored; one that is listed twice is stored once."""
    # What a pull costs where nothing is there.
    return _transfer(HeldLayers().cost(subject.image.identities), rule, _stored_places(subject))


def pull_cost(rule: Rule, subject: Subject) -> Found:
    """Compressed bytes of the layers that the baseline lacks."""
    if subject.baseline is None:
        return Unmeasured(why=_NO_BASELINE)
    image = subject.image.identities
    held = HeldLayers(subject.baseline.identities.layers)
    alone = (held.cost(replace(image, layers=(layer,))) for layer in image.layers)
    places = (
        place
        for place, cost in zip(_stored_places(subject), alone, strict=True)
        if cost.bytes or cost.unknown
    )
    return _transfer(held.cost(image), rule, places)


def _transfer(cost: PullCost, rule: Rule, places: Iterable[Place]) -> Found:
    """Bytes to transfer. Where a compressed size is not known, the uncompressed one is an upper
    bound: it is enough to pass, and not to fail."""
    largest = sorted(places, key=lambda place: -(place.bytes or 0))
    if not (cost.uncompressed or cost.unknown):
        return Measured(value=Fraction(cost.compressed), places=largest)
    if not cost.unknown and not _exceeds(cost.bytes, rule):
        note = "layers whose compressed size is not known are counted uncompressed"
        return Measured(value=Fraction(cost.bytes), note=note)
    return Measured(
        value=Fraction(cost.compressed),
        places=largest,
        incomplete="the compressed size of layers is not known: the source stores none",
    )


def _stored_places(subject: Subject) -> Iterator[Place]:
    for number, layer in enumerate(subject.image.identities.layers):
        yield Place(layer=number, bytes=layer.stored_size, note=layer.instruction)


def growth(rule: Rule, subject: Subject) -> Found:
    """Bytes of files in all layers, more than the baseline has."""
    if subject.baseline is None:
        return Unmeasured(why=_NO_BASELINE)
    unreadable = subject.baseline.unreadable
    if unreadable:
        return Unmeasured(why=f"in the baseline {not_known(unreadable)}")
    before = sum(_sizes(subject.baseline.layers, rule).values())
    after = sum(_sizes(subject.image.layers, rule).values())
    places = _growth_places(subject.image, subject.baseline, PathFilter(rule.exclude))
    return in_bytes(after - before, places, subject.image.layers)


def growth_percent(rule: Rule, subject: Subject) -> Found:
    """The same in percent of the baseline's bytes."""
    found = growth(rule, subject)
    if isinstance(found, Unmeasured) or subject.baseline is None or found.value is None:
        return found
    before = sum(_sizes(subject.baseline.layers, rule).values())
    if not before:
        return Unmeasured(why="the baseline has no bytes to take a percentage of")
    return replace(found, value=found.value * 100 / before)


def _growth_places(
    image: CheckedImage, baseline: CheckedImage, paths: PathFilter
) -> Iterator[Place]:
    """The paths that grew most; made when they are asked for, since trees must be compared."""
    grown = (
        (change.bytes_after - change.bytes_before, change)
        for change in tree_differences(baseline.tree, image.tree)
        if change.bytes_after > change.bytes_before and not paths.matches(change.path)
    )
    for growth, change in heapq.nlargest(PLACES, grown, key=lambda item: item[0]):
        assert change.after is not None
        word = "added" if change.kind is ChangeKind.ADDED else "grown"
        layer = change.after.layer
        yield Place(path=change.path, layer=layer, bytes=growth, note=word)


def _sizes(layers: Iterable[WrittenLayer], rule: Rule) -> Mapping[int, int]:
    paths = PathFilter(rule.exclude)
    return {layer.number: paths.file_bytes(layer) for layer in layers}


def _layer_places(sizes: Mapping[int, int], layers: Iterable[WrittenLayer]) -> Iterator[Place]:
    """The largest layers, with the instructions that made them."""
    instructions = {layer.number: layer.title.instruction for layer in layers}
    largest = heapq.nlargest(PLACES, sizes.items(), key=lambda item: item[1])
    for number, size in largest:
        if size:
            yield Place(layer=number, bytes=size, note=instructions[number])


def _exceeds(size: int, rule: Rule) -> bool:
    return isinstance(rule.limit, Fraction) and size > rule.limit
