"""The order of a stage's steps that rebuilds the fewest bytes, found exactly.

What a step costs when it is appended to those already placed depends on *which* they are and
hardly on how they are ordered: it is rebuilt in every event that dirties it or one of them. So
dynamic programming over the sets that may come first (the order ideals of the graph) finds an
optimal order, events that dirty several steps at once included. Where only part of what is
before a step dirties it (a variable dirties the RUNs alone), the state holds the events that have
spread to everything, which keeps it exact.

Sets of steps and of events are bit masks: step or event n is bit n.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

MAX_STATES = 1 << 16
"""States gone on with before the search is no longer exact: enough for 18 steps in any order, whose
2^18 sets are mostly given up early, for they must cost more than an order that is known."""

BEAM_WIDTH = 1 << 8
"""Sets of one size that the inexact search goes on with."""


_FEW = 512
"""So many sets of one size are gone on with, hopeful or not."""


class Reach(enum.Enum):
    """What dirties a step beside its own inputs, and what it dirties after it."""

    RUN = "run"
    """Dirtied by all before it; dirties all after it."""
    FILES = "files"
    """Dirtied by the files before it, not by variables; dirties all after it."""
    LINKED = "linked"
    """``COPY --link``: dirtied by its own inputs alone; dirties all after it that is not linked."""
    VARIABLE = "variable"
    """Never rebuilt itself; dirties the RUNs after it: ENV, ARG, USER, SHELL."""
    CONFIG = "config"
    """Never rebuilt itself and dirties nothing: LABEL, CMD, EXPOSE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStep:
    """A step as its place in the order sees it.

    ``size``: what rebuilding it costs, in bytes or in whatever the caller counts. ``events``: the
    events that change its own inputs. ``after``: the steps that must come before it.
    """

    size: int
    events: int
    reach: Reach
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOrder:
    """``order``: the numbers of the steps, first to last. ``cost``: the sizes of all steps rebuilt
    in all events. ``proven``: no order that keeps to the graph costs less."""

    order: tuple[int, ...]
    cost: int
    proven: bool


def best_order(
    steps: Sequence[OrderStep],
    base: int = 0,
    *,
    max_states: int = MAX_STATES,
    beam_width: int = BEAM_WIDTH,
) -> BestOrder:
    """The cheapest order of ``steps``; among those, one that swaps the fewest pairs.

    ``base``: the events that dirty what the first step stands on. The steps' own order must keep
    to their graph (ValueError). Steps that cost nothing and dirty nothing take no part in the
    search: they stay as close to where they were as the others let them.
    """
    after = transitive(steps)
    variables = any(step.reach is Reach.VARIABLE and step.events for step in steps)
    searched = [number for number, step in enumerate(steps) if _matters(step, variables=variables)]
    problem = _restricted(steps, after, searched)
    guess = _best_guess(problem, base, beam_width)
    found = _search(problem, base, max_states=max_states, bound=order_cost(problem, guess, base))
    proven = found is not None
    found = guess if found is None else found
    order = _merged(len(steps), after, [searched[position] for position in found])
    return BestOrder(order=order, cost=order_cost(steps, order, base), proven=proven)


def order_cost(steps: Sequence[OrderStep], order: Sequence[int], base: int = 0) -> int:
    """The sizes of all steps that are rebuilt in all events, were they in this ``order``."""
    return sum(
        steps[number].size * rebuilt.bit_count()
        for number, rebuilt in zip(order, rebuilt_events(steps, order, base), strict=True)
    )


def rebuilt_events(
    steps: Sequence[OrderStep], order: Sequence[int], base: int = 0
) -> Iterator[int]:
    """For each step of ``order``, the events in which it is rebuilt."""
    state = _State(placed=0, spread=base, variables=0)
    for number in order:
        step = steps[number]
        yield _rebuilt(step, state)
        state = _appended(step, number, state)


def transitive(steps: Sequence[OrderStep]) -> tuple[int, ...]:
    """For each step all that must come before it, also by way of others.

    Raises ValueError where a step would have to come before one that it already follows.
    """
    closed: list[int] = []
    for number, step in enumerate(steps):
        if step.after >> number:
            raise ValueError(f"step {number} stands before one that must come before it")
        before = step.after
        for other in bits(step.after):
            before |= closed[other]
        closed.append(before)
    return tuple(closed)


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


class _State(NamedTuple):
    """``placed``: the steps placed. ``spread``: the events that dirty every file and RUN from here
    on. ``variables``: the events that dirty every RUN from here on."""

    placed: int
    spread: int
    variables: int


def _rebuilt(step: OrderStep, state: _State) -> int:
    match step.reach:
        case Reach.RUN:
            return step.events | state.spread | state.variables
        case Reach.FILES:
            return step.events | state.spread
        case Reach.LINKED:
            return step.events
        case Reach.VARIABLE | Reach.CONFIG:
            return 0


def _appended(step: OrderStep, number: int, state: _State) -> _State:
    placed = state.placed | 1 << number
    match step.reach:
        case Reach.RUN | Reach.FILES | Reach.LINKED:
            return _State(placed, state.spread | _rebuilt(step, state), state.variables)
        case Reach.VARIABLE:
            return _State(placed, state.spread, state.variables | step.events)
        case Reach.CONFIG:
            return _State(placed, state.spread, state.variables)


def _matters(step: OrderStep, *, variables: bool) -> bool:
    """Whether the step's place can change what any order costs. *variables*: whether any changes,
    which a RUN of no size passes on to the files after it."""
    match step.reach:
        case Reach.RUN if variables:
            return True
        case Reach.RUN | Reach.FILES | Reach.LINKED:
            return step.size > 0 or step.events != 0
        case Reach.VARIABLE:
            return step.events != 0
        case Reach.CONFIG:
            return False


