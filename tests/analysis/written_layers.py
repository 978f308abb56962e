"""Layers with their trees, as an image hands them to what looks at all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from filesystem.layers import index_of
from image_builder import BuiltLayer

from layerlens.analysis.titles import LayerTitle
from layerlens.analysis.written_layer import WrittenLayer
from layerlens.filesystem.file_tree import EMPTY_TREE
from layerlens.filesystem.stacking import stack
from layerlens.image import open_image
from layerlens.layer.entry import LayerEntry
from layerlens.layer.layer_index import LayerIndex
from layerlens.layer.read_layer import Expected, read_layer

FIXTURES = Path(__file__).parents[2] / "fixtures"

FIXTURE_IMAGES = (
    ("demo.tar", None),
    ("demo-2.tar", None),
    ("tour-layout", None),
    ("tour-docker.tar.xz", None),
    ("odd.tar", None),
    ("sparse.tar", None),
    ("sparse-gnu.tar", None),
    ("two-images.tar:@0", None),
    ("two-images.tar:@1", None),
    ("platforms.tar", "linux/arm64"),
    ("rootfs.tar", None),
)
"""Every image of fixtures/ that differs from the others, with a platform where it takes one."""


def title(number: int, instruction: str | None = None) -> LayerTitle:
    """The title of a layer of which nothing else is known."""
    return LayerTitle(
        number=number,
        size=None,
        diff_id=None,
        blob_digest=None,
        chain_id=None,
        instruction=instruction,
    )


def indexed(
    indexes: Sequence[LayerIndex], instructions: Sequence[str] = ()
) -> tuple[WrittenLayer, ...]:
    """The layers stacked on each other. Raises MalformedInput."""
    found: list[WrittenLayer] = []
    tree = EMPTY_TREE
    for number, index in enumerate(indexes):
        tree = stack(tree, index, number).tree
        text = instructions[number] if instructions else None
        found.append(WrittenLayer(title=title(number, text), index=index, tree=tree))
    return tuple(found)


def drawn(image: Sequence[list[LayerEntry]]) -> tuple[WrittenLayer, ...]:
    """Layers that hypothesis made. Raises MalformedInput."""
    return indexed([index_of(entries) for entries in image])


def built(*layers: BuiltLayer) -> tuple[WrittenLayer, ...]:
    """Layers from a few words, each with its history as its instruction."""
    indexes = [read_layer(iter([layer.tar]), Expected(), where="layer").index for layer in layers]
    return indexed(indexes, [layer.created_by for layer in layers])


def of_fixture(name: str, platform: str | None = None) -> tuple[WrittenLayer, ...]:
    """The layers of an image in fixtures/."""
    with open_image(str(FIXTURES / name), platform) as image:
        return image.written_layers()
