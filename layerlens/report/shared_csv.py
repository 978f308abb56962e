"""What ``shared --csv`` writes: one table of those that the command shows, with exact numbers.

Images are named by their number (from 0); several in one field are separated by spaces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from layerlens.analysis.sharing_files import DuplicatedFile
from layerlens.analysis.sharing_findings import SharingFindings
from layerlens.report.as_csv import Field
from layerlens.report.shared_document import IDENTITY_KEYS
from layerlens.report.shared_numbers import exact_text

Rows = Iterator[Sequence[Field]]

FILE_COLUMNS = ("sha256", "size", "copies", "layers", "excess", "path")


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvTable:
    """A table's header and how its rows are made; the number is the most rows of a long list."""

    header: tuple[str, ...]
    rows: Callable[[SharingFindings, int | None], Rows]


def _layers(findings: SharingFindings, top: int | None) -> Rows:
    shown = findings.shown
    for layer in islice(shown.shared_layers(), top):
        yield (
            IDENTITY_KEYS[shown.identity],
            layer.digest,
            shown.unit.value,
            layer.size,
            layer.saved,
            len(layer.holders),
            " ".join(map(str, layer.holders)),
            " ".join(IDENTITY_KEYS[identity] for identity in layer.also_by),
            layer.layer.blob_digest,
            layer.layer.diff_id,
            layer.layer.chain_id,
            layer.layer.instruction,
        )


def _images(findings: SharingFindings, top: int | None) -> Rows:
    shown = findings.shown
    for number, (image, share) in enumerate(zip(findings.images, shown.images, strict=True)):
        yield (
            number,
            image.title.image,
            image.title.names[0] if image.title.names else None,
            image.title.platform,
            image.title.manifest_digest,
            image.title.config_digest,
            len(image.layers),
            IDENTITY_KEYS[shown.identity],
            shown.unit.value,
            share.own,
            share.exclusive,
            share.shared,
            share.amortised,
            share.left_out,
        )


def _sharing(findings: SharingFindings, top: int | None) -> Rows:
    for measure in findings.measures:
        yield (
            IDENTITY_KEYS[measure.identity],
            measure.unit.value,
            measure.logical,
            measure.stored,
            measure.logical - measure.stored,
            exact_text(measure.ratio),
            len(measure.layers),
            measure.left_out,
        )


def _recompressed(findings: SharingFindings, top: int | None) -> Rows:
    for layer in islice(findings.recompressed, top):
        for blob in layer.blobs:
            yield (
                layer.diff_id,
                blob.blob_digest,
                blob.size,
                " ".join(map(str, blob.holders)),
                layer.layer.instruction,
            )


def _pulls(findings: SharingFindings, top: int | None) -> Rows:
    for pull in findings.pulls():
        cost = pull.cost
        yield (
            pull.source,
            pull.target,
            cost.compressed,
            cost.uncompressed,
            cost.whole,
            exact_text(cost.reuse),
            cost.by_diff_id,
            cost.unknown,
        )


def _bases(findings: SharingFindings, top: int | None) -> Rows:
    for relation in islice(findings.bases, top):
        yield (
            relation.image,
            relation.base,
            relation.layers,
            "yes" if relation.nearest else "no",
        )


def _files(findings: SharingFindings, top: int | None) -> Rows:
    return map(file_row, findings.files.duplicated if findings.files else ())


def file_row(file: DuplicatedFile) -> Sequence[Field]:
    """A content that stands more than once, under `FILE_COLUMNS`."""
    return (file.content.hex(), file.size, file.copies, file.layers, file.excess, file.path)


CSV_TABLES: Mapping[str, CsvTable] = {
    "layers": CsvTable(
        header=(
            "by",
            "digest",
            "unit",
            "size",
            "saved",
            "holders",
            "images",
            "also_by",
            "blob_digest",
            "diff_id",
            "chain_id",
            "instruction",
        ),
        rows=_layers,
    ),
    "images": CsvTable(
        header=(
            "image",
            "name",
            "stored_name",
            "platform",
            "manifest_digest",
            "config_digest",
            "layers",
            "by",
            "unit",
            "own",
            "exclusive",
            "shared",
            "amortised",
            "left_out",
        ),
        rows=_images,
    ),
    "sharing": CsvTable(
        header=(
            "by",
            "unit",
            "logical",
            "stored",
            "saved",
            "ratio",
            "distinct_layers",
            "left_out",
        ),
        rows=_sharing,
    ),
    "recompressed": CsvTable(
        header=("diff_id", "blob_digest", "size", "images", "instruction"), rows=_recompressed
    ),
    "pulls": CsvTable(
        header=(
            "source",
            "target",
            "bytes",
            "uncompressed_bytes",
            "image_bytes",
            "reuse_ratio",
            "by_diff_id",
            "unknown",
        ),
        rows=_pulls,
    ),
    "bases": CsvTable(header=("image", "base", "layers", "nearest"), rows=_bases),
    "files": CsvTable(header=FILE_COLUMNS, rows=_files),
}
"""The tables by the names that ``--table`` takes; the names of columns are the JSON document's."""
