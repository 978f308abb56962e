"""Where a layer keeps its table of contents (TOC), as the annotations of its descriptor say.

Sources: stargz-snapshotter, docs/estargz.md; containers/storage, containers-storage-zstd-chunked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from layerlens.errors import MalformedInput
from layerlens.oci.digest import Digest
from layerlens.oci.quoting import quoted

ESTARGZ_DIGEST = "containerd.io/snapshot/stargz/toc.digest"
CHUNKED_PREFIXES = (
    "io.github.containers.zstd-chunked.",
    "io.containers.zstd-chunked.",  # until 2022, as in Debian 12
)

_POSITION = re.compile(r"(\d{1,18}):(\d{1,18}):(\d{1,18}):(\d{1,9})", re.ASCII)
_CRFS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EstargzToc:
    """A gzip member that the blob's last bytes point to. ``digest``: of the JSON in it."""

    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ZstdChunkedToc:
    """``stored_size`` bytes of the blob from ``offset`` on, which hash to ``digest`` and inflate
    to ``size`` bytes of JSON."""

    offset: int
    stored_size: int
    size: int
    digest: Digest


DeclaredToc = EstargzToc | ZstdChunkedToc


def declared_toc(annotations: Mapping[str, str]) -> DeclaredToc | None:
    """The table of contents that a layer's descriptor declares, if any.

    Raises MalformedInput for one declared otherwise than the formats have it.
    """
    for prefix in CHUNKED_PREFIXES:
        position = annotations.get(f"{prefix}manifest-position")
        checksum = annotations.get(f"{prefix}manifest-checksum")
        if position is not None and checksum is not None:
            return _chunked(position, checksum)
    digest = annotations.get(ESTARGZ_DIGEST)
    return None if digest is None else EstargzToc(digest=Digest.parse(digest))


def declares_toc(annotations: Mapping[str, str]) -> bool:
    """Whether a layer's descriptor declares a table of contents, in whatever form."""
    keys = {ESTARGZ_DIGEST, *(f"{prefix}manifest-position" for prefix in CHUNKED_PREFIXES)}
    return not keys.isdisjoint(annotations)


def keeps_files_of_its_own(annotations: Mapping[str, str]) -> bool:
    """Whether the layer's tar has files at its root that serve the eStargz format alone."""
    return ESTARGZ_DIGEST in annotations


def _chunked(position: str, checksum: str) -> ZstdChunkedToc:
    match = _POSITION.fullmatch(position)
    if match is None:
        raise MalformedInput(f"{quoted(position)} is no position of a table of contents")
    offset, stored_size, size, kind = map(int, match.groups())
    if kind != _CRFS:
        raise MalformedInput(f"a table of contents of type {kind}, which is not known")
    return ZstdChunkedToc(
        offset=offset, stored_size=stored_size, size=size, digest=Digest.parse(checksum)
    )
