"""Manifests and indexes, and the refusal of documents that could be read as either.

Image spec, manifest.md and image-index.md; Docker's manifest v2 schema 2 has the same fields.
What is refused follows containerd's validateMediaType, against type confusion.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from layerlens.errors import MalformedInput, UnsupportedInput
from layerlens.oci import media_types
from layerlens.oci.descriptor import Descriptor
from layerlens.oci.json_fields import JsonObject, parse_object
from layerlens.oci.platform import UNKNOWN
from layerlens.oci.quoting import quoted

_KINDS = {
    **dict.fromkeys(media_types.INDEX_TYPES, "index"),
    **dict.fromkeys(media_types.MANIFEST_TYPES, "manifest"),
    **dict.fromkeys(media_types.SCHEMA1_TYPES, "schema 1"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageManifest:
    """One image for one platform: its config and its layers, lowest first."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]
    artifact_type: str | None = None
    subject: Descriptor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageIndex:
    """A list of manifests and further indexes, in the order they are preferred."""

    media_type: str
    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str]


def parse_manifest(
    data: bytes, where: str, content_type: str | None = None
) -> ImageManifest | ImageIndex:
    """Read a manifest or index.

    ``content_type`` is what a descriptor or an HTTP header said it is, if anything did; one
    that is no vendor's type (``application/json``) says nothing.

    Raises UnsupportedInput for schema 1 and for documents of another kind, and MalformedInput
    for one that contradicts its content type or itself.
    """
    fields = parse_object(data, where)
    written = fields.optional_string("mediaType") or None
    declared = _vendor_type(content_type)
    if declared is not None and written is not None and declared != written:
        raise fields.malformed(
            "mediaType", f"{quoted(written)} contradicts the content type {quoted(declared)}"
        )
    media_type = written or declared
    _refuse_old_schemas(fields, media_type)
    kind = _kind_of_fields(fields)
    declared_kind = _KINDS.get(media_type) if media_type is not None else None
    if kind is None:
        kind = "index" if declared_kind == "index" or "manifests" in fields.names() else None
    if kind is None:
        if declared_kind == "manifest":
            raise fields.malformed("config", "missing, expected an object")
        named = f" of type {quoted(media_type)}" if media_type else ""
        raise UnsupportedInput(
            f"{fields.where}: a document{named} that is neither an image manifest nor an index"
        )
    if declared_kind is not None and declared_kind != kind:
        raise MalformedInput(
            f"{fields.where}: has the fields of an image {kind}, but is declared as "
            f"{quoted(media_type or '')}"
        )
    if kind == "index":
        return _index(fields, media_type)
    return _manifest(fields, media_type)


def schema_1_refusal(where: str) -> UnsupportedInput:
    """What is to be said of Docker's first manifests, which layerlens does not read."""
    return UnsupportedInput(
        f"{where}: a Docker manifest of schema 1, which is not supported; "
        "push or copy the image again with a current tool"
    )


def is_attestation(descriptor: Descriptor) -> bool:
    """Whether an index lists it as being about an image, and it is none itself."""
    if descriptor.annotations.get("vnd.docker.reference.type") == "attestation-manifest":
        return True
    platform = descriptor.platform
    return platform is not None and platform.os == platform.architecture == UNKNOWN


def _vendor_type(content_type: str | None) -> str | None:
    if content_type is None:
        return None
    essence = content_type.partition(";")[0].strip().lower()
    return essence if essence.startswith("application/vnd.") else None


def _refuse_old_schemas(fields: JsonObject, media_type: str | None) -> None:
    version = fields.optional_integer("schemaVersion")
    if version == 1 or media_type in media_types.SCHEMA1_TYPES or fields.has("fsLayers"):
        raise schema_1_refusal(fields.where)
    if version not in {None, 2}:
        raise UnsupportedInput(f"{fields.where}: schemaVersion {version} is not supported")


def _kind_of_fields(fields: JsonObject) -> str | None:
    of_manifest = [key for key in ("config", "layers") if fields.has(key)]
    if fields.has("manifests"):
        if of_manifest:
            raise fields.malformed(
                "manifests", f"an index may not have {' and '.join(of_manifest)} too"
            )
        return "index"
    return "manifest" if of_manifest else None


def _index(fields: JsonObject, media_type: str | None) -> ImageIndex:
    return ImageIndex(
        media_type=media_type or media_types.OCI_INDEX,
        manifests=tuple(Descriptor.from_json(item) for item in fields.objects("manifests")),
        annotations=fields.string_map("annotations"),
    )


def _manifest(fields: JsonObject, media_type: str | None) -> ImageManifest:
    subject = fields.optional_object("subject")
    return ImageManifest(
        media_type=media_type or media_types.OCI_MANIFEST,
        config=Descriptor.from_json(fields.object("config")),
        layers=tuple(Descriptor.from_json(item) for item in fields.objects("layers")),
        annotations=fields.string_map("annotations"),
        artifact_type=fields.optional_string("artifactType"),
        subject=None if subject is None else Descriptor.from_json(subject),
    )
