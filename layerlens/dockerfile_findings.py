"""What a Dockerfile's layers hold, and its COPYs take, that need not be there: by its lines.

Of layers the image tells; of a COPY that no layer is known of, the build context does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from layerlens.analysis.findings import (
    Evidence,
    Finding,
    FindingKind,
    Place,
    worth_fixing,
)
from layerlens.analysis.findings_files import largest_first
from layerlens.analysis.findings_secrets import (
    LARGEST_SECRET,
    LOOK_INTO_BYTES,
    may_be_secret,
    shows_a_secret,
)
from layerlens.analysis.findings_variables import redacted
from layerlens.analysis.located_finding import LocatedFinding
from layerlens.dockerfile.copy_sources import CopySources
from layerlens.dockerfile.history_binding import Binding
from layerlens.dockerfile.instructions import Add, Copy
from layerlens.dockerfile.local_context import GIT_DIRECTORY, GIT_FILE, LocalContext
from layerlens.image import Image
from layerlens.oci import created_by
from layerlens.surveying import LookInside, survey_image

_LEAVE_OUT = "list `.git` in .dockerignore, or COPY only what the image needs"
_HAND_OVER = "list it in .dockerignore, and hand it to the build by `RUN --mount=type=secret`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a COPY or ADD takes of the build context."""

    instruction: Copy | Add
    sources: CopySources


def layer_findings(image: Image, binding: Binding) -> tuple[LocatedFinding, ...]:
    """What the layers of the bound instructions hold that need not be there, the most bytes first;
    of the base image's nothing. Raises as reading and stacking the layers does."""
    if binding.problem is not None:
        return ()
    lines = {
        bound.layer: bound.instruction.span.first_line
        for bound in binding.instructions
        if bound.layer is not None
    }
    told = _lines_of_texts(image, binding)
    survey = survey_image(image, LookInside.NEVER)
    return tuple(
        _located(finding, lines, told)
        for finding in worth_fixing(survey.findings, lines)
        if finding.layer is not None or finding.instruction is None or finding.instruction in told
    )


def context_findings(taken: Iterable[Taken], context: LocalContext) -> tuple[LocatedFinding, ...]:
    """What COPYs and ADDs take of git's own files and of secrets, in their order."""
    return tuple(
        LocatedFinding(finding=finding, line=each.instruction.span.first_line, lines={})
        for each in taken
        for finding in _of_context(each, context)
    )


def _lines_of_texts(image: Image, binding: Binding) -> Mapping[str, int]:
    """The lines of the bound instructions, by what the history has of them."""
    history = image.config.history
    return {
        redacted(
            created_by.instruction(history[bound.entry]).text
        ): bound.instruction.span.first_line
        for bound in binding.instructions
        if bound.entry is not None
    }


def _located(finding: Finding, lines: Mapping[int, int], told: Mapping[str, int]) -> LocatedFinding:
    text = finding.instruction or ""
    line = told.get(text) if finding.layer is None else lines[finding.layer]
    others = {number for place in finding.places for number in place.killers}
    if finding.other_layer is not None:
        others.add(finding.other_layer)
    others.discard(-1 if finding.layer is None else finding.layer)
    return LocatedFinding(
        finding=finding,
        line=line,
        lines={number: lines[number] for number in sorted(others) if number in lines},
    )


def _of_context(taken: Taken, context: LocalContext) -> Iterator[Finding]:
    paths = [path for path in context.files if taken.sources.matches(path)]
    if GIT_FILE in paths:
        sizes = context.git_sizes()
        place = Place(GIT_DIRECTORY, len(sizes), sum(sizes), 0, ())
        yield _finding(FindingKind.VERSION_CONTROL, taken, (place,), _LEAVE_OUT)
    secrets = largest_first(_secrets(paths, context))
    if secrets:
        yield _finding(FindingKind.EXPOSED_FILE, taken, secrets, _HAND_OVER)


def _secrets(paths: Iterable[str], context: LocalContext) -> Iterator[Place]:
    for path in paths:
        absolute = f"/{path}"
        sure = may_be_secret(absolute)
        content = None if sure is None else context.read(path)
        if content and len(content) <= LARGEST_SECRET:
            shown = shows_a_secret(absolute, content[:LOOK_INTO_BYTES])
            if shown or sure:
                evidence = Evidence.CONTENT if shown else Evidence.PATH
                yield Place(path, 1, len(content), 0, (), evidence)


def _finding(kind: FindingKind, taken: Taken, places: tuple[Place, ...], remedy: str) -> Finding:
    return Finding(
        kind=kind,
        layer=None,
        instruction=redacted(taken.instruction.line),
        other_layer=None,
        places=places,
        subject=(),
        remedy=remedy,
    )
