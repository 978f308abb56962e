"""Where a source meets its layers: read in parallel, verified, cached; with progress, cancellable.

Work is handed out through ``concurrent.futures.Executor`` as plain functions of picklable values.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from multiprocessing.sharedctypes import Synchronized
from typing import Protocol

from layerlens.errors import (
    DigestMismatch,
    LayerlensError,
    MalformedInput,
    NotFound,
    SizeMismatch,
)
from layerlens.index_cache import IndexCache, Receipt
from layerlens.layer.index_codec import decode_reading, encode_reading
from layerlens.layer.layer_index import LayerIndex
from layerlens.layer.read_layer import Expected, LayerFacts, LayerReading, read_layer
from layerlens.oci.media_types import declared_compression, is_tar_layer
from layerlens.source.blob_location import FileRange
from layerlens.source.stored_image import StoredImage, StoredLayer
from layerlens.streams.limits import DEFAULT_LIMITS, Limits
from layerlens.streams.verified_reader import verified

PARALLEL_BYTES = 8 << 20
"""Stored bytes from which a layer is worth a process of its own, if there are two such."""

SETTLED_SECONDS = 2.0
"""A file changed more recently than this may change again with the same time stamp."""


class Progress(Protocol):
    """Told of bytes as they are read; may be called from any thread."""

    def advance(self, count: int) -> None: ...


class _NoProgress:
    def advance(self, count: int) -> None:
        pass


_NO_PROGRESS = _NoProgress()


class Cancelled(LayerlensError):
    """Reading was given up because the caller asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    """How to load. ``executor``: where layers are read; None chooses between this process and
    a pool of one process a core. ``cancelled``: set by the caller to stop."""

    cache: IndexCache | None = None
    limits: Limits = DEFAULT_LIMITS
    progress: Progress = _NO_PROGRESS
    executor: Executor | None = None
    cancelled: threading.Event | None = None


@dataclass(frozen=True, slots=True)
class LayerJob:
    """One layer to read, as a value that another process can be handed."""

    location: FileRange
    expected: Expected
    where: str
    limits: Limits


class LoadedLayer:
    """A layer that was verified. ``facts`` is None for one that is no tar (encrypted, say)."""

    def __init__(
        self,
        stored: StoredLayer,
        facts: LayerFacts | None,
        fetch: Callable[[], LayerReading],
    ) -> None:
        self.stored = stored
        self.facts = facts
        self._fetch = fetch

    def index(self) -> LayerIndex:
        """The layer's entries; read again only where the cache has lost them."""
        return self._fetch().index


def load_layers(
    image: StoredImage,
    settings: LoadSettings,
    readings: Mapping[str, LayerReading | LayerlensError],
) -> Iterator[LoadedLayer]:
    """The image's layers, lowest first, each as soon as it and those below are verified.

    ``readings``: layers of a stream that went by already, by member name. Raises what
    ``read_layer`` raises, NotFound for a missing blob and Cancelled.
    """
    yield from _Load(image, settings, readings).layers()


def read_job(job: LayerJob) -> bytes:
    """Read one layer, in whatever process; the encoded reading."""
    return encode_reading(_read(job, _progress_of_worker))


class _WorkerProgress:
    """Bytes read by a worker process, added up in memory that all share."""

    def __init__(self) -> None:
        self.counter: Synchronized[int] | None = None

    def advance(self, count: int) -> None:
        if self.counter is not None:
            with self.counter.get_lock():
                self.counter.value += count


_progress_of_worker = _WorkerProgress()


def _start_worker(counter: Synchronized[int]) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and terminates workers
    _progress_of_worker.counter = counter


def _read(job: LayerJob, progress: Progress) -> LayerReading:
    return read_layer(
        told(job.location.chunks(), progress, None),
        job.expected,
        where=job.where,
        limits=job.limits,
    )


def told(
    chunks: Iterator[bytes], progress: Progress, cancelled: threading.Event | None
) -> Iterator[bytes]:
    for chunk in chunks:
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("cancelled")
        progress.advance(len(chunk))
        yield chunk


