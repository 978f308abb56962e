"""From an image index down to the images in it, wherever their documents are kept.

What a layout and a registry have in common: nested indexes walked within bounds, attestations set
apart, manifests and configs made into images. Where bytes come from is for `Documents` to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from layerlens.errors import LimitExceeded, MalformedInput, UnsupportedInput
from layerlens.oci import media_types
from layerlens.oci.descriptor import Descriptor
from layerlens.oci.digest import Digest
from layerlens.oci.image_config import parse_image_config
from layerlens.oci.manifest import ImageIndex, ImageManifest, is_attestation, parse_manifest
from layerlens.source.blob_location import BlobLocation
from layerlens.source.stored_image import SourceContents, StoredImage, StoredLayer

MAX_INDEX_DEPTH = 8
MAX_INDEX_NODES = 10_000

_NAME_ANNOTATIONS = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


class Documents(Protocol):
    """Where manifests, configs and layers are kept by digest."""

    @property
    def where(self) -> str:
        """Names the place in errors."""

    def manifest(self, descriptor: Descriptor) -> bytes | None:
        """A manifest or index, verified; None where it is missing."""

    def config(self, descriptor: Descriptor) -> bytes | None:
        """An image's config, verified; None where it is missing."""

    def layer(self, descriptor: Descriptor) -> BlobLocation | None:
        """Where a layer's bytes stand; None where it is missing."""

    def where_of(self, digest: Digest) -> str:
        """Names one document in errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A manifest's descriptor, and what was met on the way to it."""

    descriptor: Descriptor
    group: int
    name: str | None
    index_digest: Digest | None


class IndexWalk:
    """One walk through nested indexes, with its bounds."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._nodes = 0
        self.attestations: list[Descriptor] = []

    def leaves(
        self,
        descriptors: Iterable[Descriptor],
        group: int | None = None,
        index_digest: Digest | None = None,
    ) -> Iterator[Leaf]:
        """The manifests below the descriptors of one index, nested ones included.

        ``group``: of them all; None gives each descriptor its own. Raises MalformedInput,
        LimitExceeded and, for schema 1, UnsupportedInput.
        """
        above = () if index_digest is None else (index_digest,)
        for number, descriptor in enumerate(descriptors):
            own_group = number if group is None else group
            yield from self._below(descriptor, own_group, None, index_digest, above)

    def _below(
        self,
        descriptor: Descriptor,
        group: int,
        name: str | None,
        index_digest: Digest | None,
        above: tuple[Digest, ...],
    ) -> Iterator[Leaf]:
        where = self._documents.where
        self._nodes += 1
        if self._nodes > MAX_INDEX_NODES:
            raise LimitExceeded(f"{where}: more than {MAX_INDEX_NODES} manifests")
        name = _name(descriptor) or name
        if is_attestation(descriptor):
            self.attestations.append(descriptor)
        elif descriptor.media_type in media_types.INDEX_TYPES:
            if descriptor.digest in above:
                raise MalformedInput(f"{where}: the index {descriptor.digest} contains itself")
            if len(above) >= MAX_INDEX_DEPTH:
                raise LimitExceeded(f"{where}: indexes nested deeper than {MAX_INDEX_DEPTH}")
            yield from self._nested(descriptor, group, name, above)
        elif descriptor.media_type in media_types.MANIFEST_TYPES:
            yield Leaf(descriptor=descriptor, group=group, name=name, index_digest=index_digest)
        elif descriptor.media_type in media_types.SCHEMA1_TYPES:
            raise UnsupportedInput(
                f"{where}: {descriptor.digest} is a Docker manifest of schema 1, "
                "which is not supported; save the image again with a current tool"
            )

    def _nested(
        self, descriptor: Descriptor, group: int, name: str | None, above: tuple[Digest, ...]
    ) -> Iterator[Leaf]:
        data = self._documents.manifest(descriptor)
        if data is None:
            return
        where = self._documents.where_of(descriptor.digest)
        index = parse_manifest(data, where, descriptor.media_type)
        if isinstance(index, ImageIndex):
            for child in index.manifests:
                yield from self._below(
                    child, group, name, descriptor.digest, (*above, descriptor.digest)
                )


def images_of_leaves(
    documents: Documents,
    leaves: Iterable[Leaf],
    attestations: Sequence[Descriptor],
    index_name: str,
) -> SourceContents:
    """The images that the leaves are. Those whose manifest or config is not there (an archive of
    one platform of several) are left out, with a note; artifacts too.

    ``attestations``: looked at when the leaves are done. ``index_name``: what named the leaves.
    Raises MalformedInput, DigestMismatch, SizeMismatch and LimitExceeded.
    """
    images: list[StoredImage] = []
    absent = 0
    artifacts = 0
    for leaf in leaves:
        data = documents.manifest(leaf.descriptor)
        manifest = _manifest(documents, data, leaf) if data is not None else None
        if manifest is None:
            absent += 1
        elif manifest.config.media_type not in media_types.CONFIG_TYPES:
            artifacts += 1
        else:
            config = documents.config(manifest.config)
            if config is None:
                absent += 1
            else:
                images.append(stored_image(documents, leaf, manifest, config))
    notes = []
    if absent:
        verb = "is" if absent == 1 else "are"
        notes.append(
            f"{absent} of the images that {index_name} names {verb} not in {documents.where}"
        )
    if artifacts:
        what = "is an artifact, not an image" if artifacts == 1 else "are artifacts, not images"
        notes.append(f"{artifacts} of the manifests in {documents.where} {what}")
    return SourceContents(
        where=documents.where,
        images=tuple(images),
        attestations=tuple(attestations),
        notes=tuple(notes),
    )


def stored_image(
    documents: Documents, leaf: Leaf, manifest: ImageManifest, config_data: bytes
) -> StoredImage:
    """One image from its manifest and the bytes of its config; raises MalformedInput."""
    config = parse_image_config(config_data, documents.where_of(manifest.config.digest))
    if len(manifest.layers) != len(config.diff_ids):
        raise MalformedInput(
            f"{documents.where}: the manifest {leaf.descriptor.digest} lists "
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
            StoredLayer(
                blob_digest=descriptor.digest,
                diff_id=diff_id,
                media_type=descriptor.media_type,
                size=descriptor.size,
                location=documents.layer(descriptor),
                where=f"{documents.where}: layer {number} ({descriptor.digest})",
                annotations=descriptor.annotations,
            )
            for number, (descriptor, diff_id) in enumerate(
                zip(manifest.layers, config.diff_ids, strict=True)
            )
        ),
    )


def _manifest(documents: Documents, data: bytes, leaf: Leaf) -> ImageManifest | None:
    where = documents.where_of(leaf.descriptor.digest)
    manifest = parse_manifest(data, where, leaf.descriptor.media_type)
    return manifest if isinstance(manifest, ImageManifest) else None


def _name(descriptor: Descriptor) -> str | None:
    for annotation in _NAME_ANNOTATIONS:
        if name := descriptor.annotations.get(annotation):
            return name
    return None
