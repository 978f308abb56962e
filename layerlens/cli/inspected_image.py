"""An image gathered into what ``inspect`` says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from layerlens.image import Image
from layerlens.image_layer import Layer
from layerlens.oci.base_annotations import base_digest, base_name
from layerlens.oci.created_by import Instruction, instruction
from layerlens.oci.descriptor import Descriptor
from layerlens.oci.digest import Digest, sha256_digest
from layerlens.oci.image_config import HistoryEntry
from layerlens.report.inspect_document import (
    AttestationFields,
    BaseImageFields,
    HistoryFields,
    InspectDocument,
    InstructionFields,
    LayerFields,
    TotalFields,
)
from layerlens.streams.decompression import Compression

_ATTESTED = "vnd.docker.reference.digest"


def inspect_document(image: Image, attestations: Sequence[Descriptor]) -> InspectDocument:
    """Describe ``image``, whose layers are read and stacked where no cache knows them.

    Of ``attestations``, those that are about another image are left out.
    """
    history_of_layer = _history_of_layer(image)
    layers = tuple(
        _layer_fields(layer, history_of_layer.get(layer.number)) for layer in image.layers
    )
    stored = image.stored
    return InspectDocument(
        image=image.name,
        names=image.names,
        platform=str(image.platform),
        created=image.config.created,
        author=image.config.author,
        media_type=stored.media_type,
        manifest_digest=_text(stored.manifest_digest),
        index_digest=_text(stored.index_digest),
        config_digest=_config_digest(stored.config_digest),
        annotations=image.annotations,
        base_image=_base_image(image.annotations),
        config=image.config.runtime,
        totals=_totals(layers),
        layers=layers,
        history=_history(image, history_of_layer),
        attestations=tuple(
            fields
            for fields in map(_attestation, attestations)
            if fields.subject in (None, _text(stored.manifest_digest))
        ),
        notes=(*image.notes, *image.layer_notes),
    )


def _layer_fields(layer: Layer, history: int | None) -> LayerFields:
    facts = layer.facts
    listed = facts or layer.toc
    summary = layer.summary
    made_by = layer.instruction
    known = listed is not None
    return LayerFields(
        index=layer.number,
        blob_digest=_text(layer.blob_digest),
        diff_id=_text(layer.diff_id),
        chain_id=_text(layer.chain_id),
        media_type=layer.media_type,
        stored_size=_stored_size(layer),
        compression=listed.compression.value if listed else None,
        listed_from=layer.listed_from.value if layer.listed_from else None,
        uncompressed_size=facts.size if facts else None,
        entries=listed.entries if listed else None,
        added=summary.added if known else None,
        changed=summary.changed if known else None,
        removed=summary.removed if known else None,
        rewritten=summary.rewritten if known else None,
        history=history,
        instruction=_instruction(made_by) if made_by else None,
        warnings=(*layer.warnings, *summary.warnings),
    )


def _stored_size(layer: Layer) -> int | None:
    facts = layer.facts
    if facts is None:
        return layer.stored.size
    plain = facts.compression is Compression.NONE
    return None if plain and layer.blob_digest is None else facts.stored_size


def _totals(layers: Sequence[LayerFields]) -> TotalFields:
    return TotalFields(
        layers=len(layers),
        stored_size=_sum(layer.stored_size for layer in layers),
        uncompressed_size=_sum(layer.uncompressed_size for layer in layers),
        entries=_sum(layer.entries for layer in layers),
        added=_sum(layer.added for layer in layers),
        changed=_sum(layer.changed for layer in layers),
        removed=_sum(layer.removed for layer in layers),
        rewritten=_sum(layer.rewritten for layer in layers),
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


def _history_of_layer(image: Image) -> dict[int, int]:
    """Which entry of the history made each layer, as ``pair_history`` has it."""
    numbers = [number for number, entry in enumerate(image.config.history) if not entry.empty_layer]
    return dict(zip(range(len(image.layers)), numbers, strict=False))


def _history(image: Image, history_of_layer: Mapping[int, int]) -> tuple[HistoryFields, ...]:
    made = {number: layer for layer, number in history_of_layer.items()}
    return tuple(
        _history_fields(entry, made.get(number))
        for number, entry in enumerate(image.config.history)
    )


def _history_fields(entry: HistoryEntry, layer: int | None) -> HistoryFields:
    return HistoryFields(
        created=entry.created,
        created_by=entry.created_by,
        author=entry.author,
        comment=entry.comment,
        empty_layer=entry.empty_layer,
        layer=layer,
        instruction=_instruction(instruction(entry)),
    )


def _instruction(made_by: Instruction) -> InstructionFields:
    return InstructionFields(
        keyword=made_by.keyword,
        text=made_by.text,
        arguments=made_by.arguments,
        dialect=made_by.dialect,
    )


def _base_image(annotations: Mapping[str, str]) -> BaseImageFields | None:
    name, digest = base_name(annotations), base_digest(annotations)
    if name is None and digest is None:
        return None
    return BaseImageFields(name=name, digest=digest)


def _attestation(descriptor: Descriptor) -> AttestationFields:
    return AttestationFields(
        digest=str(descriptor.digest),
        media_type=descriptor.media_type,
        artifact_type=descriptor.artifact_type,
        size=descriptor.size,
        subject=descriptor.annotations.get(_ATTESTED),
        annotations=descriptor.annotations,
    )


def _config_digest(digest: Digest) -> str | None:
    """None for a root file system without a config, which stands as that of no bytes at all."""
    return None if digest == sha256_digest(b"") else str(digest)


def _text(digest: Digest | None) -> str | None:
    return None if digest is None else str(digest)
