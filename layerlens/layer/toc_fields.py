"""The fields of one entry in a table of contents, typed: a million of them are read at a time.

So the keys are taken as they are always written, without a look for other cases at each of them;
one that is written otherwise is an error.
"""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from layerlens.errors import MalformedInput
from layerlens.oci.json_fields import JsonObject
from layerlens.oci.quoting import quoted

_READ = ("type", "name", "linkName", "mode", "size", "uid", "gid", "modtime", "devMajor")
_READ_TOO = ("devMinor", "xattrs", "digest", "offset")
_FOLDED = frozenset(key.casefold() for key in (*_READ, *_READ_TOO))
_PASSED_OVER = ("accesstime", "changetime", "endOffset", "innerOffset", "userName", "groupName")
_OF_CHUNKS = ("chunkSize", "chunkOffset", "chunkDigest", "chunkType")
_KEYS = frozenset((*_READ, *_READ_TOO, *_PASSED_OVER, *_OF_CHUNKS))

_REPLACED = "\ufffd"  # what Go's JSON writes for bytes that are not UTF-8
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_REMEMBERED = 1 << 12
"""Times kept: most files of a layer share theirs with many others."""


class TocFields:
    """One entry. Getters raise MalformedInput for what is not of its type."""

    __slots__ = ("_fields", "_values")

    def __init__(self, fields: JsonObject) -> None:
        """Raise MalformedInput where a key is written in another case."""
        self._fields = fields
        self._values = fields.values()
        if not self._values.keys() <= _KEYS:
            for key in self._values.keys() - _KEYS:
                if key.casefold() in _FOLDED:
                    raise self.malformed(key, "a key in another case than it is always written in")

    def malformed(self, key: str, problem: str) -> MalformedInput:
        """An error about one field, for the caller to raise."""
        return self._fields.malformed(key, problem)

    def string(self, key: str) -> str:
        """A text that must be there."""
        value = self._values.get(key)
        return value if isinstance(value, str) else self._fields.string(key)

    def name(self, key: str) -> str:
        """A text that is a file's name, byte for byte."""
        text = self.string(key)
        if text.isascii() and "\0" not in text:
            return text
        if _REPLACED in text:
            raise self.malformed(key, "a name that is not UTF-8, which is lost in it")
        if "\0" in text:
            raise self.malformed(key, "a name with a NUL")
        return text

    def natural(self, key: str) -> int:
        """A number of 64 bits, not negative; 0 where it is missing."""
        number = self._values.get(key)
        if number is None:
            return 0
        if type(number) is not int or number >> 63:
            number = self._fields.integer(key)
            raise self.malformed(key, f"a negative number, {number}")
        return number

    def sha256(self, key: str) -> bytes:
        """The bytes of a SHA-256 digest that must be there."""
        match = _SHA256.fullmatch(self.string(key))
        if match is None:
            raise self.malformed(key, "is no sha256 digest")
        return bytes.fromhex(match[1])

    def nanoseconds(self, key: str) -> int:
        """Nanoseconds since 1970 of a time as RFC 3339 has it; 0 where it is missing."""
        if not self._values.get(key):
            return 0
        text = self.string(key)
        nanoseconds = _nanoseconds(text)
        if nanoseconds is None:
            raise self.malformed(key, f"{quoted(text)} is no time")
        return nanoseconds

    def xattrs(self) -> tuple[tuple[str, bytes], ...]:
        """The extended attributes, sorted by name."""
        if not self._values.get("xattrs"):
            return ()
        found = []
        for name, value in self._fields.string_map("xattrs").items():
            try:
                found.append((name, binascii.a2b_base64(value, strict_mode=True)))
            except ValueError:
                raise self.malformed("xattrs", f"{quoted(name)} is not base64") from None
            if _REPLACED in name:
                raise self.malformed("xattrs", "a name that is not UTF-8, which is lost in it")
        return tuple(sorted(found))


@lru_cache(maxsize=_REMEMBERED)
def _nanoseconds(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(match[1])
        zone = timedelta(hours=int(match[4] or 0), minutes=int(match[5] or 0))
        moment = moment.replace(tzinfo=timezone(-zone if match[3] == "-" else zone))
    except ValueError:
        return None
    return (moment - _EPOCH) // _SECOND * 1_000_000_000 + int((match[2] or "0").ljust(9, "0"))
