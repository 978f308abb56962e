"""Many small tasks waiting for answers at once: generators that yield what they want to know.

A task yields a `Job`, and is sent its answer or thrown its error; or it yields a `Group` of
further tasks, and goes on when they all are done. Tasks run in the thread of ``Schedule.run``
alone, between ``batch``'s beginning and end, as many as can go on at a time; jobs run wherever
they are submitted to. The same job asked for twice at once is done once.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeAlias, TypeVar, cast

from layerlens.source.registry.retrying import Check, never

JOBS_AHEAD = 4
"""For each that is at work so many are handed out, so that nobody waits for this thread."""

QuestionT = TypeVar("QuestionT")
AnswerT = TypeVar("AnswerT")


class Function(Protocol):
    """A plain function of a question; ``check`` is called while it waits, and raises to give up."""

    def __call__(self, question: object, check: Check = never, /) -> object: ...


@dataclass(frozen=True, slots=True)
class Job:
    """A plain function and its argument, both picklable and hashable."""

    function: Function
    question: object


@dataclass(frozen=True, slots=True)
class Group:
    """Tasks to be done before the one that yields them goes on; begun one by one, at most
    ``most`` at a time."""

    tasks: Iterator[Task]
    most: int


Task: TypeAlias = Generator[Job | Group, object, None]
Submit: TypeAlias = Callable[[Job], "Future[object]"]
Batch: TypeAlias = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Question(Generic[QuestionT, AnswerT]):
    """A function whose answer a task waits for: ``answer = yield from Question(f).ask(x)``."""

    function: Callable[[QuestionT, Check], AnswerT]

    def ask(self, question: QuestionT) -> Generator[Job | Group, object, AnswerT]:
        """The answer; raises what the function raises."""
        function = cast("Function", self.function)
        return cast("AnswerT", (yield Job(function, question)))


@dataclass(slots=True, eq=False)
class _Open:
    """A group while its tasks are done; ``parent`` waits for it."""

    tasks: Iterator[Task]
    most: int
    parent: _Running | None
    begun: int = 0
    ended: int = 0
    exhausted: bool = False

    @property
    def active(self) -> int:
        return self.begun - self.ended


@dataclass(slots=True, eq=False)
class _Running:
    """A task that was begun."""

    task: Task
    group: _Open


@dataclass(frozen=True, slots=True)
class _Ready:
    """A task that can go on."""

    running: _Running
    answer: object = None
    error: BaseException | None = None


def _never_hopeless(question: object) -> bool:
    return False


@dataclass(slots=True)
class Schedule:
    """``jobs``: how many are at work at once where they are submitted to. ``hopeless``: whether a
    question that waits there need not be asked any more; CancelledError is its answer then.
    ``handed_out``: how many there were of each function."""

    submit: Submit
    jobs: int
    batch: Batch
    hopeless: Callable[[object], bool] = _never_hopeless
    handed_out: Counter[object] = field(default_factory=Counter)
    _ready: deque[_Ready] = field(default_factory=deque)
    _groups: deque[_Open] = field(default_factory=deque)
    _waiting: dict[Job, list[_Running]] = field(default_factory=dict)
    _futures: dict[Future[object], Job] = field(default_factory=dict)
    _arrived: SimpleQueue[Future[object]] = field(default_factory=SimpleQueue)

    def run(self, group: Group) -> None:
        """Do the tasks. What a task raises ends it all, and no further job is begun."""
        self._open(group, None)
        try:
            arrived: list[Future[object]] = []
            while True:
                with self.batch():
                    for future in arrived:
                        self._take(future)
                    self._begin()
                if not self._futures:
                    return
                self._cancel_hopeless()
                arrived = self._await()
        finally:
            for future in self._futures:
                future.cancel()

    def _take(self, future: Future[object]) -> None:
        """Let all go on who waited for this answer; who asks the same meanwhile gets it too."""
        error: BaseException | None
        try:
            error = future.exception()
        except CancelledError as cancelled:
            error = cancelled
        answer = None if error is not None else future.result()
        waiting = self._waiting[self._futures[future]]
        while waiting:
            self._ready.append(_Ready(waiting.pop(), answer, error))
            self._go_on()
        del self._waiting[self._futures.pop(future)]

    def _begin(self) -> None:
        """Begin tasks until as many jobs are handed out as may be, or all wait for answers."""
        while len(self._futures) < JOBS_AHEAD * self.jobs and self._begin_one():
            self._go_on()

    def _go_on(self) -> None:
        while self._ready:
            self._advance(self._ready.popleft())

    def _begin_one(self) -> bool:
        """Begin the next task: each group in turn; while several have some to begin, none that a
        task waits for may have more than half of all jobs, lest it keep the others waiting."""
        share = max(1, self.jobs // 2) if len(self._groups) > 1 else None
        for _ in range(len(self._groups)):
            group = self._groups[0]
            self._groups.rotate(-1)
            limited = share is not None and group.parent is not None
            most = min(group.most, share or 1) if limited else group.most
            if group.active < most and self._begin_next_of(group):
                return True
        return False

    def _begin_next_of(self, group: _Open) -> bool:
        task = next(group.tasks, None)
        if task is None:
            group.exhausted = True
            self._groups.remove(group)
            self._close_if_done(group)
            return bool(self._ready)
        group.begun += 1
        self._ready.append(_Ready(_Running(task, group)))
        return True

    def _advance(self, ready: _Ready) -> None:
        running = ready.running
        try:
            if ready.error is not None:
                wanted = running.task.throw(ready.error)
            else:
                wanted = running.task.send(ready.answer)
        except StopIteration:
            running.group.ended += 1
            self._close_if_done(running.group)
            return
        match wanted:
            case Group():
                self._open(wanted, running)
            case Job():
                self._hand_out(wanted, running)

    def _open(self, group: Group, parent: _Running | None) -> None:
        self._groups.appendleft(_Open(group.tasks, group.most, parent))

    def _close_if_done(self, group: _Open) -> None:
        if group.exhausted and not group.active and group.parent is not None:
            self._ready.append(_Ready(group.parent))

    def _hand_out(self, job: Job, running: _Running) -> None:
        waiting = self._waiting.get(job)
        if waiting is not None:
            waiting.append(running)
            return
        self._waiting[job] = [running]
        self.handed_out[job.function] += 1
        future = self.submit(job)
        self._futures[future] = job
        future.add_done_callback(self._arrived.put)

    def _cancel_hopeless(self) -> None:
        for future, job in self._futures.items():
            if self.hopeless(job.question):
                future.cancel()

    def _await(self) -> list[Future[object]]:
        """Wait for an answer; all that are there."""
        arrived = [self._arrived.get()]
        try:
            while True:
                arrived.append(self._arrived.get_nowait())
        except Empty:
            return arrived
