"""Tasks that wait for answers: as many as may be at once, each job once, none left behind."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor

import pytest

from layerlens.audit import crawl_workers
from layerlens.audit.crawl_schedule import (
    JOBS_AHEAD,
    Group,
    Job,
    Question,
    Schedule,
    Submit,
    Task,
)
from layerlens.source.registry.retrying import Check, never


def doubled(number: int, check: Check = never) -> int:
    """A question of the tests; odd ones are refused."""
    if number % 2:
        raise ValueError(number)
    return number * 2


_DOUBLED = Question(doubled)


def schedule(submit: Submit, jobs: int = 2) -> Schedule:
    return Schedule(submit, jobs, contextlib.nullcontext)


def asking(numbers: Iterator[int] | range, answers: list[int | str]) -> Iterator[Task]:
    """A task for each number."""
    return (_asking(number, answers) for number in numbers)


def _asking(number: int, answers: list[int | str]) -> Task:
    try:
        answers.append((yield from _DOUBLED.ask(number)))
    except ValueError as error:
        answers.append(f"no {error}")


def test_answers_and_errors_come_back_to_who_asked() -> None:
    answers: list[int | str] = []
    with crawl_workers.threads(3) as submit:
        schedule(submit, 3).run(Group(asking(range(6), answers), 3))
    assert sorted(map(str, answers)) == sorted(["0", "no 1", "4", "no 3", "8", "no 5"])


def test_questions_can_be_answered_by_other_processes() -> None:
    answers: list[int | str] = []
    with ProcessPoolExecutor(1) as pool, crawl_workers.executor(pool) as submit:
        schedule(submit).run(Group(asking(range(4), answers), 4))
    assert sorted(map(str, answers)) == sorted(["0", "no 1", "4", "no 3"])


class _Later:
    """Answers when a test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Job, Future[object]]] = []
        self.most = 0

    def __call__(self, job: Job) -> Future[object]:
        future: Future[object] = Future()
        self.waiting.append((job, future))
        self.most = max(self.most, len(self.waiting))
        return future

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """One answer is there whenever tasks have gone on."""
        yield
        if self.waiting:
            job, future = self.waiting.pop(0)
            future.set_result(job.question)


def test_no_more_jobs_are_handed_out_than_are_worth_while() -> None:
    later = _Later()
    done: list[int | str] = []
    made = Schedule(later, 2, later.batch)
    made.run(Group(asking(range(0, 100, 2), done), 100))
    assert len(done) == 50
    assert later.most == JOBS_AHEAD * 2


def test_a_group_begins_no_more_tasks_than_it_may() -> None:
    open_now = most = 0

    def task() -> Task:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        yield from _DOUBLED.ask(0)
        open_now -= 1

    with crawl_workers.threads(4) as submit:
        schedule(submit, 4).run(Group((task() for _ in range(20)), 3))
    assert (open_now, most) == (0, 3)


def test_the_same_question_at_once_is_asked_once() -> None:
    later = _Later()
    done: list[int | str] = []
    made = Schedule(later, 4, later.batch)
    made.run(Group((_asking(2, done) for _ in range(8)), 8))
    assert done == [2] * 8
    assert made.handed_out[doubled] == 1


def test_a_task_goes_on_when_all_of_its_group_are_done() -> None:
    done: list[int | str] = []

    def parent() -> Task:
        yield Group(asking(range(0, 10, 2), done), 2)
        done.append("all")
        yield Group(iter(()), 1)
        done.append("none")
        yield from _asking(2, done)

    with crawl_workers.threads(2) as submit:
        schedule(submit).run(Group(iter([parent()]), 1))
    assert len(done) == 8
    assert done[5:] == ["all", "none", 4]


def test_one_group_does_not_keep_the_others_from_going_on() -> None:
    """A group whose jobs do not end holds half of them, not all, as long as others have some."""
    hanging: list[Future[object]] = []
    done: list[int | str] = []
    most: list[int] = []

    def let_go() -> None:
        for future in hanging:
            future.cancel()

    @contextlib.contextmanager
    def batch() -> Iterator[None]:
        yield
        if len(done) < 10:  # the other group has some to begin
            most.append(len(hanging))
        if len(done) == 30:
            let_go()

    def hang(number: int) -> Task:
        with contextlib.suppress(CancelledError):
            yield from _DOUBLED.ask(number)

    def stuck() -> Task:
        yield Group((hang(number) for number in range(1000, 1040, 2)), 50)

    def flowing() -> Task:
        yield Group(asking(range(0, 60, 2), done), 50)

    def submit_or_hang(job: Job) -> Future[object]:
        if isinstance(job.question, int) and job.question < 1000:
            return submit(job)
        hanging.append(Future())
        return hanging[-1]

    guard = threading.Timer(10, let_go)
    guard.start()
    with crawl_workers.threads(1) as submit:
        Schedule(submit_or_hang, 4, batch).run(Group(iter([stuck(), flowing()]), 2))
    assert guard.is_alive()
    guard.cancel()
    guard.join()
    assert len(done) == 30
    assert max(most) == 2


def test_what_a_task_raises_ends_all_and_nothing_more_is_asked() -> None:
    later = _Later()

    def failing() -> Task:
        yield from _DOUBLED.ask(0)
        raise RuntimeError("disk full")

    made = Schedule(later, 1, later.batch)
    with pytest.raises(RuntimeError, match="disk full"):
        made.run(Group(iter([failing(), _asking(2, []), _asking(4, [])]), 3))
    assert all(future.cancelled() for _, future in later.waiting)


def test_what_nobody_will_answer_is_not_waited_for() -> None:
    """What waits behind a job that hangs goes on at once when there is no hope left."""
    silent = threading.Event()
    given_up: list[int] = []

    def asked(number: int) -> Task:
        try:
            yield from Question(doubled).ask(number)
        except CancelledError:
            given_up.append(number)
        silent.set()

    def submit_once(job: Job) -> Future[object]:
        future: Future[object] = Future()
        if job.question == 0:
            future.set_running_or_notify_cancel()
            future.set_result(0)
        return future

    def hopeless(question: object) -> bool:
        return silent.is_set()

    made = Schedule(submit_once, 1, contextlib.nullcontext, hopeless)
    made.run(Group(map(asked, (0, 2, 6)), 3))
    assert given_up == [2, 6]


def waiting_for_ever(number: int, check: Check = never) -> int:
    """A question whose answer never comes."""
    while True:
        check()
        threading.Event().wait(0.01)


def test_threads_that_wait_are_told_to_give_up() -> None:
    question = Question(waiting_for_ever)

    def asks() -> Task:
        yield from question.ask(1)

    def fails() -> Task:
        yield from _DOUBLED.ask(0)
        raise RuntimeError("over")

    with pytest.raises(RuntimeError, match="over"), crawl_workers.threads(2) as submit:
        schedule(submit).run(Group(iter([asks(), fails()]), 2))
