"""What a Dockerfile could do better, as values: each suggestion can be taken or left.

`suggesting.advise` makes an `Advice`. It is complete: what any choice among its suggestions comes
to, in figures and as the text of the Dockerfile, is computed from it alone, without the image,
the context or git.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from layerlens.dockerfile.build_events import Event, Origin
from layerlens.dockerfile.build_model import Unit
from layerlens.dockerfile.cost import Comparison, OrderedStage, compare
from layerlens.dockerfile.hold_out import Division
from layerlens.dockerfile.instructions import Dockerfile
from layerlens.dockerfile.ordering import OrderStep
from layerlens.dockerfile.rewritten_text import Unit as TextUnit
from layerlens.dockerfile.rewritten_text import rewritten_text
from layerlens.dockerfile.stage_graph import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """An instruction that a suggestion is about. ``changed``: the rebuilds in which its own
    inputs or text had changed. ``rebuilt_before``, ``rebuilt_after``: those in which it was, and
    would have been, carried out, all suggestions taken. ``size``: compressed bytes, None where
    not known. ``line``: the first of its lines in the file, None for one that is put in.
    """

    text: str
    line: int | None
    size: int | None
    estimated: bool
    changed: int
    rebuilt_before: int
    rebuilt_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """`step` goes to the place right below `anchor`, or right above it."""

    step: StepFacts
    anchor: StepFacts
    below: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewording:
    """An instruction put in, or changed beside its place. `reason`: why nothing breaks."""

    step: StepFacts
    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One change of one stage, which stands by itself. ``reasons``: why nothing breaks, a clause
    for each pair of instructions that changes places with no proof but the tier's. ``steps``: the
    instructions in question, in their new order. ``saving``: of this alone, on the reported
    events."""

    number: int
    tier: Tier
    stage: str
    moves: tuple[Move, ...]
    rewordings: tuple[Rewording, ...]
    reasons: tuple[str, ...]
    steps: tuple[StepFacts, ...]
    saving: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """`step` is rebuilt whenever `by` changes, and cannot come before it. ``lost``: what that
    costs over all reported rebuilds, in `unit`."""

    stage: str
    step: StepFacts
    by: StepFacts
    reason: str
    lost: int
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedStep:
    """A step of one side of a segment: its cost, and its text."""

    cost: OrderStep
    text: TextUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of a stage as it is and as suggested: other segments don't care which.

    ``suggestion``: the number of the one that makes the difference; None: there is none.
    """

    before: tuple[PlacedStep, ...]
    after: tuple[PlacedStep, ...]
    suggestion: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStage:
    """A stage, from first to last segment. ``base``, ``unit``, ``in_image``: as its model's."""

    number: int
    title: str
    base: int
    unit: Unit
    in_image: bool
    segments: tuple[Segment, ...]

    def steps(self, taken: Collection[int]) -> Iterator[PlacedStep]:
        """The steps in their order, with the suggestions of these numbers taken."""
        for segment in self.segments:
            yield from segment.after if segment.suggestion in taken else segment.before

    def ordered(self, taken: Collection[int]) -> OrderedStage:
        """The same, as what it costs is computed from."""
        return OrderedStage(
            steps=tuple(step.cost for step in self.steps(taken)),
            base=self.base,
            unit=self.unit,
            in_image=self.in_image,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a choice of suggestions comes to: the Dockerfile's whole text, and the figures."""

    text: str
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """All suggestions for a Dockerfile.

    ``tier``: the weakest evidence that was taken. ``ideas``: what only weaker evidence speaks
    for: no part of any outcome. ``rebuilding``: the events that rebuild anything. ``proven``: no
    order of what may be ordered costs less on the events that were fitted to. ``notes``: what a
    reader must know, a sentence each.
    """

    dockerfile: Dockerfile
    tier: Tier
    suggestions: tuple[Suggestion, ...]
    ideas: tuple[Suggestion, ...]
    holds: tuple[Hold, ...]
    stages: tuple[PlannedStage, ...]
    events: tuple[Event, ...]
    origin: Origin
    rebuilding: int
    division: Division
    proven: bool
    unit: Unit
    notes: tuple[str, ...]

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of all suggestions that can be taken."""
        return frozenset(suggestion.number for suggestion in self.suggestions)

    def comparison(self, taken: Collection[int], events: int | None = None) -> Comparison:
        """The Dockerfile as it is against one with some suggestions taken, over the reported
        events or those of a mask."""
        return compare(
            [stage.ordered(()) for stage in self.stages],
            [stage.ordered(taken) for stage in self.stages],
            self.division.reported if events is None else events,
            count=len(self.events),
            unit=self.unit,
        )

    def outcome(self, taken: Collection[int]) -> Outcome:
        """What it comes to to take these suggestions and leave the others."""
        changed = {
            stage.number: tuple(step.text for step in stage.steps(taken))
            for stage in self.stages
            if any(segment.suggestion in taken for segment in stage.segments)
        }
        return Outcome(
            text=rewritten_text(self.dockerfile, changed), comparison=self.comparison(taken)
        )
