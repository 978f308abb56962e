"""Manifests, indexes and configs made into what a catalogue keeps of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from layerlens.audit.records import (
    LARGEST_TIME,
    ConfigFacts,
    ConfigRecord,
    ImageRecord,
    IndexRecord,
    LayerRecord,
    ManifestKind,
    MemberRecord,
)
from layerlens.errors import MalformedInput
from layerlens.oci.base_annotations import base_digest, base_name
from layerlens.oci.descriptor import Descriptor
from layerlens.oci.digest import Digest
from layerlens.oci.history import instruction, pair_history
from layerlens.oci.image_config import parse_image_config
from layerlens.oci.manifest import ImageIndex, ImageManifest, is_attestation
from layerlens.oci.media_types import CONFIG_TYPES, is_layer
from layerlens.oci.platform import UNKNOWN, Platform

NO_PLATFORM = f"{UNKNOWN}/{UNKNOWN}"
"""The platform of what an index lists beside its images: attestations."""


def unread_index(digest: Digest, size: int, index: ImageIndex) -> IndexRecord:
    """An index, its members still to be read."""
    return IndexRecord(
        digest=digest,
        media_type=index.media_type,
        size=size,
        members=tuple(
            MemberRecord(
                digest=member.digest,
                media_type=member.media_type,
                size=member.size,
                platform=_platform_of_member(member),
            )
            for member in index.manifests
        ),
    )


def unfinished_image(digest: Digest, size: int, manifest: ImageManifest) -> ImageRecord:
    """An image without what its config says; or an artifact, of which there is no more to know.

    An image is what has an image's config, and nothing but an image's layers.
    """
    is_image = (
        manifest.config.media_type in CONFIG_TYPES
        and manifest.artifact_type is None
        and all(is_layer(layer.media_type) for layer in manifest.layers)
    )
    return ImageRecord(
        digest=digest,
        media_type=manifest.media_type,
        size=size,
        layers=tuple(
            LayerRecord(digest=layer.digest, size=layer.size, media_type=layer.media_type)
            for layer in manifest.layers
        ),
        config=ConfigRecord(
            digest=manifest.config.digest,
            size=manifest.config.size,
            media_type=manifest.config.media_type,
        ),
        kind=ManifestKind.IMAGE if is_image else ManifestKind.ARTIFACT,
        artifact_type=manifest.artifact_type or (None if is_image else manifest.config.media_type),
        subject=None if manifest.subject is None else manifest.subject.digest,
        base_name=base_name(manifest.annotations),
        base_digest=_digest(base_digest(manifest.annotations)),
    )


def finished_image(image: ImageRecord, config: ConfigFacts, platform: str | None) -> ImageRecord:
    """The image with what its config says; *platform*: as an index says it, which wins.

    Raises MalformedInput where manifest and config disagree on how many layers there are.
    """
    if len(config.diff_ids) != len(image.layers):
        raise MalformedInput(
            f"the manifest {image.digest} lists {len(image.layers)} layers, "
            f"its config {len(config.diff_ids)} diff_ids"
        )
    return replace(
        image,
        platform=platform or config.platform,
        created=config.created,
        layers=tuple(
            LayerRecord(
                digest=layer.digest,
                size=layer.size,
                media_type=layer.media_type,
                diff_id=diff_id,
                instruction=line,
            )
            for layer, diff_id, line in zip(
                image.layers, config.diff_ids, config.instructions, strict=True
            )
        ),
    )


def config_facts(data: bytes, where: str) -> ConfigFacts:
    """What a catalogue keeps of a config; raises as ``parse_image_config`` does."""
    config = parse_image_config(data, where)
    paired = pair_history(config.history, len(config.diff_ids))
    return ConfigFacts(
        platform=_platform(config.platform),
        created=seconds_of(config.created),
        diff_ids=config.diff_ids,
        instructions=tuple(
            None if entry is None else instruction(entry).text or None for entry in paired.layers
        ),
    )


def seconds_of(created: str | None) -> int | None:
    """RFC 3339 text as seconds since 1970; None for none, for what is no time, and for Go's zero
    time, the year 1, which says that none was set."""
    try:
        time = datetime.fromisoformat(created or "")
    except ValueError:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    try:
        seconds = int(time.timestamp())
    except OverflowError:
        return None
    return seconds if time.year > 1 and abs(seconds) <= LARGEST_TIME else None


def _platform_of_member(member: Descriptor) -> str | None:
    if is_attestation(member):
        return NO_PLATFORM
    return None if member.platform is None else _platform(member.platform)


def _platform(platform: Platform) -> str | None:
    unknown = UNKNOWN in {platform.os, platform.architecture}
    return None if unknown else str(platform)


def _digest(text: str | None) -> Digest | None:
    try:
        return None if text is None else Digest.parse(text)
    except MalformedInput:
        return None
