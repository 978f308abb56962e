"""An image as a source holds it: documents parsed, layers located, nothing inflated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from layerlens.oci.descriptor import Descriptor
from layerlens.oci.digest import Digest
from layerlens.oci.image_config import ImageConfig
from layerlens.oci.platform import Platform
from layerlens.source.blob_location import BlobLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLayer:
    """One layer, and what the documents say that its bytes will be.

    ``blob_digest``: of the stored bytes; None where the source has none (an uncompressed layer of
    a docker-archive). ``diff_id``: None where no document names it (docker before 1.10).
    ``location``: None where the blob is missing. ``where`` names the layer in errors.
    ``annotations``: of its descriptor.
    """

    blob_digest: Digest | None
    diff_id: Digest | None
    media_type: str | None
    size: int | None
    location: BlobLocation | None
    where: str
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """One image for one platform.

    ``group``: images of one group are the platforms of one index. ``names``: as stored.
    ``manifest_digest``, ``index_digest``: None where the source has no such document.
    """

    group: int
    names: tuple[str, ...]
    config: ImageConfig
    config_digest: Digest
    manifest_digest: Digest | None
    index_digest: Digest | None
    media_type: str | None
    annotations: Mapping[str, str]
    layers: tuple[StoredLayer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContents:
    """All that a source holds. ``attestations``: manifests about images, which are none.
    ``notes``: what a person should know of how it was read. ``platforms``: of images that an index
    lists and that were not read, for nobody asked for them."""

    where: str
    images: tuple[StoredImage, ...]
    platforms: tuple[Platform, ...] = ()
    attestations: tuple[Descriptor, ...] = ()
    notes: tuple[str, ...] = ()
