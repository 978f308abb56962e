"""What events cost in one order and another, and what of it is worth a change."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.dockerfile.build_model import Unit
from layerlens.dockerfile.cost import Comparison, OrderedStage, compare, event_costs
from layerlens.dockerfile.hold_out import divided, worth_it
from layerlens.dockerfile.ordering import OrderStep, Reach

MB = 1_000_000


def _stage(
    *steps: OrderStep, base: int = 0, unit: Unit = Unit.BYTES, in_image: bool = True
) -> OrderedStage:
    return OrderedStage(steps=steps, base=base, unit=unit, in_image=in_image)


def _step(size: int, events: int, reach: Reach = Reach.FILES) -> OrderStep:
    return OrderStep(size=size, events=events, reach=reach)


def test_everything_at_and_after_the_first_dirty_step_is_built_again() -> None:
    stage = _stage(_step(1, 0b001), _step(10, 0b010), _step(100, 0b100, Reach.RUN))
    costs = event_costs([stage], 3)
    assert costs.rebuilt == (111, 110, 100)
    assert costs.steps == (3, 2, 1)


def test_a_linked_layer_is_dirtied_by_its_own_inputs_alone_and_dirties_what_follows() -> None:
    stage = _stage(_step(1, 0b001), _step(10, 0b010, Reach.LINKED), _step(100, 0b100))
    assert event_costs([stage], 3).rebuilt == (101, 110, 100)
    assert event_costs([_stage(_step(10, 0b10, Reach.LINKED), base=0b01)], 2).rebuilt == (0, 10)


def test_a_variable_dirties_the_runs_after_it_and_through_them_the_rest() -> None:
    variable = _step(0, 0b1, Reach.VARIABLE)
    assert event_costs([_stage(variable, _step(10, 0), _step(100, 0))], 1).rebuilt == (0,)
    run = _step(100, 0, Reach.RUN)
    assert event_costs([_stage(variable, _step(10, 0), run)], 1).rebuilt == (100,)
    assert event_costs([_stage(variable, run, _step(10, 0))], 1).rebuilt == (110,)
    assert event_costs([_stage(run, variable, _step(10, 0))], 1).rebuilt == (0,)


def test_what_is_no_layer_of_the_image_is_not_pushed() -> None:
    stages = [_stage(_step(5, 1), in_image=False), _stage(_step(10, 1))]
    costs = event_costs(stages, 1)
    assert (costs.rebuilt, costs.pushed) == ((15,), (10,))


def test_steps_of_unknown_size_count_as_steps_alone() -> None:
    costs = event_costs([_stage(_step(1, 1), unit=Unit.STEPS)], 1)
    assert (costs.rebuilt, costs.steps) == ((0,), (1,))


def _compared(before: OrderedStage, after: OrderedStage, events: int, count: int) -> Comparison:
    return compare([before], [after], events, count=count, unit=Unit.BYTES)


def test_two_orders_are_compared_event_by_event() -> None:
    often, seldom = _step(10, 0b0111), _step(90, 0b1000, Reach.RUN)
    comparison = _compared(_stage(often, seldom), _stage(seldom, often), 0b1111, 4)
    assert comparison.rebuilds == 4
    assert comparison.before.rebuilt.mean == Fraction(100 + 100 + 100 + 90, 4)
    assert comparison.after.rebuilt.mean == Fraction(10 + 10 + 10 + 100, 4)
    assert (comparison.before.rebuilt.p95, comparison.after.rebuilt.p95) == (100, 100)
    assert (comparison.better, comparison.worse, comparison.most_worse) == (3, 1, 10)
    assert comparison.before.cached == Fraction(10, 400)
    assert comparison.after.cached == Fraction(270, 400)
    assert comparison.saved_share == Fraction(260, 390)


def test_only_the_events_asked_for_that_rebuild_something_count() -> None:
    step = _step(10, 0b0101)
    comparison = _compared(_stage(step), _stage(step), 0b0011, 4)
    assert comparison.rebuilds == 1
    nothing = _compared(_stage(step), _stage(step), 0b1010, 4)
    assert nothing.rebuilds == 0
    assert nothing.saved_share == 0
    assert nothing.before.cached is None


@given(st.lists(st.integers(0, 30), min_size=1, max_size=50))
def test_95_percent_do_not_exceed_p95_and_no_less_would_do(sizes: list[int]) -> None:
    stage = _stage(*(_step(size, 1 << n, Reach.LINKED) for n, size in enumerate(sizes)))
    count = len(sizes)
    p95 = _compared(stage, stage, (1 << count) - 1, count).before.rebuilt.p95
    assert sum(size <= p95 for size in sizes) >= 0.95 * count
    assert sum(size < p95 for size in sizes) < 0.95 * count


@pytest.mark.parametrize("count", [10, 11, 100])
def test_the_newest_three_in_ten_are_held_out(count: int) -> None:
    rebuilding = sum(1 << 2 * number for number in range(count))
    division = divided(rebuilding)
    assert division.held_out
    assert division.fitted | division.reported == rebuilding
    assert division.fitted < division.reported & -division.reported  # all older
    assert division.fitted.bit_count() == count * 70 // 100


def test_of_a_few_none_is_held_out() -> None:
    division = divided(0b1_0101)
    assert (division.fitted, division.reported) == (0b1_0101, 0b1_0101)
    assert not division.held_out
    assert not divided(0).reported


@pytest.mark.parametrize(
    ("before", "after", "worth"),
    [
        (100, 95, True),
        (100, 96, False),
        (100, 100, False),
        (100, 200, False),
        (1000 * MB, 999 * MB, True),
        (1000 * MB, 999 * MB + 1, False),
    ],
)
def test_five_percent_or_a_megabyte_is_worth_it(before: int, after: int, worth: bool) -> None:
    assert worth_it(_compared(_stage(_step(before, 1)), _stage(_step(after, 1)), 1, 1)) == worth
