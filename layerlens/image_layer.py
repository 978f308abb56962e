"""One layer of an image: what it is told by, what it lists, and what it did to those below it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from layerlens.analysis.layer_changes import Change
from layerlens.analysis.layer_summary import LayerSummary
from layerlens.analysis.titles import LayerTitle
from layerlens.layer.entry import LayerEntry
from layerlens.layer.layer_index import LayerIndex
from layerlens.layer.read_layer import LayerFacts
from layerlens.layer.toc_listing import without_format_files
from layerlens.layer_jobs import ListedFrom
from layerlens.loaded_layer import LoadedLayer
from layerlens.oci.created_by import Instruction, instruction
from layerlens.oci.digest import Digest
from layerlens.oci.image_config import HistoryEntry
from layerlens.oci.table_of_contents import keeps_files_of_its_own
from layerlens.source.stored_image import StoredLayer
from layerlens.streams.decompression import Compression
from layerlens.toc_reading import TocFacts, TocReading, UnusableToc

if TYPE_CHECKING:  # what few commands ask for; it brings fractions along
    from layerlens.analysis.sharing import LayerIdentity


class LayerStack(Protocol):
    """The layers of an image laid on each other, which tell what each of them did."""

    def changes(self, first: int, last: int) -> Iterator[Change]:
        """What layers ``first`` to ``last`` (both included) did as a whole."""

    def summary(self, number: int) -> LayerSummary:
        """The changes of layer ``number``, counted."""


class Layer:
    """One layer of an image. ``facts`` is None where it was not verified: it is no tar (an
    encrypted one, say), and ``chain_id`` then is None, for the layers above it too; or it was
    listed from its table of contents, and its digests are as the documents declare them."""

    def __init__(
        self,
        stack: LayerStack,
        number: int,
        loaded: LoadedLayer,
        history: HistoryEntry | None,
        chain_id: Digest | None,
    ) -> None:
        self.number = number
        self.history = history
        self.chain_id = chain_id
        self._stack = stack
        self._loaded = loaded

    @property
    def stored(self) -> StoredLayer:
        """How the source holds it."""
        return self._loaded.stored

    @property
    def facts(self) -> LayerFacts | None:
        """Its verified sizes and digests."""
        return self._loaded.facts

    @property
    def toc(self) -> TocFacts | None:
        """What its table of contents says, where that stood in for the layer."""
        return self._loaded.toc.facts if isinstance(self._loaded.toc, TocReading) else None

    @property
    def unusable_toc(self) -> str | None:
        """Why its table of contents could not stand in for the layer, which was then read."""
        return self._loaded.toc.reason if isinstance(self._loaded.toc, UnusableToc) else None

    @property
    def listed_from(self) -> ListedFrom | None:
        """Where its entries are from; None for one that is no tar, and has none."""
        if self.toc is not None:
            return ListedFrom.TOC
        return None if self.facts is None else ListedFrom.LAYER

    @property
    def hides_files(self) -> bool:
        """Whether ``index`` and ``entries`` leave out what serves the format alone (eStargz)."""
        return keeps_files_of_its_own(self.stored.annotations)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd in its tar, or in its table of contents, without being wrong."""
        facts = self.facts or self.toc
        return facts.warnings if facts else ()

    @property
    def diff_id(self) -> Digest | None:
        """Digest of the uncompressed tar."""
        return self.facts.diff_id if self.facts else self.stored.diff_id

    @property
    def blob_digest(self) -> Digest | None:
        """Digest of the stored bytes; None where the source knows none."""
        return self.stored.blob_digest

    @property
    def media_type(self) -> str | None:
        """The media type that its manifest declares."""
        return self.stored.media_type

    @property
    def instruction(self) -> Instruction | None:
        """The instruction that made it, as far as the history tells."""
        return instruction(self.history) if self.history else None

    @property
    def title(self) -> LayerTitle:
        """What the layer is called by."""
        instruction = self.instruction
        return LayerTitle(
            number=self.number,
            size=self.facts.size if self.facts else None,
            from_toc=self.toc is not None,
            diff_id=str(self.diff_id) if self.diff_id else None,
            blob_digest=str(self.blob_digest) if self.blob_digest else None,
            chain_id=str(self.chain_id) if self.chain_id else None,
            instruction=instruction.text or None if instruction else None,
        )

    @property
    def identity(self) -> LayerIdentity:
        """What it is told from other images' layers by, without a look at its entries."""
        from layerlens.analysis.sharing import LayerIdentity

        title = self.title
        listed = self.facts or self.toc
        return LayerIdentity(
            blob_digest=title.blob_digest,
            diff_id=title.diff_id,
            chain_id=title.chain_id,
            stored_size=self._blob_bytes(),
            size=title.size,
            instruction=title.instruction,
            empty=listed is not None and listed.entries == 0,
            from_toc=title.from_toc,
        )

    def _blob_bytes(self) -> int | None:
        """Bytes of the blob; None for a plain layer of which no blob is known."""
        if self.facts is None:
            return self.stored.size
        plain = self.facts.compression is Compression.NONE
        return None if plain and self.blob_digest is None else self.facts.stored_size

    @cached_property
    def index(self) -> LayerIndex:
        """All that its tar lists; of an eStargz layer without the files that serve the format
        alone. Raises NotFound where it is no tar, or was not read."""
        index = self._loaded.index()
        if not self.hides_files:
            return index
        return replace(index, entries=without_format_files(index.entries))

    @property
    def entries(self) -> tuple[LayerEntry, ...]:
        """Its entries and whiteouts, in the tar's order, as ``index`` or its table of contents
        has them. Raises NotFound for a layer that is no tar."""
        return self.index.entries if self._toc_entries is None else self._toc_entries

    @cached_property
    def _toc_entries(self) -> tuple[LayerEntry, ...] | None:
        toc = self._loaded.toc
        if not isinstance(toc, TocReading):
            return None
        entries = toc.listing.entries
        return without_format_files(entries) if self.hides_files else entries

    @property
    def changes(self) -> Iterator[Change]:
        """What it did to the layers below it, rewritten entries included."""
        return self._stack.changes(self.number, self.number)

    @property
    def summary(self) -> LayerSummary:
        """Its changes, counted."""
        return self._stack.summary(self.number)
