"""One stage of a pipeline moved to a thread of its own, to work while the next one does."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator

DEPTH = 3
"""Chunks that may wait between two stages."""


def overlapped(chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """The same chunks, made ahead in a thread; its error is raised here, where it was reached.

    The thread ends when the chunks do, or soon after this iterator is closed.
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
        while thread.is_alive():
            try:
                waiting.get_nowait()
            except queue.Empty:
                thread.join(0.01)
