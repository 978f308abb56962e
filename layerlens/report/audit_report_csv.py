"""What ``audit report --csv`` writes: one table, with exact numbers, read while it is written.

The names of columns are the JSON document's. Several names in one field are separated by spaces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerlens.analysis.sharing import Identity
from layerlens.audit.base_images import annotated_bases, base_images
from layerlens.audit.file_shares import duplicated_files
from layerlens.audit.holdings import Holdings
from layerlens.audit.near_duplicates import near_duplicates
from layerlens.audit.percentiles import spreads
from layerlens.audit.recompressed import recompressed_layers
from layerlens.audit.repository_shares import repository_shares
from layerlens.audit.scope import last_failures
from layerlens.audit.stale_bases import stale_images
from layerlens.audit.top_layers import RankedLayer, exclusive_layers, shared_layers
from layerlens.audit.totals import sharing_totals
from layerlens.report.as_csv import Field
from layerlens.report.audit_sections import ReportRequest
from layerlens.report.shared_csv import FILE_COLUMNS, file_row
from layerlens.report.shared_document import IDENTITY_KEYS
from layerlens.report.shared_numbers import exact_text

Rows = Iterator[Sequence[Field]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """A table's header, and how its rows are read."""

    header: tuple[str, ...]
    rows: Callable[[Holdings, ReportRequest], Rows]


def _sharing(holdings: Holdings, _: ReportRequest) -> Rows:
    for each in sharing_totals(holdings):
        yield (
            IDENTITY_KEYS[each.identity],
            each.layers,
            each.logical,
            each.stored,
            each.saved,
            exact_text(each.ratio),
            each.left_out,
        )


def _references(holdings: Holdings, _: ReportRequest) -> Rows:
    for each in sharing_totals(holdings):
        references = each.references
        for name, counted in (
            ("once", references.once),
            ("twice", references.twice),
            ("up_to_25", references.up_to_25),
            ("more", references.more),
            ("empty", references.empty),
        ):
            yield (IDENTITY_KEYS[each.identity], name, counted.layers, counted.bytes)


def _percentiles(holdings: Holdings, _: ReportRequest) -> Rows:
    for each in spreads(holdings):
        yield (each.measure, each.unit, each.over, each.count, each.p50, each.p90, each.largest)


def _shared(holdings: Holdings, request: ReportRequest) -> Rows:
    layers = shared_layers(holdings, request.identity, request.top)
    return (_layer(layer, request.identity) for layer in layers)


def _exclusive(holdings: Holdings, request: ReportRequest) -> Rows:
    layers = exclusive_layers(holdings, request.identity, request.top)
    return (_layer(layer, request.identity) for layer in layers)


def _layer(layer: RankedLayer, identity: Identity) -> Sequence[Field]:
    return (
        IDENTITY_KEYS[identity],
        str(layer.digest),
        layer.size,
        layer.saved,
        layer.images,
        str(layer.image),
        layer.instruction,
        " ".join(layer.repositories),
    )


def _recompressed(holdings: Holdings, request: ReportRequest) -> Rows:
    for layer in recompressed_layers(holdings, request.top):
        yield (
            str(layer.diff_id),
            layer.blobs,
            layer.size,
            layer.excess,
            layer.instruction,
            " ".join(layer.repositories),
        )


def _repositories(holdings: Holdings, request: ReportRequest) -> Rows:
    for share in repository_shares(holdings, request.identity, request.order, request.top):
        yield (
            share.repository,
            share.tags,
            share.images,
            share.own,
            share.exclusive,
            share.shared,
            share.amortised,
        )


def _bases(holdings: Holdings, request: ReportRequest) -> Rows:
    for base in base_images(holdings, request.top):
        yield (
            str(base.chain_id),
            _name(base.image),
            base.layers,
            base.bytes,
            base.images,
            base.nearest,
            " ".join(base.repositories),
        )


def _annotated(holdings: Holdings, request: ReportRequest) -> Rows:
    for base in annotated_bases(holdings, request.top):
        digest = None if base.digest is None else str(base.digest)
        yield (base.name, digest, base.images, _name(base.image))


def _stale(holdings: Holdings, request: ReportRequest) -> Rows:
    for each in stale_images(holdings, request.top):
        yield (
            _name(each.image),
            str(each.base),
            _name(each.through),
            each.evidence.value,
            each.moved,
            _name(each.still_at),
        )


def _near_duplicates(holdings: Holdings, request: ReportRequest) -> Rows:
    for group in near_duplicates(holdings, request.top):
        yield (
            group.instruction,
            group.platform,
            group.layers,
            group.bytes,
            group.at_stake,
            group.images,
            exact_text(group.files.share),
            " ".join(group.repositories),
        )


def _files(holdings: Holdings, request: ReportRequest) -> Rows:
    return map(file_row, duplicated_files(holdings, request.top))


def _failures(holdings: Holdings, _: ReportRequest) -> Rows:
    for each in last_failures(holdings):
        digest = None if each.digest is None else str(each.digest)
        yield (each.repository, each.tag, digest, each.reason, each.time)


def _name(name: object) -> str | None:
    return None if name is None else str(name)


_LAYER = ("by", "digest", "size", "saved", "images", "image", "instruction", "repositories")

REPORT_TABLES: Mapping[str, ReportTable] = {
    "repositories": ReportTable(
        header=("repository", "tags", "images", "own", "exclusive", "shared", "amortised"),
        rows=_repositories,
    ),
    "sharing": ReportTable(
        header=("by", "layers", "logical", "stored", "saved", "ratio", "left_out"), rows=_sharing
    ),
    "references": ReportTable(header=("by", "references", "layers", "bytes"), rows=_references),
    "percentiles": ReportTable(
        header=("measure", "unit", "over", "count", "p50", "p90", "max"), rows=_percentiles
    ),
    "shared": ReportTable(header=_LAYER, rows=_shared),
    "exclusive": ReportTable(header=_LAYER, rows=_exclusive),
    "recompressed": ReportTable(
        header=("diff_id", "blobs", "size", "excess", "instruction", "repositories"),
        rows=_recompressed,
    ),
    "bases": ReportTable(
        header=("chain_id", "image", "layers", "bytes", "images", "nearest", "repositories"),
        rows=_bases,
    ),
    "annotated": ReportTable(header=("name", "digest", "images", "image"), rows=_annotated),
    "stale": ReportTable(
        header=("image", "base", "through", "evidence", "moved", "still_at"), rows=_stale
    ),
    "near-duplicates": ReportTable(
        header=(
            "instruction",
            "platform",
            "layers",
            "bytes",
            "at_stake",
            "images",
            "common_file_share",
            "repositories",
        ),
        rows=_near_duplicates,
    ),
    "files": ReportTable(header=FILE_COLUMNS, rows=_files),
    "failures": ReportTable(
        header=("repository", "tag", "digest", "reason", "time"), rows=_failures
    ),
}
"""The tables by the names that ``--table`` takes; the first is written by default."""
