"""Tar blocks made by hand, so that every field can lie; nothing here checks anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

BLOCK = 512
END = bytes(2 * BLOCK)

FILE = b"0"
HARD_LINK = b"1"
SYMLINK = b"2"
CHARACTER_DEVICE = b"3"
DIRECTORY = b"5"
FIFO = b"6"
PAX = b"x"
GLOBAL_PAX = b"g"
LONG_NAME = b"L"
LONG_LINK = b"K"
OLD_SPARSE = b"S"


def octal(value: int, width: int) -> bytes:
    """A header number as most tars write it: octal digits and a NUL."""
    return b"%0*o\0" % (width - 1, value)


def base256(value: int, width: int) -> bytes:
    """A header number as GNU tar writes one that is too big or negative for octal digits."""
    unsigned = value % (1 << (8 * width))
    data = unsigned.to_bytes(width, "big")
    return bytes([data[0] | 0x80]) + data[1:]


def sealed(block: bytes, *, signed: bool = False) -> bytes:
    """The header block with the checksum it ought to have."""
    blank = block[:148] + b" " * 8 + block[156:]
    total = sum(blank) - (256 * sum(byte > 127 for byte in blank) if signed else 0)
    return block[:148] + b"%06o\0 " % total + block[156:]


def header(
    name: bytes,
    *,
    kind: bytes = FILE,
    size: int = 0,
    link: bytes = b"",
    mode: int = 0o644,
    mtime: int = 0,
    magic: bytes = b"ustar\x0000",
    fields: Mapping[int, bytes] | None = None,
) -> bytes:
    """One header block with a right checksum; ``fields`` overwrites bytes at offsets."""
    block = bytearray(BLOCK)
    for offset, value in {
        0: name[:100],
        100: octal(mode, 8),
        108: octal(0, 8),
        116: octal(0, 8),
        124: octal(size, 12) if size < 8**11 else base256(size, 12),
        136: octal(mtime, 12),
        156: kind,
        157: link[:100],
        257: magic,
        **(fields or {}),
    }.items():
        block[offset : offset + len(value)] = value
    return sealed(bytes(block))


def padded(body: bytes) -> bytes:
    """A payload filled up to whole blocks."""
    return body + bytes(-len(body) % BLOCK)


def member(
    name: bytes,
    body: bytes = b"",
    *,
    kind: bytes = FILE,
    link: bytes = b"",
    mode: int = 0o644,
    fields: Mapping[int, bytes] | None = None,
) -> bytes:
    """A header and its payload."""
    head = header(name, kind=kind, size=len(body), link=link, mode=mode, fields=fields)
    return head + padded(body)


def directory(name: bytes) -> bytes:
    """A directory, mode 0755."""
    return header(name, kind=DIRECTORY, mode=0o755)


def pax_body(records: Iterable[tuple[bytes, bytes]]) -> bytes:
    """PAX records with right lengths."""
    return b"".join(_record(keyword, value) for keyword, value in records)


def _record(keyword: bytes, value: bytes) -> bytes:
    bare = len(keyword) + len(value) + 3  # a space, an equals sign, a newline
    length = bare + 1
    while length != bare + len(str(length)):
        length = bare + len(str(length))
    return b"%d %s=%s\n" % (length, keyword, value)


def pax(*records: tuple[bytes, bytes], kind: bytes = PAX) -> bytes:
    """An extended header, which describes the member after it."""
    return member(b"PaxHeaders/x", pax_body(records), kind=kind)


def gnu_long(text: bytes, kind: bytes = LONG_NAME) -> bytes:
    """A GNU header with the long name, or link, of the member after it."""
    return member(b"././@LongLink", text + b"\0", kind=kind)
