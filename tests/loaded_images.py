"""An image with layers worth loading, and what loading it gave."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from archive_forms import (
    Members,
    compressed,
    docker_kaniko,
    docker_skopeo,
    oci_layout,
)
from image_builder import (
    BuiltLayer,
    Json,
    directory,
    file,
    image,
    layer,
    symlink,
    whiteout,
)

from layerlens.errors import LayerlensError
from layerlens.image import open_image
from layerlens.layer.layer_index import LayerIndex
from layerlens.loading import LoadSettings

FORMS = [docker_skopeo, docker_kaniko, oci_layout]

NOISE = random.Random(1)


def noisy_layer(number: int, size: int = 40_000) -> BuiltLayer:
    """A layer of that many bytes that can't be compressed."""
    return layer(
        directory("/d"),
        file(f"/d/{number}", NOISE.randbytes(size)),
        symlink("/last", str(number)),
        whiteout(f"/d/{number - 2}"),
    )


LAYERS = [noisy_layer(number) for number in range(5)]
SAMPLE = image(*LAYERS, LAYERS[1], LAYERS[1])
STORED_BYTES = sum(len(compressed(built.tar, "gzip")) for built in LAYERS)


@dataclass(frozen=True, slots=True)
class Result:
    """All that loading an image gave."""

    facts: Sequence[object]
    indexes: Sequence[LayerIndex]


class Counted:
    """Adds up what progress is told."""

    def __init__(self) -> None:
        self.total = 0
        self._lock = threading.Lock()

    def advance(self, count: int) -> None:
        assert count >= 0
        with self._lock:
            self.total += count


def load(name: str, settings: LoadSettings) -> Result:
    with open_image(name, settings=settings) as opened:
        return Result(
            [(layer.facts, layer.chain_id, layer.stored.where) for layer in opened.layers],
            [layer.index for layer in opened.layers],
        )


def broken_layout() -> Members:
    """SAMPLE with one layer's blob altered, its size left."""
    members = oci_layout(SAMPLE)
    name = max(members, key=lambda name: len(str(members[name])))
    data = members[name]
    assert isinstance(data, bytes)
    members[name] = data[:4] + b"\7" + data[5:]
    return members


def rootfs(*layers: BuiltLayer) -> Json:
    """A config's rootfs that promises these layers."""
    return {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}


def refusal(name: str, settings: LoadSettings) -> str:
    with pytest.raises(LayerlensError) as raised:
        load(name, settings)
    return str(raised.value)
