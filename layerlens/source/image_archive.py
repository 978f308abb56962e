"""What an archive or layout holds, by whichever of its documents are there.

Where both ``manifest.json`` and ``index.json`` exist both are read: the union of their images
counts, one that both name is the index's, and a note tells where they disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from layerlens.errors import LimitExceeded, UnsupportedInput
from layerlens.oci.digest import Digest, sha256_digest
from layerlens.oci.image_config import ImageConfig, RuntimeConfig
from layerlens.oci.platform import host_platform
from layerlens.source.blob_location import BlobLocation
from layerlens.source.docker_archive import MANIFEST_NAME, read_docker_archive
from layerlens.source.legacy_docker_archive import REPOSITORIES_NAME, read_legacy_docker_archive
from layerlens.source.member_store import MemberStore
from layerlens.source.oci_layout import INDEX_NAME, read_oci_layout
from layerlens.source.stored_image import SourceContents, StoredImage, StoredLayer

_DOCUMENTS_LIMIT = 64 << 20
_VERSION_LIMIT = 64
_DOCUMENT_COST = 1 << 10  # bytes that even the smallest counts for

_ROOT_DIRECTORIES = frozenset(
    ("bin", "boot", "dev", "etc", "home", "lib", "lib64", "mnt", "opt", "proc", "root", "run")
) | {"sbin", "srv", "sys", "tmp", "usr", "var"}


def is_image_archive(store: MemberStore) -> bool:
    """Whether one of the documents that make an image archive is there."""
    return any(store.find(name) for name in (MANIFEST_NAME, INDEX_NAME, REPOSITORIES_NAME))


def is_transport_directory(store: MemberStore) -> bool:
    """Whether this is what skopeo's and podman's ``dir:`` writes (containers-transports(5)):
    one manifest, and blobs by their bare hex digits."""
    version = store.find("version")
    if version is None or version.size > _VERSION_LIMIT or store.find(INDEX_NAME) is not None:
        return False
    return store.read("version", _VERSION_LIMIT).startswith(b"Directory Transport Version")


class _Metered:
    """A store that is read within bounds: documents may name each other again and again."""

    def __init__(self, store: MemberStore) -> None:
        self._store = store
        self._left = _DOCUMENTS_LIMIT

    @property
    def where(self) -> str:
        return self._store.where

    def find(self, name: str) -> BlobLocation | None:
        return self._store.find(name)

    def read(self, name: str, limit: int) -> bytes:
        data = self._store.read(name, limit)
        self._left -= max(len(data), _DOCUMENT_COST)
        if self._left < 0:
            raise LimitExceeded(
                f"{self.where}: its documents name each other so often that more than "
                f"{_DOCUMENTS_LIMIT} bytes would be read"
            )
        return data


def read_image_archive(store: MemberStore) -> SourceContents:
    """All images of the archive; raises UnsupportedInput where it is none, and what its
    documents' readers raise."""
    store = _Metered(store)
    indexed = read_oci_layout(store) if store.find(INDEX_NAME) else None
    listed = read_docker_archive(store) if store.find(MANIFEST_NAME) else ()
    if indexed is None and not listed and store.find(REPOSITORIES_NAME):
        listed = read_legacy_docker_archive(store)
    if indexed is None:
        contents = SourceContents(where=store.where, images=_merged(listed))
        if not contents.images:
            raise UnsupportedInput(f"{store.where}: holds no image")
        return contents
    return replace(
        indexed,
        images=_merged(_united(indexed.images, listed)),
        notes=(*indexed.notes, *_disagreements(indexed.images, listed)),
    )


def _united(
    indexed: Sequence[StoredImage], listed: Sequence[StoredImage]
) -> tuple[StoredImage, ...]:
    """Images of both documents; the names of one that both hold are joined."""
    names = {image.config_digest: image.names for image in listed}
    known = {image.config_digest for image in indexed}
    first_free = max((image.group for image in indexed), default=-1) + 1
    rest = [image for image in listed if image.config_digest not in known]
    return (
        *(
            replace(image, names=_joined_names(names.get(image.config_digest, ()), image.names))
            for image in indexed
        ),
        *(replace(image, group=first_free + number) for number, image in enumerate(rest)),
    )


def _joined_names(full: Sequence[str], annotated: Sequence[str]) -> tuple[str, ...]:
    """``full`` and what of ``annotated`` is not just the tag of one of them."""
    tags = {name.rpartition(":")[2] for name in full}
    return tuple(dict.fromkeys([*full, *(name for name in annotated if name not in tags)]))


def _merged(images: Sequence[StoredImage]) -> tuple[StoredImage, ...]:
    """One image for those that several names or entries stand for; groups are renumbered."""
    found: dict[tuple[Digest, Digest | None], StoredImage] = {}
    names: dict[tuple[Digest, Digest | None], dict[str, None]] = {}
    for image in images:
        key = (image.config_digest, image.manifest_digest)
        found.setdefault(key, image)
        names.setdefault(key, {}).update(dict.fromkeys(image.names))
    groups = dict.fromkeys(image.group for image in found.values())
    numbers = {group: number for number, group in enumerate(groups)}
    return tuple(
        replace(image, group=numbers[image.group], names=tuple(names[key]))
        for key, image in found.items()
    )


def _disagreements(indexed: Sequence[StoredImage], listed: Sequence[StoredImage]) -> list[str]:
    """A note for each name that the two documents give to different images."""
    by_name: dict[str, set[Digest]] = {}
    for image in indexed:
        for name in image.names:
            by_name.setdefault(name, set()).add(image.config_digest)
    return [
        f"{MANIFEST_NAME} and {INDEX_NAME} disagree about which image {name!r} is"
        for image in listed
        for name in image.names
        if name in by_name and image.config_digest not in by_name[name]
    ]


def looks_like_root_filesystem(top_level: set[str]) -> bool:
    """Whether a tar's top-level names are those of a root file system."""
    return bool(top_level & _ROOT_DIRECTORIES)


def root_filesystem_image(where: str, location: BlobLocation) -> SourceContents:
    """A plain tar of a root file system as an image of one layer, whose digests nothing names."""
    config = ImageConfig(
        platform=host_platform(),
        runtime=RuntimeConfig(labels={}),
        diff_ids=(),
    )
    layer = StoredLayer(
        blob_digest=None,
        diff_id=None,
        media_type=None,
        size=location.size,
        location=location,
        where=where,
    )
    image = StoredImage(
        group=0,
        names=(),
        config=config,
        config_digest=sha256_digest(b""),
        manifest_digest=None,
        index_digest=None,
        media_type=None,
        annotations={},
        layers=(layer,),
    )
    note = f"{where}: a plain tar of a root file system, read as an image of one layer"
    return SourceContents(where=where, images=(image,), notes=(note,))
