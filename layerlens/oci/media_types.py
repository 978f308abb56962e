"""Media types of manifests, configs and layers, and what each says of a layer's bytes.

Image spec, media-types.md; the Docker names are those of distribution's manifest v2 schema 2.
What a media type declares is a claim: the bytes decide how they are decompressed.
"""

import re

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP = OCI_LAYER + "+gzip"
OCI_LAYER_ZSTD = OCI_LAYER + "+zstd"
OCI_NONDISTRIBUTABLE_LAYER = "application/vnd.oci.image.layer.nondistributable.v1.tar"
OCI_NONDISTRIBUTABLE_LAYER_GZIP = OCI_NONDISTRIBUTABLE_LAYER + "+gzip"
OCI_NONDISTRIBUTABLE_LAYER_ZSTD = OCI_NONDISTRIBUTABLE_LAYER + "+zstd"

DOCKER_MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_LAYER_GZIP = DOCKER_LAYER + ".gzip"
DOCKER_LAYER_ZSTD = DOCKER_LAYER + ".zstd"
DOCKER_FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar"
DOCKER_FOREIGN_LAYER_GZIP = DOCKER_FOREIGN_LAYER + ".gzip"
DOCKER_FOREIGN_LAYER_ZSTD = DOCKER_FOREIGN_LAYER + ".zstd"

DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"

EMPTY_CONFIG = "application/vnd.oci.empty.v1+json"

INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_MANIFEST_LIST})
MANIFEST_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
SCHEMA1_TYPES = frozenset({DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED})
CONFIG_TYPES = frozenset({OCI_CONFIG, DOCKER_CONFIG})

_LAYER_PREFIXES = (
    "application/vnd.oci.image.layer.",
    "application/vnd.docker.image.rootfs.",
)
_TAR_LAYER = re.compile(
    r"application/vnd\.(?:"
    r"oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+(?P<oci>gzip|zstd))?"
    r"|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:[.+](?P<docker>gzip|zstd))?"
    r")"
)


def is_layer(media_type: str) -> bool:
    """Whether it names a layer of an image, of whatever sort, encrypted ones included."""
    return media_type.startswith(_LAYER_PREFIXES)


def is_tar_layer(media_type: str) -> bool:
    """Whether it names a layer that is a tar, possibly compressed; not so when encrypted."""
    return _TAR_LAYER.fullmatch(media_type) is not None


def may_be_elsewhere(media_type: str) -> bool:
    """Whether it names a layer that registries need not hold: foreign, or not distributable."""
    return ".nondistributable." in media_type or ".foreign." in media_type


def declared_compression(media_type: str) -> str | None:
    """``gzip``, ``zstd`` or ``none`` as declared for a tar layer; None if it does not say."""
    match = _TAR_LAYER.fullmatch(media_type)
    if match is None:
        return None
    return match["oci"] or match["docker"] or "none"
