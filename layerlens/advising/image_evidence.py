"""What an image shows of the Dockerfile that built it: its layers, matched, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from layerlens.advising.what_is_built import Build
from layerlens.dockerfile.candidates import (
    ImageEvidence,
    LayerEvidence,
)
from layerlens.dockerfile.history_binding import Binding, bind_history
from layerlens.dockerfile.instructions import Add, Copy, Run
from layerlens.image import Image
from layerlens.image_layer import Layer
from layerlens.streams.decompression import Compression

_WRITING = Run | Copy | Add

ESTIMATED_PERCENT = 40
"""What a layer of which only the uncompressed size is known is taken to compress to."""


def image_evidence(build: Build, image: Image) -> ImageEvidence:
    """What the image shows of the Dockerfile; its layers are looked at when they are asked for."""
    binding = bind_history(build.dockerfile, build.target, image.config.history, len(image.layers))

    def layer(number: int) -> LayerEvidence:
        found = image.layers[number]
        cost = layer_cost(found)
        return LayerEvidence(
            entries=found.entries,
            before=image.tree(number - 1),
            size=None if cost is None else cost.size,
            estimated=cost is not None and cost.estimated,
        )

    return ImageEvidence(binding=binding, config=image.config, layer=cache(layer))


def image_notes(build: Build, image: Image, binding: Binding) -> Iterator[str]:
    if binding.problem is not None:
        yield f"{image.name} tells nothing of {build.path}: {binding.problem}"
    else:
        for bound in binding.instructions:
            if bound.problem is not None:
                line = bound.instruction.span.first_line
                yield f"line {line} is not matched with {image.name}: {bound.problem}"
    writing = [each for each in binding.instructions if isinstance(each.instruction, _WRITING)]
    if len(writing) > 1 and not any(each.layer is not None for each in writing):
        yield (
            f"{image.name} has one layer for all instructions (squashed, or buildah without "
            "--layers): what each wrote, and what it costs, is not known"
        )
    costs = [layer_cost(layer) for layer in image.layers]
    if any(cost is not None and cost.estimated for cost in costs):
        yield (
            f"{image.name} has uncompressed layers: their compressed sizes are estimated, "
            f"at {ESTIMATED_PERCENT} %"
        )


@dataclass(frozen=True, slots=True)
class LayerCost:
    """The compressed bytes of a layer, and whether they are only estimated."""

    size: int
    estimated: bool


def layer_cost(layer: Layer) -> LayerCost | None:
    """What a layer costs to push; None where nothing is known of it."""
    facts = layer.facts
    if facts is None:
        return None if layer.stored.size is None else LayerCost(layer.stored.size, False)
    if facts.compression is Compression.NONE:
        return LayerCost(facts.size * ESTIMATED_PERCENT // 100, True)
    return LayerCost(facts.stored_size, False)
