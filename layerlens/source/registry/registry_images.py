"""What a reference leads to in a registry: images with their layers located, none downloaded.

Of an index only what ``platform`` asks for is fetched: registries count every manifest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from layerlens.errors import UnsupportedInput
from layerlens.oci.descriptor import Descriptor
from layerlens.oci.digest import Digest
from layerlens.oci.manifest import ImageIndex, parse_manifest
from layerlens.oci.media_types import CONFIG_TYPES, may_be_elsewhere
from layerlens.oci.platform import Platform, host_platform
from layerlens.oci.reference import DEFAULT_TAG, Reference
from layerlens.source.blob_location import BlobLocation
from layerlens.source.index_walk import IndexWalk, Leaf, images_of_leaves, stored_image
from layerlens.source.registry.client import ManifestDocument, RegistryClient
from layerlens.source.registry.clients import client_for
from layerlens.source.registry.registry_blob import RegistryBlob
from layerlens.source.registry.registry_options import RegistryOptions
from layerlens.source.selection import no_such_platform
from layerlens.source.stored_image import SourceContents
from layerlens.streams.verified_reader import verified_bytes


def find_document(reference: Reference, options: RegistryOptions) -> ManifestDocument:
    """The manifest or index that the reference names; raises NotFound and RegistryError."""
    wanted = reference.digest or reference.tag or DEFAULT_TAG
    return client_for(reference.registry, options).manifest(reference.repository, wanted)


def read_registry_images(
    reference: Reference,
    document: ManifestDocument,
    platform: Platform | None,
    options: RegistryOptions,
) -> SourceContents:
    """The image that ``reference`` and ``platform`` mean (by default this machine's, or the only
    one), and those of an index for which no platform is declared.

    ``document``: as ``find_document`` gives it. Raises NotFound, AmbiguousImage,
    UnsupportedInput, MalformedInput and RegistryError.
    """
    client = client_for(reference.registry, options)
    name = str(reference)
    if reference.digest is None and reference.tag is None:
        name = f"{name}:{DEFAULT_TAG}"
    blobs = _Repository(client, reference.repository, name, options)
    manifest = parse_manifest(document.data, name, document.content_type)
    if isinstance(manifest, ImageIndex):
        walk = IndexWalk(blobs)
        below = walk.leaves(manifest.manifests, 0, document.digest)
        leaves = [replace(leaf, name=name) for leaf in below]
        chosen = _for_platform(name, leaves, platform)
        contents = images_of_leaves(blobs, chosen, walk.attestations, "its index")
        others = [leaf.descriptor.platform for leaf in leaves if leaf not in chosen]
        return replace(contents, platforms=tuple(filter(None, others)))
    if manifest.config.media_type not in CONFIG_TYPES:
        raise UnsupportedInput(f"{name}: is an artifact ({manifest.config.media_type}), no image")
    leaf = Leaf(
        descriptor=_descriptor_of(document, manifest.media_type),
        group=0,
        name=name,
        index_digest=None,
    )
    image = stored_image(blobs, leaf, manifest, blobs.config(manifest.config))
    return SourceContents(where=name, images=(image,))


def _for_platform(where: str, leaves: Sequence[Leaf], platform: Platform | None) -> Sequence[Leaf]:
    if len(leaves) <= 1:
        return leaves
    wanted = platform or host_platform()
    unknown = []
    for leaf in leaves:
        declared = leaf.descriptor.platform
        if declared is None:
            unknown.append(leaf)
        elif declared.matches(wanted):
            return (leaf,)
    if unknown:
        return unknown
    platforms = [leaf.descriptor.platform for leaf in leaves if leaf.descriptor.platform]
    raise no_such_platform(where, platforms, platform)


def _descriptor_of(document: ManifestDocument, media_type: str) -> Descriptor:
    return Descriptor(
        media_type=media_type,
        digest=document.digest,
        size=len(document.data),
        annotations={},
    )


class _Repository:
    """Documents of one repository. Implements Documents."""

    def __init__(
        self, client: RegistryClient, repository: str, where: str, options: RegistryOptions
    ) -> None:
        self._client = client
        self._repository = repository
        self._where = where
        self._options = options

    @property
    def where(self) -> str:
        return self._where

    def manifest(self, descriptor: Descriptor) -> bytes:
        if descriptor.data is not None:
            return descriptor.data
        data = self._client.manifest(self._repository, descriptor.digest).data
        return verified_bytes(
            data, digest=None, size=descriptor.size, where=self.where_of(descriptor.digest)
        )

    def config(self, descriptor: Descriptor) -> bytes:
        if descriptor.data is not None:
            return descriptor.data
        return self._client.config(self._repository, descriptor.digest, descriptor.size)

    def layer(self, descriptor: Descriptor) -> BlobLocation:
        return RegistryBlob(
            registry=self._client.registry,
            repository=self._repository,
            digest=descriptor.digest,
            size=descriptor.size,
            options=self._options,
            may_be_elsewhere=may_be_elsewhere(descriptor.media_type),
        )

    def where_of(self, digest: Digest) -> str:
        return f"{self._client.registry}/{self._repository}@{digest}"
