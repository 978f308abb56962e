"""The engine: what stages hold and what events dirty in, the suggestions that hold out.

For each stage the cheapest order is found for the oldest events, with every rewrite put in that
makes it cheaper still; it falls into parts that don't depend on each other, and each part that
saves enough on the newest events is a suggestion.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from layerlens.dockerfile.build_events import BuildEvents
from layerlens.dockerfile.build_model import ModelBuilder, StageModel, Unit
from layerlens.dockerfile.cost import Comparison, compare
from layerlens.dockerfile.describing import Describer, holds_of
from layerlens.dockerfile.dockerfile_changes import Place
from layerlens.dockerfile.hold_out import Division, divided, worth_it
from layerlens.dockerfile.instructions import Dockerfile, Stage
from layerlens.dockerfile.ordering import OrderStep, best_order
from layerlens.dockerfile.rewritten_text import Unit as TextUnit
from layerlens.dockerfile.segments import Span, spans_of
from layerlens.dockerfile.stage_graph import Rewrite, StageGraph, Tier
from layerlens.dockerfile.suggestions import (
    Advice,
    PlacedStep,
    PlannedStage,
    Segment,
    Suggestion,
)

RewriteFinder = Callable[[StageGraph], Sequence[Rewrite]]
"""What else could be done to a stage: each with nothing but itself changed. It is asked again of
the graph that a rewrite made."""

_MOST_REWRITES = 6
_STATES_WHILE_TRYING = 1 << 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """All that advice is made from.

    ``graphs``: of the stages that the target needs, in the file's order, with the steps as they
    stand in the file. ``environments``: the variables at each instruction that copies. ``links``:
    the symbolic links of the build context, and what they name. ``notes``:
    what a reader must know of how the graphs were made.
    """

    dockerfile: Dockerfile
    target: Stage
    graphs: tuple[StageGraph, ...]
    rewrites: RewriteFinder
    environments: Mapping[Place, Mapping[str, str]]
    events: BuildEvents
    links: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def advise(matter: Matter, tier: Tier = Tier.CONTRACT) -> Advice:
    """The advice on a Dockerfile, on evidence down to ``tier``."""
    builder = ModelBuilder(
        matter.dockerfile, matter.target, matter.events, matter.environments, matter.links
    )
    models = [builder.model(graph) for graph in matter.graphs]
    rebuilding = 0
    for model in models:
        rebuilding |= model.dirty
    division = divided(rebuilding)
    planner = _Planner(matter, builder, division)
    plans = [planner.plan(model, tier) for model in models]
    advice = _advice(matter, plans, tier, division, rebuilding)
    if tier is Tier.IDEA:
        return advice
    bold = [
        planner.plan(model, Tier.IDEA) if planner.has_ideas(model) else plan
        for model, plan in zip(models, plans, strict=True)
    ]
    return dataclasses.replace(
        advice, ideas=_ideas(advice, _advice(matter, bold, Tier.IDEA, division, rebuilding))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """A stage as it is (``model``), rewritten (``rewritten``), and in its best order."""

    model: StageModel
    rewritten: StageModel
    rewrites: tuple[Rewrite, ...]
    order: tuple[int, ...]
    proven: bool


class _Planner:
    """Finds the best order of one stage after another."""

    def __init__(self, matter: Matter, builder: ModelBuilder, division: Division) -> None:
        self._find = matter.rewrites
        self._builder = builder
        self._fitted = division.fitted

    def plan(self, model: StageModel, tier: Tier) -> _Plan:
        """The best that can be done to a stage on evidence down to ``tier``."""
        best, rewrites = model, list[Rewrite]()
        for _ in range(_MOST_REWRITES):
            found = [each for each in self._find(best.graph) if each.tier.rank <= tier.rank]
            if not found:
                break
            models = [self._builder.model(each.graph) for each in found]
            costs = [self._cost(each, tier) for each in models]
            cheapest = costs.index(min(costs))
            if costs[cheapest] >= self._cost(best, tier):
                break
            best = models[cheapest]
            rewrites.append(found[cheapest])
        order = best_order(self._fit(best, tier), best.base & self._fitted)
        return _Plan(
            model=model,
            rewritten=best,
            rewrites=tuple(rewrites),
            order=order.order,
            proven=order.proven,
        )

    def has_ideas(self, model: StageModel) -> bool:
        """Whether weaker evidence than a tool's contract could change a plan."""
        graph = model.graph
        return any(
            edge.release is not None and edge.release.tier is Tier.IDEA for edge in graph.edges
        ) or any(rewrite.tier is Tier.IDEA for rewrite in self._find(graph))

    def _cost(self, model: StageModel, tier: Tier) -> int:
        return best_order(
            self._fit(model, tier), model.base & self._fitted, max_states=_STATES_WHILE_TRYING
        ).cost

    def _fit(self, model: StageModel, tier: Tier) -> Sequence[OrderStep]:
        """The problem as the events that are fitted to pose it."""
        return [
            dataclasses.replace(step, events=step.events & self._fitted)
            for step in model.problem(tier)
        ]


