"""What each kind of rule measures of an image.

Sizes are bytes of files, uncompressed, as layers list them and hard links once, unless a rule is
about compressed bytes. Paths are excluded as the layers' tars write them; for files that are told
by path (``forbidden-files``, ``allowed-setuid``) as the file system has them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from layerlens.analysis.dive_figures import DiveFigures, dive_figures
from layerlens.analysis.findings import Finding
from layerlens.analysis.layer_changes import ChangeKind, tree_differences
from layerlens.analysis.rules import (
    ALLOWED_SETUID,
    FORBIDDEN_FILES,
    FORBIDDEN_FINDINGS,
    HIGHEST_USER_WASTED_PERCENT,
    HIGHEST_WASTED_BYTES,
    LOWEST_EFFICIENCY,
    MAX_COMPRESSED_SIZE,
    MAX_DEAD_BYTES,
    MAX_GROWTH,
    MAX_GROWTH_PERCENT,
    MAX_IMAGE_SIZE,
    MAX_LAYER_SIZE,
    MAX_PULL_COST,
    MAX_USER_SIZE,
    MIN_LIVE_SHARE,
    Judgement,
    Measured,
    Place,
    Rule,
    RuleKind,
    Unmeasured,
    judge,
)
from layerlens.analysis.rules_files import forbidden_files, privileged_files
from layerlens.analysis.rules_image import BaseLayers, CheckedImage, PathFilter
from layerlens.analysis.sharing_pulls import HeldLayers, PullCost
from layerlens.analysis.waste import DeadFile, DeadReason, Waste
from layerlens.analysis.written_layer import WrittenLayer

PLACES = 20
"""Places told where a size is too large: those with the most bytes."""

_NO_BASELINE = "no baseline to compare with: name one with --baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """All that rules are held against. ``waste``, ``findings``: of ``image``; findings are looked
    for where a rule is about them, and else are empty."""

    image: CheckedImage
    waste: Waste
    findings: tuple[Finding, ...]
    baseline: CheckedImage | None
    base: BaseLayers


Found = Measured | Unmeasured


def judge_rules(rules: Iterable[Rule], subject: Subject) -> Judgement:
    """The verdict on each rule, in their order."""
    verdicts = []
    for rule in rules:
        found = Unmeasured(why="") if rule.limit is None else MEASURES[rule.kind](rule, subject)
        verdicts.append(judge(rule, found))
    return Judgement(verdicts=tuple(verdicts))


def _image_size(rule: Rule, subject: Subject) -> Found:
    layers = subject.image.layers
    sizes = _sizes(layers, rule)
    return _bytes(sum(sizes.values()), _layer_places(sizes, layers), layers)


def _layer_size(rule: Rule, subject: Subject) -> Found:
    layers = subject.image.layers
    sizes = _sizes(layers, rule)
    too_large = {number: size for number, size in sizes.items() if _exceeds(size, rule)}
    return _bytes(max(sizes.values(), default=0), _layer_places(too_large, layers), layers)


def _user_size(rule: Rule, subject: Subject) -> Found:
    if subject.base.count is None:
        return Unmeasured(why=subject.base.why or "the base image is not known")
    layers = subject.image.layers[subject.base.count :]
    sizes = _sizes(layers, rule)
    return _bytes(sum(sizes.values()), _layer_places(sizes, layers), layers)


def _compressed_size(rule: Rule, subject: Subject) -> Found:
    # The cost of a pull where nothing is there, but that a layer listed twice is stored once.
    return _transfer(HeldLayers().cost(subject.image.identities), rule, _stored_places(subject))


def _pull_cost(rule: Rule, subject: Subject) -> Found:
    if subject.baseline is None:
        return Unmeasured(why=_NO_BASELINE)
    held = HeldLayers(subject.baseline.identities.layers)
    there = {layer.blob_digest or layer.diff_id for layer in subject.baseline.identities.layers}
    places = (
        place
        for place, layer in zip(
            _stored_places(subject), subject.image.identities.layers, strict=True
        )
        if (layer.blob_digest or layer.diff_id) not in there
    )
    return _transfer(held.cost(subject.image.identities), rule, places)


def _transfer(cost: PullCost, rule: Rule, places: Iterable[Place]) -> Found:
    """Bytes to transfer. Where a compressed size is not known, the uncompressed one is an upper
    bound: it is enough to pass, and not to fail."""
    largest = sorted(places, key=lambda place: -(place.bytes or 0))
    if not (cost.uncompressed or cost.unknown):
        return Measured(value=Fraction(cost.compressed), places=largest)
    if not cost.unknown and not _exceeds(cost.bytes, rule):
        note = "layers whose compressed size is not known are counted uncompressed"
        return Measured(value=Fraction(cost.bytes), note=note)
    return Measured(
        value=Fraction(cost.compressed),
        places=largest,
        incomplete="the compressed size of layers is not known: the source stores none",
    )


def _stored_places(subject: Subject) -> Iterator[Place]:
    for number, layer in enumerate(subject.image.identities.layers):
        yield Place(layer=number, bytes=layer.stored_size, note=layer.instruction)


def _dead(rule: Rule, subject: Subject) -> Found:
    paths = PathFilter(rule.exclude)
    dead = [file for file in subject.waste.files if not paths.matches(file.entry.path)]
    total = sum(file.size for file in dead)
    return _bytes(total, map(_dead_place, dead[:PLACES]), subject.image.layers)


def _live_share(rule: Rule, subject: Subject) -> Found:
    paths = PathFilter(rule.exclude)
    whole = sum(map(paths.file_bytes, subject.image.layers))
    dead = [file for file in subject.waste.files if not paths.matches(file.entry.path)]
    if not whole:
        return Unmeasured(why="the layers hold no bytes that could be live")
    if subject.image.unreadable:
        return Unmeasured(why=_unreadable(subject.image.unreadable))
    value = 1 - Fraction(sum(file.size for file in dead), whole)
    return Measured(value=value, places=map(_dead_place, dead[:PLACES]))


def _dead_place(file: DeadFile) -> Place:
    verb = "deleted" if file.reason is DeadReason.DELETED else file.reason.value
    note = f"{verb} by layer {file.killed}"
    return Place(path=file.path, layer=file.written, bytes=file.size, note=note)


def _growth(rule: Rule, subject: Subject) -> Found:
    if subject.baseline is None:
        return Unmeasured(why=_NO_BASELINE)
    unreadable = subject.baseline.unreadable
    if unreadable:
        return Unmeasured(why=f"in the baseline {_unreadable(unreadable)}")
    before = sum(_sizes(subject.baseline.layers, rule).values())
    after = sum(_sizes(subject.image.layers, rule).values())
    places = _growth_places(subject.image, subject.baseline, PathFilter(rule.exclude))
    return _bytes(after - before, places, subject.image.layers)


def _growth_percent(rule: Rule, subject: Subject) -> Found:
    growth = _growth(rule, subject)
    if isinstance(growth, Unmeasured) or subject.baseline is None or growth.value is None:
        return growth
    before = sum(_sizes(subject.baseline.layers, rule).values())
    if not before:
        return Unmeasured(why="the baseline has no bytes to take a percentage of")
    return Measured(
        value=growth.value * 100 / before, places=growth.places, incomplete=growth.incomplete
    )


def _growth_places(
    image: CheckedImage, baseline: CheckedImage, paths: PathFilter
) -> Iterator[Place]:
    """The paths that grew most; made when they are asked for, since trees must be compared."""
    grown = (
        (change.bytes_after - change.bytes_before, change)
        for change in tree_differences(baseline.tree, image.tree)
        if change.bytes_after > change.bytes_before and not paths.matches(change.path)
    )
    for growth, change in heapq.nlargest(PLACES, grown, key=lambda item: item[0]):
        assert change.after is not None
        word = "added" if change.kind is ChangeKind.ADDED else "grown"
        layer = change.after.layer
        yield Place(path=change.path, layer=layer, bytes=growth, note=word)


def _forbidden_files(rule: Rule, subject: Subject) -> Found:
    assert isinstance(rule.limit, tuple)
    found = forbidden_files(subject.image, rule.limit, PathFilter(rule.exclude))
    return _counted(found, subject.image)


def _allowed_setuid(rule: Rule, subject: Subject) -> Found:
    assert isinstance(rule.limit, tuple)
    allowed = PathFilter((*rule.limit, *rule.exclude))
    return _counted(privileged_files(subject.image.tree, allowed), subject.image)


def _findings(rule: Rule, subject: Subject) -> Found:
    assert isinstance(rule.limit, tuple)
    paths = PathFilter(rule.exclude)
    places: list[Place] = []
    count = 0
    for finding in subject.findings:
        if finding.kind.value in rule.limit or finding.kind.stance.value in rule.limit:
            found = list(_finding_places(finding, paths))
            places += found
            count += bool(found)
    unreadable = subject.image.unreadable
    incomplete = _unreadable(unreadable) if unreadable else None
    return Measured(value=Fraction(count), places=places, incomplete=incomplete)


def _finding_places(finding: Finding, paths: PathFilter) -> Iterator[Place]:
    kind = finding.kind.value
    if finding.subject:  # variables, which lie at no path
        yield Place(layer=finding.layer, note=f"{kind}: {', '.join(finding.subject)}")
    for place in finding.places:
        if not paths.matches(place.path):
            yield Place(
                path=place.path,
                layer=finding.layer,
                bytes=place.bytes,
                note=f"{kind}: {finding.remedy}",
            )


def _counted(places: Iterable[Place], image: CheckedImage) -> Measured:
    found = tuple(places)
    incomplete = _unreadable(image.unreadable) if image.unreadable else None
    return Measured(value=Fraction(len(found)), places=found, incomplete=incomplete)


def _efficiency(rule: Rule, subject: Subject) -> Found:
    figures = _dive(rule, subject)
    return Measured(value=Fraction(figures.efficiency), places=_dive_places(figures))


def _wasted_bytes(rule: Rule, subject: Subject) -> Found:
    figures = _dive(rule, subject)
    return Measured(value=Fraction(figures.wasted_bytes), places=_dive_places(figures))


def _user_wasted_percent(rule: Rule, subject: Subject) -> Found:
    figures = _dive(rule, subject)
    if figures.user_size_bytes:
        value = Fraction(figures.user_wasted_percent)
        return Measured(value=value, places=_dive_places(figures))
    if figures.wasted_bytes:
        note = "the layers above the first have no bytes, and dive divides by them"
        return Measured(value=None, places=_dive_places(figures), note=note)
    return Unmeasured(why="no layer above the first has bytes to take a part of")


def _dive(rule: Rule, subject: Subject) -> DiveFigures:
    paths = PathFilter(rule.exclude)
    if not rule.exclude:
        return dive_figures([layer.entries for layer in subject.image.layers])
    return dive_figures(
        [
            [entry for entry in layer.entries if not paths.matches(entry.path)]
            for layer in subject.image.layers
        ]
    )


def _dive_places(figures: DiveFigures) -> Iterator[Place]:
    for reference in figures.references[:PLACES]:
        note = f"in {reference.count} layers"
        yield Place(path=reference.path, bytes=reference.size, note=note)


def _sizes(layers: Iterable[WrittenLayer], rule: Rule) -> Mapping[int, int]:
    paths = PathFilter(rule.exclude)
    return {layer.number: paths.file_bytes(layer) for layer in layers}


def _layer_places(sizes: Mapping[int, int], layers: Iterable[WrittenLayer]) -> Iterator[Place]:
    """The largest layers, with the instructions that made them."""
    instructions = {layer.number: layer.title.instruction for layer in layers}
    largest = heapq.nlargest(PLACES, sizes.items(), key=lambda item: item[1])
    for number, size in largest:
        if size:
            yield Place(layer=number, bytes=size, note=instructions[number])


def _bytes(value: int, places: Iterable[Place], layers: Iterable[WrittenLayer]) -> Measured:
    unreadable = tuple(layer.number for layer in layers if layer.index is None)
    incomplete = _unreadable(unreadable) if unreadable else None
    return Measured(value=Fraction(value), places=places, incomplete=incomplete)


def _unreadable(layers: tuple[int, ...]) -> str:
    return f"layer {layers[0]} is no tar: what it holds is not known"


def _exceeds(size: int, rule: Rule) -> bool:
    return isinstance(rule.limit, Fraction) and size > rule.limit


MEASURES: Mapping[RuleKind, Callable[[Rule, Subject], Found]] = {
    MAX_IMAGE_SIZE: _image_size,
    MAX_COMPRESSED_SIZE: _compressed_size,
    MAX_LAYER_SIZE: _layer_size,
    MAX_USER_SIZE: _user_size,
    MAX_DEAD_BYTES: _dead,
    MIN_LIVE_SHARE: _live_share,
    MAX_GROWTH: _growth,
    MAX_GROWTH_PERCENT: _growth_percent,
    MAX_PULL_COST: _pull_cost,
    FORBIDDEN_FILES: _forbidden_files,
    ALLOWED_SETUID: _allowed_setuid,
    FORBIDDEN_FINDINGS: _findings,
    LOWEST_EFFICIENCY: _efficiency,
    HIGHEST_WASTED_BYTES: _wasted_bytes,
    HIGHEST_USER_WASTED_PERCENT: _user_wasted_percent,
}
"""How each kind of rule is measured; of a rule that is switched off nothing is."""
