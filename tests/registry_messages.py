"""What goes over the wire to and from the test registry: requests as they came, answers to send.

An answer is a value; how its bytes go out (whole, slowly, cut off) is part of it. Nothing here
opens a socket.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit

from image_builder import Json

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""Header lines in their order; a name may come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. ``target``: path and query as sent; ``headers``: names in lower case;
    ``connection``: the client's port, the same as long as the connection is kept."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> Mapping[str, tuple[str, ...]]:
        """The query's values by name."""
        return _values(urlsplit(self.target).query)

    @property
    def form(self) -> Mapping[str, tuple[str, ...]]:
        """The values of a form sent as the body."""
        return _values(self.body.decode())

    def holds(self, secret: str) -> bool:
        """Whether the text stands anywhere in the request."""
        texts = (self.target, self.body.decode("latin-1"), *self.headers.values())
        return any(secret in text for text in texts)


def _values(encoded: str) -> Mapping[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in parse_qs(encoded).items()}


class Ending(Enum):
    """What happens where a body is cut off."""

    CLOSE = "the connection is closed in order"
    RESET = "the connection is reset"
    SILENCE = "nothing more is sent, and the connection stays open"


@dataclass(frozen=True, slots=True)
class Whole:
    """The body at once, with its length."""


@dataclass(frozen=True, slots=True)
class Partly:
    """The length of the whole body, then only its first ``length`` bytes."""

    length: int
    ending: Ending


@dataclass(frozen=True, slots=True)
class Piecewise:
    """The body in pieces of ``size`` bytes, with ``pause`` seconds before each."""

    size: int
    pause: float


@dataclass(frozen=True, slots=True)
class Chunked:
    """Transfer-Encoding: chunked in pieces of ``size`` bytes, without a length."""

    size: int


@dataclass(frozen=True, slots=True)
class UntilClosed:
    """No length: the body ends where the connection does."""


@dataclass(frozen=True, slots=True)
class Verbatim:
    """These bytes in place of head and body, then the connection is closed."""

    data: bytes


Delivery: TypeAlias = Whole | Partly | Piecewise | Chunked | UntilClosed | Verbatim
"""How an answer goes out."""


class RangeSupport(Enum):
    """How a Range header is answered."""

    HONOURED = "206 with the range asked for"
    IGNORED = "200 with the whole"
    FROM_START = "206 from the first byte on, and Content-Range says so"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer before its Range is cut out. ``padding``: blanks sent after ``body``;
    ``delay``: seconds before the head is sent."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    padding: int = 0
    delay: float = 0
    ranges: RangeSupport = RangeSupport.IGNORED
    delivery: Delivery = Whole()

    @property
    def size(self) -> int:
        """Bytes of the body, padding included."""
        return len(self.body) + self.padding

    def header(self, name: str) -> str | None:
        """The header's first value."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def with_header(self, name: str, *values: str) -> Response:
        """The same with these values of a header in place of what it had."""
        others = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=(*others, *((name, value) for value in values)))


def json_response(status: int, document: Json, *headers: tuple[str, str]) -> Response:
    """An answer with a JSON document."""
    body = json.dumps(document).encode()
    return Response(
        status=status, headers=(("Content-Type", "application/json"), *headers), body=body
    )


def error_response(status: int, code: str, message: str, *headers: tuple[str, str]) -> Response:
    """An error as the distribution spec has it ('Error Codes')."""
    document: Json = {"errors": [{"code": code, "message": message, "detail": None}]}
    return json_response(status, document, *headers)


def reason(status: int) -> str:
    """The words that go with a status."""
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"


def range_cut_out(response: Response, asked: str | None) -> Response:
    """The answer to a request with this Range header (RFC 9110, 14); one range, in bytes."""
    if asked is None or response.status != 200 or response.ranges is RangeSupport.IGNORED:
        return response
    bounds = _bounds(asked, response.size)
    if bounds is None:
        return response
    first, last = bounds
    if first >= response.size or first > last:
        return Response(status=416, headers=(("Content-Range", f"bytes */{response.size}"),))
    if response.ranges is RangeSupport.FROM_START:
        first = 0
    body = response.body[first : last + 1]
    part = replace(response, status=206, body=body, padding=last + 1 - first - len(body))
    if response.header("Content-Range") is not None:
        return part
    return part.with_header("Content-Range", f"bytes {first}-{last}/{response.size}")


def _bounds(asked: str, size: int) -> tuple[int, int] | None:
    """First and last byte asked for; None where the header is to be ignored."""
    unit, _, span = asked.partition("=")
    first, dash, last = span.strip().partition("-")
    if unit.strip() != "bytes" or not dash or "," in span:
        return None
    if first.isdecimal():
        end = int(last) if last.isdecimal() else size - 1
        return int(first), min(end, size - 1)
    if not first and last.isdecimal():
        return max(0, size - int(last)), size - 1
    return None
