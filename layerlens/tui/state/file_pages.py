"""A file of an image a page at a time: read as far as it is looked at, and no further.

A layer can only be read from its beginning, so what was read is kept, in memory while it is little
and in a temporary file after that. Where rows of text start is kept of one in `BLOCK_ROWS`; the
others are found by reading on from there.
"""

from __future__ import annotations

import tempfile
import threading
from array import array
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator

from layerlens.layer_jobs import Cancelled

HEX_ROW = 16
"""Bytes in a row of the hex view."""

LONGEST_ROW = 1000
"""Bytes of a line that one row shows; a longer line goes on in the next row."""

BLOCK_ROWS = 64
"""Rows of text whose starts are found together."""

_NEWLINE = ord("\n")
_SNIFFED = 8192
_IN_MEMORY = 1 << 20


class FilePages:
    """The bytes of one file that have been read so far. One thread reads, another looks.

    ``size``: the bytes that the layer lists for it. ``read``: those that are here.
    """

    def __init__(self, size: int, content: Iterator[bytes]) -> None:
        self.size = size
        self.read = 0
        self.ended = False
        self._content = content
        self._kept = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - see close
        self._lock = threading.Lock()
        # Of the text view: rows that have started, the last of which may be without its end, where
        # that one starts, and where every block of rows does.
        self._rows, self._last_start = 1, 0
        self._block_starts = array("Q", [0])
        # Lines that have ended, in all and before every block.
        self._lines, self._block_lines = 0, array("Q", [0])
        self._block: tuple[int, int, list[int]] = (-1, 0, [])
        self._closed = False
        self._failure: Exception | None = None
        self._reading = threading.Lock()

    def close(self) -> None:
        """Let go of the temporary file, and of the layer; reading that goes on ends soon."""
        with self._lock:
            self._closed = True
            self._kept.close()
        if self._reading.acquire(blocking=False):
            close_content(self._content)
            self._reading.release()

    def read_on(self, is_enough: Callable[[FilePages], bool]) -> None:
        """Read until there is enough, or the end. Raises what reading the content raises, and
        then again every time: what could be read is not all there is."""
        with self._reading:
            while not self.ended and not self._closed and not is_enough(self):
                if self._failure is not None:
                    raise self._failure
                try:
                    piece = next(self._content, None)
                except Exception as error:
                    self._failure = error
                    raise
                self._add(piece)
            if self._closed:
                close_content(self._content)

    def read_beyond(self, offset: int) -> None:
        """Have more than so many bytes, if the file has them. Raises what `read_on` raises, and
        Cancelled once the file is closed."""
        self.read_on(lambda pages: pages.read > offset)
        if self._closed:
            raise Cancelled("the file is closed")

    def _add(self, piece: bytes | None) -> None:
        with self._lock:
            if self._closed:
                return
            if piece is None:
                self.ended = True
                return
            self._kept.seek(self.read)
            self._kept.write(piece)
            self._note_rows(piece)
            self.read += len(piece)

    def _note_rows(self, piece: bytes) -> None:
        for start in _row_starts(piece, self._last_start - self.read):
            self._last_start = self.read + start
            self._lines += start > 0 and piece[start - 1] == _NEWLINE
            if not self._rows % BLOCK_ROWS:
                self._block_starts.append(self._last_start)
                self._block_lines.append(self._lines)
            self._rows += 1

    @property
    def text_rows(self) -> int:
        """Rows of the text view that are known; the last line may still grow."""
        with self._lock:
            empty_end = self._last_start == self.read and self._rows > 1
            return self._rows - empty_end

    @property
    def hex_rows(self) -> int:
        """Rows of the hex view, read or not."""
        return max(1, -(-self.size // HEX_ROW))

    def looks_like_text(self) -> bool:
        """Whether what was read first is UTF-8 without NULs."""
        start = self.bytes_at(0, _SNIFFED)
        if b"\0" in start:
            return False
        try:
            start.decode("utf-8")
        except UnicodeDecodeError as error:
            # A character may be cut in two where the look ended.
            return error.reason == "unexpected end of data" and error.end == len(start) >= _SNIFFED
        return True

    def text_row(self, row: int) -> str:
        """A row of the text view, without the end of its line; bytes that are not UTF-8 stand as
        lone surrogates."""
        start, end = self.row_bounds(row)
        data = self.bytes_at(start, end - start)
        return data.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")

    def row_bounds(self, row: int) -> tuple[int, int]:
        """Where a row of the text view starts, and where the next one does."""
        starts, end = self._starts_of(row // BLOCK_ROWS)
        place = row % BLOCK_ROWS
        if place >= len(starts):  # the file was closed meanwhile
            return end, end
        return starts[place], starts[place + 1] if place + 1 < len(starts) else end

    def line_of(self, row: int) -> int:
        """The line that a row of the text view is of, or goes on with; from 0."""
        block = row // BLOCK_ROWS
        first, start = self._block_starts[block], self.row_bounds(row)[0]
        return self._block_lines[block] + self.bytes_at(first, start - first).count(b"\n")

    def starts_line(self, row: int) -> bool:
        """Whether a row of the text view is the first of its line."""
        start = self.row_bounds(row)[0]
        return not start or self.bytes_at(start - 1, 1) == b"\n"

    def hex_row(self, row: int) -> bytes:
        """The bytes of a row of the hex view that are read."""
        return self.bytes_at(row * HEX_ROW, HEX_ROW)

    def row_at(self, offset: int) -> int:
        """The row of the text view that holds a byte."""
        with self._lock:
            block = max(0, bisect_right(self._block_starts, offset) - 1)
        starts, _ = self._starts_of(block)
        return block * BLOCK_ROWS + max(0, bisect_right(starts, offset) - 1)

    def bytes_at(self, offset: int, count: int) -> bytes:
        """Bytes that are read, at most so many; none once the file is closed."""
        with self._lock:
            if self._closed:
                return b""
            return self._bytes(offset, count)

    def _bytes(self, offset: int, count: int) -> bytes:
        self._kept.seek(offset)
        return self._kept.read(min(count, max(0, self.read - offset)))

    def _starts_of(self, block: int) -> tuple[list[int], int]:
        """Where the rows of a block start, as far as they are read, and where the last one ends."""
        with self._lock:
            first = self._block_starts[block]
            following = block + 1
            is_whole = following < len(self._block_starts)
            end = self._block_starts[following] if is_whole else self.read
            if self._block[:2] != (block, end):
                data = b"" if self._closed else self._bytes(first, end - first)
                starts = [first, *(first + start for start in _row_starts(data, 0))]
                self._block = block, end, starts[:BLOCK_ROWS]
            return self._block[2], end


def _row_starts(piece: bytes, start: int) -> Iterator[int]:
    """Where the next rows start in a piece, the row before them at ``start``, maybe before it."""
    position = 0
    while True:
        end = piece.find(b"\n", position)
        stop = len(piece) if end < 0 else end + 1
        while stop - start > LONGEST_ROW + (end >= 0):
            start += LONGEST_ROW
            yield start
        if end < 0:
            return
        position = start = stop
        yield start


def close_content(content: Iterator[bytes]) -> None:
    """Let go of what a generator of bytes has open."""
    if isinstance(content, Generator):
        content.close()


def hex_text(data: bytes) -> tuple[str, str]:
    """A row's bytes in hexadecimal, and as the characters that ASCII can print."""
    pairs = [f"{byte:02x}" for byte in data]
    left, right = " ".join(pairs[:8]), " ".join(pairs[8:])
    shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)
    return f"{left:<23}  {right:<23}", shown


def hex_cell(byte: int, gap: int) -> int:
    """Where in a row's hexadecimal a byte stands, its halves being so many cells apart."""
    return 3 * byte + (gap - 1 if byte >= HEX_ROW // 2 else 0)
