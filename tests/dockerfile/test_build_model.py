"""Which events reach which step, from inside a stage and from outside."""

from __future__ import annotations

import pytest

from layerlens.dockerfile.build_events import BuildEvents
from layerlens.dockerfile.build_model import (
    ModelBuilder,
    StageModel,
    Unit,
    needed_stages,
    reach_of,
)
from layerlens.dockerfile.dockerfile_changes import Place
from layerlens.dockerfile.ordering import Reach
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.stage_graph import Tier

from .stage_graphs import build_events, graph_of

A, B, C, D = 0b0001, 0b0010, 0b0100, 0b1000


def _models(
    text: str,
    events: BuildEvents,
    sizes: dict[int, list[int]] | None = None,
    environments: dict[Place, dict[str, str]] | None = None,
) -> list[StageModel]:
    dockerfile = parse_dockerfile(text.encode())
    builder = ModelBuilder(dockerfile, dockerfile.stages[-1], events, environments or {})
    return [
        builder.model(graph_of(dockerfile, stage.number, (sizes or {}).get(stage.number), {}))
        for stage in dockerfile.stages
    ]


def _own(model: StageModel) -> list[int]:
    return [step.events for step in model.steps]


def test_a_step_is_touched_by_its_sources_its_mounts_and_its_text() -> None:
    text = (
        "FROM x\nCOPY a /\nADD b* /\nRUN make\n"
        "RUN --mount=type=bind,source=a,target=/a make\nENV x=1\n"
    )
    (model,) = _models(
        text,
        build_events({"a/1": A, "b2": B}, count=4, texts={Place(0, 2): C, Place(0, 4): D}),
    )
    assert _own(model) == [A, B, C, A, D]
    assert model.base == 0
    assert model.dirty == A | B | C | D


def test_sources_are_expanded() -> None:
    (model,) = _models(
        "FROM x\nCOPY $dir /\n",
        build_events({"a/1": A, "b/1": B}, count=2),
        environments={Place(0, 0): {"dir": "b"}},
    )
    assert _own(model) == [B]


def test_what_a_link_leads_to_touches_what_copies_it() -> None:
    dockerfile = parse_dockerfile(b"FROM x\nCOPY conf /c/\nCOPY *.txt /\n")
    events = build_events({"conf": A, "etc/conf/x": B, "r.txt": C, "reqs/r.txt": D}, count=4)
    links = {"conf": "etc/conf", "r.txt": "reqs/r.txt"}
    builder = ModelBuilder(dockerfile, dockerfile.stages[-1], events, {}, links)
    assert _own(builder.model(graph_of(dockerfile, 0, None, {}))) == [A | B, C | D]


def test_a_stage_stands_on_its_base_and_takes_over_what_dirties_it() -> None:
    text = "FROM x AS one\nCOPY a /\nFROM one AS two\nCOPY b /\nFROM y\nCOPY --from=two /b /\n"
    one, two, last = _models(
        text,
        build_events(
            {"a": A, "b": B}, count=4, bases={0: C, 2: D}, texts={Place(1, -1): D, Place(9, 9): D}
        ),
    )
    assert (one.base, _own(one), one.dirty) == (C, [A], A | C)
    assert (two.base, _own(two), two.dirty) == (A | C | D, [B], A | B | C | D)
    assert (last.base, _own(last)) == (D, [A | B | C | D])


def test_mounts_of_stages_and_stages_by_number_count_and_images_do_not() -> None:
    text = (
        "FROM x\nCOPY a /\nFROM y\nRUN --mount=from=0,target=/m make\nCOPY --from=0 /a /\n"
        "COPY --from=nginx:1 /a /\n"
    )
    _, last = _models(text, build_events({"a": A}, count=1))
    assert _own(last) == [A, A, 0]


def test_sizes_count_where_all_layers_of_the_image_are_known() -> None:
    text = "FROM x AS one\nRUN a\nFROM one AS two\nCOPY b /\nLABEL a=b\n"
    one, two = _models(text, build_events({}, count=1), sizes={0: [7], 1: [9, 0]})
    assert (one.unit, one.in_image, [step.size for step in one.steps]) == (Unit.BYTES, True, [7])
    assert [step.size for step in two.steps] == [9, 0]
    one, two = _models(text, build_events({}, count=1), sizes={1: [9, 0]})
    assert (one.unit, [step.size for step in one.steps]) == (Unit.STEPS, [1])
    _, last = _models(
        "FROM x\nRUN a\nFROM y\nRUN b\n", build_events({}, count=1), sizes={0: [7], 1: [9]}
    )
    assert last.unit is Unit.BYTES
    first, _ = _models("FROM x\nRUN a\nFROM y\nRUN b\n", build_events({}, count=1), {0: [7]})
    assert (first.unit, first.in_image) == (Unit.STEPS, False)


def test_edges_become_masks_as_far_as_a_tier_lets_them() -> None:
    dockerfile = parse_dockerfile(b"FROM x\nCOPY a /\nRUN b\nCOPY c /\n")
    graph = graph_of(dockerfile, 0, None, {(0, 1): Tier.CONTRACT, (1, 2): None, (0, 2): Tier.IDEA})
    events = build_events({}, count=1)
    model = ModelBuilder(dockerfile, dockerfile.stages[0], events, {}).model(graph)
    masks = {tier: [step.after for step in model.problem(tier)] for tier in Tier}
    assert masks == {Tier.PROVED: [0, 1, 1], Tier.CONTRACT: [0, 0, 1], Tier.IDEA: [0, 0, 0]}


@pytest.mark.parametrize(
    ("line", "reach"),
    [
        ("RUN a", Reach.RUN),
        ("COPY a /", Reach.FILES),
        ("COPY --link a /", Reach.LINKED),
        ("COPY --link=false a /", Reach.FILES),
        ("ADD --link a /", Reach.LINKED),
        ("WORKDIR /a", Reach.FILES),
        ("ENV a=b", Reach.VARIABLE),
        ("ARG a", Reach.VARIABLE),
        ("USER a", Reach.VARIABLE),
        ('SHELL ["a"]', Reach.VARIABLE),
        ("LABEL a=b", Reach.CONFIG),
        ("CMD a", Reach.CONFIG),
        ("ENTRYPOINT a", Reach.CONFIG),
        ("EXPOSE 80", Reach.CONFIG),
        ("HEALTHCHECK NONE", Reach.CONFIG),
    ],
)
def test_what_an_instruction_reaches(line: str, reach: Reach) -> None:
    (instruction,) = parse_dockerfile(f"FROM x\n{line}\n".encode()).stages[0].instructions
    assert reach_of(instruction) is reach


def test_the_stages_that_a_target_needs() -> None:
    dockerfile = parse_dockerfile(
        b"FROM x AS a\nFROM a AS b\nFROM y AS c\nFROM z AS d\nRUN --mount=from=c,target=/c x\n"
        b"COPY --from=b / /\nFROM z AS e\n"
    )
    needed = needed_stages(dockerfile, dockerfile.target("d"))
    assert [stage.title for stage in needed] == ["a", "b", "c", "d"]
    assert [stage.title for stage in needed_stages(dockerfile, dockerfile.target(None))] == ["e"]
