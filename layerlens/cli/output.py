"""Where a command writes: data to stdout or to ``-o FILE``, notes and progress to stderr.

Data is UTF-8 whatever the locale, so that it is the same bytes everywhere. What the terminal is
like (colour, width) is decided here, once; making text safe for it is `layerlens.report`'s task.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from typing import BinaryIO, Protocol, TextIO

from layerlens.cli.atomic_file import AtomicFile
from layerlens.cli.progress import BYTES, Progress, SilentProgress, TerminalProgress, Unit
from layerlens.cli.standard_streams import StandardOutput, abandon
from layerlens.errors import UsageError
from layerlens.report.colour import ANSI, PLAIN, Palette
from layerlens.report.safe_text import escape, escape_message

_STDOUT_NAMES = frozenset({"-", "/dev/stdout"})


class Destination(Protocol):
    """Where data goes; ends with one call of `commit` or of `discard`."""

    @property
    def stream(self) -> BinaryIO:
        """A buffered stream."""

    def failure(self, error: OSError) -> Exception:
        """What to raise for an *error* in writing to the stream."""

    def commit(self) -> None:
        """All has been written."""

    def discard(self) -> None:
        """Writing has failed, or was given up."""


class Output:
    """What a command writes to; made by `open_output`.

    `palette` is how to colour data. `width` is the cells of a line on the terminal that data
    goes to; it is None where data goes elsewhere, and then nothing may be shortened.
    """

    def __init__(
        self,
        *,
        destination: Destination,
        notes: TextIO | None,
        palette: Palette,
        width: int | None,
    ) -> None:
        self._destination = destination
        self._stream = destination.stream
        self._notes = notes
        self._progress: Progress = SilentProgress()
        self.palette = palette
        self.width = width

    def write(self, text: str) -> None:
        """Write data; lone surrogates, which no data should hold, are shown as escapes."""
        self.write_bytes(text.encode("utf-8", "backslashreplace"))

    def write_raw(self, text: str) -> None:
        """Write text that was bytes once (a path, a link target) as those very bytes."""
        try:
            data = text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # a surrogate that never was a byte
            data = text.encode("utf-8", "surrogatepass")
        self.write_bytes(data)

    def write_bytes(self, data: bytes) -> None:
        """Write data as it stands."""
        try:
            self._stream.write(data)
        except OSError as error:
            raise self._destination.failure(error) from error

    def note(self, text: str) -> None:
        """Say something on stderr, on one line, escaped: how the input was understood, say."""
        self._say(f"layerlens: note: {escape_message(text)}\n")

    def warn(self, text: str) -> None:
        """Say on stderr, on one line, escaped, that something in the input is not as it should."""
        self._say(f"layerlens: warning: {escape_message(text)}\n")

    def progress(self, label: str, total: int | None = None, unit: Unit = BYTES) -> Progress:
        """A progress line on stderr, to be used in ``with`` and left before data is written.

        *total* is in *unit*; without it only what is done is shown. Nothing is drawn where stderr
        is no terminal.
        """
        if self._notes is None or not _is_terminal(self._notes):
            self._progress = SilentProgress()
        else:
            self._progress = TerminalProgress(
                stream=self._notes,
                label=escape(label),
                total=total,
                width=shutil.get_terminal_size().columns,
                unit=unit,
            )
        return self._progress

    def _say(self, line: str) -> None:
        if self._notes is None:
            return
        self._progress.clear()
        try:
            self._notes.write(line)
            self._notes.flush()
        except (OSError, ValueError):  # nobody is left to tell
            abandon(self._notes)


@contextlib.contextmanager
def open_output(path: str | None) -> Iterator[Output]:
    """The output to stdout (*path* None or ``-``) or to a file, which appears when the block ends.

    When the block raises, a file is left as it was. Raises OutputClosed where the reader of
    stdout has gone, OSError where the data cannot be written.
    """
    if path == "":
        raise UsageError("--output: the name of the file is empty")
    to_stdout = path is None or path in _STDOUT_NAMES
    destination: Destination = StandardOutput() if to_stdout else AtomicFile(str(path))
    on_terminal = to_stdout and destination.stream.isatty()
    try:
        yield Output(
            destination=destination,
            notes=sys.stderr,
            palette=_choose_palette(on_terminal=on_terminal),
            width=shutil.get_terminal_size().columns if on_terminal else None,
        )
    except BaseException:
        destination.discard()
        raise
    destination.commit()


def _choose_palette(*, on_terminal: bool) -> Palette:
    """NO_COLOR wins over FORCE_COLOR (https://no-color.org, https://force-color.org)."""
    if os.environ.get("NO_COLOR"):
        return PLAIN
    if os.environ.get("FORCE_COLOR", "0") not in {"", "0"}:
        return ANSI
    return ANSI if on_terminal and os.environ.get("TERM") != "dumb" else PLAIN


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # closed
        return False
