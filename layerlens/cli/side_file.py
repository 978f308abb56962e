"""Files that a command writes beside its output (``--junit FILE``), whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping

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


def check_distinct(named: Mapping[str, str | None]) -> None:
    """Raise UsageError where two of these options, by their names, name one file: what the first
    writes would be gone. Devices and pipes take both."""
    seen: dict[str, str] = {}
    for option, path in named.items():
        if not path or path == "-":
            continue
        target = os.path.realpath(path)
        if target in seen and not _takes_both(target):
            raise UsageError(f"{seen[target]} and {option} name one file: {path}")
        seen.setdefault(target, option)


def _takes_both(path: str) -> bool:
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:  # it is not there yet
        return False
