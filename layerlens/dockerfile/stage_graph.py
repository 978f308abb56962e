"""A stage as steps and the edges between them: what must keep its order, and on what evidence.

The graph is what a Dockerfile and its image tell (effects, independence, tools' contracts); the
search for a better order and everything after it work on this alone.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from layerlens.dockerfile.instructions import Instruction, Stage


class Tier(enum.Enum):
    """On what evidence a change of the Dockerfile stands."""

    PROVED = "A"
    """From what the instructions are and were observed to write."""
    CONTRACT = "B"
    """By what a tool is documented to read."""
    IDEA = "C"
    """Only a rebuild can tell; never applied."""

    @property
    def rank(self) -> int:
        """0 for the strongest evidence."""
        return "ABC".index(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Why an edge need not hold after all. `reason` is a clause: ``npm ci reads only …``."""

    tier: Tier
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Step `later` comes after step `earlier`, which are numbers of the graph's steps.

    `reason` is a clause that can follow "because": ``RUN reads everything before it``. `release`:
    None where the edge always holds.
    """

    earlier: int
    later: int
    reason: str
    release: Release | None = None

    def holds(self, tier: Tier) -> bool:
        """Whether it holds for somebody who takes evidence down to `tier`."""
        return self.release is None or self.release.tier.rank > tier.rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One instruction at its place in a stage.

    `text`: its lines as they are to stand in the file, the last newline and the comments right
    above it included. `origin`: its index in `Stage.instructions`; None for one that the rewrite
    puts in. `size`: the compressed bytes of its layer, 0 where it makes none; None where no image
    tells. `estimated`: the size is none that a registry would show.
    """

    instruction: Instruction
    text: str
    origin: int | None
    size: int | None
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StageGraph:
    """The steps of a stage in an order that keeps to the edges: the file's, rewrites put in."""

    stage: Stage
    steps: tuple[Step, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A change beside order: a COPY split in two, ``--link`` added.

    `graph`: the stage with this and nothing else changed. `step`: the number of the step put in
    or changed there. `title` says what is done, `reason` why nothing breaks.
    """

    tier: Tier
    title: str
    reason: str
    graph: StageGraph
    step: int