def _advice(
    matter: Matter, plans: Sequence[_Plan], tier: Tier, division: Division, rebuilding: int
) -> Advice:
    """Put the plans together, and keep of them what saves enough on the reported events."""
    spans = [spans_of(plan.rewritten.graph, plan.order) for plan in plans]
    stages: list[PlannedStage] = []
    where: dict[int, tuple[_Plan, Span]] = {}
    for plan, stage_spans in zip(plans, spans, strict=True):
        numbered: list[int | None] = []
        for span in stage_spans:
            number = len(where) + 1 if span.changes else None
            numbered.append(number)
            if number is not None:
                where[number] = (plan, span)
        stages.append(_planned(plan, stage_spans, numbered))
    in_bytes = any(plan.model.unit is Unit.BYTES for plan in plans)
    advice = Advice(
        dockerfile=matter.dockerfile,
        tier=tier,
        suggestions=(),
        ideas=(),
        holds=(),
        stages=tuple(stages),
        events=matter.events.events,
        origin=matter.events.origin,
        rebuilding=rebuilding,
        division=division,
        proven=all(plan.proven for plan in plans),
        unit=Unit.BYTES if in_bytes else Unit.STEPS,
        notes=(*matter.notes, *matter.events.notes),
    )
    kept = _worthwhile(advice, where)
    renumbered = {old: new for new, old in enumerate(kept, 1)}
    advice = dataclasses.replace(
        advice, stages=tuple(_renumbered(stage, renumbered) for stage in stages)
    )
    every = frozenset(renumbered.values())
    suggestions: list[Suggestion] = []
    for old, new in renumbered.items():
        plan, span = where[old]
        describer = Describer(plan.model, plan.rewritten, advice, every)
        suggestions.append(
            describer.suggestion(
                new, span, plan.order, plan.rewrites, _saving(advice, plan, frozenset({new}))
            )
        )
    holds = [
        hold
        for plan, stage in zip(plans, advice.stages, strict=True)
        for hold in holds_of(plan.model, stage, advice, every)
    ]
    holds.sort(key=lambda hold: (hold.unit is not advice.unit, -hold.lost))
    return dataclasses.replace(advice, suggestions=tuple(suggestions), holds=tuple(holds))


def _planned(plan: _Plan, spans: Sequence[Span], numbers: Sequence[int | None]) -> PlannedStage:
    graph, stage = plan.rewritten.graph, plan.model.graph.stage

    def placed(position: int) -> PlacedStep:
        step = graph.steps[position]
        same = step.origin is not None and step.instruction == stage.instructions[step.origin]
        return PlacedStep(
            cost=plan.rewritten.steps[position],
            text=TextUnit(origin=step.origin, text=None if same else step.text),
        )

    segments: list[Segment] = []
    for span, number in zip(spans, numbers, strict=True):
        origins = sorted(
            origin
            for position in span.positions
            if (origin := graph.steps[position].origin) is not None
        )
        segments.append(
            Segment(
                before=tuple(
                    PlacedStep(
                        cost=plan.model.steps[origin], text=TextUnit(origin=origin, text=None)
                    )
                    for origin in origins
                ),
                after=tuple(placed(position) for position in span.positions),
                suggestion=number,
            )
        )
    return PlannedStage(
        number=stage.number,
        title=stage.title,
        base=plan.model.base,
        unit=plan.model.unit,
        in_image=plan.model.in_image,
        segments=tuple(segments),
    )


def _renumbered(stage: PlannedStage, numbers: Mapping[int, int]) -> PlannedStage:
    """The stage with only the suggestions of ``numbers`` left, by their new numbers."""
    segments: list[Segment] = []
    for segment in stage.segments:
        if segment.suggestion is None or segment.suggestion in numbers:
            number = None if segment.suggestion is None else numbers[segment.suggestion]
            segments.append(dataclasses.replace(segment, suggestion=number))
        else:
            segments.append(Segment(before=segment.before, after=segment.before, suggestion=None))
    return dataclasses.replace(stage, segments=tuple(segments))


def _worthwhile(advice: Advice, where: Mapping[int, tuple[_Plan, Span]]) -> list[int]:
    """The suggestions that save enough, alone or as the last of all."""
    kept = list(where)
    while kept:
        every = frozenset(kept)
        wanting = [
            number
            for number in kept
            if not worth_it(_saving(advice, where[number][0], frozenset({number})))
            and not worth_it(_last_saving(advice, where[number][0], every, number))
        ]
        if not wanting:
            return kept
        kept.remove(wanting[-1])
    return kept


def _saving(advice: Advice, plan: _Plan, taken: frozenset[int]) -> Comparison:
    return compare(
        [stage.ordered(()) for stage in advice.stages],
        [stage.ordered(taken) for stage in advice.stages],
        advice.division.reported,
        count=len(advice.events),
        unit=plan.model.unit,
    )


def _last_saving(advice: Advice, plan: _Plan, every: frozenset[int], number: int) -> Comparison:
    return compare(
        [stage.ordered(every - {number}) for stage in advice.stages],
        [stage.ordered(every) for stage in advice.stages],
        advice.division.reported,
        count=len(advice.events),
        unit=plan.model.unit,
    )


def _ideas(advice: Advice, bold: Advice) -> tuple[Suggestion, ...]:
    """What weaker evidence speaks for and what is suggested already does not cover."""
    ideas: list[Suggestion] = []
    for suggestion in bold.suggestions:
        if suggestion.tier.rank <= advice.tier.rank:
            continue
        covered = [
            each
            for each in advice.suggestions
            if each.stage == suggestion.stage
            and {step.line for step in each.steps} & {step.line for step in suggestion.steps}
        ]
        saved = sum(each.saving.saved for each in covered)
        if not covered or suggestion.saving.saved > saved * 21 // 20:
            number = len(advice.suggestions) + len(ideas) + 1
            ideas.append(dataclasses.replace(suggestion, number=number))
    return tuple(ideas)
