"""What a reviewer wants to know of an image, and of what changed since another: as values.

Nothing here is cut: how much of each list is shown is for a form of report to decide. Bytes are
of files, uncompressed and hard links once, unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerlens.analysis.change_filter import ChangeFilter
from layerlens.analysis.change_statistics import ChangeStatistics
from layerlens.analysis.charged_files import directory_sizes
from layerlens.analysis.comparison import ComparedImage, ImageComparison
from layerlens.analysis.config_differences import ConfigDifference
from layerlens.analysis.findings import Finding, FindingKind, Stance
from layerlens.analysis.findings_secrets import Candidate
from layerlens.analysis.layer_alignment import LayerPair
from layerlens.analysis.layer_changes import Change, layer_changes
from layerlens.analysis.rules import Judgement
from layerlens.analysis.rules_image import CheckedImage
from layerlens.analysis.sharing_pulls import HeldLayers, PullCost
from layerlens.analysis.titles import ImageTitle
from layerlens.analysis.top_changes import tallied
from layerlens.analysis.waste import PathWaste, Waste
from layerlens.filesystem.file_tree import EMPTY_TREE, name_key

CHANGES_KEPT = 50
"""Changes of a layer, or between two images, that are kept: those with the most bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedImage:
    """An image and what was measured of it. ``unsure``: files that may be secrets, and that nobody
    could look into."""

    checked: CheckedImage
    compared: ComparedImage
    waste: Waste
    findings: tuple[Finding, ...]
    unsure: tuple[Candidate, ...] = ()

    @property
    def sizes(self) -> ImageSizes:
        """How large it is, by each measure."""
        pull = HeldLayers().cost(self.checked.identities)
        return ImageSizes(
            compressed=None if pull.uncompressed or pull.unknown else pull.compressed,
            files=self.waste.bytes,
            live=self.waste.live_bytes,
            dead=self.waste.dead.total,
            layers=len(self.checked.layers),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSizes:
    """``compressed``: bytes of the layers as stored, each once; None where not all are known.
    ``files``: of all files in all layers; ``live``: of those that the final file system shows;
    ``dead``: of the others. ``layers``: how many."""

    compressed: int | None
    files: int
    live: int
    dead: int
    layers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeOfPath:
    """Bytes at and below a path; 0 where an image has nothing there. Without a baseline,
    ``before`` is 0."""

    path: str
    before: int
    after: int

    @property
    def growth(self) -> int:
        """How many more there are; negative where there are fewer."""
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedLayer:
    """``number``: from 0, lowest first. ``bytes``, ``dead``: of the files that it lists, and of
    those that are not visible. ``killed``: bytes that it took from layers below. ``stored``:
    compressed bytes, None where not known. ``largest``: its changes with the most bytes."""

    number: int
    instruction: str | None
    diff_id: str | None
    readable: bool
    bytes: int
    dead: int
    killed: int
    stored: int | None
    statistics: ChangeStatistics
    largest: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadPath:
    """Dead bytes at one path, ``before`` in the baseline; and which layers wrote and killed
    those of the image."""

    path: str
    before: int
    after: int
    layers: tuple[int, ...]
    killers: tuple[int, ...]

    @property
    def growth(self) -> int:
        """How many more there are."""
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What changed since a baseline. ``changes``: what differs between the final file systems,
    added up; ``grown`` and ``shrunk``: the paths with the most bytes more and fewer, of
    ``grown_paths`` and ``shrunk_paths`` that there are. ``pull``: what pulling the image costs
    where the baseline is. ``pairs``: the layers side by side."""

    sizes: ImageSizes
    title: ImageTitle
    changes: ChangeStatistics
    grown: tuple[Change, ...]
    shrunk: tuple[Change, ...]
    grown_paths: int
    shrunk_paths: int
    pull: PullCost
    pairs: tuple[LayerPair, ...]
    layers: tuple[ReportedLayer, ...]
    config: tuple[ConfigDifference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReport:
    """All of a report. ``directories``: the top-level ones, those that hold or grew most first.
    ``dead``: the paths with dead bytes, those with most, or most new ones, first. ``judgement``:
    None where no rules are set."""

    image: ReportedImage
    layers: tuple[ReportedLayer, ...]
    directories: tuple[SizeOfPath, ...]
    dead: tuple[DeadPath, ...]
    findings: tuple[ReportedFinding, ...]
    comparison: Comparison | None
    judgement: Judgement | None

    @property
    def sizes(self) -> ImageSizes:
        """Of the image."""
        return self.image.sizes


def image_report(
    image: ReportedImage, baseline: ReportedImage | None, judgement: Judgement | None
) -> ImageReport:
    """The report on *image*, compared with *baseline* where there is one."""
    return ImageReport(
        image=image,
        layers=tuple(_layers(image)),
        directories=_directories(image, baseline),
        dead=_dead_paths(image.waste, baseline.waste if baseline else None),
        findings=reported_findings(image, baseline),
        comparison=_comparison(image, baseline) if baseline else None,
        judgement=judgement,
    )


def _layers(image: ReportedImage) -> Iterator[ReportedLayer]:
    shown = ChangeFilter()
    lower = EMPTY_TREE
    for layer, identity, waste in zip(
        image.checked.layers, image.checked.identities.layers, image.waste.layers, strict=True
    ):
        found = tallied(shown.apply(layer_changes(lower, layer.tree)), CHANGES_KEPT)
        lower = layer.tree
        yield ReportedLayer(
            number=layer.number,
            instruction=layer.title.instruction,
            diff_id=layer.title.diff_id,
            readable=layer.index is not None,
            bytes=waste.bytes,
            dead=waste.dead.total,
            killed=waste.killed.total,
            stored=identity.stored_size,
            statistics=found.statistics,
            largest=found.largest,
        )


def _directories(image: ReportedImage, baseline: ReportedImage | None) -> tuple[SizeOfPath, ...]:
    after = directory_sizes(image.checked.tree)
    before: Mapping[str, int] = directory_sizes(baseline.checked.tree) if baseline else {}
    rows = [
        SizeOfPath(path=path, before=before.get(path, 0), after=after.get(path, 0))
        for path in {*before, *after}
    ]
    rows.sort(key=lambda row: (-abs(row.growth), -row.after, name_key(row.path)))
    return tuple(rows)


def _dead_paths(waste: Waste, before: Waste | None) -> tuple[DeadPath, ...]:
    known: Mapping[str, PathWaste] = {each.path: each for each in before.paths()} if before else {}
    rows = [
        DeadPath(
            path=each.path,
            before=known[each.path].dead.total if each.path in known else 0,
            after=each.dead.total,
            layers=each.layers,
            killers=each.killers,
        )
        for each in waste.paths()
    ]
    rows.sort(key=lambda row: (-row.growth, -row.after, name_key(row.path)))
    return tuple(rows)


def _comparison(image: ReportedImage, baseline: ReportedImage) -> Comparison:
    comparison = ImageComparison(baseline.compared, image.compared)
    found = tallied(comparison.changes(ChangeFilter()), CHANGES_KEPT)
    return Comparison(
        sizes=baseline.sizes,
        title=baseline.checked.title,
        changes=found.statistics,
        grown=found.grown,
        shrunk=found.shrunk,
        grown_paths=found.grown_paths,
        shrunk_paths=found.shrunk_paths,
        pull=HeldLayers(baseline.checked.identities.layers).cost(image.checked.identities),
        pairs=comparison.layer_pairs(),
        layers=tuple(_layers(baseline)),
        config=comparison.config_differences(),
    )


def new_dead(report: ImageReport) -> Sequence[DeadPath]:
    """The paths with more dead bytes than in the baseline; without one, all of them."""
    return [path for path in report.dead if path.growth > 0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedFinding:
    """``new``: whether the baseline has no finding of this kind at all of these places."""

    finding: Finding
    new: bool


def reported_findings(
    image: ReportedImage, baseline: ReportedImage | None
) -> tuple[ReportedFinding, ...]:
    """The findings, secrets first, then waste, then what is only told; each with most bytes first,
    new ones before those that the baseline has too."""
    known = {key for each in (baseline.findings if baseline else ()) for key in _keys(each)}
    rows = [
        ReportedFinding(
            finding=finding, new=baseline is not None and not known.intersection(_keys(finding))
        )
        for finding in image.findings
    ]
    order = (Stance.EXPOSED, Stance.WASTE, Stance.TOLD)
    rows.sort(key=lambda row: (order.index(row.finding.kind.stance), not row.new))
    return tuple(rows)


def _keys(finding: Finding) -> Iterator[tuple[FindingKind, str]]:
    for place in finding.places:
        yield finding.kind, place.path
    for name in finding.subject:
        yield finding.kind, f"variable {name}"


def removed_layers(comparison: Comparison) -> Iterator[ReportedLayer]:
    """The baseline's layers that the image has none for."""
    for pair in comparison.pairs:
        if pair.b is None and pair.a is not None:
            yield comparison.layers[pair.a]
