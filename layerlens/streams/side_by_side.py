"""Work done in several threads at once, and left behind where it can't be stopped.

Unlike those of ``concurrent.futures``, the threads end with the process: one that a silent server
keeps waiting holds up neither an error of another nor the end of an interrupted command.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

STOPPING_SECONDS = 1.0
"""How long threads are waited for that were told to stop."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class _Raised:
    error: BaseException


def done_side_by_side(
    work: Callable[[_Item], _Result],
    items: Sequence[_Item],
    *,
    threads: int,
    stopped: threading.Event,
    name: str,
) -> Generator[tuple[_Item, _Result], None, None]:
    """Each item with what ``work`` makes of it, as soon as it is done; started in their order.

    Raises what ``work`` raises first. ``stopped`` is set when this ends, in whatever way: work
    that takes long should look at it. ``name``: of the threads.
    """
    waiting: queue.SimpleQueue[_Item] = queue.SimpleQueue()
    finished: queue.SimpleQueue[tuple[_Item, _Result | _Raised]] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)

    def do_what_waits() -> None:
        while not stopped.is_set():
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                result: _Result | _Raised = work(item)
            except BaseException as error:  # noqa: BLE001 - handed over, and raised there
                result = _Raised(error)
            finished.put((item, result))

    started = [
        threading.Thread(target=do_what_waits, name=f"{name}-{number}", daemon=True)
        for number in range(min(threads, len(items)))
    ]
    try:
        for thread in started:
            thread.start()
        for _ in items:
            item, result = finished.get()
            if isinstance(result, _Raised):
                raise result.error
            yield item, result
    finally:
        stopped.set()
        until = time.monotonic() + STOPPING_SECONDS
        for thread in started:
            if thread.is_alive():
                thread.join(max(until - time.monotonic(), 0))
