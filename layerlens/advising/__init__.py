"""Advice on a Dockerfile, from all there is: the file, its image, its context, git's history.

Joins them as ``surveying`` joins an image and its waste. What can't be had is done without where
nobody asked for it by name, and the advice says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layerlens.advising.changes import changes_of, changes_of_tags
from layerlens.advising.image_evidence import image_evidence, image_notes
from layerlens.advising.what_is_built import (
    AdviceRequest,
    build_of,
    missing_sources,
    taken_unseen,
)
from layerlens.analysis.located_finding import LocatedFinding
from layerlens.dockerfile.candidates import Candidates, Evidence
from layerlens.dockerfile.instructions import Dockerfile
from layerlens.dockerfile.suggesting import Matter, advise
from layerlens.dockerfile.suggestions import Advice
from layerlens.dockerfile_findings import context_findings, layer_findings
from layerlens.errors import LimitExceeded
from layerlens.image import Image

__all__ = ["AdviceRequest", "AdvisedDockerfile", "advise_on"]

MOST_INSTRUCTIONS = 300
"""Of a stage: many times more than people write, and each is held against every other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisedDockerfile:
    """Advice on the Dockerfile at ``path``; ``reconstructed``: from the image's history.

    ``findings``: what its layers hold, or are about to, that need not be there, whatever the order.
    """

    path: str
    reconstructed: bool
    advice: Advice
    findings: tuple[LocatedFinding, ...]


def advise_on(
    request: AdviceRequest, image: Image | None, older: Sequence[Image] = ()
) -> AdvisedDockerfile:
    """The advice. ``older``: former tags of the image, the oldest first, which then take the
    place of git. Raises LayerlensError, and OSError where a file can't be read."""
    build = build_of(request, image)
    _check_length(build.dockerfile)
    events = (
        changes_of_tags(build, (*older, image)) if older and image else changes_of(request, build)
    )
    notes: list[str] = []
    if request.dockerfile is None:
        notes.append(
            "the Dockerfile is read back from the image's history: line numbers are those of "
            "'layerlens dockerfile', and what it copies from is lost"
        )
    evidence = None
    findings: tuple[LocatedFinding, ...] = ()
    if image is not None:
        evidence = image_evidence(build, image)
        notes.extend(image_notes(build, image, evidence.binding))
        findings = layer_findings(image, evidence.binding)
    if build.context is not None:
        notes.extend(missing_sources(build, build.context))
        taken = taken_unseen(build, None if evidence is None else evidence.binding)
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
        links={} if build.context is None else build.context.links,
        notes=tuple(notes),
    )
    return AdvisedDockerfile(
        path=build.path,
        reconstructed=request.dockerfile is None,
        advice=advise(matter, request.tier),
        findings=findings,
    )


def _check_length(dockerfile: Dockerfile) -> None:
    for stage in dockerfile.stages:
        if len(stage.instructions) > MOST_INSTRUCTIONS:
            raise LimitExceeded(
                f"{dockerfile.name}: a stage of {len(stage.instructions)} instructions; an order "
                f"is looked for among up to {MOST_INSTRUCTIONS}"
            )
