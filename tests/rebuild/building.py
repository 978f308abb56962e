"""Builds by buildah, and what they built again: step by step, in compressed bytes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from layerlens.dockerfile.parser import parse_dockerfile

from .registry import Registry
from .tools import output_of

_STEP = re.compile(r"^(?:\[\d+/\d+\] )?STEP (\d+)/\d+: ", re.MULTILINE)
_CACHED = "--> Using cache "


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer as a registry would hold it."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A build. ``layers``: of the image above the base's, by the instruction that made each,
    FROM not counted. ``rebuilt``: the instructions that were carried out."""

    layers: dict[int, Layer]
    rebuilt: frozenset[int]

    @property
    def rebuilt_bytes(self) -> int:
        """The compressed bytes of the layers that were made anew."""
        return sum(layer.size for step, layer in self.layers.items() if step in self.rebuilt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a build is made of."""

    dockerfile: Path
    context: Path
    target: str | None
    arguments: tuple[str, ...] = ()


def build(recipe: Recipe, image: str, *extra: str) -> frozenset[int]:
    """Build with a cache, of the target stage alone; the instructions that were carried out."""
    words = ["buildah", "bud", "--layers", "--isolation", "chroot", "--network", "host"]
    words += ["--file", str(recipe.dockerfile), "--tag", image]
    for argument in recipe.arguments:
        words += ["--build-arg", argument]
    if recipe.target is not None:
        words += ["--target", recipe.target]
    return _rebuilt(output_of(*words, *extra, str(recipe.context)))


def built(recipe: Recipe, image: str, registry: Registry, name: str) -> Built:
    """Build and push, to see what the layers come to."""
    rebuilt = build(recipe, image)
    registry.push(image, name, "built")
    dockerfile = parse_dockerfile(recipe.dockerfile.read_bytes())
    instructions = len(dockerfile.target(recipe.target).instructions)
    return Built(layers=_layers(registry, name, instructions), rebuilt=rebuilt)


def _rebuilt(said: str) -> frozenset[int]:
    """The steps that did not say that they used the cache; the FROM is step 1."""
    pieces = _STEP.split(said)[1:]
    steps = list(zip(map(int, pieces[::2]), pieces[1::2], strict=True))
    return frozenset(number - 2 for number, text in steps if number > 1 and _CACHED not in text)


def _layers(registry: Registry, name: str, instructions: int) -> dict[int, Layer]:
    """By instruction, FROM not counted, the layers above the base's as they were pushed."""
    manifest = registry.manifest(name, "built")
    config = registry.blob(name, manifest.object("config").string("digest"))
    layers = iter(manifest.objects("layers"))
    history = config.objects("history")
    base = len(history) - instructions
    made: dict[int, Layer] = {}
    for number, entry in enumerate(history):
        if not entry.boolean("empty_layer", default=False):
            layer = next(layers)
            made[number - base] = Layer(digest=layer.string("digest"), size=layer.integer("size"))
    return {step: layer for step, layer in made.items() if step >= 0}


def times_set(context: Path) -> None:
    """Give every file one time: what a checkout happened to touch is no change."""
    for directory, _, names in os.walk(context):
        for name in (*names, "."):
            os.utime(os.path.join(directory, name), (1_700_000_000,) * 2, follow_symlinks=False)
