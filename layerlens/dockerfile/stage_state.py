"""What holds where an instruction stands: variables, working directory, user and shell.

What the base image set is known only as far as its config says; the rest is None and makes what
depends on it unknown, never guessed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from layerlens.dockerfile.expansion import BadSubstitution, expand
from layerlens.dockerfile.instruction_parts import Assignment
from layerlens.dockerfile.instructions import (
    Arg,
    Dockerfile,
    Env,
    Instruction,
    Shell,
    Stage,
    User,
    Workdir,
)

POSIX_SHELL = ("/bin/sh", "-c")

_PREDEFINED = frozenset(
    {
        *("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT"),
        *("BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`variables`: those whose value is known. `unset`: whether any other one is surely not set,
    but for those in `unknown`. `working_directory`: absolute. `user`: as USER says, "" for none.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    unset: bool = False
    working_directory: str | None = None
    user: str | None = None
    shell: tuple[str, ...] = POSIX_SHELL

    @property
    def works_as_root(self) -> bool:
        """Whether directories that are made on the way are surely root's."""
        return self.user in {"", "root", "0", "0:0", "root:root"}

    def expanded(self, text: str, escape: str) -> str | None:
        """The text with its variables replaced; None where one of them is not known."""
        try:
            found = expand(text, self.variables, escape)
        except BadSubstitution:
            return None
        if found.names & self.unknown:
            return None
        if not self.unset and not found.names <= self.variables.keys():
            return None
        return found.text

    def absolute(self, path: str) -> str | None:
        """A path made absolute and clean; None where the working directory is not known."""
        if not path.startswith("/"):
            if self.working_directory is None:
                return None
            path = f"{self.working_directory}/{path}"
        return posixpath.normpath(f"/{path.lstrip('/')}")


def states(
    dockerfile: Dockerfile,
    stage: Stage,
    start: State,
    build_arguments: Mapping[str, str] | None = None,
) -> tuple[State, ...]:
    """The state before each of a stage's instructions, and after the last; *start* is the base's.

    *build_arguments* are those given to the build. Values of ARGs before the first FROM are used
    where the stage declares them anew.
    """
    return tuple(walked_states(dockerfile, stage, start, build_arguments))


def walked_states(
    dockerfile: Dockerfile,
    stage: Stage,
    start: State,
    build_arguments: Mapping[str, str] | None = None,
) -> Iterator[State]:
    """As `states`, one at a time: each has a copy of all variables."""
    given = build_arguments or {}
    outer = _global_arguments(dockerfile, given)
    return _walk(stage.instructions, start, {**outer, **given}, dockerfile.escape)


def _global_arguments(dockerfile: Dockerfile, given: Mapping[str, str]) -> dict[str, str]:
    known: dict[str, str] = {}
    for each in dockerfile.arguments:
        for pair in each.assignments:
            value = given.get(pair.name)
            if value is None and pair.value is not None:
                value = State(variables=known, unset=True).expanded(pair.value, dockerfile.escape)
            if value is not None:
                known[pair.name] = value
    return known


def _walk(
    instructions: Sequence[Instruction], state: State, given: Mapping[str, str], escape: str
) -> Iterator[State]:
    from_env: set[str] = set(state.variables)
    yield state
    for each in instructions:
        match each:
            case Env():
                before = state  # a value sees the variables as they were before the line
                for pair in each.assignments:
                    name = before.expanded(pair.name, escape)
                    if name is not None:
                        state = _assigned(state, name, before.expanded(pair.value or "", escape))
                        from_env.add(name)
            case Arg():
                for pair in each.assignments:
                    if pair.name not in from_env:  # ENV is stronger
                        state = _declared(state, pair, given, escape)
            case Workdir():
                path = state.expanded(each.path, escape)
                state = replace(
                    state, working_directory=None if path is None else state.absolute(path)
                )
            case User():
                state = replace(state, user=state.expanded(each.user, escape))
            case Shell():
                state = replace(state, shell=each.words)
            case _:
                pass
        yield state


def _declared(state: State, pair: Assignment, given: Mapping[str, str], escape: str) -> State:
    value = given.get(pair.name)
    if value is not None:
        return _assigned(state, pair.name, value)
    if pair.value is not None:
        return _assigned(state, pair.name, state.expanded(pair.value, escape))
    if pair.name in _PREDEFINED:
        return _assigned(state, pair.name, None)
    return state


def _assigned(state: State, name: str, value: str | None) -> State:
    variables = dict(state.variables)
    if value is None:
        variables.pop(name, None)
        return replace(state, variables=variables, unknown=state.unknown | {name})
    variables[name] = value
    return replace(state, variables=variables, unknown=state.unknown - {name})
