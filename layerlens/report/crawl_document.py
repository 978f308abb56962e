"""What ``audit --json`` writes, as values for ``as_json``, in the order of the document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerlens.audit.crawl_outcome import CrawlOutcome
from layerlens.audit.records import FailureRecord

CRAWL_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFields:
    """What the crawl has looked at, what was read before it was interrupted included."""

    repositories: int
    tags: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesFields:
    """What is not as it was at the last crawl."""

    tags_added: int
    tags_moved: int
    tags_removed: int
    repositories_removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFields:
    """Requests by what they asked, those of this run of the command alone."""

    tag_lists: int
    tags: int
    manifests: int
    configs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitFields:
    """How many requests the registry still gives."""

    remaining: int
    window_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesFields:
    """Layers that were read for their files. ``stored_bytes``: of their blobs."""

    layers: int
    stored_bytes: int
    opaque_layers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFields:
    """Something that could not be read. ``time``: seconds since 1970."""

    registry: str
    repository: str | None
    tag: str | None
    digest: str | None
    reason: str
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlDocument:
    """``audit``. Times are seconds since 1970; ``finished`` is null where the crawl is not over.
    ``changes``: null for the first crawl; ``asked``: null where the catalogue told all this."""

    title: str
    catalogue: str
    started: int
    finished: int | None
    resumed: bool
    read: ReadFields
    changes: ChangesFields | None
    asked: AskedFields | None
    rate_limit: RateLimitFields | None
    files: FilesFields | None
    silent: Sequence[str]
    failures: Iterator[FailureFields]


def crawl_document(outcome: CrawlOutcome, catalogue: str) -> CrawlDocument:
    """The document."""
    changes, asked = outcome.changes, outcome.asked
    limit, files = outcome.rate_limit, outcome.files
    return CrawlDocument(
        title=outcome.title,
        catalogue=catalogue,
        started=outcome.run.started,
        finished=outcome.run.finished,
        resumed=outcome.resumed,
        read=ReadFields(
            repositories=outcome.counts.repositories_done, tags=outcome.counts.tags_done
        ),
        changes=ChangesFields(
            tags_added=changes.tags_added,
            tags_moved=changes.tags_moved,
            tags_removed=changes.tags_removed,
            repositories_removed=changes.repositories_removed,
        )
        if changes.earlier
        else None,
        asked=None
        if asked is None
        else AskedFields(
            tag_lists=asked.tag_lists,
            tags=asked.tags,
            manifests=asked.manifests,
            configs=asked.configs,
        ),
        rate_limit=None
        if limit is None
        else RateLimitFields(remaining=limit.remaining, window_seconds=limit.window_seconds),
        files=None
        if files is None
        else FilesFields(
            layers=files.layers,
            stored_bytes=files.stored_bytes,
            opaque_layers=files.opaque,
        ),
        silent=outcome.silent,
        failures=map(_failure, outcome.failures),
    )


def _failure(failure: FailureRecord) -> FailureFields:
    return FailureFields(
        registry=failure.registry,
        repository=failure.repository,
        tag=failure.tag,
        digest=None if failure.digest is None else str(failure.digest),
        reason=failure.reason,
        time=failure.time,
    )
