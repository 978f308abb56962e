"""What is known of a registry, its bytes and how they spread, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from layerlens.analysis.sharing import Identity, quotient
from layerlens.audit.holdings import Holdings
from layerlens.audit.percentiles import Spread, spreads
from layerlens.audit.scope import Scope, last_failures, scope_of
from layerlens.audit.totals import ReferenceClass, SharingTotals, sharing_totals
from layerlens.report.as_table import Align, Cell, Column
from layerlens.report.audit_names import moment_text
from layerlens.report.counted import counted
from layerlens.report.crawl_text import failure_text
from layerlens.report.safe_text import shorten
from layerlens.report.shared_numbers import decimal_text, percent_text, ratio_text
from layerlens.report.table_style import UNKNOWN, TableStyle, prose_lines

_MEANING = {
    Identity.BLOB_DIGEST: "in the registry",
    Identity.DIFF_ID: "each content once",
    Identity.CHAIN_ID: "on a host's disk",
}
_ELSEWHERE = {
    "layer size": "< 4 MB",
    "image size": "94 MB",
    "layers per image": "< 8",
}
_FAILURES_SHOWN = 5


def scope_lines(holdings: Holdings, style: TableStyle) -> Iterator[str]:
    """What the catalogue knows, and what it does not."""
    scope = scope_of(holdings)
    yield style.heading(f"Registry {scope.registry}")
    columns = (
        Column(heading="WHAT"),
        Column(heading="COUNT", align=Align.RIGHT),
        Column(heading="NOT KNOWN OF THEM", shorten=shorten),
    )
    yield from style.table(columns, _scope_rows(scope))
    yield from prose_lines(_about_scope(scope, style))
    for number, failure in enumerate(last_failures(holdings)):
        if number == _FAILURES_SHOWN:
            yield f"  … and {scope.failures - number} more\n"
            break
        yield from prose_lines([f"- {failure_text(failure)}"])


def _scope_rows(scope: Scope) -> Iterator[tuple[Cell, ...]]:
    yield (
        "repositories",
        str(scope.repositories),
        "; ".join(
            filter(
                None,
                (
                    _unknown(scope.failed_repositories, "failed when last tried"),
                    _unknown(scope.unlisted_repositories, "of which only named tags are known"),
                ),
            )
        ),
    )
    yield (
        "tags",
        str(scope.tags),
        _unknown(scope.unresolved_tags, "never followed: not chosen, or failed"),
    )
    yield (
        "images",
        str(scope.images),
        _unknown(scope.images_without_diff_ids, "with layers of unknown DiffID"),
    )
    yield ("indexes", str(scope.indexes), "")
    yield ("artifacts", str(scope.artifacts), "")
    if scope.unread_manifests:
        yield ("manifests", str(scope.unread_manifests), "named, and never read")


def _unknown(count: int, what: str) -> str:
    return f"{count} {what}" if count else ""


def _about_scope(scope: Scope, style: TableStyle) -> Iterator[str]:
    if scope.crawl_finished is None:
        yield (
            f"The last crawl began at {moment_text(scope.crawl_started)} UTC and is not finished: "
            "what it did not reach is as an earlier one found it, or not known."
        )
    else:
        yield f"Last crawled at {moment_text(scope.crawl_finished)} UTC, into {scope.catalogue}."
    yield (
        "An image is a manifest that tags lead to, counted once whoever tags it; artifacts are "
        "manifests of anything else. Manifests that no tag leads to are not counted."
    )
    if scope.registry_listed is None:
        yield (
            "The registry's list of repositories was not read: those that nobody named are not "
            "known."
        )
    if not scope.is_whole:
        yield "What is not known is in no figure: the true ones can only be higher."
    removed = scope.removed_tags, scope.removed_repositories
    if any(removed):
        tags, repositories = removed
        yield (
            f"Gone since an earlier crawl: {counted(tags, 'tag')}, "
            f"{counted(repositories, 'repository', 'repositories')}."
        )
    yield (
        f"Beside layers the registry stores {style.format_size(scope.other_blob_bytes)} in "
        f"{counted(scope.other_blobs, 'blob')} of configs and artifacts, and "
        f"{style.format_size(scope.manifest_bytes)} of manifests."
    )
    if scope.foreign_layers:
        yield (
            f"In no figure of bytes: {counted(scope.foreign_layers, 'foreign layer')} of "
            f"{style.format_size(scope.foreign_bytes)}, which a registry need not hold."
        )
    if scope.failures:
        yield f"The last crawl failed to read {scope.failures}:"


def sharing_lines(holdings: Holdings, style: TableStyle) -> Iterator[str]:
    """Logical and stored bytes and their ratio, by each identity."""
    totals = list(sharing_totals(holdings))
    yield style.heading("Sharing: logical bytes / stored bytes, compressed")
    columns = (
        Column(heading="BY"),
        Column(heading="LAYERS", align=Align.RIGHT),
        Column(heading="LOGICAL", align=Align.RIGHT),
        Column(heading="STORED", align=Align.RIGHT),
        Column(heading="SAVED", align=Align.RIGHT),
        Column(heading="RATIO", align=Align.RIGHT),
        Column(heading="WHAT IS STORED", shorten=shorten),
    )
    yield from style.table(columns, (_totals_row(each, style) for each in totals))
    yield from prose_lines(_about_totals(totals, style))


def _totals_row(totals: SharingTotals, style: TableStyle) -> tuple[Cell, ...]:
    return (
        totals.identity.value + ("*" if totals.left_out else ""),
        str(totals.layers),
        style.format_size(totals.logical),
        style.format_size(totals.stored),
        style.format_size(totals.saved),
        ratio_text(totals.ratio),
        _MEANING[totals.identity],
    )


def _about_totals(totals: Sequence[SharingTotals], style: TableStyle) -> Iterator[str]:
    yield (
        "Logical: the layers of every image, as if none were shared; stored: each layer once. "
        "By DiffID and ChainID the smallest of a layer's blobs is counted: a host unpacks them."
    )
    by_blob, by_diff_id, _ = totals
    missing = [each for each in totals if each.left_out]
    if missing:
        counts = ", ".join(f"{each.left_out} by {each.identity.value}" for each in missing)
        yield f"* without the layers that have no such digest known: {counts}."
    elif by_blob.stored > by_diff_id.stored:
        yield (
            f"{style.format_size(by_blob.stored - by_diff_id.stored)} are identical content, "
            "compressed differently."
        )


def references_lines(holdings: Holdings, identity: Identity, style: TableStyle) -> Iterator[str]:
    """How many layers so many images hold."""
    (totals,) = (each for each in sharing_totals(holdings) if each.identity is identity)
    references = totals.references
    stored = totals.stored - references.empty.bytes
    yield style.heading(f"References: how many images hold a layer, by {identity.value}")
    columns = (
        Column(heading="IMAGES"),
        *(
            Column(heading=name, align=Align.RIGHT)
            for name in ("LAYERS", "OF LAYERS", "STORED", "OF BYTES")
        ),
    )

    def row(name: str, held: ReferenceClass) -> tuple[Cell, ...]:
        return (
            name,
            str(held.layers),
            percent_text(quotient(held.layers, references.layers)),
            style.format_size(held.bytes),
            percent_text(quotient(held.bytes, stored)),
        )

    yield from style.table(
        columns,
        (
            row("one", references.once),
            row("two", references.twice),
            row("3 to 25", references.up_to_25),
            row("more than 25", references.more),
        ),
    )
    about = f"The layer most referenced is in {counted(references.most, 'image')}. "
    if references.empty.layers:
        about += (
            f"Apart from these, {references.empty.layers} "
            f"{'layer is' if references.empty.layers == 1 else 'layers are'} empty."
        )
    yield from prose_lines([about])


def percentiles_lines(holdings: Holdings, style: TableStyle) -> Iterator[str]:
    """How sizes and counts are spread."""
    yield style.heading("Percentiles, by nearest rank")
    columns = (
        Column(heading="MEASURE"),
        Column(heading="P50", align=Align.RIGHT),
        Column(heading="P90", align=Align.RIGHT),
        Column(heading="MAX", align=Align.RIGHT),
        Column(heading="OF", align=Align.RIGHT),
        Column(heading="P50 (1)", align=Align.RIGHT),
        Column(heading="OVER", shorten=shorten),
    )
    yield from style.table(columns, (_spread_row(each, style) for each in spreads(holdings)))
    yield from prose_lines(
        [
            "Sizes are compressed unless it says other. Layers are distinct blobs, or distinct "
            "DiffIDs whose files were read; the empty layer is apart.",
            "(1) of Docker Hub in 2017, 1.79 M layers, as published.",
        ]
    )


def _spread_row(spread: Spread, style: TableStyle) -> tuple[Cell, ...]:
    def text(value: int | None) -> str:
        if value is None:
            return UNKNOWN
        if spread.unit == "bytes":
            return style.format_size(value)
        if spread.unit == "thousandths":
            return decimal_text(Fraction(value, 1000), 2)
        return str(value)

    return (
        spread.measure,
        text(spread.p50),
        text(spread.p90),
        text(spread.largest),
        str(spread.count),
        _ELSEWHERE.get(spread.measure, UNKNOWN),
        spread.over,
    )
