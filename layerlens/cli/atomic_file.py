"""A file that appears under its name when it is whole, and not before.

Meant to end as shell redirection would: a symlink stays and its target is replaced, an existing
file keeps its permissions, and what is no regular file is written to as it stands.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

_BUFFER_SIZE = 1 << 18


class AtomicFile:
    """A file being written; ends with one call of `commit` or of `discard`.

    OSErrors name the path that was asked for, never the temporary file beside it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._target = os.path.realpath(path)
        self._temporary: str | None = None
        with self._naming_path():
            self.stream: BinaryIO = self._open()

    def failure(self, error: OSError) -> OSError:
        """An *error* in writing to the stream, with the name of the file in it."""
        return OSError(error.errno, error.strerror, self._path)

    def commit(self) -> None:
        """Put the file under its name, on disk; raises OSError with nothing left behind."""
        try:
            with self._naming_path():
                self.stream.flush()
                if self._temporary is not None:
                    os.fsync(self.stream.fileno())
                self.stream.close()
                if self._temporary is not None:
                    os.replace(self._temporary, self._target)
                    self._temporary = None
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Leave everything as it was; of a device or pipe, what was written stays written."""
        with contextlib.suppress(OSError):
            self.stream.close()
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary)
            self._temporary = None

    def _open(self) -> BinaryIO:
        try:
            existing = os.stat(self._path)
        except FileNotFoundError:
            if self._path.endswith(os.sep):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)) from None
            return self._create_beside(None)
        names_descriptor = _names_descriptor(self._path)
        if stat.S_ISREG(existing.st_mode) and not names_descriptor:
            if not os.access(self._path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return self._create_beside(existing)
        append = os.O_APPEND if names_descriptor else 0  # what is behind it may have bytes already
        descriptor = os.open(self._path, os.O_WRONLY | append)
        return open(descriptor, "wb", buffering=_BUFFER_SIZE)

    def _create_beside(self, existing: os.stat_result | None) -> BinaryIO:
        directory = os.path.dirname(self._target)
        temporary = os.path.join(directory, f".layerlens-{os.urandom(8).hex()}.tmp")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        descriptor = os.open(temporary, flags, 0o666)  # less the umask, as redirection has it
        self._temporary = temporary
        if existing is not None:
            with contextlib.suppress(OSError):  # some file systems have no modes
                os.fchmod(descriptor, stat.S_IMODE(existing.st_mode))
        return open(descriptor, "wb", buffering=_BUFFER_SIZE)

    @contextlib.contextmanager
    def _naming_path(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self.failure(error) from error


def _names_descriptor(path: str) -> bool:
    """Whether *path* is another name of a file that this process has open already."""
    absolute = os.path.abspath(path)
    return absolute == "/dev/stderr" or absolute.startswith(("/dev/fd/", "/proc/"))
