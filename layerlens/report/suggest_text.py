"""What ``suggest`` says, for people: suggestions, the table of before and after, what holds."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerlens.analysis.findings_variables import redacted
from layerlens.analysis.located_finding import LocatedFinding
from layerlens.dockerfile.stage_graph import Tier
from layerlens.dockerfile.suggestions import Advice, Hold, StepFacts, Suggestion
from layerlens.report.as_table import Align, Column, table_lines
from layerlens.report.colour import Palette, Style
from layerlens.report.safe_text import escape, shorten
from layerlens.report.sizes import FormatSize
from layerlens.report.suggest_findings import BESIDE_THE_ORDER, found_lines
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
from layerlens.report.waste_text import WasteStyle

_INDENT = "     "
_NAMED = re.compile(r"`([^`]+)`(?= )")
_HOLDS_SHOWN = 5
_ABOVE_SHOWN = 3
_LONGEST_INSTRUCTION = 60
_UNBOUNDED = 10_000
_TIER_STYLES = {Tier.PROVED: Style.ADDED, Tier.CONTRACT: Style.ADDED, Tier.IDEA: Style.CHANGED}


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestStyle:
    """How to write it. ``width``: cells of a line; None shortens and wraps nothing."""

    format_size: FormatSize
    palette: Palette
    width: int | None


def advice_lines(
    advice: Advice, findings: Sequence[LocatedFinding], style: SuggestStyle
) -> Iterator[str]:
    """The lines, each with its newline. ``findings``: what there is beside the order."""
    comparison = advice.comparison(advice.numbers)
    yield from _wrapped(
        headline(advice, comparison, style.format_size), style, style_of_all=Style.HEADING
    )
    if advice.events:
        yield from _wrapped(basis(advice), style)
    for suggestion in advice.suggestions:
        yield "\n"
        yield from suggestion_lines(suggestion, style)
    if advice.suggestions:
        yield "\n"
        yield from _figures_lines(advice, style)
    if advice.ideas:
        yield "\n"
        yield _heading("ideas, part of no figure and of no patch", style)
        for idea in advice.ideas:
            yield "\n"
            yield from suggestion_lines(idea, style)
    if advice.holds:
        yield "\n"
        yield from _holds_lines(advice.holds, style, _HOLDS_SHOWN)
    if findings:
        yield "\n"
        yield _heading(f"{BESIDE_THE_ORDER}, part of no patch", style)
        yield from found_lines(
            findings,
            WasteStyle(
                format_size=style.format_size, palette=style.palette, width=style.width, top=5
            ),
        )
    if advice.notes or not advice.proven:
        yield "\n"
        yield from _notes_lines(advice, style)


def suggestion_lines(suggestion: Suggestion, style: SuggestStyle) -> Iterator[str]:
    """One suggestion: what moves, on what evidence, what it saves."""
    number = f"{suggestion.number:>2} "
    tier = style.palette.paint(_TIER_STYLES[suggestion.tier], suggestion.tier.value)
    for index, sentence in enumerate(_what(suggestion)):
        lines = _split(sentence, style, len(_INDENT))
        yield f"{_INDENT if index else f'{number}{tier} '}{lines[0]}\n"
        for line in lines[1:]:
            yield f"{_INDENT}{line}\n"
    rebuilds = suggestion.saving.rebuilds
    for position, step in enumerate(_shown(suggestion)):
        size = f" ({_size(step, style)})" if step.size else ""
        text = f"{_short(step)}{size} {changed_text(step, rebuilds, whole=not position)}"
        yield from _wrapped(text, style, _INDENT)
    for reason in reasons_of(suggestion):
        yield from _wrapped(f"because {escape(redacted(reason))}", style, _INDENT)
    saving = saving_text(suggestion.saving, style.format_size)
    yield from _wrapped(f"{saving}; {TIER_WORDS[suggestion.tier]}", style, _INDENT)


def explained_lines(advice: Advice, number: int, style: SuggestStyle) -> Iterator[str]:
    """One suggestion with all that is known of its instructions, and its own table."""
    suggestion = next(
        each for each in (*advice.suggestions, *advice.ideas) if each.number == number
    )
    yield from suggestion_lines(suggestion, style)
    yield "\n"
    yield _heading("its instructions, in their new order", style)
    columns = (
        Column(heading="line", align=Align.RIGHT),
        Column(heading="size", align=Align.RIGHT),
        Column(heading="changed", align=Align.RIGHT),
        Column(heading="built before", align=Align.RIGHT),
        Column(heading="after", align=Align.RIGHT),
        Column(heading="instruction", shorten=shorten),
    )
    rows = [
        (
            "new" if step.line is None else str(step.line),
            _size(step, style),
            str(step.changed),
            "-" if step.line is None else str(step.rebuilt_before),
            str(step.rebuilt_after),
            redacted(step.text),
        )
        for step in suggestion.steps
    ]
    yield from table_lines(columns, rows, width=style.width, palette=style.palette)
    yield "\n"
    yield from _comparison_lines(suggestion, style)
    concerned = [
        hold
        for hold in advice.holds
        if hold.stage == suggestion.stage
        and {hold.step.line, hold.by.line} & {step.line for step in suggestion.steps}
    ]
    if concerned:
        yield "\n"
        yield from _holds_lines(concerned, style, None)


def _what(suggestion: Suggestion) -> list[str]:
    sentences = [
        f"{'put in' if each.step.line is None else 'change'} {_short(each.step)}: "
        f"{escape(each.title)}"
        for each in suggestion.rewordings
    ]
    sentences += [
        f"move {_short(move.step)} ({line_text(move.step)}) {'below' if move.below else 'above'} "
        f"{_short(move.anchor)} ({line_text(move.anchor)})"
        for move in suggestion.moves
    ]
    return sentences


def _shown(suggestion: Suggestion) -> list[StepFacts]:
    """The steps that tell the story: what changes, and what is built again for it."""
    return [step for step in suggestion.steps if step.changed or step.rebuilt_before]


def _short(step: StepFacts) -> str:
    return shorten(escape(" ".join(redacted(step.text).split())), _LONGEST_INSTRUCTION)


def _size(step: StepFacts, style: SuggestStyle) -> str:
    if step.size is None:
        return "-"
    return f"{'~' if step.estimated else ''}{style.format_size(step.size)}"


def _figures_lines(advice: Advice, style: SuggestStyle) -> Iterator[str]:
    comparison = advice.comparison(advice.numbers)
    columns = (
        Column(heading="a rebuild"),
        Column(heading="before", align=Align.RIGHT),
        Column(heading="after", align=Align.RIGHT),
    )
    rows = figures_rows(comparison, style.format_size)
    yield from table_lines(columns, rows, width=style.width, palette=style.palette)
    yield f"{better_text(comparison, style.format_size)}\n"


def _comparison_lines(suggestion: Suggestion, style: SuggestStyle) -> Iterator[str]:
    columns = (
        Column(heading="this alone, a rebuild"),
        Column(heading="before", align=Align.RIGHT),
        Column(heading="after", align=Align.RIGHT),
    )
    rows = figures_rows(suggestion.saving, style.format_size)
    yield from table_lines(columns, rows, width=style.width, palette=style.palette)
    yield f"{better_text(suggestion.saving, style.format_size)}\n"


def _holds_lines(holds: Sequence[Hold], style: SuggestStyle, most: int | None) -> Iterator[str]:
    """What holds each instruction; those that are held for one reason in one sentence."""
    yield _heading("what cannot move, and what holds it", style)
    groups: dict[tuple[str, int | None, str], list[Hold]] = {}
    for hold in holds:
        groups.setdefault((hold.stage, hold.step.line, hold.reason), []).append(hold)
    shown = list(groups.values())[:most]
    for group in shown:
        first = group[0]
        above = [f"{_short(hold.by)} ({line_text(hold.by)})" for hold in group]
        lost = amount(sum(hold.lost for hold in group), first.unit, style.format_size)
        text = (
            f"{_short(first.step)} ({line_text(first.step)}) stays below {_listed(above)}: "
            f"{_reason(first)}; {lost} built again for {'it' if len(group) == 1 else 'them'}"
        )
        yield from _wrapped(text, style, "  ", rest="    ")
    left = len(groups) - len(shown)
    if left > 0:
        yield f"  … and {left} more (--json has all)\n"


def _reason(hold: Hold) -> str:
    """The reason, without naming the instruction that the sentence begins with again."""
    reason = hold.reason
    named = _NAMED.match(reason)
    if named is not None and hold.step.text.startswith(named[1].removesuffix("…")):
        reason = f"it{reason[named.end() :]}"
    return escape(redacted(reason))


def _listed(texts: Sequence[str]) -> str:
    """Some of the texts, and how many more there are."""
    if len(texts) > _ABOVE_SHOWN:
        texts = [*texts[: _ABOVE_SHOWN - 1], f"{len(texts) - _ABOVE_SHOWN + 1} others"]
    return " and ".join([*([", ".join(texts[:-1])] if texts[1:] else []), texts[-1]])


def _notes_lines(advice: Advice, style: SuggestStyle) -> Iterator[str]:
    yield _heading("what this rests on", style)
    notes = list(advice.notes)
    if not advice.proven:
        notes.append("there are too many orders to try: this one is not proven optimal")
    for note in notes:
        yield from _wrapped(escape(redacted(note)), style, "  ", rest="    ")


def _heading(text: str, style: SuggestStyle) -> str:
    return f"{style.palette.paint(Style.HEADING, text)}\n"


def _wrapped(
    text: str,
    style: SuggestStyle,
    indent: str = "",
    *,
    rest: str | None = None,
    style_of_all: Style | None = None,
) -> Iterator[str]:
    """The text in lines of the style's width, those after the first indented by ``rest``."""
    hanging = f"{indent}  " if rest is None else rest
    for index, line in enumerate(_split(text, style, len(hanging))):
        shown = line if style_of_all is None else style.palette.paint(style_of_all, line)
        yield f"{hanging if index else indent}{shown}\n"


def _split(text: str, style: SuggestStyle, indent: int) -> list[str]:
    width = _UNBOUNDED if style.width is None else max(style.width - indent, 20)
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
