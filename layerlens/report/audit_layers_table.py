"""Layers and repositories of a registry, those that matter most first, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from layerlens.analysis.sharing import Identity
from layerlens.audit.holdings import Holdings
from layerlens.audit.near_duplicates import near_duplicate_totals, near_duplicates
from layerlens.audit.recompressed import recompressed_layers, recompressed_totals
from layerlens.audit.repository_shares import ShareOrder, repository_shares
from layerlens.audit.top_layers import (
    count_exclusive,
    count_shared,
    exclusive_layers,
    shared_layers,
)
from layerlens.report.as_table import Align, Cell, Column, Styled
from layerlens.report.audit_names import names_text
from layerlens.report.colour import Style
from layerlens.report.safe_text import shorten, shorten_middle
from layerlens.report.shared_numbers import percent_text
from layerlens.report.table_style import UNKNOWN, TableStyle, prose_lines, short_digest

_WIDE = 120


def shared_lines(holdings: Holdings, identity: Identity, style: TableStyle) -> Iterator[str]:
    """The layers whose sharing saves most."""
    count = count_shared(holdings, identity)
    if not count:
        yield style.heading(f"No layer is held by more than one image, by {identity.value}")
        return
    yield style.heading(f"Layers held by several images, by {identity.value}, most saved first")
    columns = (
        Column(heading="SAVED", align=Align.RIGHT),
        Column(heading="SIZE", align=Align.RIGHT),
        Column(heading="IMAGES", align=Align.RIGHT),
        Column(heading="REPOSITORIES"),
        Column(heading="DIGEST"),
        Column(heading="INSTRUCTION", shorten=shorten),
    )
    rows = (
        (
            style.format_size(layer.saved),
            style.format_size(layer.size),
            str(layer.images),
            names_text(layer.repositories, _names_width(style)),
            short_digest(str(layer.digest)),
            layer.instruction or UNKNOWN,
        )
        for layer in shared_layers(holdings, identity, style.top)
    )
    yield from style.table(columns, rows)
    yield from style.rest(count)
    yield from prose_lines(["'layerlens audit holders DIGEST' names all holders of one."])


def exclusive_lines(holdings: Holdings, identity: Identity, style: TableStyle) -> Iterator[str]:
    """The largest layers of one image alone."""
    count = count_exclusive(holdings, identity)
    if not count:
        yield style.heading(f"No layer is held by one image alone, by {identity.value}")
        return
    yield style.heading(f"Layers held by one image alone, by {identity.value}, the largest first")
    columns = (
        Column(heading="SIZE", align=Align.RIGHT),
        Column(heading="IMAGE"),
        Column(heading="DIGEST"),
        Column(heading="INSTRUCTION", shorten=shorten),
    )
    rows = (
        (
            style.format_size(layer.size),
            image_text(str(layer.image), style),
            short_digest(str(layer.digest)),
            layer.instruction or UNKNOWN,
        )
        for layer in exclusive_layers(holdings, identity, style.top)
    )
    yield from style.table(columns, rows)
    yield from style.rest(count)


def recompressed_lines(holdings: Holdings, style: TableStyle) -> Iterator[str]:
    """The contents that are stored in several blobs."""
    totals = recompressed_totals(holdings)
    if not totals.layers:
        yield style.heading("No content is stored in several blobs: each DiffID has one")
        return
    yield style.heading(
        f"Identical content compressed differently: {style.format_size(totals.excess)} in excess"
    )
    columns = (
        Column(heading="EXCESS", align=Align.RIGHT),
        Column(heading="SMALLEST", align=Align.RIGHT),
        Column(heading="BLOBS", align=Align.RIGHT),
        Column(heading="REPOSITORIES"),
        Column(heading="DIFFID"),
        Column(heading="INSTRUCTION", shorten=shorten),
    )
    rows = (
        (
            style.format_size(layer.excess),
            style.format_size(layer.size),
            str(layer.blobs),
            names_text(layer.repositories, _names_width(style)),
            short_digest(str(layer.diff_id)),
            layer.instruction or UNKNOWN,
        )
        for layer in recompressed_layers(holdings, style.top)
    )
    yield from style.table(columns, rows)
    yield from style.rest(totals.layers)


def repositories_lines(
    holdings: Holdings, identity: Identity, order: ShareOrder, style: TableStyle
) -> Iterator[str]:
    """Whose bytes they are."""
    yield style.heading(f"Bytes of repositories' layers, by {identity.value}, by {order.value}")
    numbers = ("TAGS", "IMAGES", "OWN", "EXCLUSIVE", "SHARED", "AMORTISED")
    columns = (
        Column(heading="REPOSITORY", shorten=shorten_middle),
        *(Column(heading=name, align=Align.RIGHT) for name in numbers),
    )
    rows: list[Sequence[Cell]] = []
    count = own = exclusive = shared = amortised = 0
    size = style.format_size
    for share in repository_shares(holdings, identity, order, None):
        count += 1
        own += share.own
        exclusive += share.exclusive
        shared += share.shared
        amortised += share.amortised
        if style.top is None or count <= style.top:
            rows.append(
                (
                    share.repository,
                    str(share.tags),
                    str(share.images),
                    size(share.own),
                    size(share.exclusive),
                    size(share.shared),
                    size(share.amortised),
                )
            )
    sums = (f"all {count}", "", "", size(own), size(exclusive), size(shared), size(amortised))
    rows.append([Styled(text, Style.HEADING) for text in sums])
    yield from style.table(columns, rows)
    yield from style.rest(count)
    yield from prose_lines(
        [
            "Exclusive: of layers that no other repository holds. Amortised: a layer's bytes "
            "divided among the repositories that hold it; they sum up to what is stored, to the "
            "byte: of a layer that does not divide evenly, the first of its holders by name take "
            "one byte more."
        ]
    )


def near_duplicates_lines(holdings: Holdings, style: TableStyle) -> Iterator[str]:
    """The instructions that made several layers."""
    totals = near_duplicate_totals(holdings)
    if not totals.instructions:
        yield style.heading("No instruction made layers that differ for one platform")
        return
    yield style.heading(
        f"Differing layers that one instruction made for a platform: "
        f"{style.format_size(totals.at_stake)} at stake"
    )
    columns = (
        Column(heading="AT STAKE", align=Align.RIGHT),
        Column(heading="STORED", align=Align.RIGHT),
        Column(heading="LAYERS", align=Align.RIGHT),
        Column(heading="IMAGES", align=Align.RIGHT),
        Column(heading="COMMON", align=Align.RIGHT),
        Column(heading="REPOSITORIES"),
        Column(heading="INSTRUCTION", shorten=shorten),
    )
    rows = (
        (
            style.format_size(group.at_stake),
            style.format_size(group.bytes),
            str(group.layers),
            str(group.images),
            percent_text(group.files.share),
            names_text(group.repositories, _names_width(style)),
            group.instruction,
        )
        for group in near_duplicates(holdings, style.top)
    )
    yield from style.table(columns, rows)
    yield from style.rest(totals.instructions)
    yield from prose_lines(
        [
            "At stake: all but the largest of an instruction's layers, by DiffID, if it were run "
            "once and the layer shared. A RUN often can be; a COPY may well be meant to differ. "
            "Common: of the bytes of their files, where they were read, those whose content "
            "another of the layers has as well."
        ]
    )


def image_text(name: str, style: TableStyle) -> str:
    """An image's name beside a column that gives way."""
    return name if style.width is None else shorten_middle(name, max(style.width // 4, 12))


def _names_width(style: TableStyle) -> int | None:
    if style.width is None:
        return None
    return 40 if style.width >= _WIDE else 16
