"""Where the data of a GNU sparse file lies: the old header form and PAX forms 0.0, 0.1 and 1.0.

Source: the GNU tar manual, 'Storing Sparse Files'.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from dataclasses import dataclass

from layerlens.errors import MalformedInput
from layerlens.streams.pax_records import PaxRecord
from layerlens.streams.tar_header import BLOCK

MAX_SEGMENTS = 1 << 20


@dataclass(frozen=True, slots=True)
class SparseMap:
    """``size``: bytes of the file when its holes are filled. ``segments``: (offset, length)."""

    size: int
    segments: tuple[tuple[int, int], ...]

    def stored_bytes(self) -> int:
        """The bytes that really stand in the archive."""
        return sum(length for _, length in self.segments)


def _checked(size: int, segments: list[tuple[int, int]]) -> SparseMap:
    if size < 0:
        raise MalformedInput(f"a sparse file of negative size ({size})")
    end = 0
    for offset, length in segments:
        if offset < end or length < 0 or offset + length > size:
            raise MalformedInput("sparse map out of order or beyond the file's size")
        end = offset + length
    return SparseMap(size, tuple(segments))


def old_gnu_sparse(header_block: bytes, take: Callable[[int], bytes]) -> SparseMap:
    """The map of a type ``S`` member; ``take`` reads the extension blocks that follow it."""
    segments: list[tuple[int, int]] = []
    block, start, slots = header_block, 386, 4
    extended = header_block[482]
    size = _field(header_block[483:495])
    while True:
        for slot in range(slots):
            at = start + slot * 24
            if block[at] == 0:
                break
            segments.append((_field(block[at : at + 12]), _field(block[at + 12 : at + 24])))
        if not extended:
            return _checked(size, segments)
        if len(segments) > MAX_SEGMENTS:
            raise MalformedInput("sparse map with too many segments")
        block, start, slots = take(BLOCK), 0, 21
        extended = block[504]


def pax_sparse(records: list[PaxRecord], take: Callable[[int], bytes]) -> SparseMap | None:
    """The map that PAX records tell of, or None; form 1.0 reads it from the payload's start."""
    values = dict(records)
    if not any(keyword.startswith(b"GNU.sparse.") for keyword in values):
        return None
    size_text = values.get(b"GNU.sparse.realsize", values.get(b"GNU.sparse.size"))
    if size_text is None:
        return None
    size = _decimal(size_text)
    if values.get(b"GNU.sparse.major") == b"1":
        return _checked(size, _map_in_payload(take))
    if b"GNU.sparse.map" in values:
        text = values[b"GNU.sparse.map"]
        numbers = [_decimal(number) for number in text.split(b",")] if text else []
    else:
        wanted = (b"GNU.sparse.offset", b"GNU.sparse.numbytes")
        numbers = [_decimal(value) for keyword, value in records if keyword in wanted]
    if len(numbers) % 2:
        raise MalformedInput("sparse map with an offset that has no length")
    return _checked(size, list(zip(numbers[::2], numbers[1::2], strict=True)))


def _map_in_payload(take: Callable[[int], bytes]) -> list[tuple[int, int]]:
    """Form 1.0: decimal lines in blocks of their own: a count, then offset and length by turns."""
    buffer = b""

    def line() -> int:
        nonlocal buffer
        while b"\n" not in buffer:
            if len(buffer) > BLOCK:
                raise MalformedInput("sparse map without line ends")
            buffer += take(BLOCK)
        text, _, buffer = buffer.partition(b"\n")
        return _decimal(text)

    count = line()
    if count > MAX_SEGMENTS:
        raise MalformedInput("sparse map with too many segments")
    return [(line(), line()) for _ in range(count)]


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 20:
        raise MalformedInput("bad number in a sparse map")
    return int(text)


def _field(field: bytes) -> int:
    try:
        value: int = tarfile.nti(field)  # type: ignore[attr-defined]
    except tarfile.TarError:
        raise MalformedInput("bad number in a sparse map") from None
    return value
