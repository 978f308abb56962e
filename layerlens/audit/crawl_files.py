"""The files of the layers that a crawl found, read as they stream by and counted by content.

Each distinct layer is read once, from one of the repositories that have it, whatever is asked of
it later; what the index cache knows is not read at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from layerlens.audit.crawl_desk import Desk, RegistrySilent, Visit
from layerlens.audit.crawl_outcome import FilesOutcome
from layerlens.audit.crawl_questions import Answered, Place
from layerlens.audit.crawl_schedule import Group, Question, Schedule, Submit, Task
from layerlens.audit.records import FileRecord, LayerFilesRecord, UnlistedLayer
from layerlens.errors import LayerlensError
from layerlens.index_cache import IndexCache
from layerlens.layer.entry import Entry, EntryKind, LayerEntry
from layerlens.loading import LoadSettings, load_layer
from layerlens.oci.media_types import is_tar_layer
from layerlens.source.registry.registry_blob import RegistryBlob
from layerlens.source.registry.retrying import Check, never
from layerlens.source.stored_image import StoredLayer
from layerlens.streams.limits import DEFAULT_LIMITS, Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesSettings:
    """How layers are read. ``cache``: the directory of the index cache, None for none."""

    cache: Path | None = None
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True, slots=True)
class FilesQuestion:
    """Which files does this layer hold?"""

    place: Place
    layer: UnlistedLayer
    settings: FilesSettings


def list_files(question: FilesQuestion, check: Check = never) -> Answered[LayerFilesRecord]:
    """The files of a layer, its bytes verified; raises as ``load_layer`` does."""
    place, layer, settings = question.place, question.layer, question.settings
    stored = StoredLayer(
        blob_digest=layer.blob,
        diff_id=layer.diff_id,
        media_type=layer.media_type,
        size=layer.size,
        location=RegistryBlob(
            registry=place.registry,
            repository=place.repository,
            digest=layer.blob,
            size=layer.size,
            options=place.options,
        ),
        where=f"{place}@{layer.blob}",
    )
    loaded = load_layer(
        stored,
        LoadSettings(
            cache=None if settings.cache is None else IndexCache(settings.cache),
            limits=settings.limits,
            progress=_Checked(check),
            registries=place.options,
        ),
    )
    index = loaded.index()
    empty, files = _tallied(index.entries)
    record = LayerFilesRecord(
        diff_id=layer.diff_id,
        size=index.size,
        entries=len(index.entries),
        empty_files=empty,
        files=files,
    )
    return Answered(record, place.client().rate_limit)


_LIST_FILES = Question(list_files)


def list_all_files(desk: Desk, settings: FilesSettings, submit: Submit, jobs: int) -> FilesOutcome:
    """Read the layers of all images that the run looked at, and write what they hold."""
    unlisted = desk.catalogue.unlisted_layers(desk.run)
    readable = [layer for layer in unlisted if _is_readable(layer)]
    desk.progress.expect(sum(layer.size for layer in readable))
    done: list[UnlistedLayer] = []
    schedule = Schedule(submit, jobs, desk.catalogue.transaction, desk.is_hopeless)
    schedule.run(Group(_tasks(desk, settings, readable, done), 2 * jobs))
    return FilesOutcome(
        layers=len(done),
        stored_bytes=sum(layer.size for layer in done),
        opaque=len(unlisted) - len(readable),
    )


def _is_readable(layer: UnlistedLayer) -> bool:
    """Whether it is a tar, and one that registries keep: a foreign layer is elsewhere."""
    elsewhere = ".nondistributable." in layer.media_type or ".foreign." in layer.media_type
    return is_tar_layer(layer.media_type) and not elsewhere


def _tasks(
    desk: Desk,
    settings: FilesSettings,
    layers: Sequence[UnlistedLayer],
    done: list[UnlistedLayer],
) -> Iterator[Task]:
    visits: dict[int, Visit] = {}
    for layer in layers:
        visit = visits.setdefault(layer.repository.key, Visit(desk, layer.repository))
        yield _task(visit, FilesQuestion(visit.place, layer, settings), done)


def _task(visit: Visit, question: FilesQuestion, done: list[UnlistedLayer]) -> Task:
    layer = question.layer
    try:
        record = yield from visit.ask(_LIST_FILES, question)
    except RegistrySilent:
        return
    except LayerlensError as error:
        visit.fail(error, digest=layer.blob)
    else:
        visit.desk.catalogue.record_layer_files(record)
        done.append(layer)
    visit.desk.progress.advance(layer.size)


def _tallied(entries: Sequence[LayerEntry]) -> tuple[int, tuple[FileRecord, ...]]:
    """How many regular files are empty, and the contents of the others."""
    empty = 0
    first: dict[bytes, tuple[int, str]] = {}
    copies: dict[bytes, int] = {}
    for entry in entries:
        if not isinstance(entry, Entry) or entry.kind is not EntryKind.FILE:
            continue
        if not entry.size or entry.content is None:
            empty += 1
            continue
        first.setdefault(entry.content, (entry.size, entry.path))
        copies[entry.content] = copies.get(entry.content, 0) + 1
    return empty, tuple(
        FileRecord(content, size, copies[content], path) for content, (size, path) in first.items()
    )


class _Checked:
    """Progress that nobody watches, and that gives up when it is told to."""

    def __init__(self, check: Check) -> None:
        self._check = check

    def advance(self, count: int) -> None:
        self._check()
