"""Advice on a Dockerfile, from all there is: the file, its image, its context, git's history.

Joins them as ``surveying`` joins an image and its waste. What can't be had is done without where
nobody asked for it by name, and the advice says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

from layerlens.analysis.located_finding import LocatedFinding
from layerlens.dockerfile.build_events import BuildEvents
from layerlens.dockerfile.build_model import needed_stages
from layerlens.dockerfile.candidates import (
    Candidates,
    Evidence,
    ImageEvidence,
    LayerEvidence,
)
from layerlens.dockerfile.copy_sources import copy_sources
from layerlens.dockerfile.dockerfile_changes import Place
from layerlens.dockerfile.dockerignore import NO_RULES, PathRules
from layerlens.dockerfile.git_events import ReplayedFiles, git_events
from layerlens.dockerfile.git_history import MAX_COMMITS, read_history
from layerlens.dockerfile.history_binding import Binding, bind_history, stage_chain
from layerlens.dockerfile.instructions import Add, Copy, Dockerfile, Stage
from layerlens.dockerfile.local_context import LocalContext, found_ignore_file, read_rules
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.prior_events import prior_events
from layerlens.dockerfile.read_back import read_back
from layerlens.dockerfile.stage_graph import Tier
from layerlens.dockerfile.stage_state import State, states
from layerlens.dockerfile.suggesting import Matter, advise
from layerlens.dockerfile.suggestions import Advice
from layerlens.dockerfile.tag_events import Copied, Tag, tag_events
from layerlens.dockerfile_findings import Taken, context_findings, layer_findings
from layerlens.errors import LayerlensError, NotFound, UsageError
from layerlens.image import Image, Layer
from layerlens.layer.entry import LayerEntry
from layerlens.streams.decompression import Compression

ESTIMATED_PERCENT = 40
"""What a layer of which only the uncompressed size is known is taken to compress to."""


_BASE_NAME = "org.opencontainers.image.base.name"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceRequest:
    """What advice is wanted on.

    ``dockerfile``: its path; None: it is read back from the image's history. ``context``: a
    directory; None: the one the Dockerfile is in. ``target``: a stage; None: the last.
    ``commits``, ``since``: which part of git's history; both None: as much as is usual, if any.
    """

    dockerfile: str | None
    context: str | None = None
    target: str | None = None
    build_arguments: Mapping[str, str] = field(default_factory=dict)
    commits: int | None = None
    since: str | None = None
    tier: Tier = Tier.CONTRACT


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisedDockerfile:
    """Advice on the Dockerfile at ``path``; ``reconstructed``: from the image's history.

    ``findings``: what its layers hold, or are about to, that need not be there, whatever the order.
    """

    path: str
    reconstructed: bool
    advice: Advice
    findings: tuple[LocatedFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Build:
    """What is built, and of which files; ``context`` None where there are none."""

    path: str
    dockerfile: Dockerfile
    target: Stage
    directory: str | None
    ignore_file: str | None
    rules: PathRules
    context: LocalContext | None


def advise_on(
    request: AdviceRequest, image: Image | None, older: Sequence[Image] = ()
) -> AdvisedDockerfile:
    """The advice. ``older``: former tags of the image, the oldest first, which then take the
    place of git. Raises LayerlensError, and OSError where a file can't be read."""
    build = _build_of(request, image)
    events = _tagged(build, (*older, image)) if older and image else _events(request, build)
    notes: list[str] = []
    if request.dockerfile is None:
        notes.append(
            "the Dockerfile is read back from the image's history: line numbers are those of "
            "'layerlens dockerfile', and what it copies from is lost"
        )
    evidence = None
    findings: tuple[LocatedFinding, ...] = ()
    if image is not None:
        evidence = _evidence(build, image)
        notes.extend(_image_notes(build, image, evidence.binding))
        findings = layer_findings(image, evidence.binding)
    if build.context is not None:
        notes.extend(_missing(build, build.context))
        taken = _taken(build, None if evidence is None else evidence.binding)
        findings = (*findings, *context_findings(taken, build.context))
    candidates = Candidates(
        build.dockerfile,
        build.target,
        Evidence(image=evidence, context=build.context, build_arguments=request.build_arguments),
    )
    matter = Matter(
        dockerfile=build.dockerfile,
        target=build.target,
        graphs=candidates.graphs,
        rewrites=candidates.rewrites,
        environments=candidates.environments,
        events=events,
        notes=tuple(notes),
    )
    return AdvisedDockerfile(
        path=build.path,
        reconstructed=request.dockerfile is None,
        advice=advise(matter, request.tier),
        findings=findings,
    )


