"""Suggestions and what holds the rest, told as facts: what moves where, why, at what gain."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from layerlens.dockerfile.build_model import StageModel, Unit
from layerlens.dockerfile.cost import Comparison
from layerlens.dockerfile.ordering import Reach, rebuilt_events
from layerlens.dockerfile.segments import Span
from layerlens.dockerfile.stage_graph import Rewrite, Step, Tier
from layerlens.dockerfile.suggestions import (
    Advice,
    Hold,
    Move,
    PlacedStep,
    PlannedStage,
    Rewording,
    StepFacts,
    Suggestion,
)

_WEIGHTS = {Reach.RUN: 1_000_000, Reach.FILES: 1000, Reach.LINKED: 1000}


class Describer:
    """Tells of one stage: ``model`` as it is, ``rewritten`` as suggested."""

    def __init__(
        self, model: StageModel, rewritten: StageModel, advice: Advice, taken: Collection[int]
    ) -> None:
        self._model = model
        self._rewritten = rewritten
        self._facts = _Facts(model, rewritten, advice, taken)

    def suggestion(
        self,
        number: int,
        span: Span,
        order: Sequence[int],
        rewrites: Sequence[Rewrite],
        saving: Comparison,
    ) -> Suggestion:
        """The suggestion that a span of the new order is."""
        inside = set(span.positions)
        graph = self._rewritten.graph
        place = {position: index for index, position in enumerate(order)}
        crossed = [
            edge
            for edge in graph.edges
            if edge.release is not None
            and edge.earlier in inside
            and edge.later in inside
            and place[edge.later] < place[edge.earlier]
        ]
        rewordings = tuple(self._rewordings(span, rewrites))
        tiers = [edge.release.tier for edge in crossed if edge.release is not None]
        tiers += [tier for tier, _ in rewordings]
        return Suggestion(
            number=number,
            tier=max(tiers, key=lambda tier: tier.rank, default=Tier.PROVED),
            stage=graph.stage.title,
            moves=tuple(self._moves(span)),
            rewordings=tuple(rewording for _, rewording in rewordings),
            reasons=tuple(
                dict.fromkeys(edge.release.reason for edge in crossed if edge.release is not None)
            ),
            steps=tuple(self._facts.of(position) for position in span.positions),
            saving=saving,
        )

    def _rewordings(
        self, span: Span, rewrites: Sequence[Rewrite]
    ) -> Iterator[tuple[Tier, Rewording]]:
        stage = self._model.graph.stage
        for position in span.positions:
            step = self._rewritten.graph.steps[position]
            if step.origin is not None and step.instruction == stage.instructions[step.origin]:
                continue
            for rewrite in rewrites:
                if rewrite.graph.steps[rewrite.step].text == step.text:
                    yield (
                        rewrite.tier,
                        Rewording(
                            step=self._facts.of(position),
                            title=rewrite.title,
                            reason=rewrite.reason,
                        ),
                    )

    def _moves(self, span: Span) -> Iterator[Move]:
        positions = span.positions
        staying = _staying(self._rewritten, positions)
        for index, position in enumerate(positions):
            if position in staying or self._rewritten.graph.steps[position].origin is None:
                continue
            before = [other for other in positions[:index] if other > position]
            if before:
                anchor, below = before[-1], True
            else:
                anchor, below = next(o for o in positions[index + 1 :] if o < position), False
            yield Move(step=self._facts.of(position), anchor=self._facts.of(anchor), below=below)


def _staying(model: StageModel, positions: Sequence[int]) -> set[int]:
    """The steps that can be said to stay: in their old order, and as heavy as can be together."""
    best: list[tuple[int, list[int]]] = []
    for index, position in enumerate(positions):
        step = model.steps[position]
        weight = _WEIGHTS.get(step.reach, 1) + min(step.size, 999)
        weight, chain = max(
            (
                (total + weight, [*chain, position])
                for total, chain in best[:index]
                if chain[-1] < position
            ),
            key=lambda each: each[0],
            default=(weight, [position]),
        )
        best.append((weight, chain))
    return set(max(best, key=lambda each: each[0])[1]) if best else set()


class _Facts:
    """What is known of the steps of a stage, before and after."""

    def __init__(
        self, model: StageModel, rewritten: StageModel, advice: Advice, taken: Collection[int]
    ) -> None:
        self._rewritten = rewritten
        self._reported = advice.division.reported
        stage = next(each for each in advice.stages if each.number == model.graph.stage.number)
        self._before = rebuilds_of(stage, (), self._reported)
        self._after = rebuilds_of(stage, taken, self._reported)

    def of(self, position: int) -> StepFacts:
        """The facts of a step of the rewritten graph."""
        step = self._rewritten.graph.steps[position]
        cost = self._rewritten.steps[position]
        key = _key(step.origin, step.text)
        return step_facts(
            step,
            changed=(cost.events & self._reported).bit_count(),
            before=self._before.get(key, 0).bit_count(),
            after=self._after.get(key, 0).bit_count(),
        )


def step_facts(step: Step, *, changed: int, before: int, after: int) -> StepFacts:
    """The facts of a step."""
    return StepFacts(
        text=step.instruction.line,
        line=None if step.origin is None else step.instruction.span.first_line,
        size=step.size,
        estimated=step.estimated,
        changed=changed,
        rebuilt_before=before,
        rebuilt_after=after,
    )


def rebuilds_of(stage: PlannedStage, taken: Collection[int], reported: int) -> dict[int | str, int]:
    """For each step, by its origin or its text, the reported events that carry it out."""
    placed: list[PlacedStep] = list(stage.steps(taken))
    costs = [step.cost for step in placed]
    rebuilt = rebuilt_events(costs, range(len(costs)), stage.base)
    return {
        _key(step.text.origin, step.text.text or ""): mask & reported
        for step, mask in zip(placed, rebuilt, strict=True)
    }


def _key(origin: int | None, text: str) -> int | str:
    return text if origin is None else origin


def holds_of(
    model: StageModel, stage: PlannedStage, advice: Advice, taken: Collection[int]
) -> Iterator[Hold]:
    """What is still built again for others' changes, and the edges that leave no way out."""
    reported = advice.division.reported
    placed = [step.text.origin for step in stage.steps(taken)]
    place = {origin: index for index, origin in enumerate(placed) if origin is not None}
    before = rebuilds_of(stage, (), reported)
    after = rebuilds_of(stage, taken, reported)
    steps = model.graph.steps

    def facts(number: int) -> StepFacts:
        return step_facts(
            steps[number],
            changed=(model.steps[number].events & reported).bit_count(),
            before=before.get(number, 0).bit_count(),
            after=after.get(number, 0).bit_count(),
        )

    for edge in model.graph.edges:
        earlier, later = model.steps[edge.earlier], model.steps[edge.later]
        if not edge.holds(advice.tier) or place[edge.earlier] > place[edge.later]:
            continue
        if later.reach is Reach.LINKED:
            continue
        others = earlier.events & reported & ~later.events & ~model.base
        lost = later.size * others.bit_count()
        if lost and (model.unit is Unit.BYTES or later.reach is Reach.RUN):
            yield Hold(
                stage=stage.title,
                step=facts(edge.later),
                by=facts(edge.earlier),
                reason=edge.reason,
                lost=lost,
                unit=model.unit,
            )