class _Load:
    """One image being loaded."""

    def __init__(
        self,
        image: StoredImage,
        settings: LoadSettings,
        readings: Mapping[str, LayerReading | LayerlensError],
    ) -> None:
        self._image = image
        self._settings = settings
        self._readings = readings

    def layers(self) -> Iterator[LoadedLayer]:
        ready: dict[int, LoadedLayer] = {}
        jobs: dict[LayerJob, list[int]] = {}
        for number, stored in enumerate(self._image.layers):
            known = self._without_reading(stored)
            if known is not None:
                ready[number] = known
            else:
                jobs.setdefault(self._job(stored), []).append(number)
        finished = self._finished(list(jobs))
        for number in range(len(self._image.layers)):
            while number not in ready:
                job, loaded = next(finished)
                for same in jobs[job]:
                    ready[same] = _again(self._image.layers[same], loaded)
            yield ready.pop(number)

    def _without_reading(self, stored: StoredLayer) -> LoadedLayer | None:
        """The layer, where nothing of it need be inflated."""
        location = stored.location
        if location is None:
            raise NotFound(f"{stored.where}: its blob is missing")
        if stored.media_type is not None and not is_tar_layer(stored.media_type):
            return self._opaque(stored)
        if not isinstance(location, FileRange):
            return self._streamed(stored, self._readings.get(location.name))
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
            return self._read_here(self._job(stored)) if reading is None else reading

        return LoadedLayer(stored, _checked(stored, receipt.facts), fetch)

    def _opaque(self, stored: StoredLayer) -> LoadedLayer:
        if isinstance(stored.location, FileRange):
            self._verify_blob(stored, stored.location)

        def fetch() -> LayerReading:
            raise NotFound(f"{stored.where}: is no tar, its files can't be listed")

        return LoadedLayer(stored, None, fetch)

    def _verify_blob(self, stored: StoredLayer, location: FileRange) -> None:
        chunks = told(location.chunks(), self._settings.progress, self._settings.cancelled)
        digest = stored.blob_digest
        for _ in verified(chunks, digest=digest, size=stored.size, where=stored.where):
            pass

    def _streamed(
        self, stored: StoredLayer, reading: LayerReading | LayerlensError | None
    ) -> LoadedLayer:
        """A layer that was read as its stream went by, compared with what was promised of it."""
        if reading is None:
            raise NotFound(f"{stored.where}: is neither a tar nor compressed in a known way")
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
        assert isinstance(stored.location, FileRange)
        expected = Expected(
            blob_digest=stored.blob_digest, blob_size=stored.size, diff_id=stored.diff_id
        )
        return LayerJob(stored.location, expected, stored.where, self._settings.limits)

    def _finished(self, jobs: Sequence[LayerJob]) -> Iterator[tuple[LayerJob, LoadedLayer]]:
        executor = self._settings.executor
        if executor is not None:
            yield from self._read_by(executor, jobs, None)
        elif _worth_processes(jobs):
            yield from self._read_by_pool(jobs)
        else:
            for job in jobs:
                reading = self._read_here(job)
                yield (
                    job,
                    self._keep(
                        job, reading, encode_reading(reading) if self._settings.cache else b""
                    ),
                )

    def _read_here(self, job: LayerJob) -> LayerReading:
        settings = self._settings
        chunks = told(job.location.chunks(), settings.progress, settings.cancelled)
        return read_layer(chunks, job.expected, where=job.where, limits=job.limits)

    def _read_by_pool(self, jobs: Sequence[LayerJob]) -> Iterator[tuple[LayerJob, LoadedLayer]]:
        # Forking is quick and safe only while there is one thread.
        quick = sys.platform == "linux" and threading.active_count() == 1
        context = multiprocessing.get_context("fork" if quick else "spawn")
        counter: Synchronized[int] = context.Value("Q", 0)
        workers = min(os.cpu_count() or 1, len(jobs))
        before = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_start_worker, initargs=(counter,)
        )
        try:
            yield from self._read_by(pool, jobs, counter)
        except BaseException:
            for process in set(multiprocessing.active_children()) - before:
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _read_by(
        self, executor: Executor, jobs: Sequence[LayerJob], counter: Synchronized[int] | None
    ) -> Iterator[tuple[LayerJob, LoadedLayer]]:
        largest_first = sorted(jobs, key=lambda job: -job.location.size)
        pending: dict[Future[bytes], LayerJob] = {
            executor.submit(read_job, job): job for job in largest_first
        }
        told = 0
        try:
            while pending:
                done, _ = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
                if counter is not None:
                    told, before = counter.value, told
                    self._settings.progress.advance(told - before)
                cancelled = self._settings.cancelled
                if cancelled is not None and cancelled.is_set():
                    raise Cancelled("cancelled")
                for future in done:
                    job = pending.pop(future)
                    encoded = future.result()
                    yield job, self._keep(job, decode_reading(encoded), encoded)
        finally:
            for future in pending:
                future.cancel()

    def _keep(self, job: LayerJob, reading: LayerReading, encoded: bytes) -> LoadedLayer:
        """The layer as loaded, and in the cache."""
        stored = next(layer for layer in self._image.layers if layer.where == job.where)
        cache = self._settings.cache
        facts = reading.facts()
        if cache is not None:
            keys = [_file_key(stored, job.location)] if _settled(job.location) else []
            if stored.blob_digest is not None:
                keys.append(_blob_key(stored))
            cache.store(tuple(keys), facts, encoded)
        return LoadedLayer(stored, _checked(stored, facts), lambda: reading)


def _again(stored: StoredLayer, loaded: LoadedLayer) -> LoadedLayer:
    """The same bytes as another layer of the image."""
    return LoadedLayer(stored, loaded.facts, loaded._fetch)


def _worth_processes(jobs: Sequence[LayerJob]) -> bool:
    large = [job for job in jobs if job.location.size >= PARALLEL_BYTES]
    return len(large) > 1 and (os.cpu_count() or 1) > 1


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
