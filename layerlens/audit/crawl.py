"""A crawl: what a registry holds, asked with many requests at once, written as it is answered.

Nothing that the catalogue has is asked for again but what can have changed: which repositories
there are, which tags, and what they lead to. What fails is written down with its reason, and the
rest goes on; a crawl that is killed is gone on with by the same request.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum

from layerlens.audit import crawl_workers
from layerlens.audit.catalogue import Catalogue
from layerlens.audit.crawl_desk import NO_PROGRESS, CrawlProgress, Desk
from layerlens.audit.crawl_files import FilesSettings, list_all_files
from layerlens.audit.crawl_listing import queue_targets
from layerlens.audit.crawl_outcome import Asked, CrawlOutcome
from layerlens.audit.crawl_questions import (
    list_tags,
    read_config,
    read_manifest,
    read_tag,
    resolve_tag,
)
from layerlens.audit.crawl_repository import RepositoryCrawl
from layerlens.audit.crawl_schedule import Group, Schedule, Submit, Task
from layerlens.audit.crawl_targets import CrawlRequest, TargetIndex
from layerlens.source.registry.registry_options import DEFAULT_OPTIONS, RegistryOptions

DEFAULT_JOBS = 8
_REPOSITORIES_AT_A_TIME = 1000


class Phase(Enum):
    """What is done one after the other, and what its progress is counted in."""

    TAGS = "tags"
    FILES = "bytes of layers"


Watch = Callable[[Phase], AbstractContextManager[CrawlProgress]]
"""Shows the progress of a phase, for as long as a block runs."""


def _unwatched(phase: Phase) -> AbstractContextManager[CrawlProgress]:
    return contextlib.nullcontext(NO_PROGRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlSettings:
    """How to crawl. ``jobs``: requests at a time; ``executor``: where they are made, by default
    in threads of this process; ``files``: how the layers' files are read, None where they are not
    asked for; ``clock``: seconds since 1970."""

    options: RegistryOptions = DEFAULT_OPTIONS
    jobs: int = DEFAULT_JOBS
    executor: Executor | None = None
    files: FilesSettings | None = None
    watch: Watch = _unwatched
    clock: Callable[[], float] = time.time

    def workers(self) -> AbstractContextManager[Submit]:
        """Where questions are answered, for as long as a block runs."""
        if self.executor is not None:
            return crawl_workers.executor(self.executor)
        return crawl_workers.threads(self.jobs)


def crawl(request: CrawlRequest, catalogue: Catalogue, settings: CrawlSettings) -> CrawlOutcome:
    """Look at all that is requested, and write what is found.

    Raises LayerlensError where a registry does not list its repositories, or the catalogue can't
    be written; what else goes wrong stands in the outcome.
    """
    now = int(settings.clock())
    run = catalogue.start_run(request.scope, now=now)
    desk = Desk(catalogue, run, settings.options, settings.clock)
    resumed = run.state is not None or catalogue.counts(run).repositories > 0
    catalogue.retry_failures(run)
    files = None
    with settings.workers() as submit:
        with settings.watch(Phase.TAGS) as desk.progress:
            queue_targets(request, desk)
            asked = _look_at_all(request, desk, submit, settings.jobs)
        if settings.files is not None:
            with settings.watch(Phase.FILES) as desk.progress:
                files = list_all_files(desk, settings.files, submit, settings.jobs)
    desk.close()
    if not desk.silent:
        run = catalogue.finish_run(run, now=desk.now())
    return CrawlOutcome(
        title=request.title,
        run=run,
        resumed=resumed,
        counts=catalogue.counts(run),
        changes=catalogue.changes(run),
        failures=catalogue.failures(run),
        asked=asked,
        rate_limit=next((limit for limit in desk.rate_limits.values() if limit), None),
        silent=tuple(desk.silent.values()),
        files=files,
    )


def last_outcome(catalogue: Catalogue) -> CrawlOutcome | None:
    """How the last crawl into a catalogue ended, or how far it is; None if there was none."""
    run = catalogue.last_run()
    if run is None:
        return None
    return CrawlOutcome(
        title=run.scope,
        run=run,
        resumed=False,
        counts=catalogue.counts(run),
        changes=catalogue.changes(run),
        failures=catalogue.failures(run),
        asked=None,
        rate_limit=None,
        silent=(),
        files=None,
    )


def _look_at_all(request: CrawlRequest, desk: Desk, submit: Submit, jobs: int) -> Asked:
    counts = desk.catalogue.counts(desk.run)
    desk.expect_repositories(counts.repositories - counts.repositories_done)
    schedule = Schedule(submit, jobs, desk.catalogue.transaction, desk.is_hopeless)
    schedule.run(Group(_repositories(request, desk), 2 * jobs))
    count = schedule.handed_out
    return Asked(
        tag_lists=count[list_tags],
        tags=count[resolve_tag] + count[read_tag],
        manifests=count[read_manifest],
        configs=count[read_config],
    )


def _repositories(request: CrawlRequest, desk: Desk) -> Iterator[Task]:
    targets = TargetIndex(request.targets)
    after = 0
    while pending := desk.catalogue.pending_repositories(
        desk.run, after=after, most=_REPOSITORIES_AT_A_TIME
    ):
        for repository in pending:
            yield RepositoryCrawl(request, targets, desk, repository).task()
        after = pending[-1].key