def _restricted(
    steps: Sequence[OrderStep], after: Sequence[int], kept: Sequence[int]
) -> tuple[OrderStep, ...]:
    """The ``kept`` steps as a problem of their own, renumbered."""
    position = {number: place for place, number in enumerate(kept)}
    return tuple(
        OrderStep(
            size=steps[number].size,
            events=steps[number].events,
            reach=steps[number].reach,
            after=sum(1 << position[other] for other in bits(after[number]) if other in position),
        )
        for number in kept
    )


class _Reached(NamedTuple):
    """The best way found to a state: what it cost, the pairs it swapped, and its last step."""

    cost: int
    swaps: int
    last: int
    previous: _Reached | None


def _best_guess(steps: Sequence[OrderStep], base: int, width: int) -> tuple[int, ...]:
    """A good order, never worse than the steps' own: of each size only the most hopeful sets are
    gone on with."""
    level = _start(base)
    for _ in steps:
        level = _most_hopeful(steps, _extended(steps, level), width)
    found = _path(min(level.values(), key=lambda reached: reached[:2]))
    as_it_was = tuple(range(len(steps)))
    better = order_cost(steps, found, base) < order_cost(steps, as_it_was, base)
    return found if better else as_it_was


def _search(
    steps: Sequence[OrderStep], base: int, *, max_states: int, bound: int
) -> tuple[int, ...] | None:
    """The cheapest order, one more step at a time; None when ``max_states`` do not suffice.

    ``bound``: what some order costs. What must cost more is not gone on with.
    """
    level = _start(base)
    seen = 1
    for _ in steps:
        level = _extended(steps, level)
        if len(level) > _FEW:
            level = {
                state: reached
                for state, reached in level.items()
                if reached.cost + _rest(steps, state) <= bound
            }
        seen += len(level)
        if seen > max_states:
            return None
    return _path(min(level.values(), key=lambda reached: reached[:2]))


def _start(base: int) -> dict[_State, _Reached]:
    return {_State(0, base, 0): _Reached(0, 0, -1, None)}


def _rest(steps: Sequence[OrderStep], state: _State) -> int:
    """The least that the steps not yet placed can cost: were nothing more dirtied than is now."""
    placed, spread, variables = state
    everything = spread | variables
    rest = 0
    for number, step in enumerate(steps):
        if placed >> number & 1:
            continue
        match step.reach:
            case Reach.FILES:
                rest += step.size * (step.events | spread).bit_count()
            case Reach.RUN:
                rest += step.size * (step.events | everything).bit_count()
            case Reach.LINKED:
                rest += step.size * step.events.bit_count()
            case _:
                pass
    return rest


def _extended(steps: Sequence[OrderStep], level: dict[_State, _Reached]) -> dict[_State, _Reached]:
    """The states that one more step leads to: the innermost loop, so `_rebuilt` and `_appended`
    are written out in it."""
    rows = [
        (1 << number, step.after, step.size, step.events, step.reach, number)
        for number, step in enumerate(steps)
    ]
    run, files, linked = Reach.RUN, Reach.FILES, Reach.LINKED
    following: dict[_State, _Reached] = {}
    find = following.get
    for state, reached in level.items():
        placed, spread, variables = state
        known_cost, known_swaps = reached[0], reached[1]
        for bit, after, size, events, reach, number in rows:
            if placed & bit or after & ~placed:
                continue
            passed_on = variables
            if reach is files:
                rebuilt = everywhere = events | spread
            elif reach is run:
                rebuilt = everywhere = events | spread | variables
            elif reach is linked:
                rebuilt, everywhere = events, events | spread
            else:
                rebuilt, everywhere = 0, spread
                if reach is Reach.VARIABLE:
                    passed_on = variables | events
            cost = known_cost + size * rebuilt.bit_count()
            target = _State(placed | bit, everywhere, passed_on)
            known = find(target)
            if known is None or cost <= known[0]:
                swaps = known_swaps + (~placed & (bit - 1)).bit_count()
                if known is None or (cost, swaps) < known[:2]:
                    following[target] = _Reached(cost, swaps, number, reached)
    return following


def _most_hopeful(
    steps: Sequence[OrderStep], level: dict[_State, _Reached], width: int
) -> dict[_State, _Reached]:
    """The states whose whole cost, were nothing dirtied but what is already, would be least."""
    if len(level) <= width:
        return level

    def hope(item: tuple[_State, _Reached]) -> tuple[int, int]:
        state, reached = item
        return reached.cost + _rest(steps, state), reached.swaps

    return dict(sorted(level.items(), key=hope)[:width])


def _path(reached: _Reached) -> tuple[int, ...]:
    order: list[int] = []
    step: _Reached | None = reached
    while step is not None and step.previous is not None:
        order.append(step.last)
        step = step.previous
    return tuple(reversed(order))


def _merged(count: int, after: Sequence[int], found: Sequence[int]) -> tuple[int, ...]:
    """The ``found`` order with the steps that are not in it put back.

    Each stays before the first step that followed it, unless something it needs comes later.
    """
    others = [number for number in range(count) if number not in set(found)]
    order: list[int] = []
    placed = 0

    def place(number: int) -> None:
        nonlocal placed
        order.append(number)
        placed |= 1 << number

    for number in found:
        for other in list(others):
            needed = after[number] >> other & 1
            if not after[other] & ~placed and (needed or other < number):
                others.remove(other)
                place(other)
        place(number)
    for other in others:
        place(other)
    return tuple(order)
