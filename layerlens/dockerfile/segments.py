"""A stage's new order cut into parts: within one, instructions change places; between, never.

So each part can be taken or left by itself, and every order in between keeps to the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layerlens.dockerfile.stage_graph import StageGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """``positions``: numbers of the graph's steps, in the new order. They are all those from one
    number to another. ``changes``: whether anything differs from the stage as it is."""

    positions: tuple[int, ...]
    changes: bool


def spans_of(graph: StageGraph, order: Sequence[int]) -> tuple[Span, ...]:
    """The smallest such parts. A step that is put in is in the part of the step it is put in for:
    the first that changes places and must come after it."""
    count = len(graph.steps)
    joined = [False] * max(count - 1, 0)  # whether position n and n + 1 are in one part
    place = {number: index for index, number in enumerate(order)}
    moving: set[int] = set()
    for later in range(count):
        for earlier in range(later):
            if place[earlier] > place[later]:
                moving.update((earlier, later))
                joined[earlier:later] = [True] * (later - earlier)
    reworded = {number for number in range(count) if _is_reworded(graph, number)}
    for number in reworded:
        served = min(
            (edge.later for edge in graph.edges if edge.earlier == number and edge.later in moving),
            default=None,
        )
        if served is not None and graph.steps[number].origin is None:
            low, high = sorted((number, served))
            joined[low:high] = [True] * (high - low)
    spans: list[Span] = []
    start = 0
    for number in range(count):
        if number + 1 < count and joined[number]:
            continue
        inside = range(start, number + 1)
        spans.append(
            Span(
                positions=tuple(each for each in order if each in inside),
                changes=any(each in moving or each in reworded for each in inside),
            )
        )
        start = number + 1
    return tuple(spans)


def _is_reworded(graph: StageGraph, number: int) -> bool:
    step = graph.steps[number]
    return step.origin is None or step.instruction != graph.stage.instructions[step.origin]
