"""Where a crawl's questions are answered: by threads of this process, or by any executor."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from layerlens.audit.crawl_schedule import Job, Submit
from layerlens.errors import LayerlensError


class GivenUp(LayerlensError):
    """Nobody waits for the answer any more."""


@contextlib.contextmanager
def threads(count: int) -> Iterator[Submit]:
    """So many threads for as long as the block runs; whoever waits then for a registry that has
    asked to be left alone gives up."""
    stopped = threading.Event()

    def check() -> None:
        if stopped.is_set():
            raise GivenUp("given up")

    pool = ThreadPoolExecutor(count, thread_name_prefix="layerlens-audit")
    try:
        yield lambda job: pool.submit(job.function, job.question, check)
    finally:
        stopped.set()
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def executor(lent: Executor) -> Iterator[Submit]:
    """An executor that is somebody else's: one that speaks to other processes or machines, say."""

    def submit(job: Job) -> Future[object]:
        return lent.submit(job.function, job.question)

    yield submit
