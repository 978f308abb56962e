"""A tar header decoded: tarfile's TarInfo, with the common case of ``frombuf`` made quick.

What is irregular (base-256 numbers, signed checksums) is left to tarfile's own code.
"""

from __future__ import annotations

import re
import tarfile
import zlib

from layerlens.errors import MalformedInput

BLOCK = tarfile.BLOCKSIZE

_USTAR_MAGIC = b"ustar\x00"
_STAR_TRAILER = b"tar\0"
_PLAIN_NUMBERS = re.compile(rb"(?:[0-7]{6}[0-7 ][\0 ]){3}(?:[0-7]{11}[\0 ]){2}")
_OCTAL = re.compile(rb" *[0-7]* *(?:\0.*)?", re.DOTALL)


class TarHeader(tarfile.TarInfo):
    """One decoded header block. ``size`` is what the header declares, whatever the type."""

    __slots__ = ()

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> TarHeader:
        """Decode one 512-byte block; checks the checksum. Raises MalformedInput (no place named).

        Source: POSIX.1-1988 (ustar) and GNU tar's header layout.
        """
        block = bytes(buf)
        header = cls.__new__(cls)
        try:
            stated = int(block[148:154].rstrip(b"\0 "), 8)
            # adler32's low half is 1 + the sum of the bytes modulo 65521: the checksum at C speed.
            total = (zlib.adler32(block) - 1 - sum(block[148:156]) + 256) & 0xFFFF
            if total != stated or stated > 0xF000:
                _check_slowly(block)
            if not _PLAIN_NUMBERS.match(block, 100):
                raise ValueError
            header.mode = int(block[100:107], 8)
            header.uid = int(block[108:115], 8)
            header.gid = int(block[116:123], 8)
            header.size = int(block[124:135], 8)
            header.mtime = int(block[136:147], 8)
        except ValueError:
            _decode_numbers_slowly(header, block)
        kind = block[156:157]
        name = block[:100].split(b"\0", 1)[0]
        if block[345] and block[257:263] == _USTAR_MAGIC:
            end = 476 if block[508:] == _STAR_TRAILER else 500  # star keeps times after it
            name = block[345:end].split(b"\0", 1)[0] + b"/" + name
        if kind in (tarfile.AREGTYPE, tarfile.CONTTYPE):
            old_directory = kind == tarfile.AREGTYPE and name.endswith(b"/")
            kind = tarfile.DIRTYPE if old_directory else tarfile.REGTYPE
        header.type = kind
        header.name = name.decode(encoding, errors)
        linked = block[157]
        header.linkname = (
            block[157:257].split(b"\0", 1)[0].decode(encoding, errors) if linked else ""
        )
        if kind in (tarfile.CHRTYPE, tarfile.BLKTYPE):
            header.devmajor = _number(block[329:337], "device number")
            header.devminor = _number(block[337:345], "device number")
        header.pax_headers = {}
        return header


def _check_slowly(block: bytes) -> None:
    stated = _number(block[148:156], "checksum")
    if stated not in (_unsigned_sum(block), _signed_sum(block)):
        raise MalformedInput("bad header checksum")


def _unsigned_sum(block: bytes) -> int:
    return sum(block[:148]) + 256 + sum(block[156:])


def _signed_sum(block: bytes) -> int:
    # Some historic tars summed signed characters.
    return _unsigned_sum(block) - 256 * sum(byte > 127 for byte in block[:148] + block[156:])


def _decode_numbers_slowly(header: TarHeader, block: bytes) -> None:
    _check_slowly(block)
    header.mode = _number(block[100:108], "mode")
    header.uid = _number(block[108:116], "uid")
    header.gid = _number(block[116:124], "gid")
    header.size = _number(block[124:136], "size")
    header.mtime = _number(block[136:148], "mtime")
    for name in ("mode", "uid", "gid", "size"):
        value: int = getattr(header, name)
        if value < 0:
            raise MalformedInput(f"negative {name} ({value})")


def _number(field: bytes, what: str) -> int:
    # Python's int takes signs and underscores too, and Go's parser does not.
    if field[0] < 128 and not _OCTAL.fullmatch(field):
        raise MalformedInput(f"bad {what} field {field!r}")
    try:
        # tarfile's reader of a header number, base-256 included; typeshed leaves it out.
        value: int = tarfile.nti(field)  # type: ignore[attr-defined]
    except tarfile.TarError:
        raise MalformedInput(f"bad {what} field {field!r}") from None
    return value
