"""The forms in which tools store images: members by name, to be broken by a test before writing.

Each ``docker_…`` function gives an archive's members in the tool's order; ``Layout`` collects an
OCI layout. ``archive`` makes a tar of members, ``write_directory`` a directory.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from image_builder import BuiltImage, Json, Member, digest_of, hex_of, json_bytes, tar_of

OCI = "application/vnd.oci.image"
INDEX_TYPE = f"{OCI}.index.v1+json"
MANIFEST_TYPE = f"{OCI}.manifest.v1+json"
CONFIG_TYPE = f"{OCI}.config.v1+json"
LAYER_TYPE = f"{OCI}.layer.v1.tar"

_ZSTD_BLOCK = 1 << 17


@dataclass(frozen=True, slots=True)
class SymbolicLink:
    """A member that is a symlink."""

    target: str


@dataclass(frozen=True, slots=True)
class HardLink:
    """A member that is a hard link to another."""

    target: str


Members = dict[str, bytes | SymbolicLink | HardLink]
"""An archive's members by name, in its order."""

Fields = dict[str, Json]
"""A JSON object that a test may change before it is written."""


def archive(members: Members) -> bytes:
    """The members as a tar."""
    return tar_of(*(_member(name, value) for name, value in members.items()))


def _member(name: str, value: bytes | SymbolicLink | HardLink) -> Member:
    if isinstance(value, bytes):
        return Member(name=name, content=value)
    kind = tarfile.SYMTYPE if isinstance(value, SymbolicLink) else tarfile.LNKTYPE
    return Member(name=name, type=kind, link_target=value.target)


def write_directory(members: Members, path: Path) -> Path:
    """The members as files below ``path``; gives ``path`` back."""
    for name, value in members.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, bytes):
            target.write_bytes(value)
        elif isinstance(value, SymbolicLink):
            target.symlink_to(value.target)
        else:
            target.hardlink_to(path / value.target)
    return path


def zstd(data: bytes) -> bytes:
    """A zstd frame of stored blocks (RFC 8878), so that writing one needs no codec."""
    blocks = [data[at : at + _ZSTD_BLOCK] for at in range(0, len(data), _ZSTD_BLOCK)] or [b""]
    parts = [b"\x28\xb5\x2f\xfd", b"\x80", b"\x38", len(data).to_bytes(4, "little")]
    for number, block in enumerate(blocks):
        last = number == len(blocks) - 1
        parts += [(len(block) << 3 | last).to_bytes(3, "little"), block]
    return b"".join(parts)


def compressed(data: bytes, compression: str) -> bytes:
    """``data`` in none, gzip, zstd, bzip2 or xz."""
    match compression:
        case "none":
            return data
        case "gzip":
            return gzip.compress(data, mtime=0)
        case "zstd":
            return zstd(data)
        case "bzip2":
            return bz2.compress(data)
        case "xz":
            return lzma.compress(data)
        case _:
            raise ValueError(compression)


# ---- archives with a manifest.json ----


def docker_skopeo(*images: BuiltImage) -> Members:
    """As skopeo and podman: ``<hex>.tar``, a link to it in a directory a layer, manifest last."""
    members: Members = {}
    ids: list[str] = []
    for image in images:
        parent = ""
        for layer in image.layers:
            name = f"{layer.diff_id.removeprefix('sha256:')}.tar"
            layer_id = hex_of(f"{parent} {layer.diff_id}".encode())
            members[name] = layer.tar
            members[f"{layer_id}/layer.tar"] = SymbolicLink(f"../{name}")
            members[f"{layer_id}/VERSION"] = b"1.0"
            members[f"{layer_id}/json"] = _version_1(layer_id, parent)
            parent = layer_id
        members[f"{image.config_hex}.json"] = image.config_bytes()
        ids.append(parent)
    members["repositories"] = _repositories(images, ids)
    members["manifest.json"] = _manifest(
        images,
        [f"{image.config_hex}.json" for image in images],
        [
            [layer.diff_id.removeprefix("sha256:") + ".tar" for layer in image.layers]
            for image in images
        ],
    )
    return members


