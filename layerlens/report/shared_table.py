"""What images share, for people: a table for each question, and what it is counted by above it.

Files and pulls have modules of their own: `shared_files_table`, `shared_pulls_table`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from layerlens.analysis.sharing import Identity, Sharing, UniqueLayer, Unit
from layerlens.analysis.sharing_blobs import RecompressedLayer
from layerlens.analysis.sharing_findings import SharingFindings
from layerlens.analysis.titles import ImageTitle
from layerlens.report.as_table import Align, Cell, Column, Styled
from layerlens.report.colour import Style
from layerlens.report.counted import counted
from layerlens.report.safe_text import shorten, shorten_middle
from layerlens.report.shared_numbers import numbers_text, ratio_text
from layerlens.report.table_style import UNKNOWN, TableStyle, prose_lines, short_digest

_HOLDERS_WIDTH = 10  # characters on a terminal; elsewhere all are shown
_WIDE = 120

_MEANING = {
    (Identity.BLOB_DIGEST, Unit.COMPRESSED): "in a registry",
    (Identity.DIFF_ID, Unit.COMPRESSED): "compressed once",
    (Identity.DIFF_ID, Unit.UNCOMPRESSED): "the contents",
    (Identity.CHAIN_ID, Unit.UNCOMPRESSED): "on a host's disk",
}
_IMPLIED = {
    Identity.BLOB_DIGEST: {Identity.DIFF_ID},
    Identity.DIFF_ID: set[Identity](),
    Identity.CHAIN_ID: {Identity.DIFF_ID},
}


def images_lines(findings: SharingFindings, style: TableStyle) -> Iterator[str]:
    """Which image has which number, and the names they are stored under."""
    yield style.heading("Images")
    columns = (
        Column(heading="IMAGE", align=Align.RIGHT),
        Column(heading="LAYERS", align=Align.RIGHT),
        Column(heading="NAME", shorten=shorten_middle),
    )
    rows = (
        (str(number), str(len(image.layers)), _name(image.title))
        for number, image in enumerate(findings.images)
    )
    yield from style.table(columns, rows)
    yield from prose_lines(_about_images(findings))


def bytes_lines(findings: SharingFindings, style: TableStyle) -> Iterator[str]:
    """Each image's bytes by the identity shown, and their sums."""
    shown = findings.shown
    yield style.heading(f"Bytes of their layers, by {shown.identity.value}, {shown.unit.value}")
    names = ("IMAGE", "OWN", "EXCLUSIVE", "SHARED", "AMORTISED")
    size = style.format_size
    rows: list[Sequence[Cell]] = [
        (
            str(number),
            size(share.own),
            size(share.exclusive),
            size(share.shared),
            size(share.amortised),
        )
        for number, share in enumerate(shown.images)
    ]
    sums = (
        "total",
        size(shown.logical),
        size(sum(share.exclusive for share in shown.images)),
        size(sum(share.shared for share in shown.images)),
        size(shown.stored),
    )
    rows.append([Styled(text, Style.HEADING) for text in sums])
    yield from style.table([Column(heading=name, align=Align.RIGHT) for name in names], rows)
    yield from prose_lines(_about_bytes(findings))


def _name(title: ImageTitle) -> str:
    """The name that was asked for, and where it does not say it, that it is stored under."""
    stored = title.names[0] if title.names else None
    if stored is None or title.image.endswith(stored):
        return title.image
    return f"{title.image} ({stored})"


def _about_images(findings: SharingFindings) -> Iterator[str]:
    for duplicate in findings.duplicates:
        yield (
            f"Images {numbers_text(duplicate.images)} are one and the same, by their config "
            f"{duplicate.config_digest}; each is counted."
        )


def _about_bytes(findings: SharingFindings) -> Iterator[str]:
    shown = findings.shown
    without_blob = sum(
        layer.blob_digest is None for image in findings.images for layer in image.layers
    )
    if without_blob and shown.identity is not Identity.BLOB_DIGEST:
        yield (
            f"{counted(without_blob, 'layer')} without a blob digest, as docker-archives store "
            "them uncompressed: compared by DiffID or ChainID, and in uncompressed bytes."
        )
    if shown.left_out:
        yield (
            f"{counted(shown.left_out, 'layer')} without a {shown.identity.value} or without known "
            f"{shown.unit.value} bytes: left out of this table."
        )
    empty = shown.empty_layers()
    if empty:
        holders = sorted({holder for layer in empty for holder in layer.holders})
        yield (
            f"The empty layer is in {_images(holders)}: its bytes count, and it is not listed "
            "below."
        )


def measures_lines(findings: SharingFindings, style: TableStyle) -> Iterator[str]:
    """Logical and stored bytes and their ratio, by each identity, and the gap between them."""
    yield style.heading("Sharing: logical bytes / stored bytes")
    columns = (
        Column(heading="BY"),
        Column(heading="BYTES"),
        Column(heading="LOGICAL", align=Align.RIGHT),
        Column(heading="STORED", align=Align.RIGHT),
        Column(heading="SAVED", align=Align.RIGHT),
        Column(heading="RATIO", align=Align.RIGHT),
        Column(heading="WHAT", shorten=shorten),
    )
    yield from style.table(columns, (_measure_row(each, style) for each in findings.measures))
    yield from prose_lines(_about_measures(findings, style))


