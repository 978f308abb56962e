"""What ``report --json`` says, as values; the order of fields is the document's.

Sizes are integers of bytes, of files, uncompressed and hard links once, unless a name says
otherwise. Lists are whole but for ``largest``, ``grown`` and ``shrunk``, which have the paths with
the most bytes, and whose lengths stand beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerlens.analysis.change_statistics import ChangeStatistics
from layerlens.analysis.image_report import (
    Comparison,
    DeadPath,
    ImageReport,
    ImageSizes,
    ReportedFinding,
    ReportedLayer,
    SizeOfPath,
)
from layerlens.analysis.layer_changes import Change
from layerlens.analysis.rules import Judgement, Status
from layerlens.analysis.sharing_pulls import PullCost
from layerlens.analysis.titles import ImageTitle
from layerlens.report.check_document import RuleFields, rule_fields
from layerlens.report.report_text import RELATIONS

REPORT_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFields:
    """A path that differs. ``layer``: that wrote what is there now, None where nothing is."""

    kind: str
    path: str
    before: int
    after: int
    layer: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PullFields:
    """``bytes`` to transfer of ``whole``; ``uncompressed``: those of them that are counted
    uncompressed for want of a compressed size; ``exact``: whether it is compressed throughout and
    compared by blob digest."""

    bytes: int
    uncompressed: int
    whole: int
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFields:
    """One layer. ``relation``: to the baseline's layers, None without a baseline. ``readable``:
    whether it is a tar; of one that is not, nothing is counted."""

    index: int
    relation: str | None
    diff_id: str | None
    instruction: str | None
    readable: bool
    bytes: int
    dead: int
    killed: int
    compressed: int | None
    added: int
    changed: int
    removed: int
    largest: Iterator[ChangeFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPlaceFields:
    """A file, or a directory with ``files`` below it."""

    path: str
    files: int
    bytes: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFields:
    """One finding. ``new``: that the baseline has none like it. ``subject``: names of variables."""

    kind: str
    stance: str
    new: bool
    layer: int | None
    instruction: str | None
    bytes: int
    subject: Sequence[str]
    places: Iterator[FindingPlaceFields]
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFields:
    """What differs in the config: a name, and no value, which may be a secret."""

    kind: str
    field: str
    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonFields:
    """What changed since the baseline."""

    baseline: ImageTitle
    sizes: ImageSizes
    changes: ChangeStatistics
    pull: PullFields
    grown_paths: int
    grown: Iterator[ChangeFields]
    shrunk_paths: int
    shrunk: Iterator[ChangeFields]
    removed_layers: Sequence[int]
    config: Iterator[ConfigFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesFields:
    """The verdicts on the rules that are set."""

    verdict: str
    rules: Iterator[RuleFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDocument:
    """All of a report."""

    image: ImageTitle
    sizes: ImageSizes
    comparison: ComparisonFields | None
    rules: RulesFields | None
    directories: Sequence[SizeOfPath]
    layers: Iterator[LayerFields]
    dead: Sequence[DeadPath]
    findings: Iterator[FindingFields]


def report_document(report: ImageReport) -> ReportDocument:
    """The document of a report."""
    comparison = report.comparison
    return ReportDocument(
        image=report.image.checked.title,
        sizes=report.sizes,
        comparison=_comparison(comparison) if comparison else None,
        rules=_rules(report.judgement) if report.judgement else None,
        directories=report.directories,
        layers=_layers(report),
        dead=report.dead,
        findings=map(_finding, report.findings),
    )


def _comparison(comparison: Comparison) -> ComparisonFields:
    return ComparisonFields(
        baseline=comparison.title,
        sizes=comparison.sizes,
        changes=comparison.changes,
        pull=_pull(comparison.pull),
        grown_paths=comparison.grown_paths,
        grown=map(_change, comparison.grown),
        shrunk_paths=comparison.shrunk_paths,
        shrunk=map(_change, comparison.shrunk),
        removed_layers=[
            pair.a for pair in comparison.pairs if pair.b is None and pair.a is not None
        ],
        config=(
            ConfigFields(kind=each.kind.value, field=each.field, key=each.key)
            for each in comparison.config
        ),
    )


def _rules(judgement: Judgement) -> RulesFields:
    verdict = Status.PASS if judgement.passed else Status.FAIL
    return RulesFields(verdict=verdict.value, rules=map(rule_fields, judgement.verdicts))


def _layers(report: ImageReport) -> Iterator[LayerFields]:
    relations = {}
    if report.comparison is not None:
        relations = {pair.b: RELATIONS[pair.relation] for pair in report.comparison.pairs}
    for layer in report.layers:
        yield _layer(layer, relations.get(layer.number))


def _layer(layer: ReportedLayer, relation: str | None) -> LayerFields:
    return LayerFields(
        index=layer.number,
        relation=relation,
        diff_id=layer.diff_id,
        instruction=layer.instruction,
        readable=layer.readable,
        bytes=layer.bytes,
        dead=layer.dead,
        killed=layer.killed,
        compressed=layer.stored,
        added=layer.statistics.added,
        changed=layer.statistics.changed,
        removed=layer.statistics.removed,
        largest=map(_change, layer.largest),
    )


def _change(change: Change) -> ChangeFields:
    return ChangeFields(
        kind=change.kind.value,
        path=change.path,
        before=change.bytes_before,
        after=change.bytes_after,
        layer=change.after.layer if change.after is not None else None,
    )


def _finding(row: ReportedFinding) -> FindingFields:
    finding = row.finding
    return FindingFields(
        kind=finding.kind.value,
        stance=finding.kind.stance.value,
        new=row.new,
        layer=finding.layer,
        instruction=finding.instruction,
        bytes=finding.bytes,
        subject=finding.subject,
        places=(
            FindingPlaceFields(
                path=place.path, files=place.files, bytes=place.bytes, dead=place.dead
            )
            for place in finding.places
        ),
        remedy=finding.remedy,
    )


def _pull(cost: PullCost) -> PullFields:
    return PullFields(
        bytes=cost.bytes,
        uncompressed=cost.uncompressed,
        whole=cost.whole,
        exact=cost.is_exact,
    )
