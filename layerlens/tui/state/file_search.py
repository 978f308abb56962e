"""A search through the bytes of a file: what was typed, and where it is next.

A file is looked through a piece at a time, and read on only where what is read does not hold a
match: memory stays that of a piece, however large the file.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from layerlens.errors import UsageError

LONGEST = 1000
"""Characters or bytes that may be looked for."""

_STEP = 1 << 18
"""Bytes that are looked through at a time."""

_COUNTED = 1 << 18
"""Bytes of a file in which matches are still counted."""


class Span(NamedTuple):
    """Bytes of a file, from ``start`` up to ``end``, which is no more of them."""

    start: int
    end: int


class Searchable(Protocol):
    """What can be looked through: bytes, of which more may come."""

    @property
    def read(self) -> int:
        """The bytes that are there."""

    @property
    def ended(self) -> bool:
        """Whether those are all."""

    def bytes_at(self, offset: int, count: int) -> bytes:
        """Bytes that are there, at most so many."""

    def read_beyond(self, offset: int) -> None:
        """Have more than so many bytes there, if the file has them."""


class SoughtKind(enum.Enum):
    """How the typed text is read; the value is the word shown for it."""

    TEXT = "text"
    BYTES = "bytes"

    @property
    def following(self) -> SoughtKind:
        """The other kind."""
        return SoughtKind.TEXT if self is SoughtKind.BYTES else SoughtKind.BYTES


class Needle(NamedTuple):
    """What is looked for. ``longest``: the most bytes that a match can have."""

    pattern: re.Pattern[bytes]
    longest: int


def needle(text: str, kind: SoughtKind) -> Needle:
    """A typed text as what is looked for: letters match either case unless one is a capital;
    bytes are written in hexadecimal, spaced or not. Raises UsageError."""
    if len(text) > LONGEST:
        raise UsageError(f"more than {LONGEST} characters cannot be looked for")
    if kind is SoughtKind.BYTES:
        return _needle_of_bytes(text)
    either_case = text == text.lower()
    longest = 0
    pieces = []
    for character in text:
        forms = {character, character.upper()} if either_case else {character}
        try:
            encoded = sorted(form.encode("utf-8", "surrogateescape") for form in forms)
        except UnicodeEncodeError:
            raise UsageError("there is half of a character in it") from None
        longest += max(map(len, encoded))
        pieces.append(b"(?:%s)" % b"|".join(map(re.escape, encoded)))
    if text.isascii():  # which is found far faster without alternatives
        pieces = [re.escape(text.encode())]
    return Needle(re.compile(b"".join(pieces), re.IGNORECASE if either_case else 0), longest)


def _needle_of_bytes(text: str) -> Needle:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if not data:
        raise UsageError("two hexadecimal digits a byte, such as 7f 45 4c 46")
    return Needle(re.compile(re.escape(data)), len(data))


class Reach(enum.Enum):
    """How far is looked: through what is read, reading on to the end, or back to the start."""

    WHAT_IS_READ = enum.auto()
    READING_ON = enum.auto()
    BACK = enum.auto()


@dataclass(frozen=True, slots=True)
class Search:
    """One search: a match is to start at ``start`` or after it, or before it if it goes back."""

    needle: Needle
    start: int
    reach: Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a search has come to. ``turned``: it went on from the file's other end. ``number``:
    which match it is, of how many; None where they are not counted. ``whole``: everything that
    the file has was looked through, should there be no match."""

    match: Span | None
    turned: bool = False
    number: tuple[int, int] | None = None
    whole: bool = True


Watch = Callable[[int], None]
"""Told where in the file the search is; raises what is to end it."""


def look(file: Searchable, search: Search, watch: Watch) -> Answer:
    """Do a search. Raises what reading the file raises, and what ``watch`` does."""
    back = search.reach is Reach.BACK
    whole = file.ended or search.reach is Reach.READING_ON
    match = _next_match(file, search, watch)
    turned = match is None and whole
    if turned:
        # The first or last of all: also what the search started at.
        if back:
            match = last_match(file, search.needle, Span(search.start, file.read), watch)
        else:
            match = first_match(file, search.needle, Span(0, search.start), watch)
    return Answer(
        match=match,
        turned=turned and match is not None,
        number=None if match is None else _number(file, search.needle, match),
        whole=whole,
    )


def _next_match(file: Searchable, search: Search, watch: Watch) -> Span | None:
    match search.reach:
        case Reach.BACK:
            return last_match(file, search.needle, Span(0, search.start), watch)
        case Reach.READING_ON:
            return first_match(file, search.needle, Span(search.start, _NEVER), watch)
        case Reach.WHAT_IS_READ:
            # Where a match could start that what is read holds whole.
            ended, read = file.ended, file.read
            end = read if ended else read - search.needle.longest + 1
            return first_match(file, search.needle, Span(search.start, end), watch)


_NEVER = 1 << 63


def first_match(file: Searchable, sought: Needle, where: Span, watch: Watch) -> Span | None:
    """The first match that starts in a part of a file, which is read on for it if need be."""
    position = where.start
    beyond = sought.longest - 1
    while position < where.end:
        watch(position)
        ended = file.ended  # asked first: what comes meanwhile is found the next time
        data = file.bytes_at(position, min(_STEP, where.end - position) + beyond)
        last = ended and position + len(data) >= file.read
        starts = min(len(data) - (0 if last else beyond), where.end - position)
        if starts <= 0:
            if ended:
                return None
            file.read_beyond(position + beyond)
            continue
        match = sought.pattern.search(data)
        if match is not None and match.start() < starts:
            return Span(position + match.start(), position + match.end())
        position += starts
    return None


def last_match(file: Searchable, sought: Needle, where: Span, watch: Watch) -> Span | None:
    """The last match that starts in a part of a file, as far as that is read."""
    position = min(where.end, file.read)
    while position > where.start:
        watch(position)
        low = max(where.start, position - _STEP)
        data = file.bytes_at(low, position - low + sought.longest - 1)
        found = None
        for start, end in _matches(sought, data):
            if start >= position - low:
                break
            found = Span(low + start, low + end)
        if found is not None:
            return found
        position = low
    return None


def matches_in(file: Searchable, sought: Needle, where: Span) -> list[Span]:
    """What of a part of a file matches, those that reach into it too; matches that overlap or
    touch are one."""
    low = max(0, where.start - sought.longest + 1)
    data = file.bytes_at(low, where.end - low + sought.longest - 1)
    found: list[Span] = []
    for begin, stop in _matches(sought, data):
        start, end = max(low + begin, where.start), min(low + stop, where.end)
        if start >= end:
            continue
        if found and start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(end, found[-1].end))
        else:
            found.append(Span(start, end))
    return found


def _matches(sought: Needle, data: bytes) -> list[Span]:
    """All matches, also those that overlap."""
    found = []
    match = sought.pattern.search(data)
    while match is not None:
        found.append(Span(*match.span()))
        match = sought.pattern.search(data, match.start() + 1)
    return found


def _number(file: Searchable, sought: Needle, match: Span) -> tuple[int, int] | None:
    if not file.ended or file.read > _COUNTED:
        return None
    starts = [start for start, _ in _matches(sought, file.bytes_at(0, file.read))]
    return (starts.index(match.start) + 1, len(starts)) if match.start in starts else None
