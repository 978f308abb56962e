"""Graphs of a Dockerfile's stages for tests: all edges hold but those that are released."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerlens.dockerfile.build_events import BuildEvents, Event, EventKind, Origin
from layerlens.dockerfile.dockerfile_changes import Place
from layerlens.dockerfile.instructions import Add, Copy, Dockerfile, Run, Workdir
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.stage_graph import Edge, Release, Rewrite, StageGraph, Step, Tier
from layerlens.dockerfile.suggesting import Matter

MB = 1_000_000


def graph_of(
    dockerfile: Dockerfile,
    stage: int,
    sizes: Sequence[int] | None,
    releases: Mapping[tuple[int, int], Tier | None],
) -> StageGraph:
    """A stage in which all RUNs, COPYs and WORKDIRs keep their order, but for ``releases``: by
    (earlier, later) the tier that waives the edge, None where there is none."""
    found = dockerfile.stages[stage]
    ordered = [
        number
        for number, each in enumerate(found.instructions)
        if isinstance(each, Run | Copy | Add | Workdir)
    ]
    edges = []
    for later in ordered:
        for earlier in ordered:
            if earlier < later:
                tier = releases.get((earlier, later), "held")
                if tier is None:
                    continue
                release = (
                    Release(tier=tier, reason=f"{later} needs no {earlier}")
                    if isinstance(tier, Tier)
                    else None
                )
                edges.append(
                    Edge(earlier=earlier, later=later, reason="it reads all", release=release)
                )
    return StageGraph(
        stage=found,
        steps=tuple(
            Step(
                instruction=each,
                text=dockerfile.source(each.span),
                origin=number,
                size=None if sizes is None else sizes[number],
            )
            for number, each in enumerate(found.instructions)
        ),
        edges=tuple(edges),
    )


def build_events(
    paths: Mapping[str, int],
    *,
    count: int,
    texts: Mapping[Place, int] | None = None,
    bases: Mapping[int, int] | None = None,
) -> BuildEvents:
    """Events that are all commits, and change paths by their bit masks."""
    return BuildEvents(
        events=tuple(
            Event(kind=EventKind.COMMIT, name=f"{number:040x}", time=number)
            for number in range(count)
        ),
        origin=Origin.GIT,
        paths=paths,
        directories={},
        texts=texts or {},
        bases=bases or {},
        notes=(),
    )


def matter_of(
    text: str,
    events: BuildEvents,
    *,
    sizes: Mapping[int, Sequence[int]] | None = None,
    releases: Mapping[int, Mapping[tuple[int, int], Tier | None]] | None = None,
    rewrites: Mapping[int, Sequence[Rewrite]] | None = None,
) -> Matter:
    """The matter of a Dockerfile whose last stage is the target; the rest is by stage."""
    dockerfile = parse_dockerfile(text.encode())
    graphs = tuple(
        graph_of(
            dockerfile,
            stage.number,
            (sizes or {}).get(stage.number),
            (releases or {}).get(stage.number, {}),
        )
        for stage in dockerfile.stages
    )

    def find(graph: StageGraph) -> Sequence[Rewrite]:
        there = [each for each in graph.steps if each.origin is None]
        return [] if there else (rewrites or {}).get(graph.stage.number, [])

    return Matter(
        dockerfile=dockerfile,
        target=dockerfile.stages[-1],
        graphs=graphs,
        rewrites=find,
        environments={},
        events=events,
    )
