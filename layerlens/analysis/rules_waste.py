"""What rules measure of waste: dead bytes, findings, and dive's figures.

Paths are excluded as the layers' tars write them.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from layerlens.analysis.dive_figures import DiveFigures, dive_figures
from layerlens.analysis.findings import Finding, FindingKind
from layerlens.analysis.rules import Found, Measured, Place, Rule, Unmeasured
from layerlens.analysis.rules_image import PathFilter, Subject, in_bytes, not_known
from layerlens.analysis.waste import DeadFile, DeadReason

PLACES = 20
"""Places told where waste is too large: those with the most bytes."""


def dead_bytes(rule: Rule, subject: Subject) -> Found:
    """Bytes that layers hold and the final file system does not show."""
    paths = PathFilter(rule.exclude)
    dead = [file for file in subject.waste.files if not paths.matches(file.entry.path)]
    total = sum(file.size for file in dead)
    return in_bytes(total, map(_dead_place, dead[:PLACES]), subject.image.layers)


def live_share(rule: Rule, subject: Subject) -> Found:
    """The part of all bytes that the final file system shows."""
    paths = PathFilter(rule.exclude)
    whole = sum(map(paths.file_bytes, subject.image.layers))
    dead = [file for file in subject.waste.files if not paths.matches(file.entry.path)]
    if not whole:
        return Unmeasured(why="the layers hold no bytes that could be live")
    if subject.image.unreadable:
        return Unmeasured(why=not_known(subject.image.unreadable))
    value = 1 - Fraction(sum(file.size for file in dead), whole)
    return Measured(value=value, places=map(_dead_place, dead[:PLACES]))


def _dead_place(file: DeadFile) -> Place:
    verb = "deleted" if file.reason is DeadReason.DELETED else file.reason.value
    note = f"{verb} by layer {file.killed}"
    return Place(path=file.path, layer=file.written, bytes=file.size, note=note)


def findings(rule: Rule, subject: Subject) -> Found:
    """Findings of the kinds that are listed."""
    assert isinstance(rule.limit, tuple)
    paths = PathFilter(rule.exclude)
    places: list[Place] = []
    count = 0
    for finding in subject.findings:
        if finding.kind.value in rule.limit or finding.kind.stance.value in rule.limit:
            found = list(_finding_places(finding, paths))
            places += found
            count += bool(found)
    incomplete = _not_known(rule.limit, paths, subject)
    return Measured(value=Fraction(count), places=places, incomplete=incomplete)


def _not_known(kinds: tuple[str, ...], paths: PathFilter, subject: Subject) -> str | None:
    """Why there may be more findings of these kinds, if there may."""
    if subject.image.unreadable:
        return not_known(subject.image.unreadable)
    exposed = FindingKind.EXPOSED_FILE
    if not {exposed.value, exposed.stance.value}.isdisjoint(kinds):
        unsure = [each for each in subject.unsure if not paths.matches(each.entry.path)]
        if unsure:
            first, more = unsure[0].entry.path, len(unsure) - 1
            files = f"{first} and {more} more" if more else first
            return f"may be a secret and could not be looked into: {files} (--look always)"
    return None


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


def efficiency(rule: Rule, subject: Subject) -> Found:
    """dive's efficiency."""
    figures = _dive(rule, subject)
    return Measured(value=Fraction(figures.efficiency), places=_dive_places(figures))


def wasted_bytes(rule: Rule, subject: Subject) -> Found:
    """dive's wastedBytes."""
    figures = _dive(rule, subject)
    return Measured(value=Fraction(figures.wasted_bytes), places=_dive_places(figures))


def user_wasted_percent(rule: Rule, subject: Subject) -> Found:
    """dive's userWastedPercent."""
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
