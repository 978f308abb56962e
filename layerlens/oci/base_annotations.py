"""The annotations by which an image names the image it was built on.

https://github.com/opencontainers/image-spec/blob/main/annotations.md; buildah writes an empty name
where it knows none.
"""

from __future__ import annotations

from collections.abc import Mapping

_NAME = "org.opencontainers.image.base.name"
_DIGEST = "org.opencontainers.image.base.digest"


def base_name(annotations: Mapping[str, str]) -> str | None:
    """The base's reference, as it was written; None where none is named."""
    return annotations.get(_NAME) or None


def base_digest(annotations: Mapping[str, str]) -> str | None:
    """The base's digest as text, which may be none; None where there is none."""
    return annotations.get(_DIGEST) or None
