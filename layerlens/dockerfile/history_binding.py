"""A Dockerfile's instructions matched with the entries and layers of an image's history.

The history of the base image comes first and is as long as it is, so the two are aligned from
their ends. What does not agree is said, and nothing is built on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from layerlens.dockerfile.history_match import Agreement, agreement
from layerlens.dockerfile.instructions import (
    Add,
    Copy,
    Dockerfile,
    Instruction,
    Run,
    Stage,
    Workdir,
)
from layerlens.oci import created_by
from layerlens.oci.image_config import HistoryEntry
from layerlens.oci.quoting import printable

_FURTHER_ENTRIES = 100
"""How many entries more than there are instructions the history is searched for them."""

_LONGEST_TOLD = 120

_GAIN = {Agreement.NONE: 0, Agreement.KEYWORD: 1, Agreement.FULL: 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundInstruction:
    """An instruction and what the image knows of it.

    `stage`, `place`: its stage's number and its index in `Stage.instructions`. `entry`: the
    number of its entry in the history. `layer`: the number of the layer it made; None where it
    made none, or `problem` says why that is not known.
    """

    stage: int
    place: int
    instruction: Instruction
    entry: int | None
    layer: int | None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The instructions that made the image, from the base on, through stages that start another.

    `base_layers`: how many of the image's layers are the base image's. `problem`: why nothing at
    all is bound; None where something is.
    """

    instructions: tuple[BoundInstruction, ...]
    base_layers: int
    problem: str | None = None

    def of_stage(self, number: int) -> tuple[BoundInstruction, ...]:
        """The instructions of one stage, one for each of `Stage.instructions`."""
        return tuple(bound for bound in self.instructions if bound.stage == number)


def stage_chain(dockerfile: Dockerfile, target: Stage) -> tuple[Stage, ...]:
    """The stages whose instructions the image of *target* has, the first one first."""
    chain = [target]
    while True:
        base = dockerfile.base_stage(chain[0].start.image, chain[0].number)
        if base is None:
            return tuple(chain)
        chain.insert(0, base)


def bind_history(
    dockerfile: Dockerfile, target: Stage, history: Sequence[HistoryEntry], layer_count: int
) -> Binding:
    """Match the instructions that lead to *target* with an image's history."""
    places = [
        (stage.number, place, instruction)
        for stage in stage_chain(dockerfile, target)
        for place, instruction in enumerate(stage.instructions)
    ]
    layers = _layers_of(history)
    known = sum(layer is not None for layer in layers)
    if not history:
        return _unbound(places, "the image has no history")
    if known != layer_count:
        return _unbound(
            places, f"the history tells of {known} layers and the image has {layer_count}"
        )
    entries = [created_by.instruction(entry) for entry in history]
    matched = _aligned([each[2] for each in places], entries, dockerfile.escape)
    if places and not any(level is Agreement.FULL for _, level in matched):
        return _unbound(places, "the image's history has none of its instructions")
    return _Bound(places, matched, layers, entries).binding()


def _layers_of(history: Sequence[HistoryEntry]) -> list[int | None]:
    layers: list[int | None] = []
    count = 0
    for entry in history:
        layers.append(None if entry.empty_layer else count)
        count += not entry.empty_layer
    return layers


def _unbound(places: Sequence[tuple[int, int, Instruction]], problem: str) -> Binding:
    return Binding(
        instructions=tuple(
            BoundInstruction(
                stage=stage,
                place=place,
                instruction=instruction,
                entry=None,
                layer=None,
                problem=problem,
            )
            for stage, place, instruction in places
        ),
        base_layers=0,
        problem=problem,
    )


_Match = tuple[int | None, Agreement]


