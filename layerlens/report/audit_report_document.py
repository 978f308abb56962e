"""What ``audit report --json`` writes, as values for ``as_json``, read while they are written."""

from __future__ import annotations

from layerlens.audit.base_images import (
    AnnotatedBase,
    BaseImage,
    annotated_bases,
    base_images,
    count_annotated_bases,
    count_bases,
    derived_images,
)
from layerlens.audit.file_shares import duplicated_files, file_sharing
from layerlens.audit.holdings import Holdings
from layerlens.audit.near_duplicates import NearDuplicates, near_duplicate_totals, near_duplicates
from layerlens.audit.percentiles import Spread, spreads
from layerlens.audit.recompressed import (
    RecompressedLayer,
    recompressed_layers,
    recompressed_totals,
)
from layerlens.audit.records import FailureRecord
from layerlens.audit.repository_shares import count_repositories, repository_shares
from layerlens.audit.scope import last_failures, scope_of
from layerlens.audit.stale_bases import stale_images, stale_totals
from layerlens.audit.top_layers import (
    RankedLayer,
    count_exclusive,
    count_shared,
    exclusive_layers,
    shared_layers,
)
from layerlens.audit.totals import SharingTotals, sharing_totals
from layerlens.report.audit_report_fields import (
    AnnotatedBaseFields,
    BaseFields,
    BasesFields,
    FailureFields,
    LayerFields,
    LayersFields,
    NearDuplicateFields,
    NearDuplicatesFields,
    RecompressedFields,
    RecompressedLayersFields,
    ReportDocument,
    RepositoriesFields,
    SpreadFields,
    StaleFields,
    TotalsFields,
)
from layerlens.report.audit_sections import ReportRequest, Section
from layerlens.report.files_fields import FilesFields, files_fields
from layerlens.report.shared_document import IDENTITY_KEYS
from layerlens.report.shared_numbers import exact_text

REPORT_SCHEMA_VERSION = 1


def report_document(holdings: Holdings, request: ReportRequest) -> ReportDocument:
    """The document; it can be written once, while the catalogue is open."""
    asked, top = request.sections, request.top
    sharing = asked & {Section.SHARING, Section.REFERENCES}
    return ReportDocument(
        scope=scope_of(holdings) if Section.SCOPE in asked else None,
        failures=map(_failure, last_failures(holdings)) if Section.SCOPE in asked else None,
        sharing=map(_totals, sharing_totals(holdings)) if sharing else None,
        percentiles=map(_spread, spreads(holdings)) if Section.PERCENTILES in asked else None,
        shared_layers=_shared(holdings, request) if Section.SHARED in asked else None,
        exclusive_layers=_exclusive(holdings, request) if Section.EXCLUSIVE in asked else None,
        recompressed_layers=(
            _recompressed(holdings, top) if Section.RECOMPRESSED in asked else None
        ),
        repositories=_repositories(holdings, request) if Section.REPOSITORIES in asked else None,
        base_images=_bases(holdings, top) if Section.BASES in asked else None,
        stale_images=_stale(holdings, top) if Section.STALE in asked else None,
        near_duplicates=(
            _near_duplicates(holdings, top) if Section.NEAR_DUPLICATES in asked else None
        ),
        files=_files(holdings, top) if Section.FILES in asked else None,
    )


def _failure(failure: FailureRecord) -> FailureFields:
    return FailureFields(
        repository=failure.repository,
        tag=failure.tag,
        digest=None if failure.digest is None else str(failure.digest),
        reason=failure.reason,
        time=failure.time,
    )


def _totals(totals: SharingTotals) -> TotalsFields:
    return TotalsFields(
        by=IDENTITY_KEYS[totals.identity],
        layers=totals.layers,
        logical=totals.logical,
        stored=totals.stored,
        saved=totals.saved,
        ratio=exact_text(totals.ratio),
        left_out=totals.left_out,
        references=totals.references,
    )


def _spread(spread: Spread) -> SpreadFields:
    return SpreadFields(
        measure=spread.measure,
        unit=spread.unit,
        over=spread.over,
        count=spread.count,
        p50=spread.p50,
        p90=spread.p90,
        max=spread.largest,
    )


