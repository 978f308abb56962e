"""The advice on a Dockerfile with some of its suggestions taken: both texts, figures, reasons.

What looks like a secret is shown nowhere; a patch has to repeat it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property, partial
from textwrap import wrap

from layerlens.analysis.findings_variables import redacted
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.patch import patch_text, path_in_patch
from layerlens.dockerfile.stage_graph import Tier
from layerlens.dockerfile.suggestions import Advice, Hold, Suggestion
from layerlens.report.as_table import Align, Column, table_lines
from layerlens.report.colour import PLAIN
from layerlens.report.sizes import human_size
from layerlens.report.suggest_secrets import text_without_secrets
from layerlens.report.suggest_text import SuggestStyle, explained_lines
from layerlens.report.suggest_words import (
    TIER_WORDS,
    amount,
    basis,
    better_text,
    figures_rows,
    headline,
    saving_text,
)
from layerlens.tui.shown_text import MakeParts, Part, safe

_TIER_STYLES = {Tier.PROVED: "added", Tier.CONTRACT: "added", Tier.IDEA: "faint"}
_NUMBER_CELLS = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class SuggestedOrder:
    """``taken``: the numbers of the suggestions that are taken. ``path``: of the Dockerfile, None
    where it was read back from the image's history."""

    advice: Advice
    taken: frozenset[int]
    path: str | None

    def toggled(self, row: int) -> SuggestedOrder:
        """The same with the suggestion of a row taken or left; an idea cannot be taken."""
        suggestion = self.suggestions[row]
        if suggestion.number not in self.advice.numbers:
            return self
        return replace(self, taken=self.taken ^ {suggestion.number})

    @property
    def suggestions(self) -> Sequence[Suggestion]:
        """What can be taken, then what is only an idea."""
        return (*self.advice.suggestions, *self.advice.ideas)

    @property
    def title(self) -> str:
        """The Dockerfile's name, not yet escaped."""
        return self.path or "read back from the image's history"

    @property
    def headline(self) -> str:
        """What the suggestions that are taken come to, in a line."""
        advice = self.advice
        if not advice.suggestions:
            return headline(advice, advice.comparison(()), human_size)
        comparison = advice.comparison(self.taken)
        count = f"{len(self.taken)} of {len(advice.suggestions)} taken"
        return f"{count}: {saving_text(comparison, human_size)}"

    def suggestion_rows(self) -> Sequence[MakeParts]:
        """A row a suggestion."""
        return [partial(self._suggestion_parts, each) for each in self.suggestions]

    def before_rows(self) -> Sequence[MakeParts]:
        """The Dockerfile as it is, a row a line; what goes elsewhere is marked."""
        return [
            partial(_line_parts, number, line, mark)
            for number, (line, mark) in enumerate(
                zip(self._texts[0], self._marks[0], strict=True), 1
            )
        ]

    def after_rows(self) -> Sequence[MakeParts]:
        """The Dockerfile as it would be; what came from elsewhere, or is new, is marked."""
        return [
            partial(_line_parts, number, line, mark)
            for number, (line, mark) in enumerate(
                zip(self._texts[1], self._marks[1], strict=True), 1
            )
        ]

    def first_line(self, row: int) -> int:
        """The line of the Dockerfile, from 1, where the suggestion of a row begins."""
        suggestion = self.suggestions[row]
        moved = [move.step.line for move in suggestion.moves]
        others = [step.line for step in suggestion.steps]
        return min((line for line in (moved or others) if line is not None), default=1)

    def explanation(self, row: int, width: int) -> list[str]:
        """All that is known of the suggestion of a row."""
        style = SuggestStyle(format_size=human_size, palette=PLAIN, width=width)
        number = self.suggestions[row].number
        return _without_newlines(explained_lines(self.advice, number, style))

    def holds(self, line: int, width: int) -> list[str]:
        """What is known of the instruction at a line of the Dockerfile as it is."""
        start = self._instruction_at(line)
        found = [hold for hold in self.advice.holds if hold.step.line == start]
        if not found:
            return wrap("Nothing holds this instruction below another that changes.", width)
        return [text for hold in found for text in wrap(_hold_text(hold), width)]

    def figures(self, width: int) -> list[str]:
        """Before and after, with what is taken."""
        advice = self.advice
        comparison = advice.comparison(self.taken)
        columns = (
            Column(heading="a rebuild"),
            Column(heading="before", align=Align.RIGHT),
            Column(heading="after", align=Align.RIGHT),
        )
        rows = figures_rows(comparison, human_size)
        lines = _without_newlines(table_lines(columns, rows, width=None, palette=PLAIN))
        if max(map(len, lines)) > width:
            figures = (f"{name}: {before} -> {after}" for name, before, after in rows)
            lines = [line for text in figures for line in wrap(text, width, subsequent_indent="  ")]
        said = [better_text(comparison, human_size)]
        if advice.events:
            said.append(basis(advice))
        if not advice.proven:
            said.append("there are too many orders to try: this one is not proven optimal")
        said.extend(advice.notes)
        return [*lines, "", *(line for text in said for line in wrap(safe(redacted(text)), width))]

    def patch(self) -> str:
        """What is taken as a patch; "" where it changes nothing."""
        return patch_text(path_in_patch(self.path or "Dockerfile"), *self._whole_texts)

    @cached_property
    def _whole_texts(self) -> tuple[str, str]:
        advice = self.advice
        return advice.dockerfile.text, advice.outcome(self.taken).text

    @cached_property
    def _texts(self) -> tuple[list[str], list[str]]:
        name = self.advice.dockerfile.name
        after = parse_dockerfile(self._whole_texts[1].encode("utf-8", "surrogateescape"), name)
        parsed = self.advice.dockerfile, after
        before_lines, after_lines = (_lines(text_without_secrets(each)) for each in parsed)
        return before_lines, after_lines

    @cached_property
    def _marks(self) -> tuple[list[str], list[str]]:
        before, after = self._texts
        marks = [""] * len(before), [""] * len(after)
        for tag, b_from, b_to, a_from, a_to in SequenceMatcher(
            None, before, after, autojunk=False
        ).get_opcodes():
            if tag != "equal":
                marks[0][b_from:b_to] = ["-"] * (b_to - b_from)
                marks[1][a_from:a_to] = ["+"] * (a_to - a_from)
        # difflib takes whichever is shorter for what moved: say what the suggestions say.
        known = frozenset(before), frozenset(after)
        for texts, own, other in ((before, marks[0], known[1]), (after, marks[1], known[0])):
            for number, line in enumerate(texts):
                if own[number] and line in other:
                    own[number] = ""
        for first, last in self._moved_lines():
            block = before[first:last]
            marks[0][first:last] = ["~"] * len(block)
            for start in range(len(after) - len(block) + 1):
                if after[start : start + len(block)] == block:
                    marks[1][start : start + len(block)] = ["~"] * len(block)
        return marks

    def _moved_lines(self) -> Iterator[tuple[int, int]]:
        """The lines, from 0, of the instructions that move by what is taken."""
        spans = {
            instruction.span.first_line: instruction.span
            for stage in self.advice.dockerfile.stages
            for instruction in stage.instructions
        }
        for suggestion in self.advice.suggestions:
            if suggestion.number not in self.taken:
                continue
            for move in suggestion.moves:
                span = spans.get(move.step.line or 0)
                if span is not None:
                    yield span.first_line - 1, span.last_line

    def _instruction_at(self, line: int) -> int:
        """The first line of the instruction that a line is part of."""
        starts = [
            instruction.span.first_line
            for stage in self.advice.dockerfile.stages
            for instruction in stage.instructions
        ]
        return max((start for start in starts if start <= line), default=line)

    def _suggestion_parts(self, suggestion: Suggestion, width: int) -> list[Part]:
        can_be_taken = suggestion.number in self.advice.numbers
        box = "[x]" if suggestion.number in self.taken else "[ ]" if can_be_taken else "   "
        saving = saving_text(suggestion.saving, human_size)
        parts: list[Part] = [
            (f"{box} ", "accent"),
            (f"{suggestion.number:>2} ", "faint"),
            (f"{suggestion.tier.value} ", _TIER_STYLES[suggestion.tier]),
        ]
        what = f"{saving}, {TIER_WORDS[suggestion.tier]}: {_what(suggestion)}"
        left = width - sum(len(text) for text, _ in parts)
        return [*parts, (safe(what, left), "")]


