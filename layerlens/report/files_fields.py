"""File-level duplication in JSON, of the images of ``shared`` and of a whole registry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from layerlens.analysis.sharing_files import DuplicatedFile, FileSharing
from layerlens.report.shared_numbers import exact_text


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatedFileFields:
    """A content at several places; ``path``: of the first. ``excess``: bytes of all but one."""

    sha256: str
    size: int
    copies: int
    layers: int
    excess: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesFields:
    """File-level duplication over distinct layers (by DiffID), ``unread_layers`` left out.
    ``logical_bytes``: over all images' layers; ``bytes``: over the distinct layers;
    ``distinct_bytes``: each content once."""

    layers: int
    unread_layers: int
    files: int
    empty_files: int
    distinct: int
    singletons: int
    logical_bytes: int
    bytes: int
    distinct_bytes: int
    distinct_share: str | None
    capacity_ratio: str | None
    redundancy: str | None
    singleton_share: str | None
    capture_rate: str | None
    duplicated: Iterable[DuplicatedFileFields]


def files_fields(sharing: FileSharing, duplicated: Iterable[DuplicatedFile]) -> FilesFields:
    """The figures; ``duplicated`` is gone through as it is written."""
    return FilesFields(
        layers=sharing.layers,
        unread_layers=sharing.unread_layers,
        files=sharing.files,
        empty_files=sharing.empty_files,
        distinct=sharing.distinct,
        singletons=sharing.singletons,
        logical_bytes=sharing.logical_bytes,
        bytes=sharing.bytes,
        distinct_bytes=sharing.distinct_bytes,
        distinct_share=exact_text(sharing.distinct_share),
        capacity_ratio=exact_text(sharing.capacity_ratio),
        redundancy=exact_text(sharing.redundancy),
        singleton_share=exact_text(sharing.singleton_share),
        capture_rate=exact_text(sharing.capture_rate),
        duplicated=map(_duplicated, duplicated),
    )


def _duplicated(file: DuplicatedFile) -> DuplicatedFileFields:
    return DuplicatedFileFields(
        sha256=file.content.hex(),
        size=file.size,
        copies=file.copies,
        layers=file.layers,
        excess=file.excess,
        path=file.path,
    )
