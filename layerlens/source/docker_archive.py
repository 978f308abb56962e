"""What ``docker save`` and its kin write: a ``manifest.json`` over configs and layers.

Producers: docker from 1.10, podman, skopeo, kaniko, crane, jib (lower-case keys).
"""

from __future__ import annotations

import posixpath
import re

from layerlens.errors import DigestMismatch, MalformedInput
from layerlens.oci.digest import Digest, sha256_digest
from layerlens.oci.image_config import parse_image_config
from layerlens.oci.json_fields import JsonObject, parse_array_of_objects
from layerlens.oci.quoting import printable, quoted
from layerlens.source.blob_location import BlobLocation
from layerlens.source.member_store import MemberStore, missing
from layerlens.source.stored_image import StoredImage, StoredLayer

MANIFEST_NAME = "manifest.json"

_MANIFEST_LIMIT = 1 << 20
_CONFIG_LIMIT = 4 << 20
_CONFIG_DIGEST = re.compile(r"(?:blobs/sha256/|sha256:)?([0-9a-f]{64})(?:\.json)?")
_BLOB_DIGEST = re.compile(
    r"(?:blobs/)?(?P<algorithm>sha256|sha512)[/:](?P<hex>[0-9a-f]+)|(?P<gzip>[0-9a-f]{64})\.tar\.gz"
)


def digest_of_blob_name(name: str) -> Digest | None:
    """The digest of a member's stored bytes where its name is that digest, else None.

    ``<hex>.tar`` is not: tools name uncompressed layers so, and some by an id of their own.
    """
    match = _BLOB_DIGEST.fullmatch(name)
    if match is None:
        return None
    try:
        return Digest(algorithm=match["algorithm"] or "sha256", hex=match["hex"] or match["gzip"])
    except MalformedInput:
        return None


def read_docker_archive(store: MemberStore) -> tuple[StoredImage, ...]:
    """The images of ``manifest.json``, in its order; groups are numbered from 0.

    Raises MalformedInput where documents contradict each other and DigestMismatch for a config.
    """
    where = f"{store.where}: {MANIFEST_NAME}"
    data = store.read(MANIFEST_NAME, _MANIFEST_LIMIT)
    items = parse_array_of_objects(data, where, limit=_MANIFEST_LIMIT)
    return tuple(_image(store, item, group) for group, item in enumerate(items))


def _image(store: MemberStore, item: JsonObject, group: int) -> StoredImage:
    config_name = posixpath.normpath(item.string("Config"))
    layer_names = item.strings("Layers")
    data = store.read(config_name, _CONFIG_LIMIT)
    digest = sha256_digest(data)
    named = _CONFIG_DIGEST.fullmatch(config_name)
    if named and named[1] != digest.hex:
        raise DigestMismatch(f"{store.where}: the config {quoted(config_name)} hashes to {digest}")
    config = parse_image_config(data, f"{store.where}: {quoted(config_name)}")
    if len(layer_names) != len(config.diff_ids):
        raise MalformedInput(
            f"{item.where}: lists {len(layer_names)} layers, "
            f"its config {len(config.diff_ids)} diff_ids"
        )
    return StoredImage(
        group=group,
        names=item.strings("RepoTags"),
        config=config,
        config_digest=digest,
        manifest_digest=None,
        index_digest=None,
        media_type=None,
        annotations={},
        layers=tuple(
            _layer(store, posixpath.normpath(name), diff_id, number)
            for number, (name, diff_id) in enumerate(zip(layer_names, config.diff_ids, strict=True))
        ),
    )


def _layer(store: MemberStore, name: str, diff_id: Digest, number: int) -> StoredLayer:
    location: BlobLocation | None = store.find(name)
    if location is None:
        raise missing(store.where, name)
    blob_digest = digest_of_blob_name(name)
    return StoredLayer(
        # An uncompressed layer is named by its DiffID: no registry blob is known of it.
        blob_digest=None if blob_digest == diff_id else blob_digest,
        diff_id=diff_id,
        media_type=None,
        size=location.size,
        location=location,
        where=f"{store.where}: layer {number} ({printable(name)})",
    )
