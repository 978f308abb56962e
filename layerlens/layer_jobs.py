"""Reading layers side by side: verified, with progress, stopped together when one fails.

By default in threads: inflating and hashing let go of the interpreter, so that they fill the
processors, but for what waits for its turn to decode headers. Where the caller lets them, several
large layers of a file are read in processes, or through a ``concurrent.futures.Executor``.
"""

from __future__ import annotations

import contextlib
import enum
import os
import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, assert_never

from layerlens.errors import LayerlensError
from layerlens.index_cache import IndexCache
from layerlens.layer.read_layer import LayerReading, read_layer
from layerlens.layer_job import JobResult, LayerJob, read_job
from layerlens.source.blob_location import FileRange
from layerlens.source.registry.registry_blob import RegistryBlob
from layerlens.source.registry.registry_options import DEFAULT_OPTIONS, RegistryOptions
from layerlens.streams.limits import DEFAULT_LIMITS, Limits
from layerlens.streams.side_by_side import done_side_by_side

if TYPE_CHECKING:  # slow to import, and not needed where the cache knows every layer
    from concurrent.futures import Executor, Future

PARALLEL_BYTES = 1 << 20
"""Stored bytes of all layers together below which threads are not worth starting."""

PROCESS_BYTES = 256 << 20
"""Stored bytes of all layers together from which starting processes is worth its time."""

DOWNLOADS = 4
"""Layers of a registry that are read at once at least: most of their time is waiting."""

_SMALL_SHARE = 0.02
"""Of all bytes, up to which a layer takes no time."""

_OVER_SHARE = 1.1
"""Times its share from which a layer gets a second thread, which costs more than it saves below."""

MAX_THREADS = 8
"""Beyond this, decoding headers in one interpreter is what limits."""

MAX_PROCESSES = 16
"""Each takes some 40 MB."""


class Progress(Protocol):
    """Told of bytes as they are read; may be called from any thread."""

    def advance(self, count: int) -> None: ...


class _NoProgress:
    def advance(self, count: int) -> None:
        pass


_NO_PROGRESS = _NoProgress()


class ListedFrom(enum.Enum):
    """What a layer's files are listed from; the value is the word in documents."""

    LAYER = "layer"
    TOC = "toc"


class Workers(enum.Enum):
    """What reads layers side by side. PROCESSES: for large layers of a file, by starting
    ``sys.executable`` anew, which only the program that owns it should ask for."""

    THREADS = "threads"
    PROCESSES = "processes"


