"""An image as the library and the commands see it: its layers, their trees and changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from layerlens.analysis.comparison import ComparedImage, LayerRange
from layerlens.analysis.layer_changes import Change, layer_changes
from layerlens.analysis.layer_numbers import layers_text
from layerlens.analysis.layer_summary import LayerSummary, summarise
from layerlens.analysis.titles import ImageTitle
from layerlens.analysis.written_layer import WrittenLayer
from layerlens.errors import MalformedInput, NotFound
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree
from layerlens.filesystem.stacking import StackedLayer, stack
from layerlens.image_layer import Layer
from layerlens.index_cache import IndexCache
from layerlens.loaded_layer import LoadedLayer
from layerlens.loading import LoadSettings, load_layers
from layerlens.oci.descriptor import Descriptor
from layerlens.oci.digest import Digest, chain_ids
from layerlens.oci.history import pair_history
from layerlens.oci.image_config import ImageConfig
from layerlens.oci.platform import Platform
from layerlens.opening import Access, OpenedSource, open_source
from layerlens.source.selection import select_image
from layerlens.source.stored_image import StoredImage
from layerlens.toc_reading import TocReading

if TYPE_CHECKING:  # what few commands ask for; it brings fractions along
    from layerlens.analysis.sharing import ImageLayers

_SUMMARY_VERSION = "layer summary 2"


def open_image(
    name: str,
    platform: str | None = None,
    *,
    access: Access = Access.LISTING,
    settings: LoadSettings | None = None,
) -> Image:
    """The image that ``name`` and ``platform`` (``os/arch[/variant]``) choose.

    Its documents are read and verified now, its layers when they are first asked for. Close it,
    or use it in a ``with`` statement. Raises LayerlensError, OSError where a file can't be read.
    """
    wanted = Platform.parse(platform) if platform else None
    settings = settings or LoadSettings()
    source = open_source(name, access, settings, wanted)
    try:
        return Image(name, source, select_image(source.contents, source.choice, wanted), settings)
    except BaseException:
        source.close()
        raise


class Image:
    """One image for one platform: iterate ``layers``; each has ``entries`` and ``changes``."""

    def __init__(
        self, name: str, source: OpenedSource, stored: StoredImage, settings: LoadSettings
    ) -> None:
        self.name = name
        self.stored = stored
        self._source = source
        self._settings = settings
        self._layers: list[Layer] = []
        self._unread = load_layers(stored, settings, source.readings)
        self._stacked: list[StackedLayer] = []
        self._history = pair_history(stored.config.history, len(stored.layers))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading, and let go of temporary files."""
        self._unread.close()
        self._source.close()

    @property
    def cache(self) -> IndexCache | None:
        """Where results that follow from digests alone are kept, if they are."""
        return self._settings.cache

    @property
    def config(self) -> ImageConfig:
        """The image's config document."""
        return self.stored.config

    @property
    def platform(self) -> Platform:
        """The platform the image is for."""
        return self.stored.config.platform

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """All that the index has an image for, its own among them; its own alone without one."""
        contents = self._source.contents
        read = [each.config.platform for each in contents.images if each.group == self.stored.group]
        return tuple(dict.fromkeys((*read, *contents.platforms)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names the source stores it under."""
        return self.stored.names

    @property
    def annotations(self) -> Mapping[str, str]:
        """The manifest's annotations."""
        return self.stored.annotations

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of how the image was read, a sentence each."""
        warning = self._history.warning
        return (*self._source.contents.notes, *((warning,) if warning else ()))

    @property
    def attestations(self) -> tuple[Descriptor, ...]:
        """Manifests in the source that are about images, and no images themselves."""
        return self._source.contents.attestations

    @cached_property
    def layers(self) -> Sequence[Layer]:
        """The layers, lowest first, every one verified. Raises as ``load_layers`` does."""
        return tuple(self.read_layers())

    def read_layers(self) -> Iterator[Layer]:
        """The layers, lowest first, each as soon as it and those below are verified; the others
        are read meanwhile, so that what is done with each need not wait for all."""
        for number in range(len(self.stored.layers)):
            if number == len(self._layers):
                self._layers.append(self._next_layer(next(self._unread)))
            yield self._layers[number]

    @property
    def layer_notes(self) -> tuple[str, ...]:
        """What a person should know of how the layers were listed that were read so far."""
        numbers: dict[str, list[int]] = {}
        for layer in self._layers:
            if layer.toc is not None:
                numbers.setdefault(
                    "from TOC, not verified against the layer (--full reads it)", []
                ).append(layer.number)
            elif layer.unusable_toc is not None:
                text = f"read whole, as the TOC can't be used: {layer.unusable_toc}"
                numbers.setdefault(text, []).append(layer.number)
        return tuple(f"{layers_text(found)}: {text}" for text, found in numbers.items())

    def _next_layer(self, loaded: LoadedLayer) -> Layer:
        number = len(self._layers)
        diff_id = loaded.facts.diff_id if loaded.facts else None
        if isinstance(loaded.toc, TocReading):
            diff_id = loaded.stored.diff_id
        below = self._layers[-1].chain_id if self._layers else None
        chain_id: Digest | None = None
        if diff_id is not None and (below is not None or not number):
            chain_id = chain_ids([below, diff_id] if below is not None else [diff_id])[-1]
        return Layer(self, number, loaded, self._history.layers[number], chain_id)

    def tree(self, number: int | None = None) -> FileTree:
        """The file system after layer ``number`` (counted from 0; -1: before the first one), by
        default after the last. Raises NotFound where there is no such layer."""
        count = len(self.stored.layers)
        wanted = count - 1 if number is None else number
        if not -1 <= wanted < count:
            raise NotFound(f"{self.name}: has no layer {wanted}; they are 0 to {count - 1}")
        return self.stacked(wanted).tree if wanted >= 0 else EMPTY_TREE

    def stacked(self, number: int) -> StackedLayer:
        """Layer ``number`` laid on those below it."""
        while len(self._stacked) <= number:
            lower = self._stacked[-1].tree if self._stacked else EMPTY_TREE
            layer = self._layer(len(self._stacked))
            try:
                self._stacked.append(_stacked_on(lower, layer))
            except MalformedInput as error:
                raise type(error)(f"{self.name}: {error}") from error
        return self._stacked[number]

    def _layer(self, number: int) -> Layer:
        """Layer ``number``, without waiting for those above it."""
        if number < len(self._layers):
            return self._layers[number]
        return next(layer for layer in self.read_layers() if layer.number == number)

    def changes(self, first: int, last: int) -> Iterator[Change]:
        """What layers ``first`` to ``last`` (both included) did as a whole."""
        return layer_changes(self.tree(first - 1), self.tree(last))

    def layer_range(self, first: int, last: int) -> LayerRange:
        """Layers ``first`` to ``last``, both included, taken as a whole."""
        return LayerRange(
            layers=tuple(layer.title for layer in self.layers[first : last + 1]),
            before=self.tree(first - 1),
            after=self.tree(last),
        )

    def written_layers(self) -> tuple[WrittenLayer, ...]:
        """Every layer with what it lists and the tree it makes, for questions about them all."""
        return tuple(
            WrittenLayer(
                title=layer.title,
                index=layer.index if layer.facts else None,
                tree=self.tree(layer.number),
            )
            for layer in self.layers
        )

    def compared(self) -> ComparedImage:
        """The image as one side of a comparison."""
        return ComparedImage(
            title=self.title,
            config=self.config,
            layers=tuple(layer.title for layer in self.layers),
            tree=self.tree(),
        )

    def held_layers(self) -> ImageLayers:
        """The image as one of several that may share layers."""
        from layerlens.analysis.sharing import ImageLayers

        return ImageLayers(title=self.title, layers=tuple(layer.identity for layer in self.layers))

    @property
    def title(self) -> ImageTitle:
        """What the image is called by."""
        manifest_digest = self.stored.manifest_digest
        return ImageTitle(
            image=self.name,
            names=self.names,
            platform=str(self.platform),
            manifest_digest=str(manifest_digest) if manifest_digest else None,
            config_digest=str(self.stored.config_digest),
        )

    def summary(self, number: int) -> LayerSummary:
        """The changes of layer ``number``, counted; from the cache where its chain is known."""
        cache = self._settings.cache
        chain_id = self._verified_chain(number)
        key = f"{_SUMMARY_VERSION} {chain_id}"
        if cache is not None and chain_id is not None:
            kept = cache.note(key)
            if kept is not None:
                try:
                    return LayerSummary.from_json(kept)
                except MalformedInput:
                    pass
        stacked = self.stacked(number)
        summary = summarise(self.tree(number - 1), stacked.tree, stacked.warnings)
        if cache is not None and chain_id is not None:
            cache.add_note(key, summary.to_json())
        return summary

    def _verified_chain(self, number: int) -> Digest | None:
        """The ChainID of layer ``number`` if just that was stacked: not so where a layer was
        listed otherwise than by its tar, or not with all that is in it."""
        layers = [self._layer(below) for below in range(number + 1)]
        if any(layer.facts is None or layer.hides_files for layer in layers):
            return None
        return layers[-1].chain_id


def _stacked_on(lower: FileTree, layer: Layer) -> StackedLayer:
    if layer.listed_from is None:
        warning = f"is of type {layer.media_type}, no tar: what it holds is not known"
        return StackedLayer(lower, (warning,))
    return stack(lower, layer, layer.number)
