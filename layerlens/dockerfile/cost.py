"""What the builds that events set off cost, in one order and in another.

Of every event: the bytes of the layers that are built again, of those among them that are the
image's and so are pushed and pulled again (a RUN that is carried out anew makes a layer with a
new digest), and the number of steps carried out. Layers whose size is not known count as steps
alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from layerlens.dockerfile.build_model import Unit
from layerlens.dockerfile.ordering import OrderStep, Reach, bits, rebuilt_events

_HUNDRED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedStage:
    """A stage's steps in the order they are built in. ``base``, ``unit``, ``in_image``: as in
    the stage's model."""

    steps: tuple[OrderStep, ...]
    base: int
    unit: Unit
    in_image: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCosts:
    """By event: bytes ``rebuilt``, bytes ``pushed`` (and pulled), ``steps`` carried out."""

    rebuilt: tuple[int, ...]
    pushed: tuple[int, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A number that every rebuild has its own of: the mean, exact, and the least number that
    95 % of them do not exceed."""

    mean: Fraction
    p95: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a rebuild costs in one order. ``cached``: the share of the bytes of all layers that the
    cache has; None where no size is known."""

    rebuilt: Spread
    pushed: Spread
    steps: Spread
    cached: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two orders over the same ``rebuilds``: the events in which anything is built again.

    ``better`` and ``worse``: in how many of them the second costs less and more, and ``most_worse``
    by how much at most; all in `unit`.
    """

    before: Figures
    after: Figures
    rebuilds: int
    better: int
    worse: int
    most_worse: int
    unit: Unit

    @property
    def saved(self) -> Fraction:
        """The mean saving of a rebuild, in `unit`."""
        before, after = (self.mean(figures) for figures in (self.before, self.after))
        return before - after

    @property
    def saved_share(self) -> Fraction:
        """The saving as a share of what a rebuild cost before."""
        before = self.mean(self.before)
        return self.saved / before if before else Fraction(0)

    def mean(self, figures: Figures) -> Fraction:
        """The mean of the figures in `unit`."""
        return (figures.rebuilt if self.unit is Unit.BYTES else figures.steps).mean


def event_costs(stages: Iterable[OrderedStage], count: int) -> EventCosts:
    """What each of ``count`` events costs."""
    rebuilt, pushed, steps = [0] * count, [0] * count, [0] * count
    for stage in stages:
        order = range(len(stage.steps))
        for step, mask in zip(
            stage.steps, rebuilt_events(stage.steps, order, stage.base), strict=True
        ):
            size = step.size if stage.unit is Unit.BYTES else 0
            counts = carries_out(step)
            for event in bits(mask & ((1 << count) - 1)):
                steps[event] += counts
                rebuilt[event] += size
                pushed[event] += size if stage.in_image else 0
    return EventCosts(rebuilt=tuple(rebuilt), pushed=tuple(pushed), steps=tuple(steps))


def carries_out(step: OrderStep) -> int:
    """1 for a step that a build carries out, 0 for one that only sets something."""
    return int(step.reach in (Reach.RUN, Reach.FILES, Reach.LINKED))


def compare(
    before: Sequence[OrderedStage],
    after: Sequence[OrderedStage],
    events: int,
    *,
    count: int,
    unit: Unit,
) -> Comparison:
    """Two orders of the same stages over the ``events`` of a mask, of ``count`` in all."""
    costs = event_costs(before, count), event_costs(after, count)
    counted = [event for event in bits(events) if costs[0].steps[event] or costs[1].steps[event]]
    first, second = (each.rebuilt if unit is Unit.BYTES else each.steps for each in costs)
    return Comparison(
        before=_figures(before, costs[0], counted),
        after=_figures(after, costs[1], counted),
        rebuilds=len(counted),
        better=sum(second[event] < first[event] for event in counted),
        worse=sum(second[event] > first[event] for event in counted),
        most_worse=max([0, *(second[event] - first[event] for event in counted)]),
        unit=unit,
    )


def _figures(stages: Sequence[OrderedStage], costs: EventCosts, events: Sequence[int]) -> Figures:
    total = sum(step.size for stage in stages if stage.unit is Unit.BYTES for step in stage.steps)
    rebuilt = sum(costs.rebuilt[event] for event in events)
    return Figures(
        rebuilt=_spread(costs.rebuilt[event] for event in events),
        pushed=_spread(costs.pushed[event] for event in events),
        steps=_spread(costs.steps[event] for event in events),
        cached=1 - Fraction(rebuilt, total * len(events)) if total and events else None,
    )


def _spread(numbers: Iterator[int]) -> Spread:
    ordered = sorted(numbers)
    if not ordered:
        return Spread(mean=Fraction(0), p95=0)
    place = -(-len(ordered) * 95 // _HUNDRED) - 1  # nearest rank
    return Spread(mean=Fraction(sum(ordered), len(ordered)), p95=ordered[place])
