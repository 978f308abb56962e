"""The objects of ``audit report --json``; the order of fields is the document's.

Sections that were not asked for are null. Sizes are bytes, compressed unless a name says other;
times are seconds since 1970. Lists stand beside the count of all there are. Ratios and shares are
decimal text of four places, None where they would divide by nothing. An image is named by the
first tag that leads to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerlens.audit.base_images import DerivedImage
from layerlens.audit.holdings import TagName
from layerlens.audit.repository_shares import RepositoryShare
from layerlens.audit.scope import Scope
from layerlens.audit.stale_bases import StaleImage
from layerlens.audit.totals import References
from layerlens.report.files_fields import FilesFields


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFields:
    """What the last crawl could not read. Names are None where they were not known."""

    repository: str | None
    tag: str | None
    digest: str | None
    reason: str
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsFields:
    """Sharing by one identity (``by``). ``logical``: over images; ``stored``: each layer once;
    ``left_out``: layers, as images list them, without that identity."""

    by: str
    layers: int
    logical: int
    stored: int
    saved: int
    ratio: str | None
    left_out: int
    references: References


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadFields:
    """Percentiles of one measure by nearest rank, in ``unit``."""

    measure: str
    unit: str
    over: str
    count: int
    p50: int | None
    p90: int | None
    max: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFields:
    """A layer. ``image``: one that holds it; ``repositories``: all that hold it."""

    digest: str
    size: int
    saved: int
    images: int
    image: TagName
    instruction: str | None
    repositories: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayersFields:
    """Layers by one identity, and how many there are of them."""

    by: str
    count: int
    layers: Iterator[LayerFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoriesFields:
    """Repositories by one identity of their layers; ``amortised`` sums up to what is stored."""

    by: str
    count: int
    repositories: Iterator[RepositoryShare]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFields:
    """A base by DiffIDs, and the images that derive from it."""

    chain_id: str
    image: TagName
    layers: int
    bytes: int
    images: int
    nearest: int
    repositories: Sequence[str]
    derived: Iterator[DerivedImage]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedBaseFields:
    """A base that annotations name; ``image``: what of this registry leads to its digest."""

    name: str | None
    digest: str | None
    images: int
    image: TagName | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BasesFields:
    """Bases by DiffIDs, and bases by annotation."""

    count: int
    bases: Iterator[BaseFields]
    annotated_count: int
    annotated: Iterator[AnnotatedBaseFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleFields:
    """Images on a stale base, and on how many tags."""

    images: int
    bases: int
    stale: Iterator[StaleImage]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicateFields:
    """The layers of one instruction for one platform; ``at_stake``: all but the largest.

    Of the ``listed_layers``, whose files were read: bytes of files, and of those whose content
    another of them has as well.
    """

    instruction: str
    platform: str | None
    layers: int
    bytes: int
    at_stake: int
    images: int
    listed_layers: int
    file_bytes: int
    common_file_bytes: int
    common_file_share: str | None
    repositories: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicatesFields:
    """Instructions that made several layers, and what is at stake with them all."""

    count: int
    at_stake: int
    instructions: Iterator[NearDuplicateFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecompressedFields:
    """One content in several blobs; ``size``: of the smallest, ``excess``: of all others."""

    diff_id: str
    blobs: int
    size: int
    excess: int
    instruction: str | None
    repositories: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecompressedLayersFields:
    """Contents that are stored in several blobs, and the bytes that this takes."""

    count: int
    excess: int
    layers: Iterator[RecompressedFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDocument:
    """All that ``audit report`` says."""

    scope: Scope | None
    failures: Iterator[FailureFields] | None
    sharing: Iterator[TotalsFields] | None
    percentiles: Iterator[SpreadFields] | None
    shared_layers: LayersFields | None
    exclusive_layers: LayersFields | None
    recompressed_layers: RecompressedLayersFields | None
    repositories: RepositoriesFields | None
    base_images: BasesFields | None
    stale_images: StaleFields | None
    near_duplicates: NearDuplicatesFields | None
    files: FilesFields | None
