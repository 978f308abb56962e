"""What a layer holds as its table of contents (TOC) has it: entries that nothing has verified.

eStargz and zstd:chunked write the same JSON: an object a tar member, in the tar's order, and one
for every further chunk of a large file. What it can't say truly is an error, so that the layer is
read instead: names that are not UTF-8, files without a digest. Of times eStargz keeps seconds.

Sources: stargz-snapshotter, docs/estargz.md, 'TOC'; containers/storage, pkg/chunked.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

from layerlens.errors import LimitExceeded
from layerlens.layer.entry import Entry, EntryKind, LayerEntry
from layerlens.layer.entry_names import AUFS_ROOT, WHITEOUT_PREFIX, EntryNames
from layerlens.oci.digest import Digest
from layerlens.oci.json_fields import JsonObject, parse_object
from layerlens.oci.quoting import quoted
from layerlens.streams.limits import Limits

_VERSION = 1
_CHUNK = "chunk"
_KINDS = {
    "reg": EntryKind.FILE,
    "dir": EntryKind.DIRECTORY,
    "symlink": EntryKind.SYMLINK,
    "hardlink": EntryKind.HARD_LINK,
    "char": EntryKind.CHARACTER_DEVICE,
    "block": EntryKind.BLOCK_DEVICE,
    "fifo": EntryKind.FIFO,
}
_DEVICES = (EntryKind.CHARACTER_DEVICE, EntryKind.BLOCK_DEVICE)
_NOTHING = sha256(b"").digest()
_REPLACED = "\ufffd"  # what Go's JSON writes for bytes that are not UTF-8
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MAX_MTIME_NS = (1 << 63) - 1

_FORMAT_FILES = frozenset({"/stargz.index.json", "/.prefetch.landmark", "/.no.prefetch.landmark"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TocListing:
    """A layer by its TOC. ``entries``: in the tar's order. ``members``: how many the tar has by
    it, those that serve the format alone included. ``warnings``: what was odd."""

    entries: tuple[LayerEntry, ...]
    members: int
    warnings: tuple[str, ...]


def without_format_files(entries: tuple[LayerEntry, ...]) -> tuple[LayerEntry, ...]:
    """The entries of an eStargz layer but for those that it holds for the format's own sake, and
    that its snapshotter shows to nobody."""
    return tuple(entry for entry in entries if entry.path not in _FORMAT_FILES)


def read_listing(document: bytes, blob_size: int, where: str, limits: Limits) -> TocListing:
    """Read the JSON of a TOC; ``blob_size`` is the layer's as it is stored, in bytes.

    Raises MalformedInput and LimitExceeded.
    """
    fields = parse_object(document, where, limit=len(document))
    version = fields.integer("version")
    if version != _VERSION:
        raise fields.malformed("version", f"version {version} is not known")
    reader = _Reader(blob_size, where, limits)
    entries = tuple(reader.entries(fields.objects("entries")))
    return TocListing(entries=entries, members=reader.members, warnings=reader.warnings())


class _Reader:
    """One TOC being read."""

    def __init__(self, blob_size: int, where: str, limits: Limits) -> None:
        self._blob_size = blob_size
        self._where = where
        self._limits = limits
        self._names = EntryNames(where, limits)
        self._clamped_mtimes = 0
        self.members = 0

    def warnings(self) -> tuple[str, ...]:
        found = self._names.warnings
        if self._clamped_mtimes:
            found = (*found, f"{self._clamped_mtimes} modification times are out of range")
        return found

    def entries(self, all_fields: tuple[JsonObject, ...]) -> Iterator[LayerEntry]:
        for fields in all_fields:
            kind = fields.string("type")
            if kind == _CHUNK:
                continue
            if kind not in _KINDS:
                raise fields.malformed("type", f"{quoted(kind)} is not known")
            self.members += 1
            if self.members > self._limits.entries:
                raise LimitExceeded(
                    f"{self._where}: has more than {self._limits.entries} entries "
                    "(raise with --limit entries=N)"
                )
            path = self._names.path(_text(fields, "name"))
            name = path[path.rfind("/") + 1 :]
            if name.startswith(WHITEOUT_PREFIX):
                whiteout = self._names.whiteout(path, name)
                if whiteout is not None:
                    yield whiteout
            elif not path.startswith(AUFS_ROOT):
                yield self._entry(fields, path, _KINDS[kind])

    def _entry(self, fields: JsonObject, path: str, kind: EntryKind) -> Entry:
        size = 0
        content = link_target = None
        if kind is EntryKind.FILE:
            size = _natural(fields, "size")
            content = self._content(fields, size)
        elif kind is EntryKind.SYMLINK:
            link_target = self._names.symlink_target(_text(fields, "linkName"))
        elif kind is EntryKind.HARD_LINK:
            link_target = self._names.path(_text(fields, "linkName"))
        device = None
        if kind in _DEVICES:
            device = (_natural(fields, "devMajor"), _natural(fields, "devMinor"))
        return Entry(
            path=path,
            kind=kind,
            mode=_natural(fields, "mode") & 0o7777,
            uid=_natural(fields, "uid"),
            gid=_natural(fields, "gid"),
            size=size,
            mtime_ns=self._mtime_ns(fields),
            content=content,
            link_target=link_target,
            xattrs=_xattrs(fields),
            device=device,
        )

    def _content(self, fields: JsonObject, size: int) -> bytes:
        if not size:
            return _NOTHING
        offset = _natural(fields, "offset")
        if offset >= self._blob_size:
            raise fields.malformed(
                "offset", f"{offset} is not within the {self._blob_size} bytes of the layer"
            )
        digest: Digest = fields.digest("digest")
        if digest.algorithm != "sha256":
            raise fields.malformed("digest", "only sha256 is read")
        return bytes.fromhex(digest.hex)

    def _mtime_ns(self, fields: JsonObject) -> int:
        text = fields.optional_string("modtime")
        if not text:
            return 0
        nanoseconds = _nanoseconds(text)
        if nanoseconds is None:
            raise fields.malformed("modtime", f"{quoted(text)} is no time")
        if abs(nanoseconds) > _MAX_MTIME_NS:
            self._clamped_mtimes += 1
            return max(-_MAX_MTIME_NS, min(nanoseconds, _MAX_MTIME_NS))
        return nanoseconds


def _text(fields: JsonObject, key: str) -> str:
    text = fields.string(key)
    if _REPLACED in text:
        raise fields.malformed(key, "a name that is not UTF-8, which is lost in it")
    if "\0" in text:
        raise fields.malformed(key, "a name with a NUL")
    return text


def _natural(fields: JsonObject, key: str) -> int:
    number = fields.optional_integer(key) or 0
    if number < 0:
        raise fields.malformed(key, f"a negative number, {number}")
    return number


def _nanoseconds(text: str) -> int | None:
    """Nanoseconds since 1970 of a time as RFC 3339 has it."""
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


def _xattrs(fields: JsonObject) -> tuple[tuple[str, bytes], ...]:
    found = []
    for name, value in fields.string_map("xattrs").items():
        try:
            found.append((name, binascii.a2b_base64(value, strict_mode=True)))
        except ValueError:
            raise fields.malformed("xattrs", f"{quoted(name)} is not base64") from None
        if _REPLACED in name:
            raise fields.malformed("xattrs", "a name that is not UTF-8, which is lost in it")
    return tuple(sorted(found))
