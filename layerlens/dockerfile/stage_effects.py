"""The effects of a stage's steps one after another, with what the image and the context tell.

A RUN has two: what it may do for all that is known, and what it does by its commands' contracts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from layerlens.dockerfile.build_context import BuildContext
from layerlens.dockerfile.copied_paths import CopiedPaths, copied_paths
from layerlens.dockerfile.effects import effects_of
from layerlens.dockerfile.instructions import Add, Copy, Instruction, Run
from layerlens.dockerfile.resources import (
    MAKERS,
    Effects,
    NewDirectories,
    Surroundings,
    ancestors,
    is_below,
    usual_place,
)
from layerlens.dockerfile.stage_state import State
from layerlens.dockerfile.tool_contracts import Contract, NoContract, contract_of
from layerlens.dockerfile.whole_contract import (
    Setting,
    Standpoint,
    settings_of,
    whole_contract,
)
from layerlens.dockerfile.written_paths import NOTHING, Places, WrittenPaths

RUN_FIELDS = frozenset({"working directory", "user", "shell"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEffects:
    """`effects`: for all that is known. `contract`: of a RUN; None of anything else. `by_contract`:
    what it does by its contract, None without one. `copied`: of a COPY from the context.
    `fresh`: its effects without the files that one before it has put there already, just so."""

    effects: Effects
    state: State
    contract: Contract | NoContract | None = None
    by_contract: Effects | None = None
    copied: CopiedPaths | None = None
    flags: tuple[str | None, str | None] = (None, None)
    fresh: Effects | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An instruction, and what is known where it stands; `observed`, `places`, `problem`: as in
    `Surroundings`."""

    instruction: Instruction
    state: State
    observed: WrittenPaths | None = None
    places: Places | None = None
    problem: str | None = None


class _Alone(NamedTuple):
    """What is found of an instruction whatever stands before it."""

    standing: Standing
    effects: Effects
    copied: CopiedPaths | None
    settings: tuple[Setting, ...]


class StageReader:
    """Finds the effects of steps in their order. What it has found of a step is kept, and given
    out as the same value for as long as what stands before the step does not change it."""

    def __init__(self, escape: str, context: BuildContext | None) -> None:
        self._escape = escape
        self._context = context
        self._alone: dict[int, _Alone] = {}
        self._found: dict[int, list[StepEffects]] = {}

    def step_effects(
        self, standings: Sequence[Standing], below: Sequence[Standing] = ()
    ) -> tuple[StepEffects, ...]:
        """The effects of each, in the order in which they stand; *below*: what stands in the
        stages that theirs is built on."""
        found: list[StepEffects] = []
        settings = [each for standing in below for each in self._by_itself(standing).settings]
        made: set[str] = set()
        left: str | None = None
        links: dict[str, str] = {}  # put into the image by copies, with their files
        for standing in standings:
            alone = self._by_itself(standing)
            effects, copied, state = alone.effects, alone.copied, standing.state
            settings += alone.settings
            if standing.places is None:
                effects = _without_made(effects, made)
                if links and _leads_through(effects.writes, copied, links):
                    effects = replace(effects, writes=WrittenPaths(anywhere=frozenset({"/"})))
                here = state.working_directory or "/"
                if links and not links.keys().isdisjoint((here, *ancestors(here))):
                    state = replace(state, working_directory=None)
            effects, left = _with_what_is_left(effects, left)
            made |= effects.writes.created
            where = Standpoint(
                state=state, links=self._targets(links), places=standing.places, settings=settings
            )
            found.append(self._kept(standing, self._step(standing, where, effects, copied, found)))
            if copied is not None and self._context is not None:
                known = self._context.links
                links |= {path: file for path, file in copied.placed.items() if file in known}
        return tuple(found)

    def _step(
        self,
        standing: Standing,
        where: Standpoint,
        effects: Effects,
        copied: CopiedPaths | None,
        before: Sequence[StepEffects],
    ) -> StepEffects:
        state = where.state
        match standing.instruction:
            case Run() if effects.barrier is None:
                return _run(standing.instruction, where, effects, before, self._context)
            case Copy() | Add() if effects.barrier is None:
                flags = (standing.instruction.chown, standing.instruction.chmod)
                step = StepEffects(effects=effects, state=state, copied=copied, flags=flags)
                return replace(step, fresh=_fresh(step, before))
            case _:
                return StepEffects(effects=effects, state=state)

    def _kept(self, standing: Standing, step: StepEffects) -> StepEffects:
        known = self._found.setdefault(id(standing), [])
        for each in known:
            if each == step:
                return each
        known.append(step)
        return step

    def _targets(self, links: Mapping[str, str]) -> Mapping[str, str]:
        known = {} if self._context is None else self._context.links
        return {path: known[file] for path, file in links.items()}

    def _by_itself(self, standing: Standing) -> _Alone:
        known = self._alone.get(id(standing))  # the standing is kept, so its id is its own
        if known is not None:
            return known
        around = Surroundings(
            state=standing.state,
            escape=self._escape,
            observed=standing.observed,
            places=standing.places,
            context=self._context,
            problem=standing.problem,
        )
        effects = effects_of(standing.instruction, around)
        copied = None
        if isinstance(standing.instruction, Copy | Add) and effects.barrier is None:
            copied = _copied(standing.instruction, around)
        settings = settings_of(standing.instruction, effects, copied, self._context)
        self._alone[id(standing)] = _Alone(standing, effects, copied, settings)
        return self._alone[id(standing)]


