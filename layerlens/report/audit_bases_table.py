"""Base images of a registry, who derives from them, and whose base has moved on, for people."""

from __future__ import annotations

from collections.abc import Iterator

from layerlens.audit.base_images import (
    annotated_bases,
    base_images,
    count_annotated_bases,
    count_bases,
)
from layerlens.audit.holdings import Holdings
from layerlens.audit.stale_bases import stale_images, stale_totals
from layerlens.report.as_table import Align, Column
from layerlens.report.audit_layers_table import image_text
from layerlens.report.audit_names import day_text, names_text
from layerlens.report.counted import counted
from layerlens.report.safe_text import shorten_middle
from layerlens.report.table_style import UNKNOWN, TableStyle, prose_lines


def bases_lines(holdings: Holdings, style: TableStyle) -> Iterator[str]:
    """The bases by DiffIDs, and those that annotations name."""
    count = count_bases(holdings)
    if count:
        yield style.heading("Base images, by DiffIDs: theirs are the lowest of the derived image's")
        columns = (
            Column(heading="IMAGES", align=Align.RIGHT),
            Column(heading="NEAREST", align=Align.RIGHT),
            Column(heading="LAYERS", align=Align.RIGHT),
            Column(heading="SIZE", align=Align.RIGHT),
            Column(heading="BASE", shorten=shorten_middle),
            Column(heading="DERIVED IN"),
        )
        rows = (
            (
                str(base.images),
                str(base.nearest),
                str(base.layers),
                style.format_size(base.bytes),
                str(base.image),
                names_text(base.repositories, None if style.width is None else style.width // 3),
            )
            for base in base_images(holdings, style.top)
        )
        yield from style.table(columns, rows)
        yield from style.rest(count)
        yield from prose_lines(
            ["Nearest: images with no other base between. --json names each derived image."]
        )
    else:
        yield style.heading("No image derives from another: no DiffIDs are a prefix of others")
    yield from _annotated_lines(holdings, style)


def _annotated_lines(holdings: Holdings, style: TableStyle) -> Iterator[str]:
    count = count_annotated_bases(holdings)
    if not count:
        return
    yield "\n"
    yield style.heading("Base images, by the annotations of the images built on them")
    columns = (
        Column(heading="IMAGES", align=Align.RIGHT),
        Column(heading="BASE", shorten=shorten_middle),
        Column(heading="DIGEST"),
        Column(heading="HERE"),
    )
    rows = (
        (
            str(base.images),
            base.name or UNKNOWN,
            UNKNOWN if base.digest is None else base.digest.hex[:12],
            UNKNOWN if base.image is None else image_text(str(base.image), style),
        )
        for base in annotated_bases(holdings, style.top)
    )
    yield from style.table(columns, rows)
    yield from style.rest(count)


def stale_lines(holdings: Holdings, style: TableStyle) -> Iterator[str]:
    """The images whose base has other layers now."""
    totals = stale_totals(holdings)
    if not totals.images:
        yield style.heading("No image is known to stand on a stale base")
        return
    yield style.heading(
        f"{counted(totals.images, 'image')} on a stale base: its tag leads to other layers now"
    )
    columns = (
        Column(heading="IMAGE", shorten=shorten_middle),
        Column(heading="BUILT ON"),
        Column(heading="THROUGH"),
        Column(heading="MOVED"),
        Column(heading="KNOWN BY"),
        Column(heading="STILL AT"),
    )
    rows = (
        (
            str(each.image or UNKNOWN),
            image_text(str(each.base), style),
            UNKNOWN if each.through is None else image_text(str(each.through), style),
            day_text(each.moved),
            each.evidence.value,
            UNKNOWN if each.still_at is None else image_text(str(each.still_at), style),
        )
        for each in stale_images(holdings, style.top)
    )
    yield from style.table(columns, rows)
    yield from style.rest(totals.pairs)
    yield from prose_lines(
        [
            "Through: the nearest base, where another stands below it. Moved: when a crawl first "
            "saw it. Known by: the image's annotation, else what tags led to in an earlier crawl. "
            "Still at: a tag that leads to the old layers yet, on which it may be meant to stay."
        ]
    )
