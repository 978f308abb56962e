"""The order found is the best one: held to all orders of small random graphs, tried one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerlens.dockerfile import ordering
from layerlens.dockerfile.ordering import (
    OrderStep,
    Reach,
    best_order,
    order_cost,
    rebuilt_events,
    transitive,
)

_EVENTS = 7


@st.composite
def _problems(draw: st.DrawFn, most: int = 6) -> list[OrderStep]:
    count = draw(st.integers(0, most))
    common = draw(st.integers(0, (1 << _EVENTS) - 1))  # events that several steps share
    steps = []
    for number in range(count):
        own = draw(st.integers(0, (1 << _EVENTS) - 1))
        events = draw(st.sampled_from([0, own, own & common, own | common, common]))
        steps.append(
            OrderStep(
                size=draw(st.sampled_from([0, 1, 3, 50])),
                events=events,
                reach=draw(st.sampled_from(list(Reach))),
                after=draw(st.integers(0, (1 << number) - 1)) & draw(st.integers(0, 1 << number)),
            )
        )
    return steps


def _orders(steps: Sequence[OrderStep], placed: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Every order that keeps to the graph."""
    if len(placed) == len(steps):
        yield placed
    for number, step in enumerate(steps):
        if number not in placed and all(
            other in placed for other in range(len(steps)) if step.after >> other & 1
        ):
            yield from _orders(steps, (*placed, number))


def _cost_told(steps: Sequence[OrderStep], order: Sequence[int]) -> int:
    """What the order costs, event by event, as one would tell it: not the way it is computed."""
    total = 0
    for event in range(_EVENTS):
        files_dirty = runs_dirty = False
        for number in order:
            step = steps[number]
            own = bool(step.events >> event & 1)
            if step.reach is Reach.VARIABLE:
                runs_dirty = runs_dirty or own
            elif step.reach is not Reach.CONFIG:
                dirty = own
                if step.reach is Reach.FILES:
                    dirty = own or files_dirty
                elif step.reach is Reach.RUN:
                    dirty = own or files_dirty or runs_dirty
                files_dirty = files_dirty or dirty
                total += step.size if dirty else 0
    return total


def _swaps(order: Sequence[int]) -> int:
    return sum(
        later < earlier for place, earlier in enumerate(order) for later in order[place + 1 :]
    )


@settings(max_examples=60)
@given(_problems())
def test_no_other_order_costs_less(steps: list[OrderStep]) -> None:
    found = best_order(steps)
    assert found.proven
    assert found.order in set(_orders(steps))
    assert found.cost == _cost_told(steps, found.order)
    assert found.cost == min(_cost_told(steps, order) for order in _orders(steps))


@settings(max_examples=60)
@given(_problems(), st.integers(1, 4))
def test_sets_that_are_given_up_early_could_not_have_been_best(
    steps: list[OrderStep], width: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "_FEW", 0)
        found = best_order(steps, beam_width=width)
    best = best_order(steps)
    assert (found.cost, found.proven) == (best.cost, best.proven)
    matter = [number for number, step in enumerate(steps) if _in_the_search(step)]
    swaps = [
        _swaps([number for number in each.order if number in matter]) for each in (found, best)
    ]
    assert swaps[0] == swaps[1]


@settings(max_examples=60)
@given(_problems())
def test_among_the_cheapest_the_fewest_pairs_are_swapped(steps: list[OrderStep]) -> None:
    found = best_order(steps)
    cheapest = [order for order in _orders(steps) if _cost_told(steps, order) == found.cost]
    matter = [
        number
        for number, step in enumerate(steps)
        if step.reach is not Reach.CONFIG
        and (step.events or (step.size and step.reach is not Reach.VARIABLE))
    ]

    def among_those(order: Sequence[int]) -> int:
        return _swaps([number for number in order if number in matter])

    assert among_those(found.order) == min(among_those(order) for order in cheapest)


@given(_problems())
def test_an_order_that_is_best_already_is_kept(steps: list[OrderStep]) -> None:
    found = best_order(steps)
    as_it_is = tuple(range(len(steps)))
    if order_cost(steps, as_it_is) == found.cost:
        assert found.order == as_it_is


@given(_problems(), st.integers(1, 3))
def test_the_inexact_search_keeps_to_the_graph_and_never_makes_it_worse(
    steps: list[OrderStep], width: int
) -> None:
    found = best_order(steps, max_states=1, beam_width=width)
    assert found.order in set(_orders(steps))
    assert found.cost == _cost_told(steps, found.order)
    assert found.cost <= _cost_told(steps, range(len(steps)))
    assert found.proven == (not any(_in_the_search(step) for step in steps))


