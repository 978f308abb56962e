"""What ``inspect`` says of an image, as values: ``as_json`` writes them as they stand, and
``inspect_table`` for people. The order of fields is the JSON document's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layerlens.oci.image_config import RuntimeConfig

INSPECT_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseImageFields:
    """The image that this one says it was built on (image-spec, annotations.md)."""

    name: str | None
    digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionFields:
    """An instruction as read back from the history. ``keyword``: None where it is none of a
    Dockerfile's. ``arguments``: build arguments that were set."""

    keyword: str | None
    text: str
    arguments: Sequence[str]
    dialect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalFields:
    """Sums over the layers, in bytes; None where a layer's part is not known."""

    layers: int
    stored_size: int | None
    uncompressed_size: int | None
    entries: int | None
    added: int | None
    changed: int | None
    removed: int | None
    rewritten: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFields:
    """One layer. ``stored_size``: bytes of the blob, None where the source stores the layer
    uncompressed and no blob is known. From ``compression`` on, what stands in a tar is None for
    a layer that is none. ``listed_from``: "layer", which was read and verified; "toc", its table
    of contents, which was not verified against the layer, and whose raw size is not known; None
    for one that is no tar. ``history``: index of the history's entry that made it."""

    index: int
    blob_digest: str | None
    diff_id: str | None
    chain_id: str | None
    media_type: str | None
    stored_size: int | None
    compression: str | None
    listed_from: str | None
    uncompressed_size: int | None
    entries: int | None
    added: int | None
    changed: int | None
    removed: int | None
    rewritten: int | None
    history: int | None
    instruction: InstructionFields | None
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFields:
    """One entry of the config's history as it stands there, and the layer that it made."""

    created: str | None
    created_by: str | None
    author: str | None
    comment: str | None
    empty_layer: bool
    layer: int | None
    instruction: InstructionFields


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationFields:
    """A manifest about the image; ``subject``: the digest of the manifest it is about."""

    digest: str
    media_type: str
    artifact_type: str | None
    size: int
    subject: str | None
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectDocument:
    """All that ``inspect`` says. ``image``: as it was asked for."""

    image: str
    names: Sequence[str]
    platform: str
    created: str | None
    author: str | None
    media_type: str | None
    manifest_digest: str | None
    index_digest: str | None
    config_digest: str | None
    annotations: Mapping[str, str]
    base_image: BaseImageFields | None
    config: RuntimeConfig
    totals: TotalFields
    layers: Sequence[LayerFields]
    history: Sequence[HistoryFields]
    attestations: Sequence[AttestationFields]
    notes: Sequence[str]
