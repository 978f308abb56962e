"""Dockerfiles built in every order that the engine has proved: the same files, the same config."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.stage_graph import Tier

from .built_stage import Built
from .model_builder import Impossible, Item, built, entries_of

CONTEXT = {"a": "1", "b": "2", "d/a": "3", "d/e/c": "4", "f/a": "5"}
BASE = {
    "/x": Item(0o755, 0),
    "/y": Item(0o700, 7),
    "/l": Item(0o777, 0, target="/x"),
    "/x/b": Item(0o644, 0, content="0"),
}
_SOURCES = st.sampled_from(["a", "b", "d", "f", ".", "a b", "d/e", "$A"])
_DESTINATIONS = st.sampled_from(
    [
        *("/x/", "/x", "/x/a", "/x/e", "/y/", "/n", "/n/", "/n/a", "/n/m/", "/n/m/a", "/l/"),
        *("/l/n", ".", "./", "a", "m/", "/$A/", "$B/x"),
    ]
)
_COPIES = st.builds(
    lambda owner, source, destination: f"COPY {owner}{source} {destination}",
    st.sampled_from(["", "", "", "--chown=7 ", "--chown=0 "]),
    _SOURCES,
    _DESTINATIONS,
)
_OTHERS = st.sampled_from(
    ["WORKDIR /x", "WORKDIR /n", "WORKDIR m", "WORKDIR /l/n", "ENV A=d", "ENV B=/n", "ENV A=b B=$A"]
)
_LINES = st.lists(st.one_of(_COPIES, _COPIES, _OTHERS), min_size=2, max_size=4)
_MODES = st.sampled_from([{}, {".": 0o700}, {"d": 0o750}, {"d/e": 0o700, "f": 0o700}])


def check(lines: list[str], modes: dict[str, int]) -> int:
    """Build in every order that is allowed; the number of those orders."""
    text = "\n".join(["FROM x", *lines, ""])
    instructions = parse_dockerfile(text.encode()).stages[0].instructions
    try:
        expected, layers = built(instructions, BASE, CONTEXT, modes)
    except Impossible:
        return 0
    for context in (None, CONTEXT):
        graph = Built(
            text,
            layers,
            context,
            entries_of(BASE),
            tuple(f"{name}={value}" for name, value in expected.environment.items()),
            working_dir=expected.directory,
            modes=modes,
        ).graph()
        held = [(edge.earlier, edge.later) for edge in graph.edges if edge.holds(Tier.PROVED)]
        orders = [
            order
            for order in permutations(range(len(instructions)))
            if all(order.index(one) < order.index(other) for one, other in held)
        ]
        for order in orders:
            again, _ = built([instructions[each] for each in order], BASE, CONTEXT, modes)
            assert again.tree == expected.tree
            assert again.environment == expected.environment
            assert again.directory == expected.directory
    return len(orders)


@settings(max_examples=200)
@given(_LINES, _MODES)
@example(["COPY --chown=7 a /n/m/", "COPY b /n/"], {})
@example(["COPY . /n/", "COPY a /n/m/a"], {".": 0o700})
@example(["COPY a /n", "COPY b /n/"], {})
@example(["COPY d /n", "COPY f /n"], {"d/e": 0o700})
@example(["WORKDIR /n", "COPY d /n/m", "COPY a m"], {})
@example(["ENV A=b", "COPY $A /n/"], {})
@example(["WORKDIR /n", "ENV A=b B=$A", "COPY a $B/x"], {})
def test_every_order_that_is_proved_builds_the_same(
    lines: list[str], modes: dict[str, int]
) -> None:
    check(lines, modes)


@pytest.mark.parametrize(
    ("lines", "orders"),
    [
        (["COPY a /x/", "COPY b /y/"], 2),
        (["COPY a /n/", "COPY b /n/"], 2),
        (["COPY d /n/", "COPY f /n/m/", "ENV A=b"], 6),
        (["COPY a /x/", "COPY f /x/"], 1),
        (["WORKDIR /x", "COPY a .", "COPY b /y/"], 3),
    ],
)
def test_orders_are_not_refused_without_need(lines: list[str], orders: int) -> None:
    assert check(lines, {}) == orders
