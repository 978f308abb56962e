"""Builds by buildah, and what they built again: step by step, in compressed bytes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from layerlens.oci.json_fields import JsonObject, parse_object

from .tools import output_of, run

_STEP = re.compile(r"^(?:\[\d+/\d+\] )?STEP (\d+)/\d+: ", re.MULTILINE)
_CACHED = "--> Using cache "
_BASE_ENTRIES = 1  # the base is committed once


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer as a registry would hold it."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A build. ``layers``: of the image above the base's, by the instruction that made each,
    FROM not counted. ``rebuilt``: the instructions that were carried out."""

    image: str
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


def build(recipe: Recipe, image: str, store: Path, *extra: str) -> Built:
    """Build with a cache, of the target stage alone. ``store``: an OCI layout for its layers."""
    words = ["buildah", "bud", "--layers", "--isolation", "chroot", "--network", "host"]
    words += ["--file", str(recipe.dockerfile), "--tag", image]
    for argument in recipe.arguments:
        words += ["--build-arg", argument]
    if recipe.target is not None:
        words += ["--target", recipe.target]
    said = output_of(*words, *extra, str(recipe.context))
    return Built(image=image, layers=_layers(image, store), rebuilt=_rebuilt(said))


def save(image: str, archive: Path) -> None:
    """The image as an OCI archive of gzip layers."""
    archive.unlink(missing_ok=True)
    run("buildah", "push", "--quiet", image, f"oci-archive:{archive}:image")


def _rebuilt(said: str) -> frozenset[int]:
    """The steps that did not say that they used the cache; the FROM is step 1."""
    pieces = _STEP.split(said)[1:]
    steps = list(zip(map(int, pieces[::2]), pieces[1::2], strict=True))
    return frozenset(number - 2 for number, text in steps if number > 1 and _CACHED not in text)


def _layers(image: str, store: Path) -> dict[int, Layer]:
    """What the layers take up as blobs; those that the store has are not compressed again."""
    run("buildah", "push", "--quiet", image, f"oci:{store}:current")
    layout = OciLayout.model(store)
    made: dict[int, Layer] = {}
    layers = iter(layout.layers)
    for number, empty in enumerate(layout.empty):
        if not empty:
            layer = next(layers)
            made[number - _BASE_ENTRIES] = layer
    return {step: layer for step, layer in made.items() if step >= 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class OciLayout:
    """The one image of a layout: its layers, and which entries of its history made none."""

    layers: tuple[Layer, ...]
    empty: tuple[bool, ...]

    @classmethod
    def model(cls, store: Path) -> OciLayout:
        """Read it."""
        index = parse_object((store / "index.json").read_bytes(), "index.json")
        digest = index.objects("manifests")[-1].string("digest")
        manifest = _blob(store, digest)
        config = _blob(store, manifest.object("config").string("digest"))
        return cls(
            layers=tuple(
                Layer(digest=each.string("digest"), size=each.integer("size"))
                for each in manifest.objects("layers")
            ),
            empty=tuple(
                each.boolean("empty_layer", default=False) for each in config.objects("history")
            ),
        )


def _blob(store: Path, digest: str) -> JsonObject:
    path = store / "blobs" / digest.replace(":", "/")
    return parse_object(path.read_bytes(), digest)


def times_set(context: Path) -> None:
    """Give every file one time: what a checkout happened to touch is no change."""
    for directory, _, names in os.walk(context):
        for name in (*names, "."):
            os.utime(os.path.join(directory, name), (1_700_000_000,) * 2, follow_symlinks=False)
