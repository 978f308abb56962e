"""What an image and its layers are called by in every report: names, digests, instructions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTitle:
    """``image``: as it was asked for. ``names``: as its source stores it. Digests are text."""

    image: str
    names: tuple[str, ...]
    platform: str
    manifest_digest: str | None
    config_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTitle:
    """``number``: from 0, lowest first. ``size``: uncompressed bytes, None where the layer is no
    tar, or was not read but ``from_toc``. ``instruction``: a Dockerfile's line, None where the
    history does not tell."""

    number: int
    size: int | None
    diff_id: str | None
    blob_digest: str | None
    chain_id: str | None
    instruction: str | None
    from_toc: bool = False

    @property
    def is_unknown(self) -> bool:
        """Whether the layer is no tar: what it holds is not known."""
        return self.size is None and not self.from_toc
