"""An OCI layout's ``index.json``, walked down to its image manifests (image-layout.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.errors import LimitExceeded, MalformedInput, SizeMismatch, UnsupportedInput
from layerlens.oci import media_types
from layerlens.oci.descriptor import Descriptor
from layerlens.oci.digest import Digest
from layerlens.oci.image_config import parse_image_config
from layerlens.oci.manifest import ImageIndex, ImageManifest, is_attestation, parse_manifest
from layerlens.source.member_store import MemberStore, blob_name
from layerlens.source.stored_image import SourceContents, StoredImage, StoredLayer
from layerlens.streams.verified_reader import verified_bytes

INDEX_NAME = "index.json"
DOCUMENT_LIMIT = 4 << 20
MAX_INDEX_DEPTH = 8
MAX_INDEX_NODES = 10_000

_NAME_ANNOTATIONS = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaf:
    """A manifest's descriptor, and what was met on the way to it."""

    descriptor: Descriptor
    group: int
    name: str | None
    index_digest: Digest | None


def read_oci_layout(store: MemberStore) -> SourceContents:
    """The images that ``index.json`` leads to. Those whose manifest or config is not there (an
    archive of one platform of several) are left out, with a note; artifacts too.

    Raises MalformedInput, DigestMismatch, SizeMismatch and LimitExceeded.
    """
    walk = _IndexWalk(store)
    images: list[StoredImage] = []
    absent = 0
    artifacts = 0
    for leaf in walk.leaves():
        data = walk.document(leaf.descriptor)
        manifest = _manifest(data, leaf, store) if data is not None else None
        if manifest is None:
            absent += 1
        elif manifest.config.media_type not in media_types.CONFIG_TYPES:
            artifacts += 1
        else:
            config = walk.document(manifest.config)
            if config is None:
                absent += 1
            else:
                images.append(_image(store, leaf, manifest, config))
    notes = []
    if absent:
        notes.append(f"{absent} of the images that {INDEX_NAME} names are not in {store.where}")
    if artifacts:
        notes.append(f"{artifacts} of the manifests in {store.where} are artifacts, not images")
    return SourceContents(
        where=store.where,
        images=tuple(images),
        attestations=tuple(walk.attestations),
        notes=tuple(notes),
    )


class _IndexWalk:
    """One walk through nested indexes, with its bounds."""

    def __init__(self, store: MemberStore) -> None:
        self._store = store
        self._nodes = 0
        self.attestations: list[Descriptor] = []

    def leaves(self) -> Iterator[_Leaf]:
        where = f"{self._store.where}: {INDEX_NAME}"
        data = self._store.read(INDEX_NAME, DOCUMENT_LIMIT)
        index = parse_manifest(data, where, media_types.OCI_INDEX)
        if not isinstance(index, ImageIndex):
            raise MalformedInput(f"{where}: is not an image index")
        for group, descriptor in enumerate(index.manifests):
            yield from self._below(descriptor, group, None, None, ())

    def document(self, descriptor: Descriptor) -> bytes | None:
        """A verified blob; None where it is missing."""
        if descriptor.data is not None:
            return descriptor.data
        name = blob_name(descriptor.digest)
        location = self._store.find(name)
        if location is None:
            return None
        if location.size != descriptor.size:
            raise SizeMismatch(
                f"{self._store.where}: {name} has {location.size} bytes, "
                f"its descriptor declares {descriptor.size}"
            )
        return verified_bytes(
            self._store.read(name, DOCUMENT_LIMIT),
            digest=descriptor.digest,
            size=descriptor.size,
            where=f"{self._store.where}: {name}",
        )

    def _below(
        self,
        descriptor: Descriptor,
        group: int,
        name: str | None,
        index_digest: Digest | None,
        above: tuple[Digest, ...],
    ) -> Iterator[_Leaf]:
        self._nodes += 1
        if self._nodes > MAX_INDEX_NODES:
            raise LimitExceeded(f"{self._store.where}: more than {MAX_INDEX_NODES} manifests")
        name = _name(descriptor) or name
        if is_attestation(descriptor):
            self.attestations.append(descriptor)
        elif descriptor.media_type in media_types.INDEX_TYPES:
            if descriptor.digest in above:
                raise MalformedInput(
                    f"{self._store.where}: the index {descriptor.digest} contains itself"
                )
            if len(above) >= MAX_INDEX_DEPTH:
                raise LimitExceeded(
                    f"{self._store.where}: indexes nested deeper than {MAX_INDEX_DEPTH}"
                )
            yield from self._nested(descriptor, group, name, above)
        elif descriptor.media_type in media_types.MANIFEST_TYPES:
            yield _Leaf(descriptor=descriptor, group=group, name=name, index_digest=index_digest)
        elif descriptor.media_type in media_types.SCHEMA1_TYPES:
            raise UnsupportedInput(
                f"{self._store.where}: {descriptor.digest} is a Docker manifest of schema 1, "
                "which is not supported; save the image again with a current tool"
            )

    def _nested(
        self, descriptor: Descriptor, group: int, name: str | None, above: tuple[Digest, ...]
    ) -> Iterator[_Leaf]:
        data = self.document(descriptor)
        if data is None:
            return
        where = f"{self._store.where}: {blob_name(descriptor.digest)}"
        index = parse_manifest(data, where, descriptor.media_type)
        if isinstance(index, ImageIndex):
            for child in index.manifests:
                yield from self._below(
                    child, group, name, descriptor.digest, (*above, descriptor.digest)
                )


def _manifest(data: bytes, leaf: _Leaf, store: MemberStore) -> ImageManifest | None:
    where = f"{store.where}: {blob_name(leaf.descriptor.digest)}"
    manifest = parse_manifest(data, where, leaf.descriptor.media_type)
    return manifest if isinstance(manifest, ImageManifest) else None


def _name(descriptor: Descriptor) -> str | None:
    for annotation in _NAME_ANNOTATIONS:
        if name := descriptor.annotations.get(annotation):
            return name
    return None


def _image(
    store: MemberStore, leaf: _Leaf, manifest: ImageManifest, config_data: bytes
) -> StoredImage:
    where = f"{store.where}: {blob_name(manifest.config.digest)}"
    config = parse_image_config(config_data, where)
    if len(manifest.layers) != len(config.diff_ids):
        raise MalformedInput(
            f"{store.where}: the manifest {leaf.descriptor.digest} lists "
            f"{len(manifest.layers)} layers, its config {len(config.diff_ids)} diff_ids"
        )
    return StoredImage(
        group=leaf.group,
        names=(leaf.name,) if leaf.name else (),
        config=config,
        config_digest=manifest.config.digest,
        manifest_digest=leaf.descriptor.digest,
        index_digest=leaf.index_digest,
        media_type=manifest.media_type,
        annotations={**leaf.descriptor.annotations, **manifest.annotations},
        layers=tuple(
            _layer(store, descriptor, diff_id, number)
            for number, (descriptor, diff_id) in enumerate(
                zip(manifest.layers, config.diff_ids, strict=True)
            )
        ),
    )


def _layer(store: MemberStore, descriptor: Descriptor, diff_id: Digest, number: int) -> StoredLayer:
    return StoredLayer(
        blob_digest=descriptor.digest,
        diff_id=diff_id,
        media_type=descriptor.media_type,
        size=descriptor.size,
        location=store.find(blob_name(descriptor.digest)),
        where=f"{store.where}: layer {number} ({descriptor.digest})",
    )
