"""A stage's steps with what rebuilding each costs and which events change its inputs.

Events reach a stage also from outside: through its base, and through what it copies of other
stages, which is taken as changed whenever anything in those is rebuilt.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layerlens.dockerfile.build_events import BuildEvents
from layerlens.dockerfile.copy_sources import CopySources, copy_sources, mount_sources
from layerlens.dockerfile.dockerfile_changes import FROM, Place
from layerlens.dockerfile.instructions import (
    Add,
    Arg,
    Copy,
    Dockerfile,
    Env,
    Instruction,
    Run,
    Shell,
    Stage,
    User,
    Workdir,
)
from layerlens.dockerfile.ordering import OrderStep, Reach
from layerlens.dockerfile.stage_graph import StageGraph, Step, Tier


class Unit(enum.Enum):
    """What the cost of a stage is counted in."""

    BYTES = "bytes"
    """The compressed bytes of its layers."""
    STEPS = "steps"
    """RUN, COPY and ADD carried out: no image says how large what they write is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageModel:
    """A stage's graph, and for each of its steps its place in the cost, without the edges.

    ``base``: the events that dirty what the stage starts from. ``in_image``: whether its layers
    are the target image's.
    """

    graph: StageGraph
    steps: tuple[OrderStep, ...]
    base: int
    unit: Unit
    in_image: bool

    def problem(self, tier: Tier) -> tuple[OrderStep, ...]:
        """The steps with the edges that hold for somebody who takes evidence down to ``tier``."""
        after = [0] * len(self.steps)
        for edge in self.graph.edges:
            if edge.holds(tier):
                after[edge.later] |= 1 << edge.earlier
        return tuple(
            dataclasses.replace(step, after=mask)
            for step, mask in zip(self.steps, after, strict=True)
        )

    @property
    def dirty(self) -> int:
        """The events in which anything in the stage is rebuilt, whatever its order."""
        dirty = self.base
        for step in self.steps:
            if step.reach is not Reach.CONFIG:
                dirty |= step.events
        return dirty


class ModelBuilder:
    """Makes the models of a Dockerfile's stages. ``links``: the build context's symbolic links.

    What events touch is looked up once for all graphs that hold the same instruction.
    """

    def __init__(
        self,
        dockerfile: Dockerfile,
        target: Stage,
        events: BuildEvents,
        environments: Mapping[Place, Mapping[str, str]],
        links: Mapping[str, str] | None = None,
    ) -> None:
        self._dockerfile = dockerfile
        self._events = events
        self._environments = environments
        self._links = links
        self._touching: dict[CopySources, int] = {}
        self._dirty: dict[int, int] = {}
        self._image_stages = frozenset(_chain(dockerfile, target))

    def model(self, graph: StageGraph) -> StageModel:
        """The model of a graph; of the stages before it, one has to have been made already."""
        stage = graph.stage
        in_image = stage.number in self._image_stages
        known = in_image and all(
            step.size is not None for step in graph.steps if _makes_layer(step.instruction)
        )
        unit = Unit.BYTES if known else Unit.STEPS
        steps = tuple(self._step(step, stage, unit) for step in graph.steps)
        model = StageModel(
            graph=graph, steps=steps, base=self._base(stage), unit=unit, in_image=in_image
        )
        self._dirty.setdefault(stage.number, model.dirty)
        return model

    def _base(self, stage: Stage) -> int:
        base = self._events.bases.get(stage.number, 0)
        base |= self._events.texts.get(Place(stage.number, FROM), 0)
        return base | self._stage_events(stage.start.image, stage)

    def _stage_events(self, reference: str, user: Stage) -> int:
        """The events that dirty the stage of that name; none where it names an image."""
        stage = self._dockerfile.find_stage(reference, user.number)
        return 0 if stage is None else self._dirty.get(stage.number, 0)

    def _step(self, step: Step, stage: Stage, unit: Unit) -> OrderStep:
        instruction = step.instruction
        events = self._inputs(step, stage)
        if step.origin is not None:
            events |= self._events.texts.get(Place(stage.number, step.origin), 0)
        size = step.size or 0 if unit is Unit.BYTES else int(_makes_layer(instruction))
        return OrderStep(size=size, events=events, reach=reach_of(instruction))

    def _inputs(self, step: Step, stage: Stage) -> int:
        instruction = step.instruction
        match instruction:
            case Copy(from_=str() as origin):
                return self._stage_events(origin, stage)
            case Copy() | Add():
                return self._touched(
                    copy_sources(instruction, self._sources(step, stage), self._links)
                )
            case Run(mounts=mounts):
                events = self._touched(mount_sources(mounts))
                for mount in mounts:
                    if mount.from_ is not None:
                        events |= self._stage_events(mount.from_, stage)
                return events
            case _:
                return 0

    def _sources(self, step: Step, stage: Stage) -> Sequence[str]:
        instruction = step.instruction
        assert isinstance(instruction, Copy | Add)
        if step.origin is None:
            return instruction.sources
        environment = self._environments.get(Place(stage.number, step.origin), {})
        from layerlens.dockerfile.expansion import expand

        return [
            expand(source, environment, self._dockerfile.escape).text
            for source in instruction.sources
        ]

    def _touched(self, sources: CopySources) -> int:
        known = self._touching.get(sources)
        if known is None:
            known = self._touching[sources] = self._events.touching(sources)
        return known


def reach_of(instruction: Instruction) -> Reach:
    """What an instruction dirties, and is dirtied by, in BuildKit."""
    match instruction:
        case Run():
            return Reach.RUN
        case Copy(link=True) | Add(link=True):
            return Reach.LINKED
        case Copy() | Add() | Workdir():
            return Reach.FILES
        case Env() | Arg() | User() | Shell():
            return Reach.VARIABLE
        case _:
            return Reach.CONFIG


def _makes_layer(instruction: Instruction) -> bool:
    return isinstance(instruction, Run | Copy | Add)


def _chain(dockerfile: Dockerfile, target: Stage) -> Sequence[int]:
    """The stages whose layers are the target's: itself and what it starts from."""
    chain: list[int] = []
    stage: Stage | None = target
    while stage is not None:
        chain.append(stage.number)
        stage = dockerfile.find_stage(stage.start.image, stage.number)
    return chain


def needed_stages(dockerfile: Dockerfile, target: Stage) -> tuple[Stage, ...]:
    """The stages that building the target builds, in the file's order."""
    needed: set[int] = set()
    waiting = [target]
    while waiting:
        stage = waiting.pop()
        if stage.number in needed:
            continue
        needed.add(stage.number)
        references = [stage.start.image]
        for instruction in stage.instructions:
            match instruction:
                case Copy(from_=str() as origin):
                    references.append(origin)
                case Run(mounts=mounts):
                    references.extend(mount.from_ for mount in mounts if mount.from_ is not None)
                case _:
                    pass
        for reference in references:
            found = dockerfile.find_stage(reference, stage.number)
            if found is not None:
                waiting.append(found)
    return tuple(stage for stage in dockerfile.stages if stage.number in needed)