def _shared(holdings: Holdings, request: ReportRequest) -> LayersFields:
    return LayersFields(
        by=IDENTITY_KEYS[request.identity],
        count=count_shared(holdings, request.identity),
        layers=map(_layer, shared_layers(holdings, request.identity, request.top)),
    )


def _exclusive(holdings: Holdings, request: ReportRequest) -> LayersFields:
    return LayersFields(
        by=IDENTITY_KEYS[request.identity],
        count=count_exclusive(holdings, request.identity),
        layers=map(_layer, exclusive_layers(holdings, request.identity, request.top)),
    )


def _layer(layer: RankedLayer) -> LayerFields:
    return LayerFields(
        digest=str(layer.digest),
        size=layer.size,
        saved=layer.saved,
        images=layer.images,
        image=layer.image,
        instruction=layer.instruction,
        repositories=layer.repositories,
    )


def _recompressed(holdings: Holdings, top: int | None) -> RecompressedLayersFields:
    totals = recompressed_totals(holdings)
    return RecompressedLayersFields(
        count=totals.layers,
        excess=totals.excess,
        layers=map(_recompressed_layer, recompressed_layers(holdings, top)),
    )


def _recompressed_layer(layer: RecompressedLayer) -> RecompressedFields:
    return RecompressedFields(
        diff_id=str(layer.diff_id),
        blobs=layer.blobs,
        size=layer.size,
        excess=layer.excess,
        instruction=layer.instruction,
        repositories=layer.repositories,
    )


def _repositories(holdings: Holdings, request: ReportRequest) -> RepositoriesFields:
    return RepositoriesFields(
        by=IDENTITY_KEYS[request.identity],
        count=count_repositories(holdings),
        repositories=repository_shares(holdings, request.identity, request.order, request.top),
    )


def _bases(holdings: Holdings, top: int | None) -> BasesFields:
    return BasesFields(
        count=count_bases(holdings),
        bases=(_base(holdings, base) for base in base_images(holdings, top)),
        annotated_count=count_annotated_bases(holdings),
        annotated=map(_annotated, annotated_bases(holdings, top)),
    )


def _base(holdings: Holdings, base: BaseImage) -> BaseFields:
    return BaseFields(
        chain_id=str(base.chain_id),
        image=base.image,
        layers=base.layers,
        bytes=base.bytes,
        images=base.images,
        nearest=base.nearest,
        repositories=base.repositories,
        derived=derived_images(holdings, base),
    )


def _annotated(base: AnnotatedBase) -> AnnotatedBaseFields:
    return AnnotatedBaseFields(
        name=base.name,
        digest=None if base.digest is None else str(base.digest),
        images=base.images,
        image=base.image,
    )


def _stale(holdings: Holdings, top: int | None) -> StaleFields:
    totals = stale_totals(holdings)
    return StaleFields(images=totals.images, bases=totals.bases, stale=stale_images(holdings, top))


def _near_duplicates(holdings: Holdings, top: int | None) -> NearDuplicatesFields:
    totals = near_duplicate_totals(holdings)
    return NearDuplicatesFields(
        count=totals.instructions,
        at_stake=totals.at_stake,
        instructions=map(_near_duplicate, near_duplicates(holdings, top)),
    )


def _near_duplicate(group: NearDuplicates) -> NearDuplicateFields:
    return NearDuplicateFields(
        instruction=group.instruction,
        platform=group.platform,
        layers=group.layers,
        bytes=group.bytes,
        at_stake=group.at_stake,
        images=group.images,
        listed_layers=group.files.layers,
        file_bytes=group.files.bytes,
        common_file_bytes=group.files.common,
        common_file_share=exact_text(group.files.share),
        repositories=group.repositories,
    )


def _files(holdings: Holdings, top: int | None) -> FilesFields | None:
    sharing = file_sharing(holdings)
    return files_fields(sharing, duplicated_files(holdings, top)) if sharing else None