def _what(suggestion: Suggestion) -> str:
    """What moves or changes, in a few words."""
    for move in suggestion.moves:
        where = "below" if move.below else "above"
        more = f" and {len(suggestion.moves) - 1} more" if len(suggestion.moves) > 1 else ""
        return f"move {_one_line(move.step.text)} {where} {_one_line(move.anchor.text)}{more}"
    for rewording in suggestion.rewordings:
        return f"{rewording.title}: {_one_line(rewording.step.text)}"
    return f"another order in {suggestion.stage}"


def _one_line(text: str) -> str:
    return safe(" ".join(redacted(text).split()), 36)


def _hold_text(hold: Hold) -> str:
    lost = amount(hold.lost, hold.unit, human_size)
    by = "" if hold.by.line is None else f" (line {hold.by.line})"
    below = f"stays below {_one_line(hold.by.text)}{by}"
    return safe(f"{below}: {redacted(hold.reason)}; {lost} built again for it")


_MARK_STYLES = {"": "", "-": "removed", "+": "added", "~": "changed"}


def _line_parts(number: int, line: str, mark: str, width: int) -> list[Part]:
    style = _MARK_STYLES[mark]
    left = width - _NUMBER_CELLS - 3
    return [
        (f"{number:>{_NUMBER_CELLS}} ", "faint"),
        (f"{mark or ' '} ", style),
        (safe(line.expandtabs(4), max(4, left)), style),
    ]


def _lines(text: str) -> list[str]:
    return [line.rstrip("\r\n") for line in re.findall(r"[^\n]*\n|[^\n]+\Z", text)]


def _without_newlines(lines: Iterable[str]) -> list[str]:
    return [line.rstrip("\n") for line in lines]
