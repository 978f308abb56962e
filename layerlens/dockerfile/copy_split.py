"""A wide COPY cut in two: what a RUN reads of it is copied before, so that the rest may sink.

``COPY . /app`` and ``RUN pip install -r requirements.txt`` become ``COPY requirements.txt /app/``,
``COPY . /app``, ``RUN …``, in which the second COPY need not stay above the RUN. Both COPYs write
the same bytes to what the first one writes, so nothing is different in the end.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from layerlens.dockerfile.build_context import BuildContext
from layerlens.dockerfile.copy_sources import FollowedSource, copy_sources
from layerlens.dockerfile.instructions import Add, Copy, Run
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.resources import is_below
from layerlens.dockerfile.stage_edges import contract_conflict, doubting, tier_of
from layerlens.dockerfile.stage_effects import Standing, StepEffects
from layerlens.dockerfile.stage_graph import Step, Tier
from layerlens.dockerfile.tool_contracts import Contract
from layerlens.dockerfile.written_paths import ROOTS_OWN, WrittenPaths

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.@+/-]+")
_KEPT_FLAGS = frozenset({"chown", "chmod"})
_ALLOWED_FLAGS = _KEPT_FLAGS | {"exclude", "link"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySplit:
    """A step to put in before step `step`, which copies again what it copies."""

    step: int
    added: Step
    standing: Standing
    tier: Tier
    title: str
    reason: str


def copy_splits(
    steps: Sequence[Step],
    standings: Sequence[Standing],
    effects: Sequence[StepEffects],
    context: BuildContext | None,
) -> Iterator[CopySplit]:
    """The ways to split the COPYs of a stage: one for each RUN that then is free of one."""
    if context is None:
        return
    for later, run in enumerate(effects):
        if not isinstance(steps[later].instruction, Run) or run.by_contract is None:
            continue
        assert isinstance(run.contract, Contract)
        for earlier in range(later):
            split = _split(_Stage(steps, standings, effects, context), earlier, later)
            if split is not None:
                yield split


@dataclass(frozen=True, slots=True)
class _Stage:
    """A stage's steps and all that is known of them."""

    steps: Sequence[Step]
    standings: Sequence[Standing]
    effects: Sequence[StepEffects]
    context: BuildContext


def _split(stage: _Stage, earlier: int, later: int) -> CopySplit | None:
    wide, run = stage.effects[earlier], stage.effects[later]
    copy = stage.steps[earlier].instruction
    contract = run.contract
    if not isinstance(copy, Copy | Add) or wide.copied is None:
        return None
    if not isinstance(contract, Contract) or _through_links(copy, wide, stage.context):
        return None
    if any(flag.name not in _ALLOWED_FLAGS for flag in copy.flags):
        return None
    if wide.copied.files_only and len(wide.copied.placed) <= len(contract.manifests):
        return None
    placed = wide.copied.placed
    manifests = sorted(path for path in contract.manifests if path in placed)
    if not manifests or len(placed) == len(manifests):
        return None
    if any(_written_between(stage.effects, earlier, later, path) for path in manifests):
        return None
    directories = {posixpath.dirname(path) for path in manifests}
    if len(directories) != 1:
        return None
    text = _text(copy, wide, manifests, directories.pop())
    if text is None:
        return None
    if stage.steps[earlier].text.endswith("\r\n"):
        text = text.replace("\n", "\r\n")
    added = parse_dockerfile(f"FROM x\n{text}".encode()).stages[0].instructions[0]
    narrow = _narrow_writes(wide, manifests)
    rest = _without(wide, narrow)
    if rest is None or contract_conflict(rest, run) is not None:
        return None
    size = sum(len(stage.context.read(placed[path]) or b"") for path in manifests)
    standing = stage.standings[earlier]
    tools = " and ".join(contract.tools)
    names = ", ".join(posixpath.basename(path) for path in manifests)
    return CopySplit(
        step=earlier,
        added=Step(instruction=added, text=text, origin=None, size=_sized(stage.steps, size)),
        standing=replace(
            standing, instruction=added, observed=None if standing.places is None else narrow
        ),
        tier=tier_of(contract),
        title=f"copy {names} first",
        reason=(
            f"of what {wide.effects.short} copies, {tools} reads only {names}{doubting(contract)}"
        ),
    )


def _through_links(copy: Copy | Add, wide: StepEffects, context: BuildContext) -> bool:
    """Whether a source is a link, or on one: what is put in would not follow it elsewhere."""
    taken = copy_sources(copy, wide.copied.sources if wide.copied else (), context.links)
    return any(isinstance(each, FollowedSource) for each in taken.sources)


def _sized(steps: Sequence[Step], size: int) -> int | None:
    """A size for what no layer tells the size of; None where no other step has one either."""
    return None if any(step.size is None for step in steps) else size


def _written_between(effects: Sequence[StepEffects], earlier: int, later: int, path: str) -> bool:
    for step in effects[earlier + 1 : later]:
        writes = step.effects.writes
        if path in writes.touched:
            return True
        if any(path == each or is_below(path, each) for each in writes.anywhere):
            return True
    return False


def _text(
    copy: Copy | Add, wide: StepEffects, manifests: Sequence[str], directory: str
) -> str | None:
    """The COPY to put in; None where a name would need quotes."""
    assert wide.copied is not None
    sources = [wide.copied.placed[path] for path in manifests]
    makes = wide.effects.new_directories
    if makes is None or not all(_PLAIN_NAME.fullmatch(source) for source in sources):
        return None
    if {posixpath.basename(path) for path in manifests} != set(map(posixpath.basename, sources)):
        return None
    destination = copy.destination
    if directory != makes.destination:
        if not is_below(directory, makes.destination):
            return None
        inner = posixpath.relpath(directory, makes.destination)
        destination = f"{destination.rstrip('/')}/{inner}"
    destination = f"{destination.rstrip('/')}/"
    if not re.fullmatch(r"[A-Za-z0-9_.@+/${}:-]+", destination):
        return None
    flags = [f"--{flag.name}={flag.value}" for flag in copy.flags if flag.name in _KEPT_FLAGS]
    return " ".join(["COPY", *flags, *sources, destination]) + "\n"


def _narrow_writes(wide: StepEffects, manifests: Sequence[str]) -> WrittenPaths:
    """What the COPY that is put in writes: its files, and the directories on the way to them that
    the wide one was seen to make."""
    writes = wide.effects.writes
    files = frozenset(manifests)
    above = WrittenPaths(files=files).above
    made = writes.created & above
    owner = wide.effects.new_directories.owner if wide.effects.new_directories else None
    attributes = ROOTS_OWN if owner is None else ROOTS_OWN._replace(uid=owner[0], gid=owner[1])
    return WrittenPaths(
        files=files, directories=dict.fromkeys(made, attributes), created=frozenset(made)
    )


def _without(wide: StepEffects, narrow: WrittenPaths) -> StepEffects | None:
    """The wide COPY as it is once the narrow one has gone before it; None where the narrow one
    would make a directory otherwise than the wide one was seen to."""
    writes = wide.effects.writes
    owner = wide.effects.new_directories.owner if wide.effects.new_directories else None
    for directory, attributes in narrow.directories.items():
        if owner is None or writes.directories[directory] != attributes:
            return None
    rest = replace(
        writes, files=writes.files - narrow.files, created=writes.created - narrow.created
    )
    return replace(wide, fresh=replace(wide.effects, writes=rest))
