"""From graphs and events to suggestions: what is kept, what is said of it, what it comes to."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerlens.dockerfile.build_model import Unit
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.stage_graph import Edge, Release, Rewrite, StageGraph, Step, Tier
from layerlens.dockerfile.suggesting import Matter, advise

from .stage_graphs import MB, build_events, graph_of, matter_of

SIMPLE = "FROM base\nCOPY . /app\nRUN pip install -r /requirements.txt\nCMD x\n"
EVERY, FEW = (1 << 20) - 1, 1 << 3 | 1 << 17


HELD: dict[tuple[int, int], Tier | None] = {}


def _simple(
    release: Tier | None = Tier.CONTRACT,
    size: int = 100 * MB,
    releases: dict[tuple[int, int], Tier | None] | None = None,
) -> Matter:
    return matter_of(
        SIMPLE,
        build_events({"src.py": EVERY & ~FEW}, count=20),
        sizes={0: [MB, size, 0]},
        releases={0: {(0, 1): release} if releases is None else releases},
    )


def test_a_copy_that_changes_often_sinks_below_a_run_that_does_not() -> None:
    advice = advise(_simple())
    (suggestion,) = advice.suggestions
    assert suggestion.tier is Tier.CONTRACT
    assert suggestion.reasons == ("1 needs no 0",)
    (move,) = suggestion.moves
    assert (move.step.text, move.below, move.anchor.line) == ("COPY . /app", True, 3)
    assert [step.line for step in suggestion.steps] == [3, 2]
    outcome = advice.outcome(advice.numbers)
    assert outcome.text == ("FROM base\nRUN pip install -r /requirements.txt\nCOPY . /app\nCMD x\n")
    comparison = outcome.comparison
    assert comparison.rebuilds == 6  # the newest of the 18 that rebuild anything
    assert comparison.before.rebuilt.mean == 101 * MB
    assert comparison.after.rebuilt.mean == MB
    assert (comparison.better, comparison.worse) == (6, 0)
    assert comparison.saved == 100 * MB
    assert advice.proven
    assert advice.unit is Unit.BYTES


def test_what_is_left_is_as_it_was() -> None:
    advice = advise(_simple())
    outcome = advice.outcome(())
    assert outcome.text == SIMPLE
    assert outcome.comparison.saved == 0


@pytest.mark.parametrize(("release", "tier"), [(None, Tier.PROVED), (Tier.CONTRACT, Tier.CONTRACT)])
def test_a_suggestion_stands_on_what_it_crosses(release: Tier | None, tier: Tier) -> None:
    (suggestion,) = advise(_simple(release)).suggestions
    assert suggestion.tier is tier


def test_evidence_that_is_not_taken_makes_no_suggestion() -> None:
    assert advise(_simple(), Tier.PROVED).suggestions == ()
    advice = advise(_simple(Tier.IDEA))
    assert advice.suggestions == ()
    (idea,) = advice.ideas
    assert idea.tier is Tier.IDEA
    assert advice.outcome({idea.number}).text == SIMPLE
    assert [each.tier for each in advise(_simple(Tier.IDEA), Tier.IDEA).suggestions] == [Tier.IDEA]


def test_what_is_suggested_already_is_no_idea() -> None:
    assert advise(_simple()).ideas == ()


def test_what_cannot_move_says_what_holds_it() -> None:
    advice = advise(_simple(releases=HELD))
    assert advice.suggestions == ()
    (hold,) = advice.holds
    assert (hold.step.line, hold.by.line, hold.reason) == (3, 2, "it reads all")
    assert hold.lost == 6 * 100 * MB


def test_what_has_moved_is_held_by_nothing() -> None:
    assert advise(_simple()).holds == ()


def test_what_could_be_crossed_holds_nothing() -> None:
    """The RUN need not stay below the first COPY; that gains nothing while the second holds it."""
    matter = matter_of(
        "FROM base\nCOPY src.py /app/\nCOPY lib /lib\nRUN useradd app\n",
        build_events({"src.py": EVERY, "lib/a": EVERY}, count=20),
        sizes={0: [MB, MB, 100 * MB]},
        releases={0: {(0, 1): None, (0, 2): Tier.CONTRACT}},
    )
    advice = advise(matter)
    assert advice.suggestions == ()
    assert [(hold.step.line, hold.by.line) for hold in advice.holds] == [(4, 3)]


def test_a_saving_that_the_newest_events_do_not_show_is_not_suggested() -> None:
    text = "FROM base\nCOPY a /\nCOPY b /\n"
    old, new = (1 << 14) - 1, EVERY & ~((1 << 14) - 1)
    matter = matter_of(
        text,
        build_events({"a": old, "b": new}, count=20),
        sizes={0: [9 * MB, 9 * MB]},
        releases={0: {(0, 1): None}},
    )
    advice = advise(matter)
    assert advice.suggestions == ()
    assert advice.division.held_out


def test_few_rebuilds_are_all_fitted_to() -> None:
    matter = matter_of(
        SIMPLE,
        build_events({"src.py": 0b1111}, count=4),
        sizes={0: [MB, 100 * MB, 0]},
        releases={0: {(0, 1): None}},
    )
    advice = advise(matter)
    assert len(advice.suggestions) == 1
    assert not advice.division.held_out
    assert advice.outcome({1}).comparison.rebuilds == 4


def test_a_small_saving_is_not_worth_a_change() -> None:
    assert advise(_simple(size=20_000)).suggestions == ()  # 2 % of a rebuild
    assert len(advise(_simple(size=90_000)).suggestions) == 1  # 8 %
    matter = matter_of(
        SIMPLE,
        build_events({"src.py": EVERY}, count=20),
        sizes={0: [100 * MB, 1_100_000, 0]},
        releases={0: {(0, 1): None}},
    )
    assert len(advise(matter).suggestions) == 1  # 1 %, and more than 1 MB


def test_without_sizes_steps_are_counted() -> None:
    matter = matter_of(SIMPLE, build_events({"s": EVERY}, count=20), releases={0: {(0, 1): None}})
    advice = advise(matter)
    assert advice.unit is Unit.STEPS
    comparison = advice.outcome({1}).comparison
    assert comparison.before.steps.mean == 2
    assert comparison.after.steps.mean == 1
    assert comparison.before.cached is None


STAGES = """\
FROM go AS build
COPY . /src
RUN go mod download
RUN go build
FROM base
RUN apt-get install
COPY --from=build /app /app
"""


def test_a_stage_whose_layers_are_not_in_the_image_is_counted_in_steps() -> None:
    matter = matter_of(
        STAGES,
        build_events({"main.go": EVERY}, count=20),
        sizes={1: [50 * MB, 5 * MB]},
        releases={0: {(0, 1): Tier.CONTRACT}},
    )
    advice = advise(matter)
    (suggestion,) = advice.suggestions
    assert suggestion.stage == "build"
    assert suggestion.saving.unit is Unit.STEPS
    assert suggestion.saving.before.steps.mean == 4
    assert suggestion.saving.after.steps.mean == 3
    run = suggestion.steps[0]
    assert (run.changed, run.rebuilt_before, run.rebuilt_after) == (0, 6, 0)
    assert advice.unit is Unit.BYTES
    assert advice.outcome({1}).comparison.before.rebuilt.mean == 5 * MB


def test_what_a_stage_copies_of_another_changes_with_it() -> None:
    text = "FROM go AS build\nCOPY . /src\nFROM base\nCOPY --from=build /a /\nRUN apt\n"
    matter = matter_of(
        text,
        build_events({"main.go": EVERY}, count=20),
        sizes={1: [MB, 50 * MB]},
        releases={1: {(0, 1): Tier.CONTRACT}},
    )
    (suggestion,) = advise(matter).suggestions
    assert suggestion.stage == "1"
    assert suggestion.saving.saved == 50 * MB


SPLIT = "FROM base\nWORKDIR /app\nCOPY . .\nRUN npm ci\n"


def _split() -> Rewrite:
    graph = graph_of(parse_dockerfile(SPLIT.encode()), 0, [0, MB, 50 * MB], {})
    copy = parse_dockerfile(b"FROM x\nCOPY package.json ./\n").stages[0].instructions[0]
    put_in = Step(instruction=copy, text="COPY package.json ./\n", origin=None, size=100)
    workdir, everything, run = graph.steps
    return Rewrite(
        tier=Tier.CONTRACT,
        title="copy the manifest first",
        reason="npm ci reads it alone",
        step=1,
        graph=StageGraph(
            stage=graph.stage,
            steps=(workdir, put_in, everything, run),
            edges=(
                Edge(earlier=0, later=1, reason="r"),
                Edge(earlier=0, later=2, reason="r"),
                Edge(earlier=0, later=3, reason="r"),
                Edge(earlier=1, later=3, reason="r"),
                Edge(
                    earlier=2,
                    later=3,
                    reason="r",
                    release=Release(tier=Tier.CONTRACT, reason="npm ci reads the manifest alone"),
                ),
            ),
        ),
    )


def test_a_copy_is_split_where_that_saves() -> None:
    matter = matter_of(
        SPLIT,
        build_events({"src.js": EVERY, "package.json": FEW}, count=20),
        sizes={0: [0, MB, 50 * MB]},
        rewrites={0: [_split()]},
    )
    advice = advise(matter)
    (suggestion,) = advice.suggestions
    (rewording,) = suggestion.rewordings
    assert (rewording.step.text, rewording.step.line) == ("COPY package.json ./", None)
    assert suggestion.tier is Tier.CONTRACT
    assert [move.step.text for move in suggestion.moves] == ["COPY . ."]
    assert advice.outcome({1}).text == (
        "FROM base\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\nCOPY . .\n"
    )
    assert advice.outcome(()).text == SPLIT
    before, after = (advice.comparison(taken).after.rebuilt.mean for taken in ((), advice.numbers))
    assert before == 51 * MB
    assert after == pytest.approx(MB + (50 * MB + 100) / 6, abs=1)


def test_a_split_that_saves_nothing_is_left() -> None:
    matter = matter_of(
        SPLIT,
        build_events({"package.json": EVERY}, count=20),
        sizes={0: [0, MB, 50 * MB]},
        rewrites={0: [_split()]},
    )
    assert advise(matter).suggestions == ()
    assert (
        advise(
            matter_of(
                SPLIT,
                build_events({"src.js": EVERY}, count=20),
                sizes={0: [0, MB, 50 * MB]},
                rewrites={0: [_split()]},
            ),
            Tier.PROVED,
        ).suggestions
        == ()
    )


TWO = "FROM base\nCOPY a /\nRUN x\nRUN both\nCOPY b /\nRUN y\n"


def test_each_part_is_a_suggestion_of_its_own_that_can_be_taken_or_left() -> None:
    matter = matter_of(
        TWO,
        build_events({"a": EVERY, "b": EVERY}, count=20),
        sizes={0: [MB, 40 * MB, MB, MB, 60 * MB]},
        releases={0: {(0, 1): Tier.CONTRACT, (3, 4): None}},
    )
    advice = advise(matter)
    # RUN y is dirtied by RUN both however it is ordered, so moving b saves nothing.
    assert [each.tier for each in advice.suggestions] == [Tier.CONTRACT]


def test_suggestions_in_several_stages_are_numbered_through() -> None:
    text = "FROM x AS one\nCOPY a /\nRUN x\nFROM y\nCOPY --from=one /r /\nCOPY b /\nRUN y\n"
    matter = matter_of(
        text,
        build_events({"a": FEW, "b": EVERY}, count=20),
        sizes={1: [MB, MB, 60 * MB]},
        releases={0: {(0, 1): None}, 1: {(1, 2): Tier.CONTRACT, (0, 1): None, (0, 2): None}},
    )
    advice = advise(matter)
    assert [(each.number, each.stage) for each in advice.suggestions] == [(1, "one"), (2, "1")]


@st.composite
def _cases(draw: st.DrawFn) -> Matter:
    count = draw(st.integers(1, 6))
    lines = [
        draw(st.sampled_from([f"COPY f{n} /", f"RUN r{n}", f"ENV v{n}=1", f"LABEL l{n}=1"]))
        for n in range(count)
    ]
    pairs = list(itertools.combinations(range(count), 2))
    tiers = st.sampled_from([None, *Tier])
    releases = {pair: draw(tiers) for pair in pairs if draw(st.booleans())}
    paths = {f"f{n}": draw(st.integers(0, (1 << 16) - 1)) for n in range(count)}
    sizes = [draw(st.sampled_from([0, 10_000, 3 * MB, 40 * MB])) for _ in range(count)]
    return matter_of(
        "FROM base\n" + "\n".join(lines) + "\n",
        build_events(paths, count=16),
        sizes={0: sizes},
        releases={0: releases},
    )


@settings(max_examples=60)
@given(_cases(), st.sampled_from(list(Tier)), st.integers(0, 15))
def test_any_choice_keeps_to_the_edges_and_to_the_lines(
    matter: Matter, tier: Tier, bits: int
) -> None:
    advice = advise(matter, tier)
    taken = {number for number in advice.numbers if bits >> number & 1}
    outcome = advice.outcome(taken)
    lines = matter.dockerfile.text.splitlines()
    assert sorted(outcome.text.splitlines()) == sorted(lines)
    place = {line: number for number, line in enumerate(outcome.text.splitlines())}
    (graph,) = matter.graphs
    for edge in graph.edges:
        if edge.holds(tier):
            earlier, later = (lines[number + 1] for number in (edge.earlier, edge.later))
            assert place[earlier] < place[later]
    parse_dockerfile(outcome.text.encode())
    if taken == advice.numbers and taken:
        assert outcome.comparison.saved > 0


@settings(max_examples=40)
@given(_cases())
def test_more_evidence_never_saves_less_on_the_events_that_were_fitted_to(
    matter: Matter,
) -> None:
    saved = []
    for tier in Tier:
        advice = advise(matter, tier)
        if advice.division.held_out:
            return  # what is fitted to is not what is kept
        saved.append(advice.comparison(advice.numbers).saved)
    assert saved == sorted(saved)
