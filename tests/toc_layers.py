"""Layers with a table of contents (TOC), as stargz-snapshotter and containers/storage write them.

What podman's and skopeo's own code writes is tried in tests/source/registry/test_toc_registry.py;
there is no tool on Debian that writes eStargz.
"""

from __future__ import annotations

import base64
import gzip
import io
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from archive_forms import LAYER_TYPE, Fields, zstd
from image_builder import BuiltLayer, Json, Member, digest_of, file, image, json_bytes, tar_of
from registry_content import OCI_GZIP, RegistryContent

ESTARGZ = "containerd.io/snapshot/stargz/toc.digest"
CHUNKED = "io.github.containers.zstd-chunked."

_TYPES = {
    tarfile.REGTYPE: "reg",
    tarfile.DIRTYPE: "dir",
    tarfile.SYMTYPE: "symlink",
    tarfile.LNKTYPE: "hardlink",
    tarfile.CHRTYPE: "char",
    tarfile.BLKTYPE: "block",
    tarfile.FIFOTYPE: "fifo",
}


class Span(NamedTuple):
    """Bytes from ``start`` to before ``stop``."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TocLayer:
    """A stored layer. ``built``: its uncompressed tar; ``toc``: where the TOC is in the blob."""

    built: BuiltLayer
    blob: bytes
    media_type: str
    annotations: Mapping[str, str]
    toc: Span

    def described(self, content: RegistryContent, repository: str) -> Fields:
        """Store the blob; its descriptor."""
        digest = content.add_blob(repository, self.blob)
        return {
            "mediaType": self.media_type,
            "digest": digest,
            "size": len(self.blob),
            "annotations": dict(self.annotations),
        }


def add_toc_image(
    content: RegistryContent, repository: str, layers: Sequence[TocLayer], tag: str
) -> list[str]:
    """Store an image of such layers; the digests of their blobs."""
    described = [layer.described(content, repository) for layer in layers]
    built = image(*(layer.built for layer in layers))
    content.add_image(repository, built, tag, form=OCI_GZIP, overrides={"layers": described})
    return [str(fields["digest"]) for fields in described]


def toc_entries(members: Sequence[Member]) -> list[Fields]:
    """The members as a TOC has them; a file of more than 8 bytes is in two chunks."""
    return [fields for member in members for fields in _entries(member)]


def _entries(member: Member) -> list[Fields]:
    fields: Fields = {
        "type": _TYPES[member.type],
        "name": member.name,
        "mode": member.mode,
        "modtime": datetime.fromtimestamp(member.mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    optional: Fields = {
        "linkName": member.link_target,
        "size": len(member.content),
        "uid": member.uid,
        "gid": member.gid,
        "devMajor": member.device[0],
        "devMinor": member.device[1],
        "xattrs": {name: base64.b64encode(data).decode() for name, data in member.xattrs.items()},
    }
    # Go leaves out what is empty.
    fields.update({name: value for name, value in optional.items() if value})
    if not member.content:
        return [fields]
    fields.update(digest=digest_of(member.content), offset=10)
    if len(member.content) <= 8:
        return [fields]
    chunk: Fields = {"type": "chunk", "name": member.name, "chunkOffset": 8, "offset": 20}
    return [{**fields, "chunkSize": 8}, chunk]


def chunked(*members: Member, toc: Json = None, prefix: str = CHUNKED) -> TocLayer:
    """A zstd:chunked layer; ``toc``: another document in place of the true one."""
    tar = tar_of(*members)
    document = json_bytes(toc or {"version": 1, "entries": toc_entries(members)})
    stored = zstd(document)
    data = zstd(tar)
    position = (len(data) + 8, len(stored), len(document), 1)
    footer = b"".join(number.to_bytes(8, "little") for number in (*position, 0, 0, 0))
    return TocLayer(
        built=BuiltLayer(tar, "test builder"),
        blob=data + _skippable(stored) + _skippable(footer + b"GNUlInUx"),
        media_type=f"{LAYER_TYPE}+zstd",
        annotations={
            f"{prefix}manifest-position": ":".join(map(str, position)),
            f"{prefix}manifest-checksum": digest_of(stored),
        },
        toc=Span(position[0], position[0] + len(stored)),
    )


def _skippable(data: bytes) -> bytes:
    """A frame that zstd's readers pass over (RFC 8878, 3.1.2)."""
    return b"\x50\x2a\x4d\x18" + len(data).to_bytes(4, "little") + data


def estargz(*members: Member, toc: Json = None) -> TocLayer:
    """An eStargz layer; ``toc``: another document in place of the true one."""
    landmark = file("/.no.prefetch.landmark", b"\xf0")
    listed = (landmark, *members)
    document = json_bytes(toc or {"version": 1, "entries": toc_entries(listed)})
    data = gzip.compress(_without_end(tar_of(*listed)), mtime=0)
    index = tar_of(file("/stargz.index.json", document))
    stored = gzip.compress(index, mtime=0)
    blob = data + stored + estargz_footer(len(data))
    return TocLayer(
        built=BuiltLayer(gzip.decompress(blob), "test builder"),
        blob=blob,
        media_type=f"{LAYER_TYPE}+gzip",
        annotations={ESTARGZ: digest_of(document)},
        toc=Span(len(data), len(data) + len(stored)),
    )


def estargz_footer(offset: int) -> bytes:
    """51 bytes: an empty gzip member, the TOC's offset in its extra field."""
    extra = b"SG" + (22).to_bytes(2, "little") + f"{offset:016x}STARGZ".encode()
    head = b"\x1f\x8b\x08\x04" + bytes(4) + b"\0\xff" + len(extra).to_bytes(2, "little") + extra
    empty = b"\x01\x00\x00\xff\xff"
    return head + empty + zlib.crc32(b"").to_bytes(4, "little") + bytes(4)


def _without_end(tar: bytes) -> bytes:
    """The members alone, whole blocks of them."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        last = archive.getmembers()[-1]
    return tar[: last.offset_data + -(-last.size // 512) * 512]


def redeclared(layer: TocLayer, **annotations: str) -> TocLayer:
    """The layer with other annotations of that format: ``position``, ``checksum``, ``digest``."""
    names = {"position": f"{CHUNKED}manifest-position", "checksum": f"{CHUNKED}manifest-checksum"}
    changed = {names.get(key, ESTARGZ): value for key, value in annotations.items()}
    return replace(layer, annotations={**layer.annotations, **changed})


def altered(layer: TocLayer, at: int) -> TocLayer:
    """The layer with one byte of its blob flipped, under the digest that this makes."""
    blob = bytearray(layer.blob)
    blob[at] ^= 0xFF
    return replace(layer, blob=bytes(blob))
