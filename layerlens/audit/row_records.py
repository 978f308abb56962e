"""The rows of a catalogue made into its records; each statement fits one function."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from layerlens.audit.manifests import WHOLE_KIND
from layerlens.audit.records import (
    CrawlRun,
    FailureRecord,
    ManifestKind,
    RepositoryRecord,
    TagRecord,
)
from layerlens.audit.stored_values import (
    read_optional_digest,
    read_optional_text,
    read_text,
)

PENDING_REPOSITORIES = """
SELECT repository.id, registry.host, repository.name, repository.listed, repository.removed,
    repository.failure
FROM repository JOIN registry ON registry.id = registry_id
WHERE repository.id > ? AND queued_run = ? AND done_run IS NOT queued_run
ORDER BY repository.id LIMIT ?
"""
PENDING_TAGS = f"""
SELECT tag.id, tag.repository_id, tag.name, tag.first_seen, tag.last_seen, tag.moved, tag.removed,
    manifest.digest, {WHOLE_KIND}
FROM tag LEFT JOIN manifest ON manifest.id = manifest_id
WHERE repository_id = ? AND queued_run = ? AND checked_run IS NOT queued_run ORDER BY tag.id
"""  # noqa: S608 - own words
UNFINISHED_RUN = """
SELECT id, scope, started, finished, state FROM run
WHERE scope = ? AND finished IS NULL ORDER BY id DESC LIMIT 1
"""
LAST_RUN = "SELECT id, scope, started, finished, state FROM run ORDER BY id DESC LIMIT 1"
_FAILURES = """
SELECT registry.host, repository.name, tag.name, failure.digest, failure.reason, failure.time
FROM failure JOIN registry ON registry.id = failure.registry_id
LEFT JOIN repository ON repository.id = failure.repository_id
LEFT JOIN tag ON tag.id = failure.tag_id
WHERE failure.run_id = ? ORDER BY failure.id
"""


def run_record(row: sqlite3.Row) -> CrawlRun:
    """A crawl, from `UNFINISHED_RUN` or `LAST_RUN`."""
    key, scope, started, finished, state = row
    return CrawlRun(
        key=key,
        scope=read_text(scope),
        started=started,
        finished=finished,
        state=read_optional_text(state),
    )


def repository_record(row: sqlite3.Row) -> RepositoryRecord:
    """A repository, from `PENDING_REPOSITORIES`."""
    key, registry, name, listed, removed, failure = row
    return RepositoryRecord(
        key=key,
        registry=read_text(registry),
        name=read_text(name),
        listed=listed,
        removed=removed,
        failure=read_optional_text(failure),
    )


def tag_record(row: sqlite3.Row) -> TagRecord:
    """A tag, from `PENDING_TAGS`."""
    key, repository_key, name, first_seen, last_seen, moved, removed, digest, kind = row
    return TagRecord(
        key=key,
        repository_key=repository_key,
        name=read_text(name),
        first_seen=first_seen,
        last_seen=last_seen,
        moved=moved,
        removed=removed,
        digest=read_optional_digest(digest),
        kind=None if kind is None else ManifestKind(kind),
    )


def failure_records(connection: sqlite3.Connection, run_key: int) -> Iterator[FailureRecord]:
    """What a run could not read, in the order it happened."""
    for host, repository, tag, digest, reason, time in connection.execute(_FAILURES, (run_key,)):
        yield FailureRecord(
            registry=read_text(host),
            repository=read_optional_text(repository),
            tag=read_optional_text(tag),
            digest=read_optional_digest(digest),
            reason=read_text(reason),
            time=time,
        )