def _evidence(build: _Build, image: Image) -> ImageEvidence:
    """What the image shows of the Dockerfile; its layers are looked at when they are asked for."""
    binding = bind_history(build.dockerfile, build.target, image.config.history, len(image.layers))

    def layer(number: int) -> LayerEvidence:
        found = image.layers[number]
        cost = layer_cost(found)
        return LayerEvidence(
            entries=found.entries,
            before=image.tree(number - 1),
            size=None if cost is None else cost.size,
            estimated=cost is not None and cost.estimated,
        )

    return ImageEvidence(binding=binding, config=image.config, layer=cache(layer))


def _tagged(build: _Build, images: Sequence[Image]) -> BuildEvents:
    """What consecutive tags differ in, the oldest first."""
    tags: list[Tag] = []
    for image in images:
        evidence = _evidence(build, image)
        base = image.layers[: evidence.binding.base_layers]
        tags.append(
            Tag(
                name=image.name,
                binding=evidence.binding,
                layer=partial(_entries, evidence),
                base=tuple(str(layer.diff_id) for layer in base),
            )
        )
    return tag_events(tags, dict(_copies(build)))


def _entries(evidence: ImageEvidence, number: int) -> Sequence[LayerEntry]:
    return evidence.layer(number).entries


def _copies(build: _Build) -> Iterator[tuple[Place, Copied]]:
    """What COPYs and ADDs take of the context, as far as is known without the base image."""
    escape = build.dockerfile.escape
    for stage in build.dockerfile.stages:
        start = State(working_directory="/", user="", unset=True)
        before = states(build.dockerfile, stage, start)
        for index, (instruction, state) in enumerate(zip(stage.instructions, before, strict=False)):
            if not isinstance(instruction, Copy | Add):
                continue
            if isinstance(instruction, Copy) and instruction.from_ is not None:
                continue
            sources = [state.expanded(each, escape) or each for each in instruction.sources]
            destination = state.expanded(instruction.destination, escape) or "/"
            yield (
                Place(stage.number, index),
                Copied(sources=sources, destination=state.absolute(destination) or "/"),
            )


def _taken(build: _Build, binding: Binding | None) -> Iterator[Taken]:
    """What the image takes of the context by instructions of which no layer is known."""
    bound = () if binding is None else binding.instructions
    known = {Place(each.stage, each.place) for each in bound if each.layer is not None}
    copies = dict(_copies(build))
    for stage in stage_chain(build.dockerfile, build.target):
        for index, instruction in enumerate(stage.instructions):
            place = Place(stage.number, index)
            if isinstance(instruction, Copy | Add) and place in copies.keys() - known:
                sources = copy_sources(instruction, copies[place].sources)
                yield Taken(instruction=instruction, sources=sources)


def _missing(build: _Build, context: LocalContext) -> Iterator[str]:
    """What is copied of a context that has nothing of it: another directory may be meant."""
    copies = _copies(build)
    needed = {stage.number for stage in needed_stages(build.dockerfile, build.target)}
    for place, copied in copies:
        instruction = build.dockerfile.stages[place.stage].instructions[place.index]
        if place.stage not in needed or not isinstance(instruction, Copy | Add):
            continue
        sources = copy_sources(instruction, copied.sources)
        if sources.sources and not any(map(sources.matches, context.files)):
            yield (
                f"line {instruction.span.first_line} copies nothing that is in "
                f"{build.directory}: name the build context with --context, if it is another one"
            )


