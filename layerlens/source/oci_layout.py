"""An OCI layout's ``index.json``, and the blobs that it leads to (image-layout.md)."""

from __future__ import annotations

from layerlens.errors import MalformedInput, SizeMismatch
from layerlens.oci import media_types
from layerlens.oci.descriptor import Descriptor
from layerlens.oci.digest import Digest
from layerlens.oci.manifest import ImageIndex, parse_manifest
from layerlens.source.blob_location import BlobLocation
from layerlens.source.index_walk import IndexWalk, images_of_leaves
from layerlens.source.member_store import MemberStore, blob_name
from layerlens.source.stored_image import SourceContents
from layerlens.streams.verified_reader import verified_bytes

INDEX_NAME = "index.json"
DOCUMENT_LIMIT = 4 << 20


def read_oci_layout(store: MemberStore) -> SourceContents:
    """The images that ``index.json`` leads to. Those whose manifest or config is not there (an
    archive of one platform of several) are left out, with a note; artifacts too.

    Raises MalformedInput, DigestMismatch, SizeMismatch and LimitExceeded.
    """
    where = f"{store.where}: {INDEX_NAME}"
    data = store.read(INDEX_NAME, DOCUMENT_LIMIT)
    index = parse_manifest(data, where, media_types.OCI_INDEX)
    if not isinstance(index, ImageIndex):
        raise MalformedInput(f"{where}: is not an image index")
    blobs = _Blobs(store)
    walk = IndexWalk(blobs)
    return images_of_leaves(blobs, walk.leaves(index.manifests), walk.attestations, INDEX_NAME)


class _Blobs:
    """The layout's blobs. Implements Documents."""

    def __init__(self, store: MemberStore) -> None:
        self._store = store

    @property
    def where(self) -> str:
        return self._store.where

    def manifest(self, descriptor: Descriptor) -> bytes | None:
        return self._document(descriptor)

    def config(self, descriptor: Descriptor) -> bytes | None:
        return self._document(descriptor)

    def layer(self, descriptor: Descriptor) -> BlobLocation | None:
        return self._store.find(blob_name(descriptor.digest))

    def where_of(self, digest: Digest) -> str:
        return f"{self._store.where}: {blob_name(digest)}"

    def _document(self, descriptor: Descriptor) -> bytes | None:
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
            where=self.where_of(descriptor.digest),
        )
