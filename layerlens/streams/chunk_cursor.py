"""A place in a stream of chunks: bytes taken, passed over or handed on, chunks never copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from layerlens.errors import MalformedInput
from layerlens.oci.quoting import quoted


class ChunkCursor:
    """The base of a reader that walks a stream, which it names ``where`` in errors.

    ``skip`` passes over at most that many bytes of a source that can seek, and says how many there
    were. Subclasses read ``_buffer`` from ``_position`` on themselves where a call would cost.
    """

    def __init__(
        self, chunks: Iterator[bytes], where: str, skip: Callable[[int], int] | None
    ) -> None:
        self.where = where
        self._chunks = chunks
        self._skip_source = skip
        self._buffer = b""
        self._view = memoryview(b"")
        self._position = 0
        self._buffer_offset = 0
        self._name = ""  # what is being read, for errors

    @property
    def offset(self) -> int:
        """Bytes of the stream consumed so far."""
        return self._buffer_offset + self._position

    def _refill(self) -> bool:
        """Put the next chunk that is not empty in the buffer's place; False at the stream's end."""
        self._buffer_offset += len(self._buffer)
        for chunk in self._chunks:
            if chunk:
                self._buffer = chunk
                self._view = memoryview(chunk)
                self._position = 0
                return True
        self._buffer = b""
        self._view = memoryview(b"")
        self._position = 0
        return False

    def _pieces(self, size: int) -> Iterator[memoryview]:
        """The next ``size`` bytes as they lie in the chunks."""
        while size:
            available = len(self._buffer) - self._position
            if not available:
                if not self._refill():
                    raise self._truncated()
                continue
            count = min(size, available)
            piece = self._view[self._position : self._position + count]
            self._position += count
            size -= count
            yield piece

    def _take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        start = self._position
        end = start + size
        if end <= len(self._buffer):
            self._position = end
            return self._buffer[start:end]
        pieces: list[bytes] = []
        while size:
            piece = self._buffer[self._position : self._position + size]
            if not piece:
                if not self._refill():
                    raise self._truncated()
                continue
            pieces.append(piece)
            self._position += len(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _skip(self, size: int) -> None:
        """Pass over the next ``size`` bytes."""
        end = self._position + size
        if end <= len(self._buffer):
            self._position = end
            return
        if self._skip_source is not None:
            size -= len(self._buffer) - self._position
            self._position = len(self._buffer)
            skipped = self._skip_source(size)
            self._buffer_offset += skipped
            if skipped < size:
                raise self._truncated()
            return
        while size:
            available = len(self._buffer) - self._position
            if not available:
                if not self._refill():
                    raise self._truncated()
                continue
            count = min(size, available)
            self._position += count
            size -= count

    def _truncated(self) -> MalformedInput:
        place = f" within {quoted(self._name)}" if self._name else ""
        return MalformedInput(f"{self.where}: truncated at byte {self.offset}{place}")
