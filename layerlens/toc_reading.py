"""A layer's table of contents (TOC), fetched by range instead of the layer: joins source and layer.

Whatever is wrong with a TOC is told as an error; that the layer is then read is the caller's work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from layerlens.errors import AccessDenied, MalformedInput, RegistryError, RegistryUnavailable
from layerlens.layer.toc_document import (
    FOOTER_BYTES,
    chunked_document,
    chunked_range,
    estargz_document,
    estargz_range,
)
from layerlens.layer.toc_listing import TocListing, read_listing
from layerlens.layer_jobs import DOWNLOADS, LoadSettings, cancel_check
from layerlens.oci.table_of_contents import DeclaredToc, EstargzToc, ZstdChunkedToc
from layerlens.source.registry.registry_blob import RegistryBlob
from layerlens.streams.decompression import Compression
from layerlens.streams.limits import Limits
from layerlens.streams.side_by_side import done_side_by_side


@dataclass(frozen=True, slots=True, kw_only=True)
class TocFacts:
    """What is said of a layer that was listed from its TOC: nothing of it was verified against
    the layer. ``entries``: members of the tar, by the TOC. ``compression``: of the format."""

    entries: int
    compression: Compression
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TocReading:
    """What a TOC gave."""

    listing: TocListing
    facts: TocFacts


@dataclass(frozen=True, slots=True)
class UnusableToc:
    """Why the layer must be read: the TOC lies, is too large, or is not to be had by range."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TocJob:
    """The TOC of one layer, to be read. ``where`` names the layer in errors."""

    blob: RegistryBlob
    toc: DeclaredToc
    where: str


def read_tocs(
    jobs: Sequence[TocJob], settings: LoadSettings
) -> Iterator[tuple[TocJob, TocReading | UnusableToc]]:
    """Read all, side by side, and give each as it is done.

    Raises MissingCodec, and what would be met with the layers too: NotFound, AccessDenied,
    RegistryUnavailable, and Cancelled.
    """
    stopped = threading.Event()
    check = cancel_check(settings, stopped)
    if len(jobs) < 2:
        return ((job, read_toc(job, settings, check)) for job in jobs)
    return done_side_by_side(
        lambda job: read_toc(job, settings, check),
        jobs,
        threads=DOWNLOADS,
        stopped=stopped,
        name="layerlens-toc",
    )


def read_toc(
    job: TocJob, settings: LoadSettings, check: Callable[[], None]
) -> TocReading | UnusableToc:
    """Fetch and read one; raises as ``read_tocs`` does. ``check``: raises to give up."""
    blob = job.blob

    def fetch(offset: int, length: int) -> bytes:
        data = blob.part(offset, length, check)
        settings.progress.advance(length)
        return data

    try:
        document = _document(job, settings.limits, fetch)
        listing = read_listing(document, blob.size, job.where, settings.limits)
    except (AccessDenied, RegistryUnavailable):
        raise
    except (MalformedInput, RegistryError) as error:
        return UnusableToc(_without_place(str(error), job))
    return TocReading(listing=listing, facts=_facts(job.toc, listing))


def _facts(toc: DeclaredToc, listing: TocListing) -> TocFacts:
    # The tar of eStargz ends with the TOC itself, which that does not list.
    members, compression = listing.members, Compression.ZSTD
    if isinstance(toc, EstargzToc):
        members, compression = listing.members + 1, Compression.GZIP
    return TocFacts(entries=members, compression=compression, warnings=listing.warnings)


def _without_place(reason: str, job: TocJob) -> str:
    """The reason alone: layers that share it are named together."""
    blob = job.blob
    for place in (job.where, f"{blob.registry}/{blob.repository}@{blob.digest}"):
        reason = reason.removeprefix(f"{place}: ")
    return reason


def _document(job: TocJob, limits: Limits, fetch: Callable[[int, int], bytes]) -> bytes:
    size = job.blob.size
    match job.toc:
        case EstargzToc() as toc:
            if size <= FOOTER_BYTES:
                raise MalformedInput("the layer is too small to have an eStargz footer")
            stored = fetch(*estargz_range(fetch(size - FOOTER_BYTES, FOOTER_BYTES), size))
            return estargz_document(toc, stored, job.where, limits)
        case ZstdChunkedToc() as toc:
            stored = fetch(*chunked_range(toc, size))
            return chunked_document(toc, stored, job.where, limits)
        case _:
            assert_never(job.toc)
