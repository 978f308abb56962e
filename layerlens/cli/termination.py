"""What a request to end (SIGTERM, SIGHUP) does: what an interrupt from the keyboard does.

Left to themselves they end the process on the spot, and leave behind the file beside ``-o FILE``
that was to become it, and temporary files.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType


class Terminated(KeyboardInterrupt):
    """Somebody asked the process to end, by the signal ``number``."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def unwinding() -> Iterator[None]:
    """Raise Terminated in the block where a signal would end the process.

    Once the block has been left, the process ends by that signal, so that whoever sent it sees
    so. A signal that is ignored (``nohup``) or handled already stays as it is, and where signals
    can't be handled, outside the main thread, nothing changes.
    """
    taken: list[signal.Signals] = []
    try:
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                with contextlib.suppress(ValueError):
                    signal.signal(number, _raise_terminated)
                    taken.append(number)
        yield
    except Terminated as terminated:
        _give_back(taken)
        os.kill(os.getpid(), terminated.number)
        raise
    finally:
        _give_back(taken)


def _give_back(taken: list[signal.Signals]) -> None:
    for number in taken:
        signal.signal(number, signal.SIG_DFL)


def _raise_terminated(number: int, frame: FrameType | None) -> None:
    raise Terminated(number)
