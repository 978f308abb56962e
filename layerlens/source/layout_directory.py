"""An image archive unpacked to a directory, an OCI layout above all: regular files only."""

from __future__ import annotations

import errno
import os

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.oci.quoting import quoted
from layerlens.source.blob_location import BlobLocation, FileRange, open_regular
from layerlens.source.member_store import missing

_NAMES_NO_FILE = (errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO)


class LayoutDirectory:
    """The files below a directory. Implements MemberStore."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._real_path = os.path.realpath(path)

    @property
    def where(self) -> str:
        """Names the directory in errors."""
        return self._path

    def find(self, name: str) -> BlobLocation | None:
        """Where the file stands; see MemberStore. A pipe or device is MalformedInput."""
        if "\0" in name:
            return None
        real = os.path.realpath(os.path.join(self._real_path, name))
        if os.path.commonpath([real, self._real_path]) != self._real_path:
            raise MalformedInput(f"{self._path}: {quoted(name)} is a link that leads out of it")
        try:
            descriptor = open_regular(real, f"{self._path}: {quoted(name)}")
        except FileNotFoundError:
            if os.path.islink(os.path.join(self._real_path, name)):
                raise MalformedInput(
                    f"{self._path}: {quoted(name)} is a link to nothing, or in a loop of links"
                ) from None
            return None
        except NotADirectoryError:
            return None
        except OSError as error:
            if error.errno not in _NAMES_NO_FILE:
                raise
            raise MalformedInput(
                f"{self._path}: {quoted(name)} can't be opened: {os.strerror(error.errno)}"
            ) from error
        try:
            return FileRange(real, 0, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

    def read(self, name: str, limit: int) -> bytes:
        """The file's bytes; see MemberStore."""
        location = self.find(name)
        if not isinstance(location, FileRange):
            raise missing(self._path, name)
        if location.size > limit:
            raise LimitExceeded(
                f"{self._path}: {quoted(name)} has {location.size} bytes, at most {limit} are read"
            )
        return b"".join(location.chunks())