def _image_notes(build: _Build, image: Image, binding: Binding) -> Iterator[str]:
    if binding.problem is not None:
        yield f"{image.name} tells nothing of {build.path}: {binding.problem}"
    else:
        for bound in binding.instructions:
            if bound.problem is not None:
                line = bound.instruction.span.first_line
                yield f"line {line} is not matched with {image.name}: {bound.problem}"
    costs = [layer_cost(layer) for layer in image.layers]
    if any(cost is not None and cost.estimated for cost in costs):
        yield (
            f"{image.name} has uncompressed layers: their compressed sizes are estimated, "
            f"at {ESTIMATED_PERCENT} %"
        )


def _build_of(request: AdviceRequest, image: Image | None) -> _Build:
    if request.dockerfile is not None:
        return _build(request, request.dockerfile)
    if image is None:
        raise UsageError("advice needs a Dockerfile, an image, or best both")
    text = read_back(
        image.config,
        [layer.title.size for layer in image.layers],
        title=image.name,
        base=image.annotations.get(_BASE_NAME),
    )
    name = f"the Dockerfile read back from {image.name}"
    dockerfile = parse_dockerfile(text.encode("utf-8", "surrogateescape"), name)
    return _Build(
        path="Dockerfile",
        dockerfile=dockerfile,
        target=dockerfile.target(request.target),
        directory=None,
        ignore_file=None,
        rules=NO_RULES,
        context=None,
    )


def _build(request: AdviceRequest, path: str) -> _Build:
    with open(path, "rb") as file:
        dockerfile = parse_dockerfile(file.read(), path)
    directory = request.context or os.path.dirname(path) or "."
    ignore_file = found_ignore_file(path, directory)
    rules = read_rules(ignore_file)
    return _Build(
        path=path,
        dockerfile=dockerfile,
        target=dockerfile.target(request.target),
        directory=directory,
        ignore_file=ignore_file,
        rules=rules,
        context=LocalContext(directory, rules),
    )


def _events(request: AdviceRequest, build: _Build) -> BuildEvents:
    """What git tells of changes; made up where it tells nothing, unless it was asked for."""
    asked = request.commits is not None or request.since is not None
    try:
        events = _replayed(request, build)
    except LayerlensError:
        if asked:
            raise
        events = None
    if events is not None and (events.events or asked):
        return events
    files = () if build.context is None else build.context.files
    return prior_events(build.dockerfile, files)


def _replayed(request: AdviceRequest, build: _Build) -> BuildEvents:
    if build.directory is None:
        raise NotFound("there is no build context to know the history of")
    files = ReplayedFiles(
        context=build.directory, dockerfile=build.path, ignore_file=build.ignore_file
    )
    watched = [build.path] if build.ignore_file is None else [build.path, build.ignore_file]
    history = read_history(
        build.directory,
        watched,
        limit=request.commits or MAX_COMMITS,
        since=request.since,
    )
    return git_events(history, build.dockerfile, build.rules, files)


@dataclass(frozen=True, slots=True)
class LayerCost:
    """The compressed bytes of a layer, and whether they are only estimated."""

    size: int
    estimated: bool


def layer_cost(layer: Layer) -> LayerCost | None:
    """What a layer costs to push; None where nothing is known of it."""
    facts = layer.facts
    if facts is None:
        return None if layer.stored.size is None else LayerCost(layer.stored.size, False)
    if facts.compression is Compression.NONE:
        return LayerCost(facts.size * ESTIMATED_PERCENT // 100, True)
    return LayerCost(facts.stored_size, False)
