"""A layer as loading gives it: verified, listed from its table of contents (TOC), or no tar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from layerlens.errors import NotFound
from layerlens.layer.entry import copied
from layerlens.layer.layer_index import LayerIndex
from layerlens.layer.read_layer import LayerFacts, LayerReading
from layerlens.source.stored_image import StoredLayer
from layerlens.toc_reading import TocReading, UnusableToc


class LoadedLayer:
    """A layer that was verified, or listed from its table of contents (TOC).

    ``facts`` is None for the latter, and for one that is no tar (encrypted, say). ``toc``: what
    the TOC was found to be, where there was reason to look at it.
    """

    def __init__(
        self,
        stored: StoredLayer,
        facts: LayerFacts | None,
        fetch: Callable[[], LayerReading],
        toc: TocReading | UnusableToc | None = None,
    ) -> None:
        self.stored = stored
        self.facts = facts
        self.toc = toc
        self._fetch = fetch

    def index(self) -> LayerIndex:
        """What the layer's tar lists; read again only where the cache has lost it.

        Raises NotFound where there is no tar, or none that was read.
        """
        return self._fetch().index

    def standing_for(self, stored: StoredLayer) -> LoadedLayer:
        """The same bytes as another layer of the image."""
        return LoadedLayer(stored, self.facts, self._fetch, self.toc)

    def with_entries_of_its_own(self) -> LoadedLayer:
        """The layer for an image that lists it below already: an entry's ``id`` then stands for
        one layer's file, as everywhere else."""

        def fetch() -> LayerReading:
            reading = self._fetch()
            index = replace(reading.index, entries=copied(reading.index.entries))
            return replace(reading, index=index)

        toc = self.toc
        if isinstance(toc, TocReading):
            toc = replace(toc, listing=replace(toc.listing, entries=copied(toc.listing.entries)))
        return LoadedLayer(self.stored, self.facts, fetch, toc)


def listed_from_toc(stored: StoredLayer, reading: TocReading) -> LoadedLayer:
    """A layer that was not read."""

    def fetch() -> LayerReading:
        raise NotFound(f"{stored.where}: was listed from its table of contents, and not read")

    return LoadedLayer(stored, None, fetch, reading)
