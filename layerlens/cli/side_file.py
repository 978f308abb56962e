"""Files that a command writes beside its output (``--junit FILE``), whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from layerlens.cli.atomic_file import AtomicFile
from layerlens.errors import UsageError


class SideFile:
    """A file that is written when the block of `side_file` ends well."""

    def __init__(self, file: AtomicFile) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write text as UTF-8; raises OSError with the file's name."""
        try:
            self._file.stream.write(text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise self._file.failure(error) from error


@contextlib.contextmanager
def side_file(path: str, option: str) -> Iterator[SideFile]:
    """The file at *path*, which *option* named; opened now, so that a mistake is told early.

    Raises UsageError for no name and for ``-``, which would mix it with the command's output.
    """
    if path in ("", "-"):
        raise UsageError(f"{option}: name a file; stdout has the command's own output")
    file = AtomicFile(path)
    try:
        yield SideFile(file)
    except BaseException:
        file.discard()
        raise
    file.commit()
