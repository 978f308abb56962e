"""Reads an image and tells of each layer as it is there; runs in a thread and draws nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from layerlens.analysis.waste import measure_waste
from layerlens.errors import LayerlensError
from layerlens.image import Image, open_image
from layerlens.layer_jobs import Cancelled, LoadSettings
from layerlens.loading import bytes_to_read
from layerlens.opening import Access
from layerlens.tui.state.open_image import OpenImage, ReadLayer


@dataclass(frozen=True, slots=True)
class ImageFound:
    """The image's documents are read; its layers follow. ``bytes``: what is read of both."""

    image: Image
    bytes: int


@dataclass(frozen=True, slots=True)
class LayerFound:
    """The next layer is read."""

    layer: ReadLayer


@dataclass(frozen=True, slots=True)
class DeadBytesFound:
    """What of each layer's bytes the image does not show, lowest layer first."""

    dead: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReadingEnded:
    """All is read; or it is not, and this is why."""

    error: Exception | None


ReadingEvent = ImageFound | LayerFound | ReadingEnded | DeadBytesFound


def read_image(
    opened: OpenImage, settings: LoadSettings, tell: Callable[[ReadingEvent], object]
) -> None:
    """Read the image that ``opened`` names to its end, and tell what was found. Raises nothing
    that an image can cause: ReadingEnded says how it ended. Who was told of an image closes it.
    """
    settings = replace(settings, progress=opened.progress, cancelled=opened.cancelled)
    try:
        image = open_image(opened.name, opened.platform, access=Access.CONTENT, settings=settings)
        left = bytes_to_read(image.stored.layers, settings)
        tell(ImageFound(image, opened.progress.done + left))
        for layer in image.read_layers():
            if opened.cancelled.is_set():
                raise Cancelled("cancelled")
            read = ReadLayer(
                layer=layer, summary=layer.summary, tree=image.stacked(layer.number).tree
            )
            tell(LayerFound(read))
    except (LayerlensError, OSError, MemoryError, RecursionError) as error:
        tell(ReadingEnded(error))
    else:
        tell(ReadingEnded(None))
        _tell_dead_bytes(opened, image, tell)


def _tell_dead_bytes(
    opened: OpenImage, image: Image, tell: Callable[[ReadingEvent], object]
) -> None:
    """What is known of the whole image only; a person looks around in it meanwhile."""
    layers = image.written_layers()
    if not opened.cancelled.is_set():
        waste = measure_waste(layers)
        tell(DeadBytesFound(tuple(layer.dead.total for layer in waste.layers)))
