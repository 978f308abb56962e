"""The socket side of the test registry: HTTP/1.1 with kept connections, a thread each.

It reads requests and sends answers in whatever way they say; what is answered is decided elsewhere.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import TypeAlias

from registry_messages import (
    Chunked,
    Ending,
    Partly,
    Piecewise,
    Request,
    Response,
    UntilClosed,
    Verbatim,
    Whole,
    range_cut_out,
    reason,
)

Answering: TypeAlias = Callable[[Request], Response]
Logging: TypeAlias = Callable[[Request], AbstractContextManager[None]]

_BLOCK = 1 << 16
_AT_ONCE_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, no seconds


class Listener(socketserver.ThreadingTCPServer):
    """A listening socket on a free port of 127.0.0.1; TLS with a context."""

    request_queue_size = 128
    daemon_threads = False  # so that closing waits for the last answer
    block_on_close = True

    def __init__(self, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stopping = threading.Event()
        self._context = context
        self._connections: set[socket.socket] = set()
        self._to_reset: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._errors: list[BaseException] = []
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port it listens at."""
        return int(self.socket.getsockname()[1])

    def start(self, answer: Answering, during: Logging) -> None:
        """Answer requests in threads, until closed."""
        self.answer = answer
        self.during = during
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, name="test registry"
        )
        self._thread.start()

    def close(self) -> None:
        """Stop: whoever waits is woken, every connection ends, every thread is done."""
        self.stopping.set()
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def raise_errors(self) -> None:
        """Raise what went wrong in the server itself."""
        if self._errors:
            raise self._errors[0]

    def reset_at_end(self, connection: socket.socket) -> None:
        """End this connection with a reset."""
        with self._lock:
            self._to_reset.add(connection)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """The next connection; TLS shakes hands in its own thread."""
        connection, address = self.socket.accept()
        if self._context is not None:
            connection = self._context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """The end of a connection."""
        assert isinstance(request, socket.socket)
        with self._lock:
            self._connections.discard(request)
            reset = request in self._to_reset
            self._to_reset.discard(request)
        if not reset:
            super().shutdown_request(request)
            return
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE_RESET)
        request.close()

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Clients may leave when they like; anything else is kept for the test."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self._errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    """One connection's requests, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self) -> None:
        """Read the rest of a request, log it and answer it."""
        length = int(self.headers.get("Content-Length", 0))
        request = Request(
            method=self.command,
            target=self.path,
            headers={
                name.lower(): ", ".join(self.headers.get_all(name, ())) for name in self.headers
            },
            body=self.rfile.read(length),
            connection=self.client_address[1],
        )
        with self._listener.during(request):
            response = self._listener.answer(request)
            response = range_cut_out(response, request.headers.get("range"))
            if response.delay and self._listener.stopping.wait(response.delay):
                self.close_connection = True
                return
            self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """The log is the server's."""

    @property
    def _listener(self) -> Listener:
        assert isinstance(self.server, Listener)
        return self.server

    def _send(self, response: Response) -> None:
        delivery = response.delivery
        if isinstance(delivery, Verbatim):
            self.wfile.write(delivery.data)
            self.close_connection = True
            return
        head = self._head(response)
        body = b"" if self.command == "HEAD" else response.body
        padding = 0 if self.command == "HEAD" else response.padding
        match delivery:
            case Whole() | UntilClosed():
                # Head and body in one write: two would wait for each other on the wire.
                self.wfile.write(head + body)
                self._send_padding(padding)
            case Partly(length, ending):
                self.wfile.write(head + body[:length])
                self._send_padding(max(0, min(padding, length - len(body))))
                self._end(ending)
            case Piecewise(size, pause):
                self.wfile.write(head)
                for start in range(0, len(body), size):
                    if self._listener.stopping.wait(pause):
                        break
                    self.wfile.write(body[start : start + size])
                self._send_padding(padding)
            case Chunked(size):
                self.wfile.write(head)
                if self.command != "HEAD":
                    self._send_chunks(body + b" " * padding, size)

    def _head(self, response: Response) -> bytes:
        headers = list(response.headers)
        match response.delivery:
            case Chunked():
                headers.append(("Transfer-Encoding", "chunked"))
            case UntilClosed():
                headers.append(("Connection", "close"))
                self.close_connection = True
            case _:
                if response.header("Content-Length") is None:
                    headers.append(("Content-Length", str(response.size)))
        if response.header("Connection") == "close":
            self.close_connection = True
        lines = [f"HTTP/1.1 {response.status} {reason(response.status)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _send_padding(self, count: int) -> None:
        for start in range(0, count, _BLOCK):
            self.wfile.write(b" " * min(_BLOCK, count - start))

    def _send_chunks(self, body: bytes, size: int) -> None:
        for start in range(0, len(body), size):
            chunk = body[start : start + size]
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _end(self, ending: Ending) -> None:
        self.close_connection = True
        match ending:
            case Ending.CLOSE:
                pass
            case Ending.RESET:
                self._listener.reset_at_end(self.connection)
            case Ending.SILENCE:
                self._listener.stopping.wait()
