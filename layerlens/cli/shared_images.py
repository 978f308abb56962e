"""The images of ``shared``, read one after another and let go of: only their layers' names stay.

A name that chooses one image gives that one; a PATH that holds several gives them all. Layers that
were met before come from the index cache, or from one in a temporary directory that is gone when
the command ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from layerlens.analysis.sharing import ImageLayers
from layerlens.analysis.sharing_files import FileTally
from layerlens.cli.output import Output
from layerlens.image import Image
from layerlens.image_layer import Layer
from layerlens.loading import LoadSettings, bytes_to_read
from layerlens.oci.platform import Platform
from layerlens.opening import Access, OpenedSource, open_source
from layerlens.source.selection import select_image
from layerlens.source.stored_image import StoredImage


class ImageReader:
    """Reads images for one run of the command. ``settings``: how, but for the progress that is
    shown. ``tally``: what counts their files, if anything."""

    def __init__(
        self,
        *,
        output: Output,
        settings: LoadSettings,
        platform: Platform | None,
        tally: FileTally | None,
    ) -> None:
        self._output = output
        self._settings = settings
        self._platform = platform
        self._tally = tally
        self._said: set[str] = set()

    def read(self, name: str) -> Iterator[ImageLayers]:
        """The images that ``name`` stands for, every layer verified.

        Raises LayerlensError, and OSError where a file can't be read.
        """
        with self._output.progress(f"reading {name}") as progress:
            settings = replace(self._settings, progress=progress)
            with open_source(name, Access.LISTING, settings, self._platform) as source:
                chosen = list(_chosen(name, source, self._platform))
                layers = (layer for _, stored in chosen for layer in stored.layers)
                progress.expect(bytes_to_read(layers, settings))
                for image_name, stored in chosen:
                    # The source outlives each of its images.
                    lent = OpenedSource(
                        source.contents, source.choice, source.readings, contextlib.ExitStack()
                    )
                    with Image(image_name, lent, stored, settings) as image:
                        yield self._layers(image)

    def _layers(self, image: Image) -> ImageLayers:
        for note in image.notes:
            self._say_once(note, self._output.note)
        for layer in image.read_layers():
            for warning in layer.warnings:
                self._warn_once(image, layer, warning)
            if self._tally is not None:
                self._count_files(self._tally, image, layer)
        for note in image.layer_notes:
            self._say_once(f"{image.name}: {note}", self._output.note)
        return image.held_layers()

    def _count_files(self, tally: FileTally, image: Image, layer: Layer) -> None:
        if layer.facts is None:
            kind = f"is of type {layer.media_type}, no tar: its files are not counted"
            self._warn_once(image, layer, kind)
        elif str(layer.diff_id) not in tally:
            tally.add(str(layer.diff_id), layer.entries)

    def _warn_once(self, image: Image, layer: Layer, warning: str) -> None:
        """Warn of a layer where it is first met; others that share it need not hear it again."""
        key = f"{layer.diff_id or layer.blob_digest} {warning}"
        if key not in self._said:
            self._said.add(key)
            self._output.warn(f"{image.name}: layer {layer.number}: {warning}")

    def _say_once(self, note: str, say: Callable[[str], None]) -> None:
        if note not in self._said:
            self._said.add(note)
            say(note)


def _chosen(
    name: str, source: OpenedSource, platform: Platform | None
) -> Iterator[tuple[str, StoredImage]]:
    """The images that a name stands for, each with a name of its own."""
    groups = sorted({image.group for image in source.contents.images})
    if source.choice is not None or len(groups) < 2:
        yield name, select_image(source.contents, source.choice, platform)
        return
    for group in groups:
        yield f"{name}:@{group}", select_image(source.contents, f"@{group}", platform)


def read_images(names: Sequence[str], reader: ImageReader) -> list[ImageLayers]:
    """All images of all names, in their order."""
    return [image for name in names for image in reader.read(name)]
