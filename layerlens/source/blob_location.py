"""Where the bytes of a blob stand, as values that another process can be handed."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from layerlens.errors import MalformedInput, SizeMismatch
from layerlens.source.registry.registry_blob import RegistryBlob

READ_BYTES = 1 << 17


@dataclass(frozen=True, slots=True)
class FileRange:
    """``size`` bytes of the file at ``path``, from ``offset`` on."""

    path: str
    offset: int
    size: int

    def chunks(self) -> Generator[bytes, None, None]:
        """The bytes, in order. Raises SizeMismatch where the file ends before them."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        with naming(self.path), open(descriptor, "rb", buffering=0) as file:
            if self.offset:
                file.seek(self.offset)
            remaining = self.size
            while remaining:
                chunk = file.read(min(READ_BYTES, remaining))
                if not chunk:
                    raise SizeMismatch(f"{self.path}: ends {remaining} bytes too early")
                remaining -= len(chunk)
                yield chunk

    def identity(self) -> FileIdentity:
        """What tells whether the range may have changed since it was last read."""
        status = os.stat(self.path)
        return FileIdentity(
            device=status.st_dev,
            inode=status.st_ino,
            file_size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            ctime_ns=status.st_ctime_ns,
            offset=self.offset,
            size=self.size,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIdentity:
    """A range of a file at one time, by what the operating system says of the file."""

    device: int
    inode: int
    file_size: int
    mtime_ns: int
    ctime_ns: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class StreamMember:
    """A member of an archive that is read once, as it goes by; it can't be opened again."""

    name: str
    size: int


BlobLocation = FileRange | StreamMember | RegistryBlob


@contextlib.contextmanager
def naming(path: str) -> Iterator[None]:
    """Puts the name into an OSError of a file that is read: a disk's tells of none."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise OSError(error.errno, error.strerror, path) from error
        raise


def open_regular(path: str, where: str) -> int:
    """A file descriptor of a regular file; raises MalformedInput for a pipe, socket or device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise MalformedInput(f"{where}: is not a regular file")
    return descriptor
