"""PAX extended header records (POSIX.1-2001), kept as bytes and in order."""

from __future__ import annotations

from layerlens.errors import MalformedInput

PaxRecord = tuple[bytes, bytes]


def parse_pax_records(body: bytes) -> list[PaxRecord]:
    """The (keyword, value) pairs of one extended header.

    Raises MalformedInput (no place named) where a record's length does not fit.
    """
    records: list[PaxRecord] = []
    position = 0
    while position < len(body):
        if body[position] == 0:
            break  # some writers pad with NULs
        space = body.find(b" ", position, position + 20)
        digits = body[position:space] if space > 0 else b""
        if not digits.isdigit():
            raise MalformedInput("bad PAX record: no length")
        end = position + int(digits)
        keyword, equals, value = body[space + 1 : end - 1].partition(b"=")
        if end > len(body) or body[end - 1 : end] != b"\n" or not equals or not keyword:
            raise MalformedInput("bad PAX record")
        records.append((keyword, value))
        position = end
    return records
