"""Writes a file of an image to disk: whole or not at all, and over nothing without being told."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable

from layerlens.errors import UsageError
from layerlens.report.safe_text import escape


class AlreadyThere(UsageError):
    """A file of that name exists, and nobody said that it may be replaced."""


def offered_name(path: str) -> str:
    """The name under which to save a file of an image, its odd characters escaped."""
    return escape(path.rpartition("/")[2]) or "root"


def save_file(target: str, content: Iterable[bytes], mode: int, *, replace: bool) -> int:
    """Write the content under the name ``target``; the number of bytes written.

    ``mode``: permission bits; the umask and the special bits are taken off. Raises AlreadyThere
    unless ``replace``, UsageError for what is no regular file, OSError, and what reading the
    content raises; then nothing is left behind.
    """
    target = os.path.expanduser(target)
    _check_target(target, replace=replace)
    directory = os.path.dirname(target) or "."
    temporary = os.path.join(directory, f".layerlens-{os.urandom(8).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, mode & 0o777 | 0o600)
    except OSError as error:
        raise OSError(error.errno, error.strerror, target) from error
    try:
        with open(descriptor, "wb") as file:
            written = sum(file.write(piece) for piece in content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(temporary, target)
        else:
            _put_in_place(temporary, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    return written


def _check_target(target: str, *, replace: bool) -> None:
    if not target.strip() or target.endswith("/"):
        raise UsageError("the name of a file is needed")
    try:
        found = os.lstat(target)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{target}: is there, and no regular file")
    if not replace:
        raise AlreadyThere(f"{target}: exists already")


def _put_in_place(temporary: str, target: str) -> None:
    """Give the file its name unless something has taken it meanwhile."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise AlreadyThere(f"{target}: exists already") from None
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise AlreadyThere(f"{target}: exists already") from None
        os.replace(temporary, target)
