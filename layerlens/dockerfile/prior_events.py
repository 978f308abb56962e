"""Events made up where nothing was observed, from shares that are assumed and stated.

They only tell what changes often from what hardly changes: code from lists of dependencies from
instructions.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator

from layerlens.dockerfile.build_events import BuildEvents, Event, EventKind, Origin
from layerlens.dockerfile.dockerfile_changes import Place
from layerlens.dockerfile.instructions import Copy, Dockerfile, Env, Run

BUILDS = 100

MANIFEST_EVERY = 10
"""A list of dependencies changes in one build of so many; other files in all the other builds."""

INSTRUCTION_EVERY = 50
"""The text of a RUN or ENV changes in one build of so many."""

_MANIFEST = re.compile(
    r"requirements[\w.-]*\.(?:txt|in)|constraints[\w.-]*\.txt|pyproject\.toml|setup\.(?:py|cfg)"
    r"|Pipfile|environment[\w.-]*\.ya?ml|package\.json|npm-shrinkwrap\.json|pnpm-workspace\.yaml"
    r"|[\w.-]*\.lock|[\w.-]*-lock\.(?:json|yaml)|go\.(?:mod|sum|work)|Cargo\.toml|pom\.xml"
    r"|(?:build|settings)\.gradle(?:\.kts)?|gradle\.properties|Gemfile|[\w.-]*\.gemspec"
    r"|composer\.json|[\w.-]*\.(?:cs|fs|vb)proj|[\w.-]*\.sln|packages\.config|DESCRIPTION"
)


def prior_events(dockerfile: Dockerfile, files: Collection[str]) -> BuildEvents:
    """The events of BUILDS builds. ``files``: of the context, where it is known; else what the
    Dockerfile's sources name stands for them."""
    every = (1 << BUILDS) - 1
    manifests = sum(1 << number for number in range(BUILDS) if number % MANIFEST_EVERY == 0)
    texts: dict[Place, int] = {}
    for stage in dockerfile.stages:
        for index, instruction in enumerate(stage.instructions):
            if isinstance(instruction, Run | Env):
                offset = (7 * (index + 1) + stage.number) % INSTRUCTION_EVERY
                texts[Place(stage.number, index)] = sum(
                    1 << number for number in range(BUILDS) if number % INSTRUCTION_EVERY == offset
                )
    return BuildEvents(
        events=tuple(
            Event(kind=EventKind.ASSUMED, name=str(number), time=None) for number in range(BUILDS)
        ),
        origin=Origin.PRIOR,
        paths={
            path: manifests if _is_manifest(path) else every & ~manifests
            for path in (files or set(_named(dockerfile)))
        },
        directories={},
        texts=texts,
        bases={},
        notes=(
            f"no history was given: lists of dependencies are assumed to change in 1 build of "
            f"{MANIFEST_EVERY}, other files in the others, an instruction in 1 of "
            f"{INSTRUCTION_EVERY}",
        ),
    )


def _is_manifest(path: str) -> bool:
    return _MANIFEST.fullmatch(posixpath.basename(path)) is not None


def _named(dockerfile: Dockerfile) -> Iterator[str]:
    """Files that the sources of COPY could stand for."""
    for stage in dockerfile.stages:
        for instruction in stage.instructions:
            if not isinstance(instruction, Copy) or instruction.from_ is not None:
                continue  # an ADD is of an archive or an address, mostly: it stays what it is
            for source in instruction.sources:
                path = posixpath.normpath(f"/{source}")[1:].replace("*", "").replace("?", "x")
                yield path
                if source.endswith(("/", ".")) or not posixpath.splitext(path)[1]:
                    yield f"{path}/any".lstrip("/")
