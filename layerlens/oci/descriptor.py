"""Descriptors: how one document names a blob: its media type, digest and size.

Image spec, descriptor.md. ``urls`` are not read: nothing is ever fetched from them.
"""

import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from layerlens.errors import DigestMismatch, SizeMismatch
from layerlens.oci.digest import Digest
from layerlens.oci.json_fields import JsonObject
from layerlens.oci.platform import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A blob's media type, digest and size in bytes, and what is said of it.

    ``data`` is the blob itself, where it was embedded; it matched size and digest.
    """

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str]
    artifact_type: str | None = None
    data: bytes | None = None

    @classmethod
    def from_json(cls, fields: JsonObject) -> "Descriptor":
        """Read a descriptor.

        Raises MalformedInput for a field missing or of the wrong type, and SizeMismatch or
        DigestMismatch for embedded data that is not what the descriptor says.
        """
        size = fields.integer("size")
        if size < 0:
            raise fields.malformed("size", f"a negative size, {size}")
        digest = fields.digest("digest")
        media_type = fields.string("mediaType")
        if fields.has_only(3):  # as most
            return cls(media_type=media_type, digest=digest, size=size, annotations={})
        platform = fields.optional_object("platform")
        return cls(
            media_type=media_type,
            digest=digest,
            size=size,
            # Go writes a platform that was never set as {}.
            platform=Platform.from_json(platform) if platform and platform.names() else None,
            annotations=fields.string_map("annotations"),
            artifact_type=fields.optional_string("artifactType"),
            data=_embedded_data(fields, digest, size),
        )


def _embedded_data(fields: JsonObject, digest: Digest, size: int) -> bytes | None:
    text = fields.optional_string("data")
    if text is None:
        return None
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise fields.malformed("data", "not base64") from error
    if len(data) != size:
        raise SizeMismatch(f"{fields.where}: data: {len(data)} bytes, but the size says {size}")
    hasher = digest.hasher()
    hasher.update(data)
    if hasher.hexdigest() != digest.hex:
        raise DigestMismatch(f"{fields.where}: data: the bytes do not hash to {digest}")
    return data
