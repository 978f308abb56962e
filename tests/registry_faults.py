"""What can be wrong with a registry: each fault a frozen value that changes the healthy answer.

A ``Rule`` (tests/registry_rules.py) says which requests a fault meets, and how often. In headers
and locations ``{origin}`` stands for the server as the client reached it, ``{target}`` for the
path and query asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TypeAlias

from registry_messages import (
    Chunked,
    Ending,
    Headers,
    Partly,
    Piecewise,
    RangeSupport,
    Response,
    UntilClosed,
    Verbatim,
    error_response,
)
from registry_rules import Occasion

FOREVER = 1e6
"""Seconds: longer than any test; a server that is stopped does not wait for it."""


# ---- another answer ----


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """This status with these headers and this body."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The answer, whatever was asked."""
        headers = tuple((name, occasion.filled_in(value)) for name, value in self.headers)
        return Response(status=self.status, headers=headers, body=self.body)


@dataclass(frozen=True, slots=True)
class Failure:
    """An error with a document as the distribution spec has it."""

    status: int
    code: str = "UNKNOWN"
    message: str = "told to fail"

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The error."""
        return error_response(self.status, self.code, self.message)


@dataclass(frozen=True, slots=True)
class InSeconds:
    """Retry-After as a number."""

    seconds: int


@dataclass(frozen=True, slots=True)
class AtDate:
    """Retry-After as the date that lies so many seconds ahead (whole ones; may be negative)."""

    seconds: float


RetryAfter: TypeAlias = InSeconds | AtDate | str | None
"""What Retry-After says; a text as it stands, None for no header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Come again later."""

    status: int = 429
    retry_after: RetryAfter = None

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The status, and when to come again."""
        busy = error_response(self.status, "TOOMANYREQUESTS", "too many requests")
        value = _retry_after(self.retry_after)
        return busy if value is None else busy.with_header("Retry-After", value)


def _retry_after(when: RetryAfter) -> str | None:
    match when:
        case InSeconds(seconds):
            return str(seconds)
        case AtDate(seconds):
            moment = datetime.now(UTC) + timedelta(seconds=seconds)
            return format_datetime(moment, usegmt=True)
        case _:
            return when


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """Docker Hub's headers, counting down; 429 from request ``limit`` + 1 on."""

    limit: int
    window: int = 21600
    retry_after: RetryAfter = None

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The answer with what remains."""
        remaining = self.limit - occasion.turn - 1
        if remaining < 0:
            busy = Busy(retry_after=self.retry_after)
            response = busy.applied(response, occasion)
        limited = response.with_header("RateLimit-Limit", f"{self.limit};w={self.window}")
        return limited.with_header("RateLimit-Remaining", f"{max(0, remaining)};w={self.window}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Somewhere else: ``{origin}{target}`` is a loop, another server's URL and ``{target}`` the
    same blob there."""

    location: str
    status: int = 307

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The redirect."""
        location = occasion.filled_in(self.location)
        return Response(status=self.status, headers=(("Location", location),))


@dataclass(frozen=True, slots=True)
class RedirectChain:
    """So many redirects on the same origin before the answer; relative ones."""

    hops: int

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The next hop, or the answer."""
        hop = int(occasion.request.query.get("hop", ("0",))[0])
        if hop >= self.hops:
            return response
        location = f"{occasion.request.path}?hop={hop + 1}"
        return Response(status=302, headers=(("Location", location),))


@dataclass(frozen=True, slots=True)
class SaysNothingOfHttp:
    """These bytes in place of an answer, then the end of the connection."""

    data: bytes

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The bytes."""
        return replace(response, delivery=Verbatim(self.data))


# ---- another head or body ----


@dataclass(frozen=True, slots=True)
class SetHeader:
    """A header's value: a wrong digest, type, length or Content-Range."""

    name: str
    value: str

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The answer with the header."""
        return response.with_header(self.name, occasion.filled_in(self.value))


@dataclass(frozen=True, slots=True)
class WithoutHeader:
    """An answer that lacks a header, as a HEAD without Docker-Content-Digest."""

    name: str

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The answer without it."""
        return response.with_header(self.name)


@dataclass(frozen=True, slots=True)
class OtherBody:
    """Other bytes, under the same headers."""

    data: bytes

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The answer with the bytes."""
        return replace(response, body=self.data)


@dataclass(frozen=True, slots=True)
class Corrupted:
    """One byte flipped, counted from the blob's start whatever range is asked for."""

    at: int

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The answer with the byte flipped."""
        flipped = bytes([response.body[self.at] ^ 0xFF])
        body = response.body[: self.at] + flipped + response.body[self.at + 1 :]
        return replace(response, body=body)


@dataclass(frozen=True, slots=True)
class Truncated:
    """Only the first ``length`` bytes, as if that were all there is."""

    length: int

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The shorter answer."""
        return replace(response, body=response.body[: self.length])


@dataclass(frozen=True, slots=True)
class Padded:
    """So many blanks more, with the length that makes; they take no memory."""

    extra: int

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The longer answer."""
        return replace(response, padding=response.padding + self.extra)


@dataclass(frozen=True, slots=True)
class Ranges:
    """Another way with Range headers."""

    support: RangeSupport

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The answer with that support."""
        return replace(response, ranges=self.support)


# ---- another delivery ----


@dataclass(frozen=True, slots=True)
class CutOff:
    """The length of all that was asked for, then only so many bytes of it. A reset may take
    bytes with it that the client has not read yet."""

    after: int
    ending: Ending = Ending.CLOSE

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The answer, to be cut off."""
        return replace(response, delivery=Partly(self.after, self.ending))


@dataclass(frozen=True, slots=True)
class Delayed:
    """So many seconds of silence before the answer; FOREVER for none at all."""

    seconds: float

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The answer, later."""
        return replace(response, delay=self.seconds)


@dataclass(frozen=True, slots=True)
class Slow:
    """The body in pieces of ``size`` bytes with ``pause`` seconds before each."""

    size: int
    pause: float

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The answer, in pieces."""
        return replace(response, delivery=Piecewise(self.size, self.pause))


@dataclass(frozen=True, slots=True)
class WithoutLength:
    """No Content-Length: chunked, or ended by closing the connection."""

    delivery: Chunked | UntilClosed

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """The answer, in that way."""
        return replace(response, delivery=self.delivery)