def _aligned(
    instructions: Sequence[Instruction], entries: Sequence[created_by.Instruction], escape: str
) -> list[_Match]:
    """For each instruction the number of its entry; the alignment that agrees most, the latest
    entries where several do."""
    same = _agreeing_ends(instructions, entries, escape)
    if same:
        count, end = len(instructions) - same, len(entries) - same
        above = _aligned(instructions[:count], entries[:end], escape)
        return [*above, *((end + index, Agreement.FULL) for index in range(same))]
    skipped = max(0, len(entries) - 2 * len(instructions) - _FURTHER_ENTRIES)
    tail = entries[skipped:]
    levels = [[agreement(each, entry, escape) for entry in tail] for each in instructions]
    # best[i][j]: the most that the first i instructions and the first j entries can agree.
    best = [[0] * (len(tail) + 1) for _ in range(len(instructions) + 1)]
    for i, row in enumerate(levels):
        for j, level in enumerate(row):
            paired = best[i][j] + _GAIN[level] if level else 0
            best[i + 1][j + 1] = max(paired, best[i][j + 1], best[i + 1][j])
    matched: list[_Match] = [(None, Agreement.NONE)] * len(instructions)
    i, j = len(instructions), len(tail)
    while i and j:
        level = levels[i - 1][j - 1]
        if level and best[i][j] == best[i - 1][j - 1] + _GAIN[level]:
            i, j = i - 1, j - 1
            matched[i] = (skipped + j, level)
        elif best[i][j] == best[i][j - 1] and best[i][j] > best[i - 1][j]:
            j -= 1
        elif best[i][j] == best[i - 1][j]:
            i -= 1
        else:
            j -= 1
    return matched


def _agreeing_ends(
    instructions: Sequence[Instruction], entries: Sequence[created_by.Instruction], escape: str
) -> int:
    """How many of the last ones agree fully, one with one: nothing can agree more than that."""
    pairs = zip(reversed(instructions), reversed(entries), strict=False)
    agreeing = (agreement(*pair, escape) is Agreement.FULL for pair in pairs)
    return sum(1 for _ in takewhile(bool, agreeing))


@dataclass(frozen=True, slots=True)
class _Bound:
    """An alignment to be told as a binding."""

    places: Sequence[tuple[int, int, Instruction]]
    matched: Sequence[_Match]
    layers: Sequence[int | None]
    entries: Sequence[created_by.Instruction]

    def binding(self) -> Binding:
        bound: list[BoundInstruction] = []
        previous: int | None = None
        for (stage, place, instruction), (entry, level) in zip(
            self.places, self.matched, strict=True
        ):
            problem = self._problem(instruction, entry, level, previous)
            bound.append(
                BoundInstruction(
                    stage=stage,
                    place=place,
                    instruction=instruction,
                    entry=entry,
                    layer=None if entry is None or problem else self.layers[entry],
                    problem=problem,
                )
            )
            previous = entry if entry is not None else previous
        return Binding(instructions=tuple(bound), base_layers=self._base_layers())

    def _problem(
        self, instruction: Instruction, entry: int | None, level: Agreement, previous: int | None
    ) -> str | None:
        if not isinstance(instruction, Run | Copy | Add | Workdir):
            return None  # it writes no files: what it does is in the Dockerfile
        if entry is None:
            if isinstance(instruction, Workdir):
                return None  # not every builder puts it down
            return "the image's history has no such instruction"
        if level is not Agreement.FULL:
            return f"the image was built with another one: {_told(self.entries[entry])}"
        if previous is not None:
            for between in range(previous + 1, entry):
                if self.layers[between] is not None:
                    told = _told(self.entries[between])
                    return f"the image's history has an instruction before it: {told}"
        return None

    def _base_layers(self) -> int:
        first = next((entry for entry, _ in self.matched if entry is not None), 0)
        return sum(layer is not None for layer in self.layers[:first])


def _told(entry: created_by.Instruction) -> str:
    """An entry's text fit for a message: one line, printable, not too long."""
    text = printable(" ".join(entry.text.split())) or "one that says nothing"
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}…"