def _measure_row(measure: Sharing, style: TableStyle) -> tuple[Cell, ...]:
    size = style.format_size
    numbers = (
        (
            size(measure.logical),
            size(measure.stored),
            size(measure.logical - measure.stored),
            ratio_text(measure.ratio),
        )
        if measure.layers
        else (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
    )
    mark = "*" if measure.left_out else ""
    return (
        measure.identity.value + mark,
        measure.unit.value,
        *numbers,
        _MEANING[measure.identity, measure.unit],
    )


def _about_measures(findings: SharingFindings, style: TableStyle) -> Iterator[str]:
    missing = [measure for measure in findings.measures if measure.left_out]
    if missing:
        counts = ", ".join(
            f"{measure.left_out} by {measure.identity.value} in {measure.unit.value} bytes"
            for measure in missing
        )
        yield (
            f"* without the layers that have no such digest or no known size: {counts}. "
            "An uncompressed layer of a docker-archive has neither blob digest nor compressed size."
        )
    excess = sum(layer.excess for layer in findings.recompressed)
    if findings.recompressed:
        layers = counted(len(findings.recompressed), "layer")
        yield (
            f"Between blob digest and DiffID lie {style.format_size(excess)}: "
            f"{layers} of identical content compressed differently."
        )


def layers_lines(findings: SharingFindings, style: TableStyle) -> Iterator[str]:
    """The layers that several images hold, by the identity shown."""
    shown = findings.shown
    layers = shown.shared_layers()
    name = shown.identity.value
    if not layers:
        yield style.heading(f"No layer is held by more than one image, by {name}")
        return
    yield style.heading(
        f"Layers held by more than one image, by {name}, in {shown.unit.value} bytes"
    )
    columns = (
        Column(heading="SAVED", align=Align.RIGHT),
        Column(heading="SIZE", align=Align.RIGHT),
        Column(heading="IMAGES"),
        Column(heading="ALSO BY"),
        Column(heading=name.upper()),
        Column(heading="INSTRUCTION", shorten=shorten),
    )
    yield from style.table(
        columns, (_layer_row(each, shown, style) for each in layers[: style.top])
    )
    yield from style.rest(len(layers))


def _layer_row(layer: UniqueLayer, shown: Sharing, style: TableStyle) -> tuple[Cell, ...]:
    told = [other for other in layer.also_by if other not in _IMPLIED[shown.identity]]
    return (
        style.format_size(layer.saved),
        style.format_size(layer.size),
        _holders(layer.holders, style),
        ", ".join("blob" if each is Identity.BLOB_DIGEST else each.value for each in told)
        or UNKNOWN,
        short_digest(layer.digest),
        layer.layer.instruction or UNKNOWN,
    )


def recompressed_lines(findings: SharingFindings, style: TableStyle) -> Iterator[str]:
    """The DiffIDs that are stored as several blobs; nothing where there are none."""
    layers = findings.recompressed
    if not layers:
        return
    yield style.heading("Identical content compressed differently: one DiffID, several blobs")
    columns = (
        Column(heading="EXCESS", align=Align.RIGHT),
        Column(heading="SIZE", align=Align.RIGHT),
        Column(heading="IMAGES"),
        Column(heading="BLOB DIGEST"),
        Column(heading="DIFFID"),
        Column(heading="INSTRUCTION", shorten=shorten),
    )
    rows = (row for layer in layers[: style.top] for row in _blob_rows(layer, style))
    yield from style.table(columns, rows)
    yield from style.rest(len(layers))


def _blob_rows(layer: RecompressedLayer, style: TableStyle) -> Iterator[tuple[Cell, ...]]:
    """A row a blob, smallest first; what belongs to the layer stands in the first."""
    first = (short_digest(layer.diff_id), layer.layer.instruction or UNKNOWN)
    for number, blob in enumerate(layer.blobs):
        yield (
            "" if number else style.format_size(layer.excess),
            style.format_size(blob.size),
            _holders(blob.holders, style),
            short_digest(blob.blob_digest),
            *(("", "") if number else first),
        )


def bases_lines(findings: SharingFindings, style: TableStyle) -> Iterator[str]:
    """Which images derive from which."""
    if not findings.bases:
        yield style.heading("No image derives from another: no DiffIDs are a prefix of others")
        return
    yield style.heading("Base images: their DiffIDs are the lowest of the derived image's")
    columns = (
        Column(heading="IMAGE", align=Align.RIGHT),
        Column(heading="BASE", align=Align.RIGHT),
        Column(heading="LAYERS", align=Align.RIGHT),
        Column(heading="NEAREST"),
        Column(heading="NAME OF THE BASE", shorten=shorten_middle),
    )
    rows = (
        (
            str(relation.image),
            str(relation.base),
            f"{relation.layers} of {len(findings.images[relation.image].layers)}",
            "yes" if relation.nearest else "no",
            _name(findings.images[relation.base].title),
        )
        for relation in islice(findings.bases, style.top)
    )
    yield from style.table(columns, rows)
    yield from style.rest(len(findings.bases))


def _holders(holders: Sequence[int], style: TableStyle) -> str:
    if style.width is None:
        return numbers_text(holders)
    return numbers_text(holders, _HOLDERS_WIDTH * (3 if style.width >= _WIDE else 1))


def _images(numbers: Sequence[int]) -> str:
    return f"image{'s' if len(numbers) > 1 else ''} {numbers_text(numbers)}"
