"""What is known to change from build to build: by git, by former tags, or by assumption."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from layerlens.advising.image_evidence import image_evidence
from layerlens.advising.what_is_built import AdviceRequest, Build, context_copies
from layerlens.dockerfile.build_events import BuildEvents
from layerlens.dockerfile.candidates import (
    ImageEvidence,
)
from layerlens.dockerfile.git_events import ReplayedFiles, git_events
from layerlens.dockerfile.git_history import MAX_COMMITS, read_history
from layerlens.dockerfile.prior_events import prior_events
from layerlens.dockerfile.tag_events import Tag, tag_events
from layerlens.errors import LayerlensError, NotFound
from layerlens.image import Image
from layerlens.layer.entry import LayerEntry


def changes_of(request: AdviceRequest, build: Build) -> BuildEvents:
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


def _replayed(request: AdviceRequest, build: Build) -> BuildEvents:
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


def changes_of_tags(build: Build, images: Sequence[Image]) -> BuildEvents:
    """What consecutive tags differ in, the oldest first."""
    tags: list[Tag] = []
    for image in images:
        evidence = image_evidence(build, image)
        base = image.layers[: evidence.binding.base_layers]
        tags.append(
            Tag(
                name=image.name,
                binding=evidence.binding,
                layer=partial(_entries, evidence),
                base=tuple(str(layer.diff_id) for layer in base),
            )
        )
    return tag_events(tags, dict(context_copies(build)))


def _entries(evidence: ImageEvidence, number: int) -> Sequence[LayerEntry]:
    return evidence.layer(number).entries
