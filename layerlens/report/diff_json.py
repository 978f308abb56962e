"""``diff --json``: the documents of ``diff_document``, a list of changes at a time in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from layerlens.analysis.change_statistics import by_top_level_directory, total
from layerlens.analysis.comparison import ImageComparison, LayerRange
from layerlens.analysis.layer_changes import Change
from layerlens.analysis.titles import ImageTitle
from layerlens.report.as_json import write_json
from layerlens.report.diff_document import (
    DIFF_SCHEMA_VERSION,
    ChangeFields,
    DirectoryFields,
    ImageDiffDocument,
    LayerChangesFields,
    LayerDiffDocument,
    change_fields,
    directory_fields,
    layer_pair_fields,
    total_fields,
)
from layerlens.report.diff_format import DiffRequest


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """Each change with the file before and after."""

    request: DiffRequest
    write: Callable[[str], object]

    def write_layers(self, image: ImageTitle, ranges: Sequence[LayerRange]) -> bool:
        """See DiffFormat."""
        return _write_layers(self, image, ranges)

    def write_comparison(self, comparison: ImageComparison) -> bool:
        """See DiffFormat."""
        return _write_comparison(self, comparison)

    def fields(self, changes: Sequence[Change]) -> Iterator[ChangeFields]:
        """One list of changes."""
        return change_fields(self.request.ordered(changes))


@dataclass(frozen=True, slots=True)
class JsonStatisticsFormat:
    """``--stat --json``: changes added up by top-level directory."""

    request: DiffRequest
    write: Callable[[str], object]

    def write_layers(self, image: ImageTitle, ranges: Sequence[LayerRange]) -> bool:
        """See DiffFormat."""
        return _write_layers(self, image, ranges)

    def write_comparison(self, comparison: ImageComparison) -> bool:
        """See DiffFormat."""
        return _write_comparison(self, comparison)

    def fields(self, changes: Sequence[Change]) -> Iterator[DirectoryFields]:
        """One list of changes, added up."""
        return directory_fields(self.request.ordered_rows(by_top_level_directory(changes)))


_JsonFormat = JsonFormat | JsonStatisticsFormat


def _write_layers(form: _JsonFormat, image: ImageTitle, ranges: Sequence[LayerRange]) -> bool:
    lengths: list[int] = []
    document = LayerDiffDocument(image=image, layers=_sections(form, ranges, lengths))
    write_json(form.write, document, schema_version=DIFF_SCHEMA_VERSION)
    return any(lengths)


def _sections(
    form: _JsonFormat, ranges: Sequence[LayerRange], lengths: list[int]
) -> Iterator[LayerChangesFields]:
    """Each range when it is written; how many changes it has goes to ``lengths``."""
    for layers in ranges:
        changes = list(layers.changes(form.request.change_filter))
        lengths.append(len(changes))
        first, last = layers.layers[0], layers.layers[-1]
        alone = first is last
        yield LayerChangesFields(
            first=first.number,
            last=last.number,
            size=last.size if alone else None,
            diff_id=last.diff_id if alone else None,
            blob_digest=last.blob_digest if alone else None,
            chain_id=last.chain_id,
            instruction=last.instruction if alone else None,
            unreadable_layers=[layer.number for layer in layers.unreadable],
            toc_layers=[layer.number for layer in layers.layers if layer.from_toc],
            totals=total_fields(total(changes)),
            changes=form.fields(changes),
        )


def _write_comparison(form: _JsonFormat, comparison: ImageComparison) -> bool:
    config = form.request.config_of(comparison)
    changes = list(comparison.changes(form.request.change_filter))
    layers_a, layers_b = comparison.a.layers, comparison.b.layers
    document = ImageDiffDocument(
        a=comparison.a.title,
        b=comparison.b.title,
        config=config,
        layers=[layer_pair_fields(pair, layers_a, layers_b) for pair in comparison.layer_pairs()],
        totals=total_fields(total(changes)),
        changes=form.fields(changes),
    )
    write_json(form.write, document, schema_version=DIFF_SCHEMA_VERSION)
    return bool(changes) or bool(config)
