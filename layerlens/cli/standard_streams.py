"""Stdout as something that can end: a reader that leaves, a full disk, a closed descriptor."""

from __future__ import annotations

import errno
import os
import sys
from typing import BinaryIO, TextIO

_NAME = "standard output"


class OutputClosed(Exception):
    """Whoever read stdout has stopped reading; the command ends quietly."""


class StandardOutput:
    """Stdout's bytes; raises OSError where the process was started without a stdout."""

    def __init__(self) -> None:
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), _NAME)
        self._text = sys.stdout
        self.stream: BinaryIO = sys.stdout.buffer

    def failure(self, error: OSError) -> Exception:
        """OutputClosed for a reader that has gone, else an OSError that names stdout."""
        abandon(self._text)
        if isinstance(error, BrokenPipeError):
            return OutputClosed()
        return OSError(error.errno, error.strerror, _NAME)

    def commit(self) -> None:
        """Hand over what is still in the buffer; raises as `failure` says."""
        try:
            self._text.flush()
        except OSError as error:
            raise self.failure(error) from error

    def discard(self) -> None:
        """Hand over what was written, as far as it goes: data before an error stays data."""
        try:
            self._text.flush()
        except OSError:
            abandon(self._text)


def abandon(stream: TextIO) -> None:
    """Let *stream* lead nowhere, so that the interpreter's last flush of it cannot fail."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # closed, or no file at all
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