def docker_classic(*images: BuiltImage) -> Members:
    """As docker 1.10 to 24: ``<id>/layer.tar``; a repeated layer is a symlink to the first."""
    members: Members = {}
    paths: list[list[str]] = []
    first: dict[str, str] = {}
    ids: list[str] = []
    for image in images:
        paths.append([])
        chain = ""
        for layer in image.layers:
            parent = chain
            chain = hex_of(f"{parent} {layer.diff_id}".encode())
            name = f"{chain}/layer.tar"
            paths[-1].append(name)
            members[f"{chain}/VERSION"] = b"1.0"
            members[f"{chain}/json"] = _version_1(chain, parent)
            earlier = first.setdefault(layer.diff_id, name)
            if earlier == name:
                members[name] = layer.tar
            else:
                members[name] = SymbolicLink(f"../{earlier}")
        ids.append(chain)
        members[f"{image.config_hex}.json"] = image.config_bytes()
    members["manifest.json"] = _manifest(
        images, [f"{image.config_hex}.json" for image in images], paths
    )
    members["repositories"] = _repositories(images, ids)
    return members


def docker_25(*images: BuiltImage) -> Members:
    """As docker from 25 on: an OCI layout of plain layers and a manifest.json over its blobs."""
    layout = Layout()
    descriptors = []
    for image in images:
        descriptor = layout.add_image(image, compression="none")
        for name in image.names:
            annotations: Fields = {
                "io.containerd.image.name": name,
                "org.opencontainers.image.ref.name": name.rpartition(":")[2],
            }
            descriptors.append({**descriptor, "annotations": annotations})
    members = layout.members(descriptors)
    members["manifest.json"] = _manifest(
        images,
        [f"blobs/sha256/{image.config_hex}" for image in images],
        [
            ["blobs/" + layer.diff_id.replace(":", "/") for layer in image.layers]
            for image in images
        ],
    )
    members["repositories"] = _repositories(images, [image.config_hex for image in images])
    return members


def docker_kaniko(*images: BuiltImage) -> Members:
    """As kaniko and crane: the config is named ``sha256:<hex>``, layers ``<hex>.tar.gz``."""
    members: Members = {}
    paths: list[list[str]] = []
    for image in images:
        members[f"sha256:{image.config_hex}"] = image.config_bytes()
        paths.append(_add_gzip_layers(members, image))
    members["manifest.json"] = _manifest(
        images, [f"sha256:{image.config_hex}" for image in images], paths
    )
    return members


def docker_jib(image: BuiltImage) -> Members:
    """As jib: one image, keys in lower case."""
    members: Members = {}
    paths = _add_gzip_layers(members, image)
    members["config.json"] = image.config_bytes()
    item: Fields = {"config": "config.json", "repoTags": list(image.names), "layers": paths}
    members["manifest.json"] = json_bytes([item])
    return members


def docker_legacy(*images: BuiltImage) -> Members:
    """As docker before 1.10: ``repositories``, a directory a layer, ``parent``, no manifest."""
    members: Members = {}
    ids: list[str] = []
    for image in images:
        parent = ""
        for number, layer in enumerate(image.layers):
            layer_id = hex_of(f"{parent} {layer.diff_id}".encode())
            document: Fields = {
                "id": layer_id,
                "created": "2015-01-01T00:00:00Z",
                "container_config": {"Cmd": ["/bin/sh", "-c", _shell_command(layer.created_by)]},
                "config": image.config if number == len(image.layers) - 1 else {},
                **image.platform,
            }
            if parent:
                document["parent"] = parent
            members[f"{layer_id}/VERSION"] = b"1.0"
            members[f"{layer_id}/json"] = json_bytes(document)
            members[f"{layer_id}/layer.tar"] = layer.tar
            parent = layer_id
        ids.append(parent)
    members["repositories"] = _repositories(images, ids)
    return members


def _version_1(layer_id: str, parent: str) -> bytes:
    """A layer's description as archives still have it for docker before 1.10."""
    return json_bytes({"id": layer_id, **({"parent": parent} if parent else {})})


def _shell_command(instruction: str) -> str:
    """An instruction as the classic builder had the shell see it."""
    keyword, _, rest = instruction.partition(" ")
    return rest if keyword == "RUN" else f"#(nop) {instruction}"


