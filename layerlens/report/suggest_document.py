"""What ``suggest --json`` says, as values; the order of fields is the document's.

Sizes, counts and times are integers; means of steps and shares are decimals as text, of four
places. Lines of the Dockerfile are counted from 1. What looks like a secret in an instruction is
taken out, as in every report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from layerlens.analysis.findings_variables import redacted
from layerlens.analysis.located_finding import LocatedFinding
from layerlens.dockerfile.build_events import EventKind
from layerlens.dockerfile.cost import Comparison, Figures
from layerlens.dockerfile.suggestions import Advice, Hold, StepFacts, Suggestion
from layerlens.report.shared_numbers import exact_text
from layerlens.report.suggest_findings import FoundFields, found_fields
from layerlens.report.suggest_secrets import secrets_in
from layerlens.report.suggest_words import TIER_WORDS

SUGGEST_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresFields:
    """What a rebuild costs, in bytes and in steps carried out. ``cached``: share of all bytes."""

    rebuilt_bytes_mean: int
    rebuilt_bytes_p95: int
    pushed_bytes_mean: int
    pushed_bytes_p95: int
    pulled_bytes_mean: int
    pulled_bytes_p95: int
    steps_mean: str | None
    steps_p95: int
    cached: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonFields:
    """Two orders over the same rebuilds. ``unit``: what ``better`` and ``worse`` go by, and what
    ``saved`` is in."""

    unit: str
    saved: str | None
    saved_share: str | None
    rebuilds: int
    better: int
    worse: int
    most_worse: int
    before: FiguresFields
    after: FiguresFields


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFields:
    """An instruction. ``line``: None for one that is put in. ``size``: compressed bytes of its
    layer, None where not known."""

    text: str
    line: int | None
    size: int | None
    size_estimated: bool
    changed: int
    rebuilt_before: int
    rebuilt_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFields:
    """``direction``: below or above the anchor."""

    line: int | None
    direction: str
    anchor_line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RewordingFields:
    """An instruction put in (``line`` None) or changed."""

    line: int | None
    text: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionFields:
    """One suggestion. ``steps``: in their new order."""

    number: int
    tier: str
    tier_meaning: str
    stage: str
    moves: Sequence[MoveFields]
    rewordings: Sequence[RewordingFields]
    reasons: Sequence[str]
    steps: Sequence[StepFields]
    alone: ComparisonFields


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFields:
    """An instruction that cannot come before another. ``lost``: over all reported rebuilds."""

    stage: str
    step: StepFields
    by: StepFields
    reason: str
    lost: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsFields:
    """What the figures were measured on. ``fitted`` and ``reported`` are the same events where
    ``held_out`` is false."""

    origin: str
    events: int
    commits: int
    base_updates: int
    rebuilds: int
    fitted: int
    reported: int
    held_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestDocument:
    """All that ``suggest`` says. ``image``: None without one. ``reconstructed``: the Dockerfile
    was read back from the image's history. ``findings``: what its layers hold, or what it
    takes of its context, that need not be there. ``after``: its text with all suggestions taken;
    None where that holds what looks like a secret."""

    image: str | None
    dockerfile: str
    reconstructed: bool
    tier: str
    proven_optimal: bool
    events: EventsFields
    comparison: ComparisonFields
    suggestions: Iterator[SuggestionFields]
    ideas: Iterator[SuggestionFields]
    holds: Iterator[HoldFields]
    findings: Iterator[FoundFields]
    notes: Sequence[str]
    after: str | None


def suggest_document(
    advice: Advice, findings: Iterable[LocatedFinding], *, image: str | None, reconstructed: bool
) -> SuggestDocument:
    """The document of an advice."""
    outcome = advice.outcome(advice.numbers)
    held = secrets_in(advice.dockerfile, frozenset(outcome.text.splitlines()))
    return SuggestDocument(
        image=image,
        dockerfile=advice.dockerfile.name,
        reconstructed=reconstructed,
        tier=advice.tier.value,
        proven_optimal=advice.proven,
        events=_events(advice),
        comparison=_comparison(outcome.comparison),
        suggestions=map(_suggestion, advice.suggestions),
        ideas=map(_suggestion, advice.ideas),
        holds=map(_hold, advice.holds),
        findings=map(found_fields, findings),
        notes=[redacted(note) for note in advice.notes],
        after=None if held else outcome.text,
    )


def _events(advice: Advice) -> EventsFields:
    kinds = [event.kind for event in advice.events]
    return EventsFields(
        origin=advice.origin.value,
        events=len(kinds),
        commits=kinds.count(EventKind.COMMIT),
        base_updates=kinds.count(EventKind.BASE),
        rebuilds=advice.rebuilding.bit_count(),
        fitted=advice.division.fitted.bit_count(),
        reported=advice.division.reported.bit_count(),
        held_out=advice.division.held_out,
    )


def _comparison(comparison: Comparison) -> ComparisonFields:
    return ComparisonFields(
        unit=comparison.unit.value,
        saved=_signed(comparison.saved),
        saved_share=_signed(comparison.saved_share),
        rebuilds=comparison.rebuilds,
        better=comparison.better,
        worse=comparison.worse,
        most_worse=comparison.most_worse,
        before=_figures(comparison.before),
        after=_figures(comparison.after),
    )


def _signed(number: Fraction) -> str | None:
    text = exact_text(abs(number))
    return f"-{text}" if number < 0 else text


def _figures(figures: Figures) -> FiguresFields:
    return FiguresFields(
        rebuilt_bytes_mean=round(figures.rebuilt.mean),
        rebuilt_bytes_p95=figures.rebuilt.p95,
        pushed_bytes_mean=round(figures.pushed.mean),
        pushed_bytes_p95=figures.pushed.p95,
        pulled_bytes_mean=round(figures.pushed.mean),
        pulled_bytes_p95=figures.pushed.p95,
        steps_mean=exact_text(figures.steps.mean),
        steps_p95=figures.steps.p95,
        cached=exact_text(figures.cached),
    )


def _step(step: StepFacts) -> StepFields:
    return StepFields(
        text=redacted(step.text),
        line=step.line,
        size=step.size,
        size_estimated=step.estimated,
        changed=step.changed,
        rebuilt_before=step.rebuilt_before,
        rebuilt_after=step.rebuilt_after,
    )


def _suggestion(suggestion: Suggestion) -> SuggestionFields:
    return SuggestionFields(
        number=suggestion.number,
        tier=suggestion.tier.value,
        tier_meaning=TIER_WORDS[suggestion.tier],
        stage=suggestion.stage,
        moves=[
            MoveFields(
                line=move.step.line,
                direction="below" if move.below else "above",
                anchor_line=move.anchor.line,
            )
            for move in suggestion.moves
        ],
        rewordings=[
            RewordingFields(
                line=each.step.line,
                text=redacted(each.step.text),
                title=each.title,
                reason=redacted(each.reason),
            )
            for each in suggestion.rewordings
        ],
        reasons=[redacted(reason) for reason in suggestion.reasons],
        steps=[_step(step) for step in suggestion.steps],
        alone=_comparison(suggestion.saving),
    )


def _hold(hold: Hold) -> HoldFields:
    return HoldFields(
        stage=hold.stage,
        step=_step(hold.step),
        by=_step(hold.by),
        reason=redacted(hold.reason),
        lost=hold.lost,
        unit=hold.unit.value,
    )