class Cancelled(LayerlensError):
    """Reading was given up because the caller asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    """How to load. ``workers``: what reads layers; ``executor``: where ``read_job`` runs instead.
    ``cancelled``: set by the caller to stop. ``registries``: how they may be reached.
    ``listing``: TOC where a table of contents will do, if a registry's layer has one and the cache
    does not know the layer; all others are read and verified."""

    cache: IndexCache | None = None
    limits: Limits = DEFAULT_LIMITS
    progress: Progress = _NO_PROGRESS
    workers: Workers = Workers.THREADS
    executor: Executor | None = None
    cancelled: threading.Event | None = None
    registries: RegistryOptions = DEFAULT_OPTIONS
    listing: ListedFrom = ListedFrom.LAYER


def read_here(job: LayerJob, settings: LoadSettings) -> LayerReading:
    """Read one layer now. Raises what ``read_layer`` raises, and Cancelled."""
    return _read(job, settings, threads=2 if job.location.size > PARALLEL_BYTES else 1)


def _read(
    job: LayerJob, settings: LoadSettings, *, threads: int, stopped: threading.Event | None = None
) -> LayerReading:
    chunks = told_chunks(job.location, settings, stopped)
    return read_layer(chunks, job.expected, where=job.where, limits=job.limits, threads=threads)


def read_jobs(
    jobs: Sequence[LayerJob], settings: LoadSettings
) -> Iterator[tuple[LayerJob, JobResult]]:
    """Read all, and give each as it is done. Raises as ``read_here`` does; the rest then stops."""
    if settings.executor is not None:
        return _read_by(settings.executor, jobs, settings)
    remote = any(isinstance(job.location, RegistryBlob) for job in jobs)
    size = sum(job.location.size for job in jobs)
    if len(jobs) < 2 or (size < PARALLEL_BYTES and not remote):
        return ((job, JobResult(read_here(job, settings))) for job in jobs)
    processors = os.cpu_count() or 1
    if settings.workers is Workers.PROCESSES and size >= PROCESS_BYTES and not remote:
        return _read_in_processes(jobs, settings, min(processors, len(jobs), MAX_PROCESSES))
    threads = max(processors, DOWNLOADS if remote else 1)
    return _read_in_threads(jobs, settings, min(threads, len(jobs), MAX_THREADS))


def cancel_check(
    settings: LoadSettings, stopped: threading.Event | None = None
) -> Callable[[], None]:
    """A function that raises Cancelled once the caller has cancelled, or ``stopped`` is set."""

    def check() -> None:
        for event in (settings.cancelled, stopped):
            if event is not None and event.is_set():
                raise Cancelled("cancelled")

    return check


def told_chunks(
    location: FileRange | RegistryBlob,
    settings: LoadSettings,
    stopped: threading.Event | None = None,
) -> Iterator[bytes]:
    """The location's bytes, counted; raises Cancelled once the caller has cancelled, or
    ``stopped`` is set."""

    check = cancel_check(settings, stopped)
    match location:
        case FileRange():
            chunks = location.chunks()
        case RegistryBlob():
            chunks = location.chunks(check)
        case _:
            assert_never(location)
    return _told(chunks, settings.progress, check)


def _told(
    chunks: Generator[bytes, None, None], progress: Progress, check: Callable[[], None]
) -> Iterator[bytes]:
    with contextlib.closing(chunks):  # where it is given up, its connection must not stay open
        for chunk in chunks:
            check()
            progress.advance(len(chunk))
            yield chunk


def told(
    chunks: Iterator[bytes], progress: Progress, cancelled: threading.Event | None
) -> Iterator[bytes]:
    """The same chunks, counted; raises Cancelled once that is set."""
    for chunk in chunks:
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("cancelled")
        progress.advance(len(chunk))
        yield chunk


def _read_in_threads(
    jobs: Sequence[LayerJob], settings: LoadSettings, workers: int
) -> Iterator[tuple[LayerJob, JobResult]]:
    stopped = threading.Event()
    threads_for = _threads_for(jobs, workers)

    def read(job: LayerJob) -> JobResult:
        return JobResult(_read(job, settings, threads=threads_for(job), stopped=stopped))

    return done_side_by_side(
        read, _in_turn(jobs), threads=workers, stopped=stopped, name="layerlens-layer"
    )


def _read_in_processes(
    jobs: Sequence[LayerJob], settings: LoadSettings, workers: int
) -> Iterator[tuple[LayerJob, JobResult]]:
    from layerlens.layer_process import LayerProcess, NotStarted

    stopped = threading.Event()
    threads_for = _threads_for(jobs, workers)
    check = cancel_check(settings, stopped)
    free: queue.SimpleQueue[LayerProcess] = queue.SimpleQueue()

    def tell(count: int) -> None:
        check()
        settings.progress.advance(count)

    def read(job: LayerJob) -> JobResult:
        process = free.get()
        try:
            return process.read(job, threads_for(job), tell)
        except NotStarted:
            return JobResult(_read(job, settings, threads=threads_for(job), stopped=stopped))
        finally:
            free.put(process)

    with contextlib.ExitStack() as started:
        for _ in range(workers):
            free.put(started.enter_context(contextlib.closing(LayerProcess())))
        yield from done_side_by_side(
            read, _in_turn(jobs), threads=workers, stopped=stopped, name="layerlens-layer"
        )


def _threads_for(jobs: Sequence[LayerJob], workers: int) -> Callable[[LayerJob], int]:
    """How many threads read a layer: one that is well over a worker's share is what all wait for
    in the end."""
    share = sum(job.location.size for job in jobs) / workers
    return lambda job: 2 if job.location.size > share * _OVER_SHARE else 1


def _read_by(
    executor: Executor, jobs: Sequence[LayerJob], settings: LoadSettings
) -> Iterator[tuple[LayerJob, JobResult]]:
    from concurrent.futures import FIRST_COMPLETED, wait

    pending: dict[Future[bytes], LayerJob] = {
        executor.submit(read_job, job): job for job in _in_turn(jobs)
    }
    try:
        while pending:
            done, _ = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
            if settings.cancelled is not None and settings.cancelled.is_set():
                raise Cancelled("cancelled")
            for future in done:
                job = pending.pop(future)
                result = JobResult.decoded(future.result())
                settings.progress.advance(job.location.size)
                yield job, result
    finally:
        for future in pending:
            future.cancel()


def _in_turn(jobs: Sequence[LayerJob]) -> list[LayerJob]:
    """In an order that ends at the same time for all who read; what takes no time comes before,
    as layers above it can't be laid on it until it is there."""
    small = sum(job.location.size for job in jobs) * _SMALL_SHARE
    return sorted(jobs, key=lambda job: (job.location.size > small, -job.location.size))
