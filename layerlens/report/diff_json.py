"""``diff --json``: the documents of ``diff_document``, written as they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from layerlens.analysis.change_statistics import by_top_level_directory
from layerlens.analysis.comparison import ImageComparison, LayerRange
from layerlens.analysis.layer_changes import Change
from layerlens.analysis.titles import ImageTitle
from layerlens.report.as_json import write_json
from layerlens.report.diff_document import (
    DIFF_SCHEMA_VERSION,
    ChangeFields,
    ImageDiffDocument,
    LayerChangesFields,
    LayerDiffDocument,
    StatisticsFields,
    change_fields,
    layer_pair_fields,
    statistics_fields,
)
from layerlens.report.diff_format import DiffRequest, Seen


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

    def fields(self, changes: Iterable[Change]) -> Iterator[ChangeFields]:
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

    def fields(self, changes: Iterable[Change]) -> Sequence[StatisticsFields]:
        """One list of changes, added up."""
        return statistics_fields(by_top_level_directory(changes))


_JsonFormat = JsonFormat | JsonStatisticsFormat


def _write_layers(form: _JsonFormat, image: ImageTitle, ranges: Sequence[LayerRange]) -> bool:
    seen = Seen()
    sections = (_section(form, layers, seen) for layers in ranges)
    document = LayerDiffDocument(image=image, layers=sections)
    write_json(form.write, document, schema_version=DIFF_SCHEMA_VERSION)
    return seen.any


def _section(form: _JsonFormat, layers: LayerRange, seen: Seen) -> LayerChangesFields:
    first, last = layers.layers[0], layers.layers[-1]
    alone = first is last
    return LayerChangesFields(
        first=first.number,
        last=last.number,
        diff_id=last.diff_id if alone else None,
        blob_digest=last.blob_digest if alone else None,
        chain_id=last.chain_id,
        instruction=last.instruction if alone else None,
        changes=form.fields(seen.watch(layers.changes(form.request.change_filter))),
    )


def _write_comparison(form: _JsonFormat, comparison: ImageComparison) -> bool:
    seen = Seen()
    config = form.request.config_of(comparison)
    layers_a, layers_b = comparison.a.layers, comparison.b.layers
    document = ImageDiffDocument(
        a=comparison.a.title,
        b=comparison.b.title,
        config=config,
        layers=[layer_pair_fields(pair, layers_a, layers_b) for pair in comparison.layer_pairs()],
        changes=form.fields(seen.watch(comparison.changes(form.request.change_filter))),
    )
    write_json(form.write, document, schema_version=DIFF_SCHEMA_VERSION)
    return seen.any or bool(config)