def _add_gzip_layers(members: Members, image: BuiltImage) -> list[str]:
    paths = []
    for layer in image.layers:
        data = compressed(layer.tar, "gzip")
        paths.append(f"{hex_of(data)}.tar.gz")
        members[paths[-1]] = data
    return paths


def _manifest(
    images: Sequence[BuiltImage], configs: Sequence[str], layers: Sequence[Sequence[str]]
) -> bytes:
    items = [
        {"Config": config, "RepoTags": list(image.names), "Layers": list(paths)}
        for image, config, paths in zip(images, configs, layers, strict=True)
    ]
    return json_bytes(items)


def _repositories(images: Sequence[BuiltImage], ids: Sequence[str]) -> bytes:
    found: dict[str, dict[str, str]] = {}
    for image, image_id in zip(images, ids, strict=True):
        for name in image.names:
            repository, _, tag = name.rpartition(":")
            found.setdefault(repository, {})[tag] = image_id
    return json_bytes(found)


# ---- OCI layouts ----


class Layout:
    """An OCI layout being filled: blobs are added, and what descriptors name them is given back.

    A descriptor is a plain dictionary, so that a test can falsify it before it is used.
    """

    def __init__(self) -> None:
        self.blobs: Members = {}

    def add(self, data: bytes, media_type: str) -> Fields:
        """Store a blob; its true descriptor."""
        digest = digest_of(data)
        self.blobs["blobs/" + digest.replace(":", "/")] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def add_image(
        self,
        image: BuiltImage,
        *,
        compression: str = "gzip",
        overrides: Mapping[str, Json] | None = None,
    ) -> Fields:
        """Store an image, its manifest with ``overrides`` in place of its true fields; the
        manifest's descriptor, with the platform and without a name."""
        suffix = "" if compression == "none" else f"+{compression}"
        layers = [
            self.add(compressed(layer.tar, compression), LAYER_TYPE + suffix)
            for layer in image.layers
        ]
        manifest: Fields = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": self.add(image.config_bytes(), CONFIG_TYPE),
            "layers": layers,
            **(overrides or {}),
        }
        descriptor = self.add(json_bytes(manifest), MANIFEST_TYPE)
        return {**descriptor, "platform": dict(image.platform)}

    def add_index(self, *descriptors: Fields) -> Fields:
        """Store an index over these; its descriptor."""
        return self.add(index_document(descriptors), INDEX_TYPE)

    def add_attestation(self, subject: Fields) -> Fields:
        """Store an attestation as BuildKit adds it beside an image; its descriptor."""
        statement = self.add(b'{"_type":"https://in-toto.io/Statement/v0.1"}', "application/json")
        config = self.add(b"{}", CONFIG_TYPE)
        manifest: Fields = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config}
        manifest["layers"] = [{**statement, "mediaType": "application/vnd.in-toto+json"}]
        return {
            **self.add(json_bytes(manifest), MANIFEST_TYPE),
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": subject["digest"],
            },
        }

    def members(self, descriptors: Sequence[Fields]) -> Members:
        """The layout's files, blobs first, its index.json over these descriptors."""
        return {
            **self.blobs,
            "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
            "index.json": index_document(descriptors),
        }


def index_document(descriptors: Sequence[Fields]) -> bytes:
    """An image index over these descriptors."""
    return json_bytes({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": list(descriptors)})


def named(descriptor: Fields, name: str) -> Fields:
    """The descriptor with an image's name, as the OCI annotation has it."""
    return {**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}}


def oci_layout(*images: BuiltImage, compression: str = "gzip") -> Members:
    """A layout of these images, each under its own names."""
    layout = Layout()
    descriptors = []
    for image in images:
        descriptor = layout.add_image(image, compression=compression)
        descriptors += [named(descriptor, name) for name in image.names] or [descriptor]
    return layout.members(descriptors)


def multi_platform(*images: BuiltImage, compression: str = "gzip") -> Members:
    """A layout of one index whose images are these, each with its attestation."""
    layout = Layout()
    descriptors = []
    for image in images:
        descriptors.append(layout.add_image(image, compression=compression))
        descriptors.append(layout.add_attestation(descriptors[-1]))
    return layout.members([named(layout.add_index(*descriptors), images[0].names[0])])
