"""What the test registry holds: repositories of blobs, manifests and tags.

It is filled with images of tests/image_builder.py, with OCI layouts or with any bytes, and checks
nothing: content may be as broken as a test wants. It knows nothing of HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archive_forms import CONFIG_TYPE, INDEX_TYPE, LAYER_TYPE, MANIFEST_TYPE, Fields, compressed
from image_builder import BuiltImage, Json, digest_of, json_bytes

DOCKER = "application/vnd.docker"
DOCKER_INDEX_TYPE = f"{DOCKER}.distribution.manifest.list.v2+json"
DOCKER_MANIFEST_TYPE = f"{DOCKER}.distribution.manifest.v2+json"
SCHEMA_1_TYPE = f"{DOCKER}.distribution.manifest.v1+json"
SIGNED_SCHEMA_1_TYPE = f"{DOCKER}.distribution.manifest.v1+prettyjws"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageForm:
    """The media types and the compression an image is pushed with."""

    manifest_type: str
    config_type: str
    layer_type: str
    compression: str


OCI_GZIP = ImageForm(
    manifest_type=MANIFEST_TYPE,
    config_type=CONFIG_TYPE,
    layer_type=f"{LAYER_TYPE}+gzip",
    compression="gzip",
)
OCI_ZSTD = ImageForm(
    manifest_type=MANIFEST_TYPE,
    config_type=CONFIG_TYPE,
    layer_type=f"{LAYER_TYPE}+zstd",
    compression="zstd",
)
OCI_PLAIN = ImageForm(
    manifest_type=MANIFEST_TYPE,
    config_type=CONFIG_TYPE,
    layer_type=LAYER_TYPE,
    compression="none",
)
DOCKER_GZIP = ImageForm(
    manifest_type=DOCKER_MANIFEST_TYPE,
    config_type=f"{DOCKER}.container.image.v1+json",
    layer_type=f"{DOCKER}.image.rootfs.diff.tar.gzip",
    compression="gzip",
)


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest's bytes, and the type it was pushed with."""

    data: bytes
    media_type: str


