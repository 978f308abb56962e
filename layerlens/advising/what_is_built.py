"""What advice is wanted on: the Dockerfile, its target, and the context it is built in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from layerlens.dockerfile.build_model import needed_stages
from layerlens.dockerfile.copy_sources import CopySources, copy_sources
from layerlens.dockerfile.dockerfile_changes import Place
from layerlens.dockerfile.dockerignore import NO_RULES, PathRules
from layerlens.dockerfile.history_binding import Binding, stage_chain
from layerlens.dockerfile.instructions import Add, Copy, Dockerfile, Stage
from layerlens.dockerfile.local_context import (
    LocalContext,
    found_ignore_file,
    read_rules,
    read_whole,
)
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.read_back import read_back
from layerlens.dockerfile.stage_graph import Tier
from layerlens.dockerfile.stage_state import State, states
from layerlens.dockerfile.tag_events import Copied
from layerlens.dockerfile_findings import Taken
from layerlens.errors import MalformedInput, UsageError
from layerlens.image import Image
from layerlens.oci.base_annotations import base_digest, base_name
from layerlens.oci.quoting import printable


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
class Build:
    """What is built, and of which files; ``context`` None where there are none."""

    path: str
    dockerfile: Dockerfile
    target: Stage
    directory: str | None
    ignore_file: str | None
    rules: PathRules
    context: LocalContext | None


def build_of(request: AdviceRequest, image: Image | None) -> Build:
    if request.dockerfile is not None:
        return _build(request, request.dockerfile)
    if image is None:
        raise UsageError("advice needs a Dockerfile, an image, or best both")
    text = read_back(
        image.config,
        [layer.title.size for layer in image.layers],
        title=image.name,
        base=base_name(image.annotations) or base_digest(image.annotations),
    )
    name = f"the Dockerfile read back from {image.name}"
    dockerfile = parse_dockerfile(text.encode("utf-8", "surrogateescape"), name)
    return Build(
        path="Dockerfile",
        dockerfile=dockerfile,
        target=dockerfile.target(request.target),
        directory=None,
        ignore_file=None,
        rules=NO_RULES,
        context=None,
    )


def _build(request: AdviceRequest, path: str) -> Build:
    dockerfile = parse_dockerfile(read_whole(path, "Dockerfile"), path)
    directory = request.context or os.path.dirname(path) or "."
    ignore_file = found_ignore_file(path, directory)
    rules = read_rules(ignore_file)
    return Build(
        path=path,
        dockerfile=dockerfile,
        target=dockerfile.target(request.target),
        directory=directory,
        ignore_file=ignore_file,
        rules=rules,
        context=LocalContext(directory, rules),
    )


def context_copies(build: Build) -> Iterator[tuple[Place, Copied]]:
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


def missing_sources(build: Build, context: LocalContext) -> Iterator[str]:
    """What is copied of a context that has nothing of it: another directory may be meant."""
    copies = context_copies(build)
    needed = {stage.number for stage in needed_stages(build.dockerfile, build.target)}
    for place, copied in copies:
        instruction = build.dockerfile.stages[place.stage].instructions[place.index]
        if place.stage not in needed or not isinstance(instruction, Copy | Add):
            continue
        sources = _sources(build, instruction, copied)
        if sources.sources and not any(map(sources.matches, context.files)):
            yield (
                f"line {instruction.span.first_line} copies nothing that is in "
                f"{build.directory}: name the build context with --context, if it is another one"
            )


def taken_unseen(build: Build, binding: Binding | None) -> Iterator[Taken]:
    """What the image takes of the context by instructions of which no layer is known."""
    bound = () if binding is None else binding.instructions
    known = {Place(each.stage, each.place) for each in bound if each.layer is not None}
    copies = dict(context_copies(build))
    for stage in stage_chain(build.dockerfile, build.target):
        for index, instruction in enumerate(stage.instructions):
            place = Place(stage.number, index)
            if isinstance(instruction, Copy | Add) and place in copies.keys() - known:
                sources = _sources(build, instruction, copies[place])
                yield Taken(instruction=instruction, sources=sources)


def _sources(build: Build, instruction: Copy | Add, copied: Copied) -> CopySources:
    try:
        return copy_sources(
            instruction, copied.sources, None if build.context is None else build.context.links
        )
    except MalformedInput as error:
        where = f"{build.path}:{instruction.span.first_line}"
        raise MalformedInput(f"{printable(where)}: {error}") from error
