"""The catalogue as a crawl writes it: what was asked for, what was found, how far it is.

Every method is one transaction, committed when it returns, so that a crawl that is killed goes on
where it was; ``transaction`` joins several into one. Methods may be called from any thread; one
process writes at a time. What is read for reports stands in the modules beside this one.

A crawl goes: ``start_run``; ``queue_repositories``; for each of ``pending_repositories``:
``record_tag_list`` (or ``add_tags``), for each of ``pending_tags`` what ``unread`` names is read
and recorded, then ``record_tag``; ``finish_repository``; ``remove_unqueued``; ``finish_run``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Self

from layerlens.audit.interning import Keys
from layerlens.audit.layer_files import add_layer_files, unlisted_layers
from layerlens.audit.manifests import (
    add_image,
    add_index,
    created_below,
    facts_of_config,
    is_read,
    unread_below,
)
from layerlens.audit.records import (
    DIGEST_MARK,
    ConfigFacts,
    CrawlRun,
    FailureRecord,
    ImageRecord,
    IndexRecord,
    LayerFilesRecord,
    RepositoryRecord,
    RunChanges,
    RunCounts,
    TagRecord,
    UnlistedLayer,
    UnreadManifest,
)
from layerlens.audit.row_records import (
    PENDING_REPOSITORIES,
    PENDING_TAGS,
    UNFINISHED_RUN,
    failure_records,
    repository_record,
    run_record,
    tag_record,
)
from layerlens.audit.run_changes import run_changes
from layerlens.audit.schema import open_for_writing
from layerlens.audit.stored_values import Value, stored_digest, stored_optional_text, stored_text
from layerlens.audit.transaction import Transaction
from layerlens.oci.digest import Digest


class Catalogue:
    """A catalogue being written. LayerlensErrors name its file; times are seconds since 1970."""

    def __init__(self, path: Path) -> None:
        """Open the catalogue at *path*, or make it; raises as ``schema.open_for_writing``."""
        self.path = path
        self._connection = open_for_writing(path)
        self._keys = Keys(self._connection)
        self._lock = threading.RLock()
        self._transaction = Transaction(path, self._connection, self._keys, self._lock)

    def close(self) -> None:
        """Close the file; the methods raise after that."""
        with self._lock:
            self._connection.close()

    def remove(self) -> None:
        """Close the file, and take it away."""
        self.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Commit all that is written in the block at its end, and nothing of it if it raises."""
        return self._transaction

    # Runs

    def start_run(self, scope: str, *, now: int) -> CrawlRun:
        """The run of this scope that was not finished, to go on with; else a new one."""
        with self.transaction():
            run = self._unfinished_run(scope)
            if run is None:
                # Later than all that was written before, so that times tell what a run changed.
                ended = self._numbers("SELECT COALESCE(MAX(finished), 0) FROM run")[0]
                now = max(now, ended + 1)
                self._do("INSERT INTO run (scope, started) VALUES (?, ?)", stored_text(scope), now)
                run = self._unfinished_run(scope)
                assert run is not None
            return run

    def retry_failures(self, run: CrawlRun) -> None:
        """What the run could not read is to be looked at again, as if it had not been."""
        with self.transaction():
            self._do(
                "UPDATE tag SET checked_run = NULL WHERE id IN"
                " (SELECT tag_id FROM failure WHERE run_id = ?)",
                run.key,
            )
            self._do(
                "UPDATE repository SET done_run = NULL WHERE id IN"
                " (SELECT repository_id FROM failure WHERE run_id = ?)",
                run.key,
            )
            self._do("DELETE FROM failure WHERE run_id = ?", run.key)

    def save_state(self, run: CrawlRun, state: str | None) -> None:
        """Keep, in the crawl's own words, how far it is: ``start_run`` gives it back."""
        with self.transaction():
            self._do("UPDATE run SET state = ? WHERE id = ?", stored_optional_text(state), run.key)

    def finish_run(self, run: CrawlRun, *, now: int) -> CrawlRun:
        """The run is over, and returned so: the next of its scope looks at everything again."""
        with self.transaction():
            self._do("UPDATE run SET finished = ? WHERE id = ?", now, run.key)
        return replace(run, finished=now)

    def knows_nothing(self) -> bool:
        """Whether no crawl has found anything yet."""
        with self.transaction():
            (nothing,) = self._numbers(
                "SELECT NOT EXISTS (SELECT 1 FROM manifest)"
                " AND NOT EXISTS (SELECT 1 FROM repository WHERE listed IS NOT NULL)"
            )
            return bool(nothing)

    def counts(self, run: CrawlRun) -> RunCounts:
        """How far the run is; goes through all tags, so it is for the start and the end."""
        with self.transaction():
            repositories = self._numbers(
                "SELECT COUNT(*), COUNT(done_run = queued_run OR NULL) FROM repository"
                " WHERE queued_run = ?",
                run.key,
            )
            tags = self._numbers(
                "SELECT COUNT(*), COUNT(checked_run = queued_run OR NULL) FROM tag"
                " WHERE queued_run = ?",
                run.key,
            )
            failures = self._numbers("SELECT COUNT(*) FROM failure WHERE run_id = ?", run.key)
            return RunCounts(
                repositories=repositories[0],
                repositories_done=repositories[1],
                tags=tags[0],
                tags_done=tags[1],
                failures=failures[0],
            )

    def changes(self, run: CrawlRun) -> RunChanges:
        """What the run found otherwise than it was; goes through all tags, as ``counts`` does."""
        with self.transaction():
            return run_changes(self._connection, run)

    # Repositories

    def queue_repositories(self, run: CrawlRun, registry: str, names: Iterable[str]) -> None:
        """The run is to look at these repositories; those it is through with stay so."""
        with self.transaction():
            registry_key = self._registry(registry)
            self._connection.executemany(
                "INSERT INTO repository (registry_id, name, queued_run) VALUES (?, ?, ?)"
                " ON CONFLICT (registry_id, name)"
                " DO UPDATE SET queued_run = excluded.queued_run, removed = NULL",
                ((registry_key, stored_text(name), run.key) for name in names),
            )

    def pending_repositories(
        self, run: CrawlRun, *, after: int = 0, most: int = -1
    ) -> tuple[RepositoryRecord, ...]:
        """The repositories that the run is not through with, in the order they were first seen.

        *after*: only those whose key is larger; *most*: so many at most, all by default.
        """
        with self.transaction():
            rows = self._connection.execute(PENDING_REPOSITORIES, (after, run.key, most))
            return tuple(map(repository_record, rows))

    def finish_repository(self, run: CrawlRun, repository: RepositoryRecord) -> None:
        """The run is through with it, whatever became of its tags."""
        with self.transaction():
            self._do("UPDATE repository SET done_run = ? WHERE id = ?", run.key, repository.key)

    def remove_repository(self, run: CrawlRun, repository: RepositoryRecord, *, now: int) -> None:
        """The registry no longer knows it, nor its tags; the run is through with it."""
        with self.transaction():
            self._do(
                "UPDATE repository SET removed = ?, done_run = ? WHERE id = ?",
                now,
                run.key,
                repository.key,
            )
            self._do(
                "UPDATE tag SET removed = ? WHERE removed IS NULL AND repository_id = ?",
                now,
                repository.key,
            )

    def remove_unqueued(self, run: CrawlRun, registry: str, *, now: int) -> int:
        """The registry was listed whole: what it did not name is gone, with its tags.

        Returns how many repositories that are.
        """
        with self.transaction():
            gone = self._connection.execute(
                "UPDATE repository SET removed = ?"
                " WHERE registry_id = ? AND queued_run IS NOT ? AND removed IS NULL",
                (now, self._registry(registry), run.key),
            ).rowcount
            self._do(
                "UPDATE tag SET removed = ? WHERE removed IS NULL AND repository_id IN"
                " (SELECT id FROM repository WHERE removed IS NOT NULL)",
                now,
            )
            return gone

    # Tags

    def record_tag_list(
        self,
        run: CrawlRun,
        repository: RepositoryRecord,
        *,
        listed: Iterable[str],
        chosen: Iterable[str],
        now: int,
    ) -> int:
        """The repository's tags, listed whole; the run is to look at the *chosen* of them.

        Tags that are no longer listed are marked as removed: returns how many. Those listed and
        not chosen are kept too, so that a report can say what it does not know.
        """
        with self.transaction():
            self._do(
                "UPDATE repository SET listed = ?, failure = NULL WHERE id = ?", now, repository.key
            )
            self._do("CREATE TEMP TABLE IF NOT EXISTS listed (name PRIMARY KEY) WITHOUT ROWID")
            self._do("DELETE FROM temp.listed")
            self._connection.executemany(
                "INSERT OR IGNORE INTO temp.listed VALUES (?)",
                ((stored_text(name),) for name in listed),
            )
            self._do(
                "INSERT INTO tag (repository_id, name, first_seen, last_seen)"
                " SELECT ?, name, ?, ? FROM temp.listed WHERE true"
                " ON CONFLICT (repository_id, name)"
                " DO UPDATE SET last_seen = excluded.last_seen, removed = NULL",
                repository.key,
                now,
                now,
            )
            self._queue_tags(run, repository, chosen, now)
            return self._connection.execute(
                "UPDATE tag SET removed = ? WHERE repository_id = ? AND removed IS NULL"
                " AND substr(name, 1, 1) != ? AND name NOT IN (SELECT name FROM temp.listed)",
                (now, repository.key, DIGEST_MARK),
            ).rowcount

    def add_tags(
        self, run: CrawlRun, repository: RepositoryRecord, names: Iterable[str], *, now: int
    ) -> None:
        """The run is to look at these tags, whatever else there is.

        An image asked for by digest goes by ``@sha256:...``, and is kept until asked to forget.
        """
        with self.transaction():
            self._queue_tags(run, repository, names, now)

    def pending_tags(self, run: CrawlRun, repository: RepositoryRecord) -> tuple[TagRecord, ...]:
        """The repository's tags that the run has not looked at."""
        with self.transaction():
            rows = self._connection.execute(PENDING_TAGS, (repository.key, run.key))
            return tuple(map(tag_record, rows))

    def record_tag(self, run: CrawlRun, tag: TagRecord, digest: Digest, *, now: int) -> None:
        """The tag leads to *digest* now, and the run is through with it.

        To be called when all that ``unread`` names is recorded or has failed.
        """
        with self.transaction():
            manifest = self._keys.manifest(digest)
            if tag.digest is not None and tag.digest != digest:
                self._do(
                    "INSERT INTO tag_history (tag_id, manifest_id, first_seen, last_seen)"
                    " SELECT id, manifest_id, moved, resolved FROM tag"
                    " WHERE id = ? AND manifest_id != ?",
                    tag.key,
                    manifest,
                )
            self._do(
                "UPDATE tag SET last_seen = ?, resolved = ?, removed = NULL, checked_run = ?,"
                " moved = CASE WHEN manifest_id IS ? THEN moved ELSE ? END, manifest_id = ?"
                " WHERE id = ?",
                now,
                now,
                run.key,
                manifest,
                now,
                manifest,
                tag.key,
            )

    def remove_tag(self, run: CrawlRun, tag: TagRecord, *, now: int) -> None:
        """The registry no longer knows the tag."""
        with self.transaction():
            self._do(
                "UPDATE tag SET removed = ?, checked_run = ? WHERE id = ?", now, run.key, tag.key
            )

    # Manifests

    def is_read(self, digest: Digest) -> bool:
        """Whether this very manifest or index is recorded."""
        with self.transaction():
            return is_read(self._connection, digest)

    def unread(self, digest: Digest) -> tuple[UnreadManifest, ...]:
        """What is still to be read below *digest*: itself, or manifests that its indexes list."""
        with self.transaction():
            return unread_below(self._connection, digest)

    def record_image(self, image: ImageRecord) -> None:
        """An image or artifact, with its layers; once recorded, it stays as it is."""
        with self.transaction():
            add_image(self._connection, self._keys, image)

    def record_index(self, index: IndexRecord) -> None:
        """An index, with what it lists; once recorded, it stays as it is."""
        with self.transaction():
            add_index(self._connection, self._keys, index)

    def facts_of_config(self, config: Digest) -> ConfigFacts | None:
        """What a config says, if an image that has it was recorded: it need not be read again."""
        with self.transaction():
            return facts_of_config(self._connection, config)

    def created(self, digest: Digest) -> int | None:
        """When the image was made, by its config; of an index, the latest of those read."""
        with self.transaction():
            return created_below(self._connection, digest)

    # Files

    def unlisted_layers(self, run: CrawlRun) -> tuple[UnlistedLayer, ...]:
        """The layers of the images the run looked at whose files are still to be read."""
        with self.transaction():
            return unlisted_layers(self._connection, run.key)

    def record_layer_files(self, layer: LayerFilesRecord) -> None:
        """What a layer holds; once recorded, it stays as it is."""
        with self.transaction():
            add_layer_files(self._connection, self._keys, layer)

    # Failures

    def record_failure(
        self,
        run: CrawlRun,
        registry: str,
        *,
        reason: str,
        now: int,
        repository: RepositoryRecord | None = None,
        tag: TagRecord | None = None,
        digest: Digest | None = None,
    ) -> None:
        """Something could not be read; the run is through with the *tag* if one is given.

        A failure of a repository, without tag and digest, is also kept beside the repository,
        until its tags are listed again. What was known before stays.
        """
        with self.transaction():
            self._do(
                "INSERT INTO failure"
                " (run_id, registry_id, repository_id, tag_id, digest, reason, time)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                run.key,
                self._registry(registry),
                None if repository is None else repository.key,
                None if tag is None else tag.key,
                None if digest is None else stored_digest(digest),
                stored_text(reason),
                now,
            )
            if tag is not None:
                self._do("UPDATE tag SET checked_run = ? WHERE id = ?", run.key, tag.key)
            elif repository is not None and digest is None:
                self._do(
                    "UPDATE repository SET failure = ? WHERE id = ?",
                    stored_text(reason),
                    repository.key,
                )

    def failures(self, run: CrawlRun) -> tuple[FailureRecord, ...]:
        """What the run could not read, in the order it happened."""
        with self.transaction():
            return tuple(failure_records(self._connection, run.key))

    def _queue_tags(
        self, run: CrawlRun, repository: RepositoryRecord, names: Iterable[str], now: int
    ) -> None:
        self._connection.executemany(
            "INSERT INTO tag (repository_id, name, first_seen, last_seen, queued_run)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (repository_id, name)"
            " DO UPDATE SET queued_run = excluded.queued_run",
            ((repository.key, stored_text(name), now, now, run.key) for name in names),
        )

    def _unfinished_run(self, scope: str) -> CrawlRun | None:
        found = self._connection.execute(UNFINISHED_RUN, (stored_text(scope),)).fetchone()
        return None if found is None else run_record(found)

    def _registry(self, host: str) -> int:
        name = stored_text(host)
        self._do("INSERT INTO registry (host) VALUES (?) ON CONFLICT DO NOTHING", name)
        return self._numbers("SELECT id FROM registry WHERE host = ?", name)[0]

    def _do(self, statement: str, *values: Value) -> None:
        self._connection.execute(statement, values)

    def _numbers(self, statement: str, *values: Value) -> tuple[int, ...]:
        """A row of numbers, which is there for certain."""
        row: tuple[int, ...] = self._connection.execute(statement, values).fetchone()
        return row
