"""Where a source meets its layers: what the cache knows is not read, the rest is, and kept.

Where the caller lets them, tables of contents stand in for layers of a registry.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from layerlens.errors import (
    DigestMismatch,
    LayerlensError,
    MalformedInput,
    NotFound,
    SizeMismatch,
)
from layerlens.index_cache import IndexCache, Receipt
from layerlens.layer.index_codec import encode_reading
from layerlens.layer.read_layer import Expected, LayerFacts, LayerReading
from layerlens.layer_job import JobResult, LayerJob
from layerlens.layer_jobs import (
    Cancelled,
    ListedFrom,
    LoadSettings,
    Progress,
    read_here,
    read_jobs,
    told_chunks,
)
from layerlens.loaded_layer import LoadedLayer, listed_from_toc
from layerlens.oci.media_types import declared_compression, is_tar_layer
from layerlens.oci.table_of_contents import DeclaredToc, declared_toc, declares_toc
from layerlens.source.blob_location import BlobLocation, FileRange, StreamMember
from layerlens.source.registry.registry_blob import RegistryBlob
from layerlens.source.stored_image import StoredImage, StoredLayer
from layerlens.streams.verified_reader import verified
from layerlens.toc_reading import TocJob, UnusableToc, read_tocs

__all__ = [
    "Cancelled",
    "LoadSettings",
    "LoadedLayer",
    "Progress",
    "bytes_to_read",
    "load_layer",
    "load_layers",
]

SETTLED_SECONDS = 2.0
"""A file changed more recently than this may change again with the same time stamp."""


def load_layers(
    image: StoredImage,
    settings: LoadSettings,
    readings: Mapping[str, LayerReading | LayerlensError],
) -> Generator[LoadedLayer, None, None]:
    """The image's layers, lowest first, each as soon as it and those below are verified.

    ``readings``: layers of a stream that went by already, by member name. Raises what
    ``read_layer`` raises, NotFound for a missing blob and Cancelled.
    """
    yield from _Load(image.layers, settings, readings).layers()


def load_layer(stored: StoredLayer, settings: LoadSettings) -> LoadedLayer:
    """One layer by itself; raises as ``load_layers`` does."""
    (loaded,) = _Load((stored,), settings, {}).layers()
    return loaded


def bytes_to_read(layers: Iterable[StoredLayer], settings: LoadSettings) -> int:
    """The stored bytes that progress will be told of when these layers are loaded, but for those
    of a stream; tables of contents, which are small, are left out."""
    unknown = {layer.location: layer for layer in layers if not _is_settled(layer, settings)}
    return sum(
        location.size
        for location in unknown
        if location is not None and not isinstance(location, StreamMember)
    )


def _is_settled(layer: StoredLayer, settings: LoadSettings) -> bool:
    """Whether the layer's bytes need not be looked at."""
    cache = settings.cache
    match layer.location:
        case FileRange() as location:
            return cache is not None and cache.receipt(_file_key(layer, location)) is not None
        case RegistryBlob():
            if cache is not None and cache.receipt(_blob_key(layer)) is not None:
                return True
            return settings.listing is ListedFrom.TOC and declares_toc(layer.annotations)
        case _:
            return False


