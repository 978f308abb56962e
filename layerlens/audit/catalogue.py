"""The catalogue as a crawl writes it: what was asked for, what was found, how far it is.

Every method is one transaction, committed when it returns, so that a crawl that is killed goes on
where it was; ``transaction`` joins several into one. Methods may be called from any thread; one
process writes at a time. What is read for reports stands in the modules beside this one.

A crawl goes: ``start_run``; ``queue_repositories``; for each of ``pending_repositories``:
``record_tag_list`` (or ``add_tags``), for each of ``pending_tags`` what ``unread`` names is read
and recorded, then ``record_tag``; ``finish_repository``; ``remove_unqueued``; ``finish_run``.
"""

from __future__ import annotations

from dataclasses import replace

from layerlens.audit.catalogue_tags import RepositoriesAndTags
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
    LAST_RUN,
    UNFINISHED_RUN,
    failure_records,
    run_record,
)
from layerlens.audit.run_changes import run_changes
from layerlens.audit.stored_values import stored_digest, stored_optional_text, stored_text
from layerlens.oci.digest import Digest


class Catalogue(RepositoriesAndTags):
    """A catalogue being written. LayerlensErrors name its file; times are seconds since 1970."""

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

    def last_run(self) -> CrawlRun | None:
        """The run that was begun last; None if none ever was."""
        with self.transaction():
            found = self._connection.execute(LAST_RUN).fetchone()
            return None if found is None else run_record(found)

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
        """Whether no crawl has found anything yet, and no second one may be about to."""
        with self.transaction():
            (nothing,) = self._numbers(
                "SELECT NOT EXISTS (SELECT 1 FROM manifest)"
                " AND NOT EXISTS (SELECT 1 FROM repository WHERE listed IS NOT NULL)"
                " AND (SELECT COUNT(*) < 2 FROM run)"
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

    # Manifests

    def is_read(self, digest: Digest) -> bool:
        """Whether this very manifest or index is recorded whole."""
        with self.transaction():
            return is_read(self._connection, digest)

    def unread(self, digest: Digest) -> tuple[UnreadManifest, ...]:
        """What is still to be read below *digest*: itself, or manifests that its indexes list."""
        with self.transaction():
            return unread_below(self._connection, digest)

    def record_image(self, image: ImageRecord) -> None:
        """An image or artifact, with its layers; once recorded whole, it stays as it is."""
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

    def _unfinished_run(self, scope: str) -> CrawlRun | None:
        found = self._connection.execute(UNFINISHED_RUN, (stored_text(scope),)).fetchone()
        return None if found is None else run_record(found)
