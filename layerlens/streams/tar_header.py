"""A tar header decoded: tarfile's TarInfo, with the common case of ``frombuf`` made quick.

What is irregular (base-256 numbers, signed checksums) is left to tarfile's own code.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from functools import lru_cache

from layerlens.errors import MalformedInput
from layerlens.oci.quoting import quoted_bytes

BLOCK = tarfile.BLOCKSIZE

_USTAR_MAGIC = b"ustar\x00"
_STAR_TRAILER = b"tar\0"
_NUMBER_ENDS = b"\0 "
_REGULAR_TOO = (tarfile.AREGTYPE, tarfile.CONTTYPE)
_DEVICES = (tarfile.CHRTYPE, tarfile.BLKTYPE)
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
        checksum, size = block[148:154], block[124:135]
        # adler32's low half is 1 + the sum of the bytes modulo 65521: the checksum at C speed.
        total = (zlib.adler32(block) - 1 - sum(block[148:156]) + 256) & 0xFFFF
        if b"%06o" % total != checksum or total > 0xF000:
            _check_slowly(block)
        header.mode, header.uid, header.gid = _owner(block[100:124])
        if size.isdigit() and block[135] in _NUMBER_ENDS and b"8" not in size and b"9" not in size:
            header.size = int(size, 8)
        else:
            header.size = _natural(block[124:136], "size")
        header.mtime = _time(block[136:148])
        kind = block[156:157]
        name = block[:100].split(b"\0", 1)[0]
        if block[345] and block[257:263] == _USTAR_MAGIC:
            end = 476 if block[508:] == _STAR_TRAILER else 500  # star keeps times after it
            name = block[345:end].split(b"\0", 1)[0] + b"/" + name
        if kind in _REGULAR_TOO:
            old_directory = kind == tarfile.AREGTYPE and name.endswith(b"/")
            kind = tarfile.DIRTYPE if old_directory else tarfile.REGTYPE
        header.type = kind
        header.name = name.decode(encoding, errors)
        if block[157]:
            header.linkname = block[157:257].split(b"\0", 1)[0].decode(encoding, errors)
        else:
            header.linkname = ""
        if kind in _DEVICES:
            header.devmajor = _number(block[329:337], "device number")
            header.devminor = _number(block[337:345], "device number")
        return header


@lru_cache(maxsize=4096)
def _owner(fields: bytes) -> tuple[int, int, int]:
    """Mode, uid and gid; few combinations of them occur in an image."""
    return (
        _natural(fields[:8], "mode"),
        _natural(fields[8:16], "uid"),
        _natural(fields[16:], "gid"),
    )


@lru_cache(maxsize=4096)
def _time(field: bytes) -> int:
    return _number(field, "mtime")


def _check_slowly(block: bytes) -> None:
    stated = _number(block[148:156], "checksum")
    if stated not in (_unsigned_sum(block), _signed_sum(block)):
        raise MalformedInput("bad header checksum")


def _unsigned_sum(block: bytes) -> int:
    return sum(block[:148]) + 256 + sum(block[156:])


def _signed_sum(block: bytes) -> int:
    # Some historic tars summed signed characters.
    return _unsigned_sum(block) - 256 * sum(byte > 127 for byte in block[:148] + block[156:])


def _natural(field: bytes, what: str) -> int:
    value = _number(field, what)
    if value < 0:
        raise MalformedInput(f"negative {what} ({value})")
    return value


def _number(field: bytes, what: str) -> int:
    # Python's int takes signs and underscores too, and Go's parser does not.
    if field[0] < 128 and not _OCTAL.fullmatch(field):
        raise MalformedInput(f"bad {what} field {quoted_bytes(field)}")
    try:
        # tarfile's reader of a header number, base-256 included; typeshed leaves it out.
        value: int = tarfile.nti(field)  # type: ignore[attr-defined]
    except tarfile.TarError:
        raise MalformedInput(f"bad {what} field {quoted_bytes(field)}") from None
    return value
