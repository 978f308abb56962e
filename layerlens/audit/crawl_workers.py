"""Where a crawl's questions are answered: by threads of this process, or by any executor."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from queue import SimpleQueue

from layerlens.audit.crawl_schedule import Job, Submit
from layerlens.errors import LayerlensError
from layerlens.streams.side_by_side import STOPPING_SECONDS


class GivenUp(LayerlensError):
    """Nobody waits for the answer any more."""


@contextlib.contextmanager
def threads(count: int) -> Iterator[Submit]:
    """So many threads for as long as the block runs; whoever waits then for a registry that has
    asked to be left alone gives up, and who waits for one that is silent is left behind."""
    stopped = threading.Event()
    waiting: SimpleQueue[tuple[Job, Future[object]] | None] = SimpleQueue()

    def check() -> None:
        if stopped.is_set():
            raise GivenUp("given up")

    def submit(job: Job) -> Future[object]:
        future: Future[object] = Future()
        waiting.put((job, future))
        return future

    def answer() -> None:
        while (asked := waiting.get()) is not None:
            job, future = asked
            if stopped.is_set() or not future.set_running_or_notify_cancel():
                continue
            try:
                result = job.function(job.question, check)
            except BaseException as error:  # noqa: BLE001 - raised where the answer is waited for
                future.set_exception(error)
            else:
                future.set_result(result)
            del asked, future

    started = [
        threading.Thread(target=answer, name=f"layerlens-audit-{number}", daemon=True)
        for number in range(count)
    ]
    for thread in started:
        thread.start()
    try:
        yield submit
    finally:
        stopped.set()
        for _ in started:
            waiting.put(None)
        until = time.monotonic() + STOPPING_SECONDS
        for thread in started:
            thread.join(max(until - time.monotonic(), 0))


@contextlib.contextmanager
def executor(lent: Executor) -> Iterator[Submit]:
    """An executor that is somebody else's: one that speaks to other processes or machines, say."""

    def submit(job: Job) -> Future[object]:
        return lent.submit(job.function, job.question)

    yield submit
