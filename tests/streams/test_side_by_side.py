"""Work in several threads: all of it done, the first error raised, nobody held up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from layerlens.errors import NotFound
from layerlens.streams.overlap import overlapped
from layerlens.streams.side_by_side import STOPPING_SECONDS, done_side_by_side

NAME = "side-by-side"


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Set when the test is over: what a silent server comes to at last."""
    event = threading.Event()
    yield event
    event.set()
    for thread in threading.enumerate():
        if thread.name.startswith((NAME, "layerlens-overlap")):
            thread.join(5)
            assert not thread.is_alive()


def squares(count: int, threads: int) -> list[tuple[int, int]]:
    stopped = threading.Event()
    found = list(
        done_side_by_side(
            lambda number: number * number,
            range(count),
            threads=threads,
            stopped=stopped,
            name=NAME,
        )
    )
    assert stopped.is_set()
    return sorted(found)


@pytest.mark.parametrize("threads", [1, 3, 50])
def test_all_is_done_once(threads: int) -> None:
    assert squares(20, threads) == [(number, number * number) for number in range(20)]
    assert squares(0, threads) == []


def test_no_more_threads_than_asked_for(released: threading.Event) -> None:
    at_work, most = 0, 0
    lock = threading.Lock()

    def work(number: int) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.01)
        with lock:
            at_work -= 1
        return number

    stopped = threading.Event()
    assert len(list(done_side_by_side(work, range(9), threads=3, stopped=stopped, name=NAME))) == 9
    assert most == 3


def test_an_error_is_not_held_up_by_work_that_hangs(released: threading.Event) -> None:
    def work(number: int) -> int:
        if number == 1:
            raise NotFound("gone")
        released.wait(30)
        return number

    stopped = threading.Event()
    started = time.monotonic()
    with pytest.raises(NotFound, match="gone"):
        list(done_side_by_side(work, range(4), threads=2, stopped=stopped, name=NAME))
    assert time.monotonic() - started < STOPPING_SECONDS + 2
    assert stopped.is_set()


def test_what_has_not_begun_when_it_is_closed_never_does(released: threading.Event) -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number:
            released.wait(30)
        return number

    stopped = threading.Event()
    done = done_side_by_side(work, range(100), threads=2, stopped=stopped, name=NAME)
    assert next(done) == (0, 0)
    started = time.monotonic()
    done.close()
    assert time.monotonic() - started < STOPPING_SECONDS + 2
    released.set()
    time.sleep(0.05)
    assert len(begun) < 10


def test_a_stage_that_hangs_holds_nobody_up(released: threading.Event) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"first"
        released.wait(30)
        yield b"second"

    stage = overlapped(chunks())
    assert next(stage) == b"first"
    started = time.monotonic()
    stage.close()
    assert time.monotonic() - started < STOPPING_SECONDS + 2