class _Load:
    """Layers of one image being loaded."""

    def __init__(
        self,
        layers: Sequence[StoredLayer],
        settings: LoadSettings,
        readings: Mapping[str, LayerReading | LayerlensError],
    ) -> None:
        self._layers = layers
        self._settings = settings
        self._readings = readings
        self._unusable: dict[LayerJob, UnusableToc] = {}

    def layers(self) -> Iterator[LoadedLayer]:
        ready: dict[int, LoadedLayer] = {}
        jobs: dict[LayerJob, list[int]] = {}
        for number, stored in enumerate(self._layers):
            known = self._without_reading(stored)
            if known is not None:
                ready[number] = known
            else:
                jobs.setdefault(self._job(stored), []).append(number)
        for job, listed in self._listed(list(jobs)):
            for same in jobs.pop(job):
                ready[same] = listed.standing_for(self._layers[same])
        finished = self._finished(list(jobs))
        below: set[BlobLocation | None] = set()
        for number, stored in enumerate(self._layers):
            while number not in ready:
                job, loaded = next(finished)
                for same in jobs[job]:
                    ready[same] = loaded.standing_for(self._layers[same])
            layer = ready.pop(number)
            yield layer.with_entries_of_its_own() if stored.location in below else layer
            below.add(stored.location)

    def _without_reading(self, stored: StoredLayer) -> LoadedLayer | None:
        """The layer, where nothing of it need be inflated."""
        location = stored.location
        if location is None:
            raise NotFound(f"{stored.where}: its blob is missing")
        if stored.media_type is not None and not is_tar_layer(stored.media_type):
            return self._opaque(stored)
        match location:
            case StreamMember():
                return self._streamed(stored, self._readings.get(location.name))
            case RegistryBlob():
                return self._known_by_digest(stored)
            case FileRange():
                return self._in_file(stored, location)
            case _:
                assert_never(location)

    def _known_by_digest(self, stored: StoredLayer) -> LoadedLayer | None:
        """A layer that its digest says all of: once known it need not be looked at again."""
        cache = self._settings.cache
        receipt = cache.receipt(_blob_key(stored)) if cache is not None else None
        return None if cache is None or receipt is None else self._cached(stored, cache, receipt)

    def _in_file(self, stored: StoredLayer, location: FileRange) -> LoadedLayer | None:
        if stored.size is not None and stored.size != location.size:
            raise SizeMismatch(
                f"{stored.where}: has {location.size} bytes, its descriptor declares {stored.size}"
            )
        cache = self._settings.cache
        if cache is None:
            return None
        receipt = cache.receipt(_file_key(stored, location))
        if receipt is None and stored.blob_digest is not None:
            receipt = cache.receipt(_blob_key(stored))
            if receipt is not None:
                self._verify_blob(stored, location)
                _keep_receipt(cache, stored, location, receipt)
        return None if receipt is None else self._cached(stored, cache, receipt)

    def _cached(self, stored: StoredLayer, cache: IndexCache, receipt: Receipt) -> LoadedLayer:
        def fetch() -> LayerReading:
            reading = cache.reading(receipt)
            return read_here(self._job(stored), self._settings) if reading is None else reading

        return LoadedLayer(stored, _checked(stored, receipt.facts), fetch)

    def _opaque(self, stored: StoredLayer) -> LoadedLayer:
        if isinstance(stored.location, FileRange | RegistryBlob):
            self._verify_blob(stored, stored.location)

        def fetch() -> LayerReading:
            raise NotFound(f"{stored.where}: is no tar, its files can't be listed")

        return LoadedLayer(stored, None, fetch)

    def _verify_blob(self, stored: StoredLayer, location: FileRange | RegistryBlob) -> None:
        chunks = told_chunks(location, self._settings)
        digest = stored.blob_digest
        for _ in verified(chunks, digest=digest, size=stored.size, where=stored.where):
            pass

    def _streamed(
        self, stored: StoredLayer, reading: LayerReading | LayerlensError | None
    ) -> LoadedLayer:
        """A layer that was read as its stream went by, compared with what was promised of it."""
        if reading is None:
            raise MalformedInput(f"{stored.where}: is neither a tar nor compressed in a known way")
        if isinstance(reading, LayerlensError):
            raise reading
        if stored.size is not None and stored.size != reading.stored_size:
            raise SizeMismatch(
                f"{stored.where}: has {reading.stored_size} bytes, "
                f"its descriptor declares {stored.size}"
            )
        if stored.diff_id is not None and stored.diff_id != reading.index.diff_id:
            raise DigestMismatch(
                f"{stored.where}: its uncompressed bytes hash to {reading.index.diff_id}, "
                f"the config's diff_id is {stored.diff_id}"
            )
        return LoadedLayer(stored, _checked(stored, reading.facts()), lambda: reading)

    def _job(self, stored: StoredLayer) -> LayerJob:
        assert isinstance(stored.location, FileRange | RegistryBlob)
        expected = Expected(
            blob_digest=stored.blob_digest, blob_size=stored.size, diff_id=stored.diff_id
        )
        return LayerJob(stored.location, expected, stored.where, self._settings.limits)

    def _listed(self, jobs: Sequence[LayerJob]) -> Iterator[tuple[LayerJob, LoadedLayer]]:
        """The layers that a table of contents lists, where one will do."""
        if self._settings.listing is not ListedFrom.TOC:
            return
        found: dict[TocJob, LayerJob] = {}
        for job in jobs:
            toc = self._declared_toc(job)
            if toc is not None and isinstance(job.location, RegistryBlob):
                found[TocJob(blob=job.location, toc=toc, where=job.where)] = job
        for toc_job, reading in read_tocs(list(found), self._settings):
            job = found[toc_job]
            if isinstance(reading, UnusableToc):
                self._unusable[job] = reading
            else:
                yield job, listed_from_toc(self._stored(job), reading)

    def _declared_toc(self, job: LayerJob) -> DeclaredToc | None:
        try:
            return declared_toc(self._stored(job).annotations)
        except MalformedInput as error:
            self._unusable[job] = UnusableToc(str(error))
            return None

    def _stored(self, job: LayerJob) -> StoredLayer:
        return next(layer for layer in self._layers if layer.where == job.where)

    def _finished(self, jobs: Sequence[LayerJob]) -> Iterator[tuple[LayerJob, LoadedLayer]]:
        for job, result in read_jobs(jobs, self._settings):
            yield job, self._keep(job, result)

    def _keep(self, job: LayerJob, result: JobResult) -> LoadedLayer:
        """The layer as loaded, and in the cache."""
        stored = self._stored(job)
        reading = result.reading
        cache = self._settings.cache
        facts = reading.facts()
        if cache is not None:
            keys = []
            if isinstance(job.location, FileRange) and _settled(job.location):
                keys.append(_file_key(stored, job.location))
            if stored.blob_digest is not None:
                keys.append(_blob_key(stored))
            cache.store(tuple(keys), facts, result.encoded or encode_reading(reading))
        checked = _checked(stored, facts)
        return LoadedLayer(stored, checked, lambda: reading, self._unusable.get(job))


