"""The terminal that a full-screen program needs, also while an image comes through stdin."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import TextIO

from layerlens.cli.image_options import is_stdin
from layerlens.errors import UsageError

_TERMINAL = "/dev/tty"
_PIECE = 1 << 18
_STOPPED_WITHIN = 0.1  # seconds


@contextlib.contextmanager
def terminal_for(names: Sequence[str], stop: threading.Event) -> Iterator[list[str]]:
    """Gives the names of images to open once keys can be read from stdin.

    An image on stdin is read from elsewhere then, under the name that stands in its place, until
    ``stop`` is set. Raises UsageError where there is no terminal, or two images on stdin.
    """
    piped = [name for name in names if is_stdin(name)]
    if len(piped) > 1:
        raise UsageError("only one of the images can come from stdin")
    if not _is_terminal(sys.stdout):
        raise UsageError(
            "browse needs a terminal to show images on; inspect, diff and ls write text"
        )
    if not _is_terminal(sys.stderr):  # which Textual draws on
        raise UsageError("browse draws on stderr, which is no terminal: do not redirect it")
    if not piped:
        if not _is_terminal(sys.stdin):
            raise UsageError("browse needs a terminal for its keys; stdin is none")
        yield list(names)
        return
    with _image_on_stdin(stop) as path:
        yield [f"{path}{name[1:]}" if is_stdin(name) else name for name in names]


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


@contextlib.contextmanager
def _image_on_stdin(stop: threading.Event) -> Iterator[str]:
    """The path under which stdin's bytes can be read, while stdin itself is the terminal."""
    source = os.dup(0)
    try:
        terminal = os.open(_TERMINAL, os.O_RDWR)
    except OSError as error:
        os.close(source)
        raise UsageError("browse needs a terminal for its keys; there is only stdin") from error
    os.dup2(terminal, 0)
    os.close(terminal)
    read_end, write_end = os.pipe()
    # A thread hands the bytes on, so that leaving need not wait for whoever is to write them.
    threading.Thread(target=_hand_on, args=(source, write_end, stop), daemon=True).start()
    try:
        yield f"/dev/fd/{read_end}"
    finally:
        stop.set()
        os.close(read_end)


def _hand_on(source: int, target: int, stop: threading.Event) -> None:
    try:
        while not stop.is_set():
            if not select.select([source], [], [], _STOPPED_WITHIN)[0]:
                continue
            piece = os.read(source, _PIECE)
            if not piece:
                break
            while piece:
                piece = piece[os.write(target, piece) :]
    except OSError:  # nobody reads any more
        pass
    finally:
        os.close(target)
        os.close(source)
