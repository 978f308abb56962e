"""The graphs of a Dockerfile's stages, and the rewrites that could be made to them.

Joins the Dockerfile with an image (what each layer wrote), the build context (what is copied,
what manifests say) and the contracts of tools. Without an image, every answer is weaker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from layerlens.dockerfile.build_context import BuildContext
from layerlens.dockerfile.build_model import needed_stages
from layerlens.dockerfile.copy_link import knows_link, linked_copies
from layerlens.dockerfile.copy_split import copy_splits
from layerlens.dockerfile.dockerfile_changes import Place
from layerlens.dockerfile.history_binding import Binding, BoundInstruction
from layerlens.dockerfile.instructions import (
    Add,
    Copy,
    Dockerfile,
    Env,
    Stage,
    Trivia,
    User,
    Workdir,
)
from layerlens.dockerfile.stage_edges import EdgeFinder
from layerlens.dockerfile.stage_effects import StageReader, Standing, StepEffects
from layerlens.dockerfile.stage_graph import Rewrite, StageGraph, Step, Tier
from layerlens.dockerfile.stage_state import State, states
from layerlens.dockerfile.written_paths import Places, WrittenPaths, observed_paths
from layerlens.filesystem.file_tree import FileTree
from layerlens.layer.entry import LayerEntry
from layerlens.oci import created_by
from layerlens.oci.image_config import ImageConfig

USUAL_PATH = (
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    ":/go/bin:/usr/local/go/bin:/usr/local/cargo/bin:/opt/conda/bin"
)
"""What PATH holds in the images that people start from, where nothing tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerEvidence:
    """A layer: its entries, the tree of those below it, and what it costs in compressed bytes;
    `size` None is not known."""

    entries: Sequence[LayerEntry]
    before: FileTree
    size: int | None
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEvidence:
    """An image that the Dockerfile built: how the two match, and its layers by their number."""

    binding: Binding
    config: ImageConfig
    layer: Callable[[int], LayerEvidence]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known beside the Dockerfile; None where there is none."""

    image: ImageEvidence | None = None
    context: BuildContext | None = None
    build_arguments: Mapping[str, str] = field(default_factory=dict)


class Candidates:
    """The graphs of the stages that a target needs, and what else could be done to them."""

    def __init__(self, dockerfile: Dockerfile, target: Stage, evidence: Evidence) -> None:
        self._dockerfile = dockerfile
        self._evidence = evidence
        self._reader = StageReader(dockerfile.escape, evidence.context)
        self._finder = EdgeFinder()
        self._known: dict[tuple[int, Step], Standing] = {}
        self._ends: dict[int, State] = {}
        self._all_of: dict[int, Sequence[Standing]] = {}
        self._environments: dict[Place, Mapping[str, str]] = {}
        self.graphs = tuple(self._graph(stage) for stage in needed_stages(dockerfile, target))

    @property
    def environments(self) -> Mapping[Place, Mapping[str, str]]:
        """The variables known at each COPY and ADD."""
        return self._environments

    def rewrites(self, graph: StageGraph) -> Sequence[Rewrite]:
        """What could be done to a graph beside its order, each with nothing else changed."""
        standings = self._standings(graph.stage, graph.steps)
        effects = self._reader.step_effects(standings, self._below(graph.stage))
        found: list[Rewrite] = []
        for split in copy_splits(graph.steps, standings, effects, self._evidence.context):
            number = split.step
            steps = (*graph.steps[:number], split.added, *graph.steps[number:])
            self._known.setdefault((graph.stage.number, split.added), split.standing)
            found.append(
                Rewrite(
                    tier=split.tier,
                    title=split.title,
                    reason=split.reason,
                    graph=self._with_edges(graph.stage, steps),
                    step=number,
                )
            )
        return [*found, *self._linked(graph, standings, effects)]

    def _linked(
        self,
        graph: StageGraph,
        standings: Sequence[Standing],
        effects: Sequence[StepEffects],
    ) -> Iterator[Rewrite]:
        if not knows_link(self._dockerfile) or not self._built_by_buildkit(graph.stage):
            return
        for link in linked_copies(self._dockerfile, graph.steps, standings, effects):
            steps = (*graph.steps[: link.step], link.changed, *graph.steps[link.step + 1 :])
            self._known.setdefault((graph.stage.number, link.changed), link.standing)
            yield Rewrite(
                tier=Tier.PROVED,
                title=link.title,
                reason=link.reason,
                graph=self._with_edges(graph.stage, steps),
                step=link.step,
            )

    def _built_by_buildkit(self, stage: Stage) -> bool:
        image = self._evidence.image
        if image is None:
            return False
        entries = [each.entry for each in self._bound(stage) if each.entry is not None]
        history = image.config.history
        told = [created_by.instruction(history[entry]) for entry in entries]
        return bool(told) and all(each.dialect == "buildkit" for each in told)

    def _standings(self, stage: Stage, steps: Sequence[Step]) -> list[Standing]:
        return [self._known[stage.number, step] for step in steps]

    def _below(self, stage: Stage) -> Sequence[Standing]:
        """What stands in the stages that one is built on."""
        base = self._dockerfile.base_stage(stage.start.image, stage.number)
        return () if base is None else self._all_of.get(base.number, ())

    def _with_edges(self, stage: Stage, steps: tuple[Step, ...]) -> StageGraph:
        effects = self._reader.step_effects(self._standings(stage, steps), self._below(stage))
        return StageGraph(stage=stage, steps=steps, edges=self._finder.edges(effects))

    def _graph(self, stage: Stage) -> StageGraph:
        before = states(self._dockerfile, stage, self._start(stage), self._evidence.build_arguments)
        self._ends[stage.number] = before[-1]
        bound = self._bound(stage)
        steps = []
        for place, instruction in enumerate(stage.instructions):
            standing, size, estimated = self._standing(stage, place, before[place], bound)
            if self._for_windows():
                standing = replace(standing, problem="paths of Windows are not understood")
            step = Step(
                instruction=instruction,
                text=text_with_comments(self._dockerfile, place, stage),
                origin=place,
                size=size,
                estimated=estimated,
            )
            self._known[stage.number, step] = standing
            steps.append(step)
            if isinstance(instruction, Copy | Add):
                self._environments[Place(stage.number, place)] = before[place].variables
        own = self._standings(stage, steps)
        self._all_of[stage.number] = (*self._below(stage), *own)
        return self._with_edges(stage, tuple(steps))

    def _for_windows(self) -> bool:
        image = self._evidence.image
        if image is not None and image.config.platform.os.lower() == "windows":
            return True
        return self._dockerfile.escape == "`"

    def _bound(self, stage: Stage) -> tuple[BoundInstruction, ...]:
        image = self._evidence.image
        return () if image is None else image.binding.of_stage(stage.number)

    def _standing(
        self, stage: Stage, place: int, state: State, bound: Sequence[BoundInstruction]
    ) -> tuple[Standing, int | None, bool]:
        """What is known of an instruction, and what its layer costs."""
        instruction = stage.instructions[place]
        image = self._evidence.image
        if not bound or image is None:
            return Standing(instruction=instruction, state=state), None, False
        mine = bound[place]
        if mine.layer is None:
            places = self._places_after(bound[:place])
            standing = Standing(
                instruction=instruction, state=state, places=places, problem=mine.problem
            )
            return standing, None if mine.problem else 0, False
        layer = image.layer(mine.layer)
        observed: WrittenPaths = observed_paths(layer.entries, layer.before)
        standing = Standing(
            instruction=instruction,
            state=state,
            observed=observed,
            places=Places(layer.before),
        )
        return standing, layer.size, layer.estimated

    def _places_after(self, bound: Sequence[BoundInstruction]) -> Places | None:
        """The tree that an instruction without a layer stands on: that of the next layer."""
        image = self._evidence.image
        if image is None:
            return None
        below = [each.layer for each in bound if each.layer is not None]
        following = below[-1] + 1 if below else image.binding.base_layers
        if following >= len(image.config.diff_ids):
            return None
        return Places(image.layer(following).before)

    def _start(self, stage: Stage) -> State:
        base = self._dockerfile.base_stage(stage.start.image, stage.number)
        if base is not None and base.number in self._ends:
            return self._ends[base.number]
        if stage.start.image.lower() == "scratch":
            return State(variables={"PATH": USUAL_PATH}, working_directory="/", user="", unset=True)
        image = self._evidence.image
        if image is None or not image.binding.of_stage(stage.number):
            return State(variables={"PATH": USUAL_PATH})
        return _base_state(stage, image)


def _base_state(stage: Stage, image: ImageEvidence) -> State:
    """What the base image leaves behind, as far as the image built on it shows."""
    bound = image.binding.instructions
    entries = [each.entry for each in bound if each.entry is not None]
    first = min(entries, default=len(image.config.history))
    directory, user = "/", ""
    for entry in image.config.history[:first]:
        told = created_by.instruction(entry)
        words = told.text[len(told.keyword or "") :].strip()
        if told.keyword == "WORKDIR":
            directory = words if words.startswith("/") else f"{directory.rstrip('/')}/{words}"
        elif told.keyword == "USER":
            user = words
    runtime = image.config.runtime
    chain = [each.instruction for each in bound]
    if not any(isinstance(each, Workdir) for each in chain):
        directory = runtime.working_dir or "/"
    if not any(isinstance(each, User) for each in chain):
        user = runtime.user
    path = dict(text.partition("=")[::2] for text in runtime.env).get("PATH", USUAL_PATH)
    own = {pair.name for each in chain if isinstance(each, Env) for pair in each.assignments}
    pairs = (text.partition("=") for text in runtime.env)
    variables = {name: value for name, _, value in pairs if name not in own}
    variables.setdefault("PATH", path)  # with what the Dockerfile adds: more, not less
    return State(
        variables=variables,
        unknown=frozenset(own & _OFTEN_INHERITED - {"PATH"}),
        unset=True,
        working_directory=directory,
        user=user,
    )


_OFTEN_INHERITED = frozenset({"PATH", "LANG", "HOME", "PYTHONPATH", "JAVA_HOME", "NODE_ENV"})
"""Variables that a base is likely to have set where its image sets them anew."""


def text_with_comments(dockerfile: Dockerfile, place: int, stage: Stage) -> str:
    """An instruction's lines and the comments right above them, with a newline at the end."""
    instruction = stage.instructions[place]
    start = instruction.span.start
    pieces = dockerfile.pieces
    for piece in reversed(pieces[: pieces.index(instruction)]):
        text = dockerfile.source(piece.span)
        if not isinstance(piece, Trivia) or not text.lstrip().startswith("#"):
            break
        start = piece.span.start
    text = dockerfile.text[start : instruction.span.end]
    if text.endswith("\n"):
        return text
    return f"{text}\r\n" if "\r\n" in dockerfile.text else f"{text}\n"
