"""What ``suggest`` says as Markdown, for a pull request: suggestions, the table, the diff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from layerlens.analysis.findings_variables import redacted
from layerlens.analysis.located_finding import LocatedFinding
from layerlens.dockerfile.suggestions import Advice, StepFacts, Suggestion
from layerlens.report.markdown_text import advice as words
from layerlens.report.markdown_text import code, plain, references, table
from layerlens.report.safe_text import escape
from layerlens.report.sizes import FormatSize
from layerlens.report.suggest_findings import found_markdown
from layerlens.report.suggest_words import (
    TIER_WORDS,
    amount,
    basis,
    better_text,
    changed_text,
    figures_rows,
    headline,
    line_text,
    reasons_of,
    saving_text,
)

_HOLDS_SHOWN = 10


def advice_markdown(
    advice: Advice,
    findings: Sequence[LocatedFinding],
    patch: str,
    title: str,
    format_size: FormatSize,
) -> Iterator[str]:
    """The lines of a document, each with its newline. ``findings``: what there is beside the
    order. ``patch``: the diff of all suggestions."""
    comparison = advice.comparison(advice.numbers)
    yield f"## layerlens suggest: {code(title)}\n\n"
    yield f"**{plain(headline(advice, comparison, format_size))}**\n\n"
    if advice.events:
        yield f"{plain(basis(advice))}\n"
    for suggestion in advice.suggestions:
        yield from _suggestion_lines(suggestion, format_size)
    if advice.suggestions:
        yield "\n"
        rows = [(plain(what), *both) for what, *both in figures_rows(comparison, format_size)]
        for line in table(("A rebuild", "Before", "After"), rows, right=(1, 2)):
            yield f"{line}\n"
        yield f"\n{plain(better_text(comparison, format_size))}\n"
    if patch:
        yield from _patch_lines(patch)
    if advice.ideas:
        yield "\n### Ideas, part of no figure and of no patch\n"
        for idea in advice.ideas:
            yield from _suggestion_lines(idea, format_size)
    yield from _holds_lines(advice, format_size)
    yield from found_markdown(findings, format_size)
    if advice.notes:
        yield "\n### What this rests on\n\n"
        for note in advice.notes:
            yield f"- {plain(redacted(note))}\n"


def _suggestion_lines(suggestion: Suggestion, format_size: FormatSize) -> Iterator[str]:
    meaning = plain(TIER_WORDS[suggestion.tier])
    yield f"\n### {suggestion.number}. Tier {suggestion.tier.value} ({meaning})\n\n"
    for each in suggestion.rewordings:
        verb = "put in" if each.step.line is None else "change"
        yield f"- {verb} {_code(each.step)}: {plain(each.title)}\n"
    for move in suggestion.moves:
        side = "below" if move.below else "above"
        yield (
            f"- move {_code(move.step)} ({line_text(move.step)}) {side} {_code(move.anchor)} "
            f"({line_text(move.anchor)})\n"
        )
    for reason in reasons_of(suggestion):
        yield f"- because {plain(redacted(reason))}\n"
    for position, step in enumerate(suggestion.steps):
        if step.changed or step.rebuilt_before:
            size = "" if not step.size else f" ({format_size(step.size)})"
            told = changed_text(step, suggestion.saving.rebuilds, whole=not position)
            yield f"- {_code(step)}{size} {plain(told)}\n"
    yield f"- {plain(saving_text(suggestion.saving, format_size))}\n"


def _patch_lines(patch: str) -> Iterator[str]:
    """The diff, in HTML: nothing in a Dockerfile can end it. It is there to be read: what looks
    like a secret is left out."""
    lines = patch.splitlines()
    shown = [f"{line[:1]}{redacted(line[1:])}" for line in lines]
    less = "" if shown == lines else " (not to be applied: what looks like a secret is ***)"
    yield f"\n<details><summary>The patch{less}</summary>\n\n<pre>\n"
    for line in shown:
        yield f"{references(escape(line))}\n"
    yield "</pre>\n\n</details>\n"


def _holds_lines(advice: Advice, format_size: FormatSize) -> Iterator[str]:
    if not advice.holds:
        return
    yield "\n### What cannot move, and what holds it\n\n"
    rows = [
        (
            _code(hold.step),
            _code(hold.by),
            words(redacted(hold.reason)),
            amount(hold.lost, hold.unit, format_size),
        )
        for hold in advice.holds[:_HOLDS_SHOWN]
    ]
    headings = ("Instruction", "stays below", "because", "built again for it")
    for line in table(headings, rows, right=(3,)):
        yield f"{line}\n"


def _code(step: StepFacts) -> str:
    return code(" ".join(redacted(step.text).split()))
