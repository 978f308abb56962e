"""Repositories and tags in a catalogue: which there are, which to look at, where tags lead."""

from __future__ import annotations

from collections.abc import Iterable

from layerlens.audit.catalogue_file import CatalogueFile
from layerlens.audit.records import DIGEST_MARK, CrawlRun, RepositoryRecord, TagRecord
from layerlens.audit.row_records import (
    PENDING_REPOSITORIES,
    PENDING_TAGS,
    repository_record,
    tag_record,
)
from layerlens.audit.stored_values import stored_text
from layerlens.oci.digest import Digest


class RepositoriesAndTags(CatalogueFile):
    """The part of a catalogue that says what there is, and what of it was looked at."""

    # Repositories

    def queue_repositories(self, run: CrawlRun, registry: str, names: Iterable[str]) -> None:
        """The run is to look at these repositories; those it is through with stay so.

        Other runs that are not finished lose their state with them: they must ask again what they
        are to look at, since nobody but this run does now.
        """
        with self.transaction():
            self._do("UPDATE run SET state = NULL WHERE finished IS NULL AND id != ?", run.key)
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
        """The registry was listed whole: what it did not name is gone, with its tags; but not what
        a run that began later is looking at.

        Returns how many repositories that are.
        """
        with self.transaction():
            self._do("UPDATE registry SET listed = ? WHERE id = ?", now, self._registry(registry))
            gone = self._connection.execute(
                "UPDATE repository SET removed = ?"
                " WHERE registry_id = ? AND queued_run IS NOT ? AND removed IS NULL"
                " AND NOT EXISTS (SELECT 1 FROM run"
                " WHERE run.id = queued_run AND run.id > ? AND finished IS NULL)",
                (now, self._registry(registry), run.key, run.key),
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
            if tag.digest == digest:
                self._do(
                    "UPDATE tag SET last_seen = ?, resolved = ?, removed = NULL, checked_run = ?"
                    " WHERE id = ?",
                    now,
                    now,
                    run.key,
                    tag.key,
                )
                return
            if tag.digest is not None:
                self._do(
                    "INSERT INTO tag_history (tag_id, manifest_id, first_seen, last_seen)"
                    " SELECT id, manifest_id, moved, resolved FROM tag WHERE id = ?",
                    tag.key,
                )
            self._do(
                "UPDATE tag SET last_seen = ?, resolved = ?, removed = NULL, checked_run = ?,"
                " moved = ?, manifest_id = ? WHERE id = ?",
                now,
                now,
                run.key,
                now,
                self._keys.manifest(digest),
                tag.key,
            )

    def remove_tag(self, run: CrawlRun, tag: TagRecord, *, now: int) -> None:
        """The registry no longer knows the tag."""
        with self.transaction():
            self._do(
                "UPDATE tag SET removed = ?, checked_run = ? WHERE id = ?", now, run.key, tag.key
            )

    def _queue_tags(
        self, run: CrawlRun, repository: RepositoryRecord, names: Iterable[str], now: int
    ) -> None:
        self._connection.executemany(
            "INSERT INTO tag (repository_id, name, first_seen, last_seen, queued_run)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (repository_id, name)"
            " DO UPDATE SET queued_run = excluded.queued_run",
            ((repository.key, stored_text(name), now, now, run.key) for name in names),
        )