def _promised(stored: StoredLayer) -> str:
    return f"blob {stored.blob_digest} size {stored.size} diff_id {stored.diff_id}"


def _file_key(stored: StoredLayer, location: FileRange) -> str:
    return f"file {location.identity()} as {_promised(stored)}"


def _blob_key(stored: StoredLayer) -> str:
    return _promised(stored)


def _settled(location: FileRange) -> bool:
    identity = location.identity()
    changed = max(identity.mtime_ns, identity.ctime_ns) / 1e9
    return time.time() - changed > SETTLED_SECONDS


def _keep_receipt(
    cache: IndexCache, stored: StoredLayer, location: FileRange, receipt: Receipt
) -> None:
    if _settled(location):
        cache.add_receipt(_file_key(stored, location), receipt)


def _checked(stored: StoredLayer, facts: LayerFacts) -> LayerFacts:
    """The facts, with a warning where the media type says another compression than the bytes.

    Raises MalformedInput where nothing shows that the layer is whole.
    """
    if stored.diff_id is None and not facts.closed:
        raise MalformedInput(
            f"{stored.where}: truncated: no end-of-archive marker in its {facts.size} bytes"
        )
    declared = declared_compression(stored.media_type) if stored.media_type else None
    found = facts.compression.value
    if declared is None or declared == found:
        return facts
    warning = f"its media type declares {declared} compression, its bytes have {found}"
    return replace(facts, warnings=(*facts.warnings, warning))
