"""One stage of a pipeline moved to a thread of its own, to work while the next one does."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator, Iterator

from layerlens.streams.side_by_side import STOPPING_SECONDS

DEPTH = 3
"""Chunks that may wait between two stages."""


def overlapped(chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """The same chunks, made ahead in a thread; its error is raised here, where it was reached.

    The thread ends when the chunks do, or soon after this iterator is closed; one that waits for
    a chunk then is left behind until that comes.
    """
    waiting: queue.Queue[bytes | BaseException | None] = queue.Queue(DEPTH)
    closed = threading.Event()

    def produce() -> None:
        last: BaseException | None = None
        try:
            for chunk in chunks:
                waiting.put(chunk)
                if closed.is_set():
                    break
        except BaseException as error:  # noqa: BLE001 - handed over, and raised by the consumer
            last = error
        waiting.put(last)

    thread = threading.Thread(target=produce, name="layerlens-overlap", daemon=True)
    thread.start()
    try:
        while True:
            item = waiting.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        closed.set()
        until = time.monotonic() + STOPPING_SECONDS
        while thread.is_alive() and time.monotonic() < until:
            try:
                waiting.get_nowait()
            except queue.Empty:
                thread.join(0.01)
