"""Small images made by hand as named members, so that any document or blob can be made to lie."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from layerlens.image import open_image
from layerlens.layer.entry import LayerEntry
from layerlens.layer.read_layer import Expected, LayerReading, read_layer
from layerlens.loading import LoadSettings
from layerlens.oci import media_types
from layerlens.oci.json_fields import JsonValue
from layerlens.streams.limits import DEFAULT_LIMITS, Limits

from .raw_tar import END, directory, member

LAYER_NAME = "layer.tar"


def sha256(data: bytes) -> str:
    """The digest of ``data`` as documents write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def blob_name(data: bytes) -> str:
    """Where an OCI layout keeps ``data``."""
    return "blobs/sha256/" + hashlib.sha256(data).hexdigest()


def as_json(value: JsonValue) -> bytes:
    """``value`` as a document."""
    return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class RawImage:
    """The members of an archive or layout, in order. A symlink is a ``str``, its target."""

    members: Mapping[str, bytes | str]

    def put(self, name: str, body: bytes | str) -> RawImage:
        """The same with one member more, or another body."""
        return RawImage({**self.members, name: body})

    def without(self, name: str) -> RawImage:
        """The same with one member less."""
        return RawImage({key: body for key, body in self.members.items() if key != name})

    def archive(self) -> bytes:
        """All of it as a tar."""
        return b"".join(_member(name, body) for name, body in self.members.items()) + END

    def write_archive(self, path: Path) -> Path:
        """The tar as a file."""
        path.write_bytes(self.archive())
        return path

    def write_layout(self, path: Path) -> Path:
        """All of it as a directory."""
        for name, body in self.members.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(body, str):
                file.symlink_to(body)
            else:
                file.write_bytes(body)
        return path


def _member(name: str, body: bytes | str) -> bytes:
    if isinstance(body, str):
        return member(name.encode(), kind=b"2", link=body.encode())
    return member(name.encode(), body)


def config_of(*diff_ids: str) -> bytes:
    """A config with these DiffIDs."""
    rootfs: JsonValue = {"type": "layers", "diff_ids": list(diff_ids)}
    return as_json({"os": "linux", "architecture": "amd64", "rootfs": rootfs})


def docker_archive(*layers: bytes, diff_ids: Sequence[str] | None = None) -> RawImage:
    """What ``docker save`` writes, with plain layers called ``0/layer.tar`` and on."""
    names = [f"{number}/{LAYER_NAME}" for number in range(len(layers))]
    config = config_of(*(diff_ids if diff_ids is not None else map(sha256, layers)))
    manifest: JsonValue = [{"Config": "config.json", "RepoTags": ["t:1"], "Layers": [*names]}]
    return RawImage(
        {
            "config.json": config,  # first, so that a stream is known by it as an image archive
            **dict(zip(names, layers, strict=True)),
            "manifest.json": as_json(manifest),
        }
    )


def descriptor(data: bytes, media_type: str, **more: JsonValue) -> dict[str, JsonValue]:
    """What names the blob ``data``; ``more`` may contradict it."""
    return {"mediaType": media_type, "digest": sha256(data), "size": len(data), **more}


def index_of(*descriptors: JsonValue) -> bytes:
    """An index of these descriptors."""
    return as_json(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_INDEX,
            "manifests": [*descriptors],
        }
    )


def manifest_of(config: JsonValue, *layers: JsonValue) -> bytes:
    """A manifest of these descriptors."""
    return as_json(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": config,
            "layers": [*layers],
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlob:
    """A layer as it is stored. ``plain``: its tar; ``said``: fields its descriptor has instead."""

    stored: bytes
    plain: bytes
    media_type: str = media_types.OCI_LAYER_GZIP
    said: Mapping[str, JsonValue] | None = None


def oci_layout(*layers: StoredBlob, diff_ids: Sequence[str] | None = None) -> RawImage:
    """An OCI layout of one image."""
    config = config_of(
        *(diff_ids if diff_ids is not None else (sha256(layer.plain) for layer in layers))
    )
    manifest = manifest_of(
        dict(descriptor(config, media_types.OCI_CONFIG)),
        *({**descriptor(layer.stored, layer.media_type), **(layer.said or {})} for layer in layers),
    )
    return layout_of(
        index_of(dict(descriptor(manifest, media_types.OCI_MANIFEST))),
        *(layer.stored for layer in layers),
        config,
        manifest,
    )


def layout_of(index: bytes, *blobs: bytes) -> RawImage:
    """An OCI layout with this index and these blobs."""
    return RawImage(
        {
            "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
            **{blob_name(blob): blob for blob in blobs},
            "index.json": index,
        }
    )


SMALL_LAYER = directory(b"etc/") + member(b"etc/motd", b"hello\n") + member(b"bin", b"x") + END


@dataclass(frozen=True, slots=True)
class Seen:
    """All that layerlens says of an image's layers."""

    entries: tuple[tuple[LayerEntry, ...], ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def look_at(name: Path | str, limits: Limits = DEFAULT_LIMITS) -> Seen:
    """Open the image, and ask for everything that layerlens can tell of it."""
    with open_image(str(name), settings=LoadSettings(limits=limits)) as image:
        for number in range(len(image.layers)):
            image.summary(number)
        return Seen(
            tuple(layer.entries for layer in image.layers),
            tuple(warning for layer in image.layers for warning in layer.index.warnings),
            image.notes,
        )


def read_tar(tar: bytes, limits: Limits = DEFAULT_LIMITS) -> LayerReading:
    """One layer of which nothing is promised."""
    return read_layer(iter([tar]), Expected(), where="layer", limits=limits)


def with_limits(**limits: int) -> Limits:
    """The default limits but these."""
    return replace(DEFAULT_LIMITS, **limits)
