"""A process that reads one layer after another for this one, and tells how far it is.

A new interpreter, not a fork of this one: it may have threads, and what they hold would be held
for ever in the copy. It ends when this one does, in whatever way that happens.
"""

from __future__ import annotations

import contextlib
import gc
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import IO

from layerlens.errors import LayerlensError
from layerlens.layer_job import JobResult, LayerJob, read_job

_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from layerlens.layer_process import serve; serve(sys.stdin.buffer, sys.stdout.buffer)"
)
_HELLO = 0
_TOLD_EVERY = 1 << 20
"""Stored bytes after which the other side hears of them."""


class NotStarted(Exception):
    """No such process can be had."""


class _Ended(Exception):
    """Nothing more comes from the other side."""


class ProcessLost(LayerlensError):
    """The process that read a layer ended before it had."""


class LayerProcess:
    """Reads layers elsewhere; to be closed. One layer at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._heard_of = False
        with contextlib.suppress(OSError, ValueError):  # told of by NotStarted
            self._process = subprocess.Popen(  # noqa: S603 - this very interpreter
                [sys.executable, "-c", _PROGRAM, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                process_group=0,  # an interrupt at the terminal is this side's to deal with
            )

    def read(self, job: LayerJob, threads: int, tell: Callable[[int], None]) -> JobResult:
        """The layer, read by ``threads`` there; ``tell`` is called with bytes as they are read,
        and may raise. Raises NotStarted, what ``read_job`` raises there, and ProcessLost."""
        if not self._heard_of:
            self._wait_for_hello()
        self._send((job, threads), job)
        while True:
            message = self._receive(job)
            if isinstance(message, int):
                tell(message)
            elif isinstance(message, bytes):
                return JobResult.decoded(message)
            elif isinstance(message, BaseException):
                raise message

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                with contextlib.suppress(OSError):  # something was still to be written
                    pipe.close()

    def _wait_for_hello(self) -> None:
        try:
            hello = self._next_message()
        except _Ended:
            raise NotStarted from None
        if hello != _HELLO:
            raise NotStarted
        self._heard_of = True

    def _send(self, message: object, job: LayerJob) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            _write(self._process.stdin, message)
        except (OSError, ValueError):
            raise self._lost(job) from None

    def _receive(self, job: LayerJob) -> object:
        try:
            return self._next_message()
        except _Ended:
            raise self._lost(job) from None

    def _next_message(self) -> object:
        if self._process is None:
            raise _Ended
        assert self._process.stdout is not None
        try:
            message: object = pickle.load(self._process.stdout)  # noqa: S301 - our own process
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            raise _Ended from None
        return message

    def _lost(self, job: LayerJob) -> ProcessLost:
        assert self._process is not None
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            code = 0
        how = f" by signal {-code}" if code < 0 else ""
        return ProcessLost(f"{job.where}: the process that read it was ended{how}")


def serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """The other side: read the layers that are asked for, until no more can be."""
    sys.stdout = sys.stderr  # nothing else may come between the answers
    gc.disable()  # a million entries would be gone through again and again, and none is in a cycle
    _write(answers, _HELLO)
    while True:
        try:
            job, threads = pickle.load(asked)  # noqa: S301 - our own process
        except EOFError:
            return
        waiting = 0

        def tell(count: int) -> None:
            nonlocal waiting
            waiting += count
            if waiting >= _TOLD_EVERY:
                _write(answers, waiting)
                waiting = 0

        answer: bytes | Exception
        try:
            answer = read_job(job, threads, tell)
        except Exception as error:  # noqa: BLE001 - raised on the side that asked
            answer = error
        if waiting:
            _write(answers, waiting)
        _write(answers, answer)


def _write(pipe: IO[bytes], message: object) -> None:
    pickle.dump(message, pipe, pickle.HIGHEST_PROTOCOL)
    pipe.flush()