@dataclass(slots=True)
class Repository:
    """One repository; tags name digests of ``manifests``."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, StoredManifest] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


class RegistryContent:
    """Repositories by name; may be changed while it is served."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}

    def repository(self, name: str) -> Repository:
        """The repository, made where it is new."""
        return self.repositories.setdefault(name, Repository())

    def add_blob(self, repository: str, data: bytes) -> str:
        """Store a blob; its digest."""
        digest = digest_of(data)
        self.repository(repository).blobs[digest] = data
        return digest

    def add_manifest(self, repository: str, data: bytes, media_type: str, *tags: str) -> str:
        """Store a manifest, whatever is in it; its digest."""
        digest = digest_of(data)
        stored = self.repository(repository)
        stored.manifests[digest] = StoredManifest(data, media_type)
        stored.tags.update(dict.fromkeys(tags, digest))
        return digest

    def add_image(
        self,
        repository: str,
        image: BuiltImage,
        *tags: str,
        form: ImageForm = OCI_GZIP,
        overrides: Mapping[str, Json] | None = None,
    ) -> str:
        """Store an image, its manifest with ``overrides`` in place of its true fields; the
        manifest's digest."""
        layers = [
            self._described(repository, compressed(layer.tar, form.compression), form.layer_type)
            for layer in image.layers
        ]
        manifest: Fields = {
            "schemaVersion": 2,
            "mediaType": form.manifest_type,
            "config": self._described(repository, image.config_bytes(), form.config_type),
            "layers": layers,
            **(overrides or {}),
        }
        return self.add_manifest(repository, json_bytes(manifest), form.manifest_type, *tags)

    def add_index(
        self,
        repository: str,
        images: Sequence[BuiltImage],
        *tags: str,
        form: ImageForm = OCI_GZIP,
    ) -> str:
        """Store images and an index over their platforms; the index's digest."""
        manifests = [
            {
                **self.descriptor(repository, self.add_image(repository, image, form=form)),
                "platform": dict(image.platform),
            }
            for image in images
        ]
        media_type = INDEX_TYPE if form.manifest_type == MANIFEST_TYPE else DOCKER_INDEX_TYPE
        index: Fields = {"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}
        return self.add_manifest(repository, json_bytes(index), media_type, *tags)

    def add_layout(
        self, repository: str, blobs: Mapping[str, bytes], root: Mapping[str, Json], *tags: str
    ) -> str:
        """Store the blobs of an OCI layout (by digest), and the manifest that ``root`` describes
        with those it leads to; its digest."""
        for data in blobs.values():
            self.add_blob(repository, data)
        return self._add_manifests(repository, blobs, root, tags)

    def add_layout_directory(self, repository: str, path: Path, *tags: str) -> str:
        """Store an OCI layout's first manifest; its digest."""
        files = (path / "blobs" / "sha256").iterdir()
        blobs = {f"sha256:{file.name}": file.read_bytes() for file in files}
        root = _objects((path / "index.json").read_bytes(), "manifests")[0]
        return self.add_layout(repository, blobs, root, *tags)

    def add_schema_1(self, repository: str, image: BuiltImage, *tags: str) -> str:
        """Store an image as docker before 1.10 pushed it; its digest is of what was signed, so not
        of its bytes."""
        layers = [
            self.add_blob(repository, compressed(layer.tar, "gzip")) for layer in image.layers
        ]
        version_1 = json.dumps({"id": "0" * 64, "created": "2015-01-01T00:00:00Z"})
        document: Fields = {
            "schemaVersion": 1,
            "name": repository,
            "tag": next(iter(tags), ""),
            "architecture": "amd64",
            "fsLayers": [{"blobSum": digest} for digest in reversed(layers)],
            "history": [{"v1Compatibility": version_1} for _ in layers],
        }
        digest = digest_of(json_bytes(document))
        signed = json_bytes({**document, "signatures": [{"signature": "c2lnbmVk"}]})
        stored = self.repository(repository)
        stored.manifests[digest] = StoredManifest(signed, SIGNED_SCHEMA_1_TYPE)
        stored.tags.update(dict.fromkeys(tags, digest))
        return digest

    def add_referrers_tag(self, repository: str, subject: str) -> str:
        """Store what refers to a manifest as clients do for registries without the referrers API:
        an index tagged ``<algorithm>-<hex>``."""
        return self.add_manifest(
            repository,
            json_bytes(self.referrers(repository, subject)),
            INDEX_TYPE,
            subject.replace(":", "-"),
        )

    def referrers(self, repository: str, subject: str) -> Fields:
        """An index of the manifests whose subject this digest is."""
        found = [
            self._referrer(repository, digest, document)
            for digest, document in self._documents(repository)
            if _field(document, "subject", "digest") == subject
        ]
        return {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": found}

    def descriptor(self, repository: str, digest: str) -> Fields:
        """The descriptor of a stored manifest."""
        stored = self.repositories[repository].manifests[digest]
        return {"mediaType": stored.media_type, "digest": digest, "size": len(stored.data)}

    def _referrer(self, repository: str, digest: str, document: Mapping[str, Json]) -> Fields:
        artifact_type = document.get("artifactType") or _field(document, "config", "mediaType")
        return {**self.descriptor(repository, digest), "artifactType": artifact_type}

    def _documents(self, repository: str) -> Iterator[tuple[str, Mapping[str, Json]]]:
        for digest, stored in list(self.repositories[repository].manifests.items()):
            try:
                document: Json = json.loads(stored.data)
            except ValueError:
                continue  # a test's broken manifest refers to nothing
            if isinstance(document, Mapping):
                yield digest, document

    def _described(self, repository: str, data: bytes, media_type: str) -> Fields:
        digest = self.add_blob(repository, data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def _add_manifests(
        self,
        repository: str,
        blobs: Mapping[str, bytes],
        root: Mapping[str, Json],
        tags: Sequence[str],
    ) -> str:
        data = blobs[str(root["digest"])]
        for child in _objects(data, "manifests"):
            self._add_manifests(repository, blobs, child, ())
        return self.add_manifest(repository, data, str(root["mediaType"]), *tags)


def _objects(data: bytes, key: str) -> list[Mapping[str, Json]]:
    """The objects listed under a key of a JSON object."""
    document: Json = json.loads(data)
    listed = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        return []
    return [item for item in listed if isinstance(item, Mapping)]


def _field(document: Mapping[str, Json], key: str, inner: str) -> Json:
    value = document.get(key)
    return value.get(inner) if isinstance(value, Mapping) else None
