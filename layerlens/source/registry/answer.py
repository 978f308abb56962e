"""A response whose body is still to be read: as it was sent, and never more than is bearable."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

import requests
from requests import exceptions

from layerlens.errors import LimitExceeded, RegistryUnavailable
from layerlens.source.registry.connection_errors import reason_of
from layerlens.source.registry.registry_options import Patience
from layerlens.source.registry.urls import safe_url

CHUNK_BYTES = 1 << 18

DOCUMENT_SECONDS = 120.0
"""How long a document, which has a few megabytes at most, may take to come in."""

# What raw reads raise is urllib3's.
_BROKEN = (exceptions.BaseHTTPError, OSError)  # type: ignore[attr-defined]

_SHOWN_BYTES = 1 << 16
_GATHER_SECONDS = 0.5
_OLD_READ_BYTES = 1 << 14


class Dropped(Exception):
    """A body broke off before its end: to be resumed, or an error of the reader's."""


class _Trickles(Dropped):
    """It would be no use to ask again."""


class BrokenOff(RegistryUnavailable):
    """A document of which not all came."""


class Answer:
    """A response, its body read once: to the end, or closed before.

    ``redirected``: whether it comes from another origin than was asked. ``url`` may hold secrets;
    ``where`` names it in errors.
    """

    def __init__(
        self, response: requests.Response, done: Callable[[], None], *, redirected: bool = False
    ) -> None:
        """``done``: called once, when the response is done with."""
        self._response = response
        self._done: Callable[[], None] | None = done
        self.status = response.status_code
        self.url = response.url
        self.redirected = redirected

    @property
    def where(self) -> str:
        """Names it in errors."""
        return safe_url(self.url)

    @property
    def status_text(self) -> str:
        """``404 Not Found``: the words are the standard's, not the server's."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)

    def header(self, name: str) -> str | None:
        """A header's value; several of one name are joined by commas."""
        return self._response.headers.get(name)

    def content_length(self) -> int | None:
        """The body's length in bytes, as far as it is declared."""
        text = self.header("Content-Length") or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    def is_framed(self) -> bool:
        """Whether a body that breaks off can be told from one that ends."""
        return self.content_length() is not None or self.header("Transfer-Encoding") is not None

    def chunks(self, patience: Patience) -> Iterator[bytes]:
        """The body, nothing decoded, as much of it at a time as comes in half a second.

        Raises Dropped where it breaks off, and where it trickles: where less than
        ``patience.least_bytes`` came in ``patience.window`` seconds that were spent waiting.
        """
        gathered: list[bytes] = []
        size = window_bytes = 0
        waited = window_waited = 0.0
        pieces = self._pieces()
        try:
            while True:
                began = time.monotonic()
                piece = next(pieces, None)
                if piece is None:
                    break
                passed = time.monotonic() - began
                gathered.append(piece)
                size += len(piece)
                window_bytes += len(piece)
                waited += passed
                window_waited += passed
                if window_waited > patience.window:
                    if window_bytes < patience.least_bytes:
                        raise Dropped(f"only {window_bytes} bytes came in {window_waited:.0f} s")
                    window_bytes, window_waited = 0, 0.0
                if size >= CHUNK_BYTES or waited > _GATHER_SECONDS:
                    yield b"".join(gathered)
                    gathered.clear()
                    size, waited = 0, 0.0
        except Dropped:
            if gathered:
                yield b"".join(gathered)
            raise
        finally:
            self.close()
        if gathered:
            yield b"".join(gathered)

    def read(self, limit: int) -> bytes:
        """The whole body; raises LimitExceeded beyond ``limit`` bytes, and BrokenOff."""
        declared = self.content_length()
        if declared is not None and declared > limit:
            self.close()
            raise LimitExceeded(
                f"{self.where}: answers with {declared} bytes, at most {limit} are read"
            )
        data = bytearray()
        try:
            for piece in self._document():
                data += piece
                if len(data) > limit:
                    raise LimitExceeded(
                        f"{self.where}: answers with more than {limit} bytes, which are not read"
                    )
        except Dropped as dropped:
            kind = RegistryUnavailable if isinstance(dropped, _Trickles) else BrokenOff
            raise kind(f"{self.where}: broke off: {dropped}") from None
        finally:
            self.close()
        return bytes(data)

    def start(self) -> bytes:
        """As much of the body as a message may be made of; the rest is let go."""
        data = bytearray()
        try:
            for piece in self._document():
                data += piece
                if len(data) >= _SHOWN_BYTES:
                    break
        except Dropped:
            return b""
        finally:
            self.close()
        return bytes(data[:_SHOWN_BYTES])

    def _document(self) -> Iterator[bytes]:
        """The body of a document as it comes in. Raises Dropped where it breaks off, and where it
        trickles: a byte now and then would never be silence."""
        until = time.monotonic() + DOCUMENT_SECONDS
        for piece in self._pieces():
            yield piece
            if time.monotonic() > until:
                raise _Trickles(f"not all of it had come after {DOCUMENT_SECONDS:.0f} s")

    def _pieces(self) -> Iterator[bytes]:
        """The body as it comes in. Raises Dropped where it breaks off."""
        raw = self._response.raw
        # Asked for many bytes, read waits for them all; and for a chunk of a negative length, for
        # as many as a server likes to send.
        read = getattr(raw, "read1", None)
        most = CHUNK_BYTES
        if read is None:  # before urllib3 2.1
            read, most = raw.read, _OLD_READ_BYTES
        count = 0
        try:
            while piece := read(most, decode_content=False):
                count += len(piece)
                yield piece
        except _BROKEN as error:
            raise Dropped(reason_of(error)) from None
        # urllib3 before 2 takes the end of a connection for the end of a body.
        if self.header("Transfer-Encoding") is None and count < (self.content_length() or 0):
            raise Dropped("the connection was closed")

    def close(self) -> None:
        """Let go of the connection: for the next request, if the body was read to its end."""
        self._response.close()
        if self._done is not None:
            done, self._done = self._done, None
            done()
