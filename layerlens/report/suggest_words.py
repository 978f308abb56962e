"""What ``suggest`` says in words, whatever the form: titles, shares, evidence."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from layerlens.dockerfile.build_events import EventKind, Origin
from layerlens.dockerfile.build_model import Unit
from layerlens.dockerfile.cost import Comparison, Figures
from layerlens.dockerfile.stage_graph import Tier
from layerlens.dockerfile.suggestions import Advice, StepFacts, Suggestion
from layerlens.report.counted import counted
from layerlens.report.shared_numbers import decimal_text, percent_text
from layerlens.report.sizes import FormatSize

TIER_WORDS = {
    Tier.PROVED: "proved",
    Tier.CONTRACT: "by the tool's contract",
    Tier.IDEA: "an idea: only a rebuild can tell",
}


def amount(number: Fraction | int, unit: Unit, size: FormatSize) -> str:
    """A cost: bytes, or steps carried out."""
    if unit is Unit.BYTES:
        return size(round(number))
    said = steps_text(number)
    return f"{said} step" if said == "1" else f"{said} steps"


def steps_text(number: Fraction | int) -> str:
    """A number of steps, with one decimal where it is no whole number."""
    return decimal_text(Fraction(number), 0 if number == int(number) else 1)


def saving_text(comparison: Comparison, size: FormatSize) -> str:
    """What a rebuild costs less in the mean."""
    saved = amount(comparison.saved, comparison.unit, size)
    return f"saves {saved} a rebuild ({percent_text(comparison.saved_share)})"


def line_text(step: StepFacts) -> str:
    """Where an instruction stands."""
    return "new" if step.line is None else f"line {step.line}"


def changed_text(step: StepFacts, rebuilds: int, *, whole: bool = True) -> str:
    """How often an instruction's own inputs changed, and how often it is carried out."""
    often = f"changed in {step.changed}"
    if whole:
        often += f" of {counted(rebuilds, 'rebuild')}"
    if step.line is None or step.rebuilt_before == step.rebuilt_after:
        return f"{often}, built again in {step.rebuilt_after}"
    return f"{often}, built again in {step.rebuilt_after} instead of {step.rebuilt_before}"


def reasons_of(suggestion: Suggestion) -> tuple[str, ...]:
    """Why nothing breaks: for what changes places, or else for what is put in or changed."""
    return suggestion.reasons or tuple(each.reason for each in suggestion.rewordings)


def headline(advice: Advice, comparison: Comparison, size: FormatSize) -> str:
    """What all suggestions come to."""
    count = len(advice.suggestions)
    if not advice.events:
        return "nothing to suggest: no change is known that a build would follow"
    if not comparison.rebuilds:
        return "nothing to suggest: none of the changes makes a build do anything again"
    if not count:
        return "nothing to suggest: no other order that builds the same would save enough"
    said = f"{count} suggestion{'s' if count > 1 else ''}"
    if comparison.saved > 0:
        before, after = (
            amount(comparison.mean(each), comparison.unit, size)
            for each in (comparison.before, comparison.after)
        )
        share = percent_text(comparison.saved_share)
        return f"{said}: a rebuild does {after} instead of {before} in the mean, {share} less"
    return said


def basis(advice: Advice) -> str:
    """What the figures were measured on."""
    rebuilding = advice.rebuilding.bit_count()
    reported = advice.division.reported.bit_count()
    match advice.origin:
        case Origin.GIT:
            commits = sum(event.kind is EventKind.COMMIT for event in advice.events)
            bases = len(advice.events) - commits
            said = counted(commits, "commit")
            if bases:
                said += f" and {counted(bases, 'update')} of base images"
        case Origin.TAGS:
            said = f"{len(advice.events)} tags of the image"
        case Origin.PRIOR:
            said = f"{len(advice.events)} builds made up from assumed shares"
    said = f"{said}, {rebuilding} of which rebuild something"
    if advice.division.held_out:
        return (
            f"{said}: fitted to the oldest {rebuilding - reported}, "
            f"figures are of the newest {reported}"
        )
    return f"{said}: too few to hold any out, figures are of all of them"


def figures_rows(comparison: Comparison, size: FormatSize) -> list[tuple[str, str, str]]:
    """A rebuild before and after: what, then, now."""
    before, after = comparison.before, comparison.after

    def both(name: str, of: Callable[[Figures], str]) -> tuple[str, str, str]:
        return name, of(before), of(after)

    rows: list[tuple[str, str, str]] = []
    if comparison.unit is Unit.BYTES:
        rows = [
            both("rebuilt, mean", lambda each: size(round(each.rebuilt.mean))),
            both("rebuilt, p95", lambda each: size(each.rebuilt.p95)),
            both("pushed, mean", lambda each: size(round(each.pushed.mean))),
            both("pushed, p95", lambda each: size(each.pushed.p95)),
            both("pulled, mean", lambda each: size(round(each.pushed.mean))),
            both("pulled, p95", lambda each: size(each.pushed.p95)),
            both("bytes from the cache", cached_text),
        ]
    rows.append(both("steps, mean", lambda each: steps_text(each.steps.mean)))
    rows.append(both("steps, p95", lambda each: str(each.steps.p95)))
    return rows


def cached_text(figures: Figures) -> str:
    """The share of bytes that the cache has."""
    return percent_text(figures.cached)


def better_text(comparison: Comparison, size: FormatSize) -> str:
    """In how many rebuilds less and more is done."""
    said = (
        f"of {comparison.rebuilds} rebuilds {comparison.better} cost less, "
        f"{comparison.worse} cost more"
    )
    if not comparison.worse:
        return said
    return f"{said}, by {amount(comparison.most_worse, comparison.unit, size)} at most"
