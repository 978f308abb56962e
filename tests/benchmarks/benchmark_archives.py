"""Planned layers written as tar, plain and gzipped, and packed as OCI archive and docker-archive.

The docker-archive has plain layers and the names that skopeo gives them. Memory stays small:
content is streamed, and layers wait in temporary files until they are packed.
"""

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark_layers import EPOCH, Item, LayerPlan, is_mark

GZIP_LEVEL = 6
GZIP_WINDOW = 31
RECORD = 10240
REFERENCE = "docker.io/library/benchmark:1.0"
OCI = "application/vnd.oci.image"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenLayer:
    """One layer on disk in both forms; sizes in bytes, digests as hexadecimal SHA-256."""

    plain: Path
    gzipped: Path
    diff_id: str
    blob_digest: str
    plain_size: int
    gzipped_size: int
    entries: int
    files: int
    instruction: str


class _LayerSink:
    """Takes the tar's bytes once and gives them to both files and both hashes."""

    def __init__(self, plain: Path, gzipped: Path) -> None:
        self._plain = plain.open("wb")
        self._gzipped = gzipped.open("wb")
        self._compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW)
        self.diff_id = hashlib.sha256()
        self.blob_digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._plain.write(data)
        self.diff_id.update(data)
        self.size += len(data)
        self._write_gzipped(self._compressor.compress(data))

    def close(self) -> None:
        self.write(bytes(2 * tarfile.BLOCKSIZE))
        self.write(bytes(-self.size % RECORD))
        self._write_gzipped(self._compressor.flush())
        self._plain.close()
        self._gzipped.close()

    def _write_gzipped(self, data: bytes) -> None:
        self._gzipped.write(data)
        self.blob_digest.update(data)


def write_layer(plan: LayerPlan, stem: Path) -> WrittenLayer:
    """Write ``plan`` to ``stem``.tar and ``stem``.gz."""
    plain, gzipped = stem.with_suffix(".tar"), stem.with_suffix(".gz")
    sink = _LayerSink(plain, gzipped)
    for item in plan.items:
        sink.write(_header(item))
        if item.payload.size:
            for chunk in item.payload.chunks():
                sink.write(chunk)
            sink.write(bytes(-item.payload.size % tarfile.BLOCKSIZE))
    sink.close()
    return WrittenLayer(
        plain=plain,
        gzipped=gzipped,
        diff_id=sink.diff_id.hexdigest(),
        blob_digest=sink.blob_digest.hexdigest(),
        plain_size=sink.size,
        gzipped_size=gzipped.stat().st_size,
        entries=len(plan.items),
        files=sum(1 for item in plan.items if item.kind == tarfile.REGTYPE and not is_mark(item)),
        instruction=plan.instruction,
    )


def _header(item: Item) -> bytes:
    info = tarfile.TarInfo(item.path)
    info.type = item.kind
    info.mode = item.mode
    info.mtime = item.mtime
    info.size = item.payload.size
    info.linkname = item.link
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def write_oci_archive(archive: Path, layers: Sequence[WrittenLayer]) -> None:
    """A tar of an OCI layout with gzip layers; each layer once, as blobs are named by digest."""
    config = _config(layers)
    descriptors = [
        _descriptor(f"{OCI}.layer.v1.tar+gzip", layer.blob_digest, layer.gzipped_size)
        for layer in layers
    ]
    config_digest = hashlib.sha256(config).hexdigest()
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": _descriptor(f"{OCI}.config.v1+json", config_digest, len(config)),
            "layers": descriptors,
        }
    )
    manifest_digest = hashlib.sha256(manifest).hexdigest()
    in_index = _descriptor(f"{OCI}.manifest.v1+json", manifest_digest, len(manifest))
    annotations = {"org.opencontainers.image.ref.name": "1.0"}
    index = _json({"schemaVersion": 2, "manifests": [{**in_index, "annotations": annotations}]})
    with tarfile.open(archive, "w") as tar:
        _add_bytes(tar, f"blobs/sha256/{config_digest}", config)
        _add_bytes(tar, f"blobs/sha256/{manifest_digest}", manifest)
        for digest, layer in {layer.blob_digest: layer for layer in layers}.items():
            _add_file(tar, f"blobs/sha256/{digest}", layer.gzipped)
        _add_bytes(tar, "index.json", index)
        _add_bytes(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))


def write_docker_archive(archive: Path, layers: Sequence[WrittenLayer]) -> None:
    """A docker-archive with plain layers: <hex>.tar, <hex>.json, manifest.json."""
    config = _config(layers)
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = {
        "Config": config_name,
        "RepoTags": [REFERENCE],
        "Layers": [f"{layer.diff_id}.tar" for layer in layers],
    }
    with tarfile.open(archive, "w") as tar:
        for diff_id, layer in {layer.diff_id: layer for layer in layers}.items():
            _add_file(tar, f"{diff_id}.tar", layer.plain)
        _add_bytes(tar, config_name, config)
        _add_bytes(tar, "manifest.json", _json([manifest]))


def _config(layers: Sequence[WrittenLayer]) -> bytes:
    created = "2023-11-14T22:13:20Z"
    history: list[dict[str, object]] = [
        {"created": created, "created_by": layer.instruction} for layer in layers
    ]
    history.append({"created": created, "created_by": 'CMD ["sh"]', "empty_layer": True})
    return _json(
        {
            "created": created,
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["PATH=/usr/bin"], "Cmd": ["sh"], "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{it.diff_id}" for it in layers]},
            "history": history,
        }
    )


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    tar.addfile(_member(name, len(data)), io.BytesIO(data))


def _add_file(tar: tarfile.TarFile, name: str, path: Path) -> None:
    with path.open("rb") as file:
        tar.addfile(_member(name, path.stat().st_size), file)


def _member(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mtime = EPOCH
    return info
