"""What ``waste --json`` writes, as values for ``as_json``; fields stand in the document's order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from layerlens.analysis.dive_figures import DiveFigures
from layerlens.analysis.duplicates import DuplicateContent
from layerlens.analysis.findings import Finding, Place
from layerlens.analysis.titles import ImageTitle
from layerlens.analysis.waste import DeadBytes, InstructionWaste, LayerWaste, PathWaste
from layerlens.analysis.waste_survey import WasteSurvey
from layerlens.report.shared_numbers import exact_text

WASTE_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadFields:
    """``bytes``: all of them; the three below it by how they were lost."""

    files: int
    bytes: int
    overwritten: int
    deleted: int
    copied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalFields:
    """``live_share``: a decimal of four places; None for an image without bytes.
    ``duplicate_bytes``: of live files, all copies of a content but one. ``avoidable_bytes``: of
    all findings of waste, dead or live."""

    bytes: int
    live_bytes: int
    live_share: str | None
    duplicate_bytes: int
    avoidable_bytes: int
    dead: DeadFields


@dataclass(frozen=True, slots=True, kw_only=True)
class DiveFields:
    """dive's figures, under dive's names where it has them. ``efficiency`` and
    ``user_wasted_percent``: shares as decimals; the last is None where dive divides by zero."""

    size_bytes: int
    user_size_bytes: int
    minimum_bytes: int
    cumulative_bytes: int
    efficiency: str
    wasted_bytes: int
    user_wasted_percent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFields:
    """Where a finding's bytes lie: a file or a directory. ``evidence``: path or content."""

    path: str
    files: int
    bytes: int
    dead_bytes: int
    killed_by: Sequence[int]
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFields:
    """One finding; ``stance``: waste, told (not judged) or secret. ``names``: of variables."""

    kind: str
    stance: str
    layer: int | None
    instruction: str | None
    other_layer: int | None
    files: int
    bytes: int
    dead_bytes: int
    names: Sequence[str]
    remedy: str
    places: Iterator[PlaceFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFields:
    """``dead``: of what the layer wrote. ``killed``: what it took from those below."""

    index: int
    instruction: str | None
    bytes: int
    live_bytes: int
    dead: DeadFields
    killed: DeadFields


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionFields:
    """The layers that one text of an instruction made."""

    instruction: str | None
    layers: Sequence[int]
    bytes: int
    dead: DeadFields
    killed: DeadFields


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFields:
    """Dead files at one path."""

    path: str
    written_by: Sequence[int]
    killed_by: Sequence[int]
    dead: DeadFields


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyFields:
    """A live file; ``layer``: that put it at this path."""

    path: str
    layer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateFields:
    """One content at several live paths. ``excess_bytes``: of all copies but one."""

    sha256: str
    size: int
    excess_bytes: int
    copies: Iterator[CopyFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteDocument:
    """``waste``. ``not_looked_into``: files that may be secrets, of which only the names were
    seen. ``unreadable_layers``: those that are no tar and so not counted."""

    image: ImageTitle
    totals: TotalFields
    dive: DiveFields
    unreadable_layers: Sequence[int]
    findings: Iterator[FindingFields]
    layers: Iterator[LayerFields]
    instructions: Iterator[InstructionFields]
    paths: Iterator[PathFields]
    duplicates: Iterator[DuplicateFields]
    not_looked_into: Iterator[CopyFields]


def waste_document(title: ImageTitle, survey: WasteSurvey, top: int | None) -> WasteDocument:
    """The document; ``top``: how many findings, paths and duplicates, None for all of them."""
    waste = survey.waste
    return WasteDocument(
        image=title,
        totals=TotalFields(
            bytes=waste.bytes,
            live_bytes=waste.live_bytes,
            live_share=exact_text(waste.live_share),
            duplicate_bytes=survey.duplicate_bytes,
            avoidable_bytes=survey.avoidable_bytes,
            dead=_dead(waste.dead),
        ),
        dive=_dive(survey.dive),
        unreadable_layers=waste.unreadable,
        findings=map(finding_fields, islice(survey.findings, top)),
        layers=map(_layer, waste.layers),
        instructions=map(_instruction, waste.instructions()),
        paths=map(_path, islice(waste.paths(), top)),
        duplicates=map(_duplicate, islice(survey.duplicates, top)),
        not_looked_into=(
            CopyFields(path=each.entry.path, layer=each.layer) for each in survey.not_looked_into
        ),
    )


def _dead(dead: DeadBytes) -> DeadFields:
    return DeadFields(
        files=dead.files,
        bytes=dead.total,
        overwritten=dead.overwritten,
        deleted=dead.deleted,
        copied=dead.copied,
    )


def _dive(figures: DiveFigures) -> DiveFields:
    percent = figures.user_wasted_percent
    return DiveFields(
        size_bytes=figures.size_bytes,
        user_size_bytes=figures.user_size_bytes,
        minimum_bytes=figures.minimum_bytes,
        cumulative_bytes=figures.cumulative_bytes,
        efficiency=repr(figures.efficiency),
        wasted_bytes=figures.wasted_bytes,
        user_wasted_percent=repr(percent) if math.isfinite(percent) else None,
    )


def finding_fields(finding: Finding) -> FindingFields:
    """One finding, with its fix."""
    return FindingFields(
        kind=finding.kind.value,
        stance=finding.kind.stance.value,
        layer=finding.layer,
        instruction=finding.instruction,
        other_layer=finding.other_layer,
        files=finding.files,
        bytes=finding.bytes,
        dead_bytes=finding.dead,
        names=finding.subject,
        remedy=finding.remedy,
        places=_places(finding.places),
    )


def _places(places: Iterable[Place]) -> Iterator[PlaceFields]:
    for place in places:
        yield PlaceFields(
            path=place.path,
            files=place.files,
            bytes=place.bytes,
            dead_bytes=place.dead,
            killed_by=place.killers,
            evidence=place.evidence.value,
        )


def _layer(layer: LayerWaste) -> LayerFields:
    return LayerFields(
        index=layer.title.number,
        instruction=layer.title.instruction,
        bytes=layer.bytes,
        live_bytes=layer.live_bytes,
        dead=_dead(layer.dead),
        killed=_dead(layer.killed),
    )


def _instruction(each: InstructionWaste) -> InstructionFields:
    return InstructionFields(
        instruction=each.instruction,
        layers=each.layers,
        bytes=each.bytes,
        dead=_dead(each.dead),
        killed=_dead(each.killed),
    )


def _path(each: PathWaste) -> PathFields:
    return PathFields(
        path=each.path, written_by=each.layers, killed_by=each.killers, dead=_dead(each.dead)
    )


def _duplicate(duplicate: DuplicateContent) -> DuplicateFields:
    return DuplicateFields(
        sha256=duplicate.content.hex(),
        size=duplicate.size,
        excess_bytes=duplicate.excess,
        copies=(CopyFields(path=copy.path, layer=copy.layer) for copy in duplicate.copies),
    )