def _in_the_search(step: OrderStep) -> bool:
    if step.reach is Reach.VARIABLE:
        return step.events != 0
    return step.reach is not Reach.CONFIG and (step.size > 0 or step.events != 0)


def test_changes_that_come_together_count_once() -> None:
    """By frequency the second would come first; but the others change in the same events."""
    together, alone = 0b00111, 0b11000
    steps = [
        OrderStep(size=10, events=together, reach=Reach.FILES),
        OrderStep(size=10, events=alone, reach=Reach.FILES),
        OrderStep(size=10, events=together, reach=Reach.FILES),
    ]
    found = best_order(steps)
    assert found.order == (0, 2, 1)
    assert found.cost == 10 * (3 + 3 + 5)


def test_many_free_steps_are_ordered_exactly_within_the_bound() -> None:
    steps = [
        OrderStep(size=100 + number, events=1 << (19 - number), reach=Reach.FILES)
        for number in range(16)
    ]
    found = best_order(steps)
    assert found.proven
    assert list(rebuilt_events(steps, found.order))[-1].bit_count() == 16
    assert found.order == tuple(range(15, -1, -1))  # as each changes once, the largest come first


def test_beyond_the_bound_the_answer_says_that_it_is_not_proven() -> None:
    steps = [
        OrderStep(size=1 + number % 5, events=1 << (number * 7 % 40), reach=Reach.FILES)
        for number in range(40)
    ]
    found = best_order(steps, max_states=1 << 10, beam_width=1 << 5)
    assert not found.proven
    assert sorted(found.order) == list(range(40))
    assert found.cost < order_cost(steps, range(40))


def test_a_step_that_costs_nothing_stays_where_it_was() -> None:
    label = OrderStep(size=0, events=0b11, reach=Reach.CONFIG)
    steps = [
        label,
        OrderStep(size=10, events=0b1111, reach=Reach.FILES),
        label,
        OrderStep(size=500, events=0b0001, reach=Reach.FILES),
        label,
    ]
    assert best_order(steps).order == (0, 2, 3, 1, 4)


def test_a_run_of_no_size_passes_on_what_variables_dirty() -> None:
    """So the files after it are dirtied by the variable before it, and may go above both."""
    variable = OrderStep(size=0, events=1, reach=Reach.VARIABLE)
    run = OrderStep(size=0, events=0, reach=Reach.RUN, after=0b1)
    files = OrderStep(size=1, events=0, reach=Reach.FILES)
    found = best_order([variable, run, files])
    assert found.cost == 0
    assert found.order.index(2) < found.order.index(1)


def test_a_step_that_must_come_first_is_brought_along() -> None:
    workdir = OrderStep(size=0, events=0, reach=Reach.FILES)
    steps = [
        OrderStep(size=10, events=0b1111, reach=Reach.FILES),
        workdir,
        OrderStep(size=500, events=0b0001, reach=Reach.FILES, after=0b10),
    ]
    assert best_order(steps).order == (1, 2, 0)


def test_a_graph_is_closed_over_steps_between() -> None:
    steps = [
        OrderStep(size=0, events=0, reach=Reach.CONFIG),
        OrderStep(size=0, events=0, reach=Reach.CONFIG, after=0b001),
        OrderStep(size=0, events=0, reach=Reach.CONFIG, after=0b010),
    ]
    assert transitive(steps) == (0, 0b001, 0b011)


def test_a_step_before_what_it_needs_is_refused() -> None:
    step = OrderStep(size=0, events=0, reach=Reach.RUN)
    with pytest.raises(ValueError, match="step 0 stands before"):
        best_order([dataclasses.replace(step, after=0b10), step])


@given(_problems(most=5))
def test_costs_only_depend_on_swaps_of_neighbours_that_are_free(steps: list[OrderStep]) -> None:
    """Every order is reached by swapping neighbours that no edge holds: the proof of tier A."""
    orders = set(_orders(steps))
    reached = {tuple(range(len(steps)))}
    waiting = list(reached)
    while waiting:
        order = waiting.pop()
        for place, (first, second) in enumerate(pairwise(order)):
            if steps[second].after >> first & 1:
                continue
            swapped = (*order[:place], second, first, *order[place + 2 :])
            if swapped not in reached:
                reached.add(swapped)
                waiting.append(swapped)
    assert reached == orders
