"""What a layer holds as its table of contents (TOC) has it: entries that nothing has verified.

eStargz and zstd:chunked write the same JSON: an object a tar member, in the tar's order, and one
for every further chunk of a large file. What it can't say truly is an error, so that the layer is
read instead: names that are not UTF-8, files without a digest. Of times eStargz keeps seconds.

Sources: stargz-snapshotter, docs/estargz.md, 'TOC'; containers/storage, pkg/chunked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from layerlens.errors import LimitExceeded
from layerlens.layer.entry import Entry, EntryKind, LayerEntry
from layerlens.layer.entry_names import AUFS_ROOT, WHITEOUT_PREFIX, EntryNames
from layerlens.layer.toc_fields import TocFields
from layerlens.oci.json_array import LongArray
from layerlens.oci.json_fields import JsonObject
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
    objects = LongArray(document, "entries", where)
    reader = _Reader(blob_size, where, limits)
    entries = tuple(reader.entries(objects))
    version = objects.rest.integer("version")
    if version != _VERSION:
        raise objects.rest.malformed("version", f"version {version} is not known")
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

    def entries(self, objects: Iterable[JsonObject]) -> Iterator[LayerEntry]:
        for each in objects:
            fields = TocFields(each)
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
            path = self._names.path(fields.name("name"))
            name = path[path.rfind("/") + 1 :]
            if name.startswith(WHITEOUT_PREFIX):
                whiteout = self._names.whiteout(path, name)
                if whiteout is not None:
                    yield whiteout
            elif not path.startswith(AUFS_ROOT):
                yield self._entry(fields, path, _KINDS[kind])

    def _entry(self, fields: TocFields, path: str, kind: EntryKind) -> Entry:
        size = 0
        content = link_target = None
        if kind is EntryKind.FILE:
            size = fields.natural("size")
            content = self._content(fields) if size else _NOTHING
        elif kind is EntryKind.SYMLINK:
            link_target = self._names.symlink_target(fields.name("linkName"))
        elif kind is EntryKind.HARD_LINK:
            link_target = self._names.path(fields.name("linkName"))
        device = None
        if kind in _DEVICES:
            device = (fields.natural("devMajor"), fields.natural("devMinor"))
        return Entry(
            path=path,
            kind=kind,
            mode=fields.natural("mode") & 0o7777,
            uid=fields.natural("uid"),
            gid=fields.natural("gid"),
            size=size,
            mtime_ns=self._mtime_ns(fields),
            content=content,
            link_target=link_target,
            xattrs=fields.xattrs(),
            device=device,
        )

    def _content(self, fields: TocFields) -> bytes:
        offset = fields.natural("offset")
        if offset >= self._blob_size:
            raise fields.malformed(
                "offset", f"{offset} is not within the {self._blob_size} bytes of the layer"
            )
        return fields.sha256("digest")

    def _mtime_ns(self, fields: TocFields) -> int:
        nanoseconds = fields.nanoseconds("modtime")
        if abs(nanoseconds) > _MAX_MTIME_NS:
            self._clamped_mtimes += 1
            return max(-_MAX_MTIME_NS, min(nanoseconds, _MAX_MTIME_NS))
        return nanoseconds