def _with_what_is_left(effects: Effects, left: str | None) -> tuple[Effects, str | None]:
    """The effects, and what is left to be made after them, where buildah leaves a WORKDIR's
    directory to the RUN, COPY or ADD that follows: whoever is the user by then makes it."""
    if effects.left_to_next is not None:
        return effects, effects.left_to_next
    if left is None:
        return effects, None
    if effects.keyword in MAKERS:
        return replace(effects, fields_read=effects.fields_read | {"user"}), None
    if effects.keyword == "USER":
        effects = replace(effects, left_to_next=left)
    return effects, left


def _without_made(effects: Effects, made: Collection[str]) -> Effects:
    """The effects of what no image shows, were directories made by those before it there."""
    if effects.writes.created.isdisjoint(made):
        return effects
    created = effects.writes.created.difference(made)
    return replace(effects, writes=replace(effects.writes, created=created))


def _leads_through(
    writes: WrittenPaths, copied: CopiedPaths | None, links: Mapping[str, str]
) -> bool:
    """Whether something is written through links that copies have put there, to no one knows
    where. Those that the same copy would put there again are as they were."""
    placed = {} if copied is None else copied.placed
    return any(
        (path in links and placed.get(path) != links[path])
        or any(above in links for above in ancestors(path))
        for path in (*writes.files, *writes.directories, *writes.anywhere)
    )


def _fresh(step: StepEffects, before: Sequence[StepEffects]) -> Effects | None:
    """What a COPY does beside what one before it did: None where that is all it does.

    A file counts as put there already if the same file of the context was put there with the same
    owner and mode, and nothing has written to it since.
    """
    if step.copied is None:
        return None
    repeated: set[str] = set()
    made: set[str] = set()
    touched: set[str] = set()
    anywhere: set[str] = set()
    for other in reversed(before):
        if other.copied is not None and other.flags == step.flags:
            same = other.copied.placed.items() & step.copied.placed.items()
            paths = {path for path, _ in same} - touched
            paths = {path for path in paths if not any(_covers(each, path) for each in anywhere)}
            repeated |= paths
            if paths:
                made |= other.effects.writes.created
        touched |= other.effects.writes.files
        anywhere |= other.effects.writes.anywhere
    if not repeated:
        return None
    writes = step.effects.writes
    rest = replace(writes, files=writes.files - repeated, created=writes.created - made)
    return replace(step.effects, writes=rest)


def _copied(instruction: Copy | Add, around: Surroundings) -> CopiedPaths | None:
    sources = [around.state.expanded(each, around.escape) for each in instruction.sources]
    known = tuple(each for each in sources if each is not None)
    destination = around.state.expanded(instruction.destination, around.escape)
    path = None if destination is None else around.state.absolute(destination)
    if destination is None or path is None or len(known) != len(sources):
        return None
    real = usual_place(path) if around.places is None else around.places.real(path)
    return copied_paths(instruction, known, destination, real, around.context, places=around.places)


def _run(
    run: Run,
    where: Standpoint,
    effects: Effects,
    before: Sequence[StepEffects],
    context: BuildContext | None,
) -> StepEffects:
    state = where.state

    def content(named: str) -> bytes | None:
        path = where.real(named)
        for step in reversed(before):
            if step.copied is not None and path in step.copied.placed:
                return None if context is None else context.read(step.copied.placed[path])
            writes = step.effects.writes
            if path in writes.files or any(_covers(each, path) for each in writes.anywhere):
                return None
        return None

    def listing(directory: str) -> Iterable[str]:
        start = f"{directory.rstrip('/')}/"
        for step in before:
            written = step.effects.writes.written
            if step.copied is not None:
                written |= step.copied.placed.keys()
            if step.effects.keyword in {"COPY", "ADD"}:
                yield from (path[len(start) :] for path in written if path.startswith(start))

    contract = contract_of(run, state, content, listing)
    if isinstance(contract, Contract):
        copies = [step.copied.placed for step in before if step.copied is not None]
        contract = whole_contract(contract, where, content, copies)
    if isinstance(contract, NoContract):
        return StepEffects(effects=effects, state=state, contract=contract)
    if not effects.seen:
        effects = replace(effects, writes=WrittenPaths(anywhere=contract.writes))
    by_contract = replace(
        effects,
        everything=False,
        fields_read=RUN_FIELDS,
        lookups=contract.lookups,
        trees=contract.trees,
        spared=contract.spared,
        new_directories=_working_directory(state),
    )
    return StepEffects(effects=effects, state=state, contract=contract, by_contract=by_contract)


def _working_directory(state: State) -> NewDirectories | None:
    """How a RUN finds its working directory where no file has been copied into it: WORKDIR has
    made it, in a layer or (buildah) when the RUN is carried out. How it would make any other its
    layer does not tell: what is listed there may be as it found it."""
    if state.working_directory is None or not state.works_as_root:
        return None
    return NewDirectories(
        destination=state.working_directory, owner=(0, 0), plain=True, listed=NOTHING
    )


def _covers(directory: str, path: str) -> bool:
    return path == directory or is_below(path, directory)
