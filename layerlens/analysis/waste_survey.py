"""All that there is to say of an image's waste: dead bytes, dive's figures, findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from layerlens.analysis.dive_figures import DiveFigures, dive_figures
from layerlens.analysis.duplicates import DuplicateContent, duplicate_contents
from layerlens.analysis.findings import Finding, Stance, by_bytes
from layerlens.analysis.findings_dead import dead_findings
from layerlens.analysis.findings_duplicates import duplicate_findings
from layerlens.analysis.findings_fates import Fates
from layerlens.analysis.findings_files import file_findings
from layerlens.analysis.findings_secrets import Candidate, secret_candidates, secret_findings
from layerlens.analysis.findings_variables import TellingText, redacted, variable_findings
from layerlens.analysis.waste import Waste, measure_waste
from layerlens.analysis.written_layer import WrittenLayer

Look = Callable[[Sequence[Candidate]], Mapping[bytes, bool]]
"""Looks into files that may be secrets: whether they are, by the SHA-256 of their content; those
that could not be looked into are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteSurvey:
    """``findings``: those with the most bytes first. ``not_looked_into``: files that may be
    secrets, and of which nobody has seen the content. Instructions are without their secrets."""

    waste: Waste
    dive: DiveFigures
    duplicates: tuple[DuplicateContent, ...]
    findings: tuple[Finding, ...]
    not_looked_into: tuple[Candidate, ...]

    @property
    def avoidable_bytes(self) -> int:
        """Of all findings of waste; no file is in two of them."""
        waste = (each for each in self.findings if each.kind.stance is Stance.WASTE)
        return sum(finding.bytes for finding in waste)

    @property
    def duplicate_bytes(self) -> int:
        """Of live files whose content stands at another path too, all copies but one."""
        return sum(duplicate.excess for duplicate in self.duplicates)


def look_nowhere(candidates: Sequence[Candidate]) -> Mapping[bytes, bool]:
    """Tell secrets by their names alone."""
    return {}


def survey_waste(
    layers: Sequence[WrittenLayer],
    history: Sequence[TellingText] = (),
    environment: Sequence[str] = (),
    look: Look = look_nowhere,
) -> WasteSurvey:
    """Survey an image with these layers, lowest first, and this history and environment."""
    layers = [_without_secrets(layer) for layer in layers]
    waste = measure_waste(layers)
    fates = Fates(waste)
    instructions = {layer.number: layer.title.instruction for layer in layers}
    duplicates = duplicate_contents(layers[-1].tree) if layers else ()
    by_place = file_findings(layers, fates)
    candidates = secret_candidates(layers)
    unsure = [candidate for candidate in candidates if not candidate.sure]
    shown = look(unsure) if unsure else {}
    return WasteSurvey(
        waste=waste,
        dive=dive_figures([layer.entries for layer in layers]),
        duplicates=duplicates,
        findings=by_bytes(
            [
                *by_place.findings,
                *dead_findings(layers, waste, by_place.claimed, fates),
                *duplicate_findings(duplicates, by_place.claimed, fates, instructions),
                *secret_findings(candidates, shown, fates, instructions),
                *variable_findings(history, environment),
            ]
        ),
        not_looked_into=tuple(
            candidate for candidate in unsure if candidate.entry.content not in shown
        ),
    )


def _without_secrets(layer: WrittenLayer) -> WrittenLayer:
    text = layer.title.instruction
    if text is None:
        return layer
    return replace(layer, title=replace(layer.title, instruction=redacted(text)))
