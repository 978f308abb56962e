"""Images of a few files, made here where no tool makes what a test needs."""

import gzip
import io
import json
import tarfile
from hashlib import sha256
from pathlib import Path

Member = tuple[tarfile.TarInfo, bytes]
Json = dict[str, object]

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
GZIP_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def file(name: str, data: bytes = b"") -> Member:
    """A file of mode 644."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, data


def special(name: str, kind: bytes, target: str = "") -> Member:
    """A link, directory, device or pipe, by tarfile's name of its type."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info, b""


def tar(*members: Member) -> bytes:
    """A tar of the members, in their order, none of them dropped."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def docker_archive(path: Path, *layers: bytes, config: Json | None = None) -> Path:
    """A docker-archive of plain layers."""
    document = json.dumps(_config(list(layers), config or {})).encode()
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    manifest = [{"Config": "config.json", "RepoTags": ["made:1.0"], "Layers": names}]
    members = [
        file("manifest.json", json.dumps(manifest).encode()),
        file("config.json", document),
        *(file(name, layer) for name, layer in zip(names, layers, strict=True)),
    ]
    path.write_bytes(tar(*members))
    return path


def oci_layout(
    directory: Path,
    *layers: bytes,
    media_type: str = GZIP_LAYER,
    annotations: dict[str, str] | None = None,
    beside: list[Json] | None = None,
) -> Path:
    """A layout with one image in a nested index; *beside*: further descriptors of that index,
    in whose annotations ``{manifest}`` stands for the image's digest."""
    (directory / "blobs" / "sha256").mkdir(parents=True)
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    config = json.dumps(_config(list(layers), {})).encode()
    blobs = [gzip.compress(layer, mtime=0) for layer in layers]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _blob(directory, CONFIG, config),
        "layers": [_blob(directory, media_type, blob) for blob in blobs],
        "annotations": annotations or {},
    }
    described = _blob(directory, MANIFEST, json.dumps(manifest).encode())
    others = json.loads(json.dumps(beside or []).replace("{manifest}", str(described["digest"])))
    nested = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [described, *others]}
    index = {
        "schemaVersion": 2,
        "manifests": [_blob(directory, INDEX, json.dumps(nested).encode())],
    }
    (directory / "index.json").write_text(json.dumps(index))
    return directory


def _config(layers: list[bytes], more: Json) -> Json:
    diff_ids = [f"sha256:{sha256(layer).hexdigest()}" for layer in layers]
    return {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        **more,
    }


def _blob(directory: Path, media_type: str, data: bytes) -> Json:
    name = sha256(data).hexdigest()
    (directory / "blobs" / "sha256" / name).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(data)}
