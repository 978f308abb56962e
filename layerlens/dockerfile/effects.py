"""What an instruction reads and writes: variables, fields of the config, paths.

Writes of files are those seen in the image's layer; where there is none, those that the build
context tells, or else a directory below which anything may be written. Whatever is not known
reads and writes more, never less.
"""

from __future__ import annotations

from collections.abc import Iterator

from layerlens.dockerfile.copy_effects import transfer_effects, workdir_effects
from layerlens.dockerfile.expansion import BadSubstitution, variable_names
from layerlens.dockerfile.instruction_parts import ShellForm
from layerlens.dockerfile.instructions import (
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    HealthCheck,
    Instruction,
    Label,
    Maintainer,
    OnBuild,
    Run,
    Shell,
    StopSignal,
    User,
    Volume,
    Workdir,
)
from layerlens.dockerfile.resources import Effects, Surroundings
from layerlens.dockerfile.written_paths import WrittenPaths

_KNOWN_FLAGS = {
    "ADD": {"chown", "chmod", "link", "exclude", "checksum", "keep-git-dir", "unpack"},
    "COPY": {"from", "chown", "chmod", "link", "exclude", "parents"},
    "RUN": {"mount", "network", "security"},
    "HEALTHCHECK": {"interval", "timeout", "start-period", "start-interval", "retries"},
    "FROM": {"platform"},
}


def effects_of(instruction: Instruction, around: Surroundings) -> Effects:
    """What the instruction reads and writes where it stands."""
    barrier = around.problem or _not_understood(instruction)
    if barrier is None and isinstance(instruction, OnBuild):
        barrier = "ONBUILD is carried out by other builds"
    try:
        found = _effects(instruction, around)
    except BadSubstitution as error:
        barrier = str(error)
    else:
        if barrier is None:
            return found
    return Effects(
        line=instruction.line,
        keyword=instruction.keyword,
        everything=True,
        writes=WrittenPaths(anywhere=frozenset({"/"})),
        barrier=barrier,
    )


def _not_understood(instruction: Instruction) -> str | None:
    known = _KNOWN_FLAGS.get(instruction.keyword, set())
    for flag in instruction.flags:
        if flag.name not in known:
            return f"--{flag.name} of {instruction.keyword} is not understood"
    return None


def _effects(instruction: Instruction, around: Surroundings) -> Effects:
    line, keyword = instruction.line, instruction.keyword
    read = read_variables(instruction, around.escape)
    match instruction:
        case Run():
            unseen = WrittenPaths(anywhere=frozenset({"/"}))
            return Effects(
                line=line,
                keyword=keyword,
                everything=True,
                variables_read=read,
                writes=around.observed or unseen,
                seen=around.observed is not None,
            )
        case Copy() | Add():
            return transfer_effects(instruction, around, read)
        case Workdir():
            return workdir_effects(instruction, around, read)
        case Env():
            written = frozenset(
                name
                for pair in instruction.assignments
                if (name := around.state.expanded(pair.name, around.escape)) is not None
            )
            fields = frozenset({"Env"})
        case Arg():
            written = frozenset(pair.name for pair in instruction.assignments)
            fields = frozenset()
        case Volume():
            paths = [around.state.expanded(path, around.escape) for path in instruction.paths]
            anywhere = frozenset(
                "/" if path is None else around.state.absolute(path) or "/" for path in paths
            )
            return Effects(
                line=line,
                keyword=keyword,
                variables_read=read,
                fields_written=frozenset({"Volumes"}),
                fields_read=frozenset({"working directory"}),
                writes=WrittenPaths(anywhere=anywhere),
            )
        case _:
            written, fields = frozenset(), _written_fields(instruction)
    return Effects(
        line=line,
        keyword=keyword,
        variables_read=read,
        variables_written=written,
        fields_read=_read_fields(instruction),
        fields_written=fields,
    )


def read_variables(instruction: Instruction, escape: str) -> frozenset[str]:
    """The variables that the instruction itself is expanded with. Raises BadSubstitution."""
    found: set[str] = set()
    for text in _expanded_texts(instruction):
        found |= variable_names(text, escape)
    return frozenset(found)


def _expanded_texts(instruction: Instruction) -> Iterator[str]:
    match instruction:
        case Run():  # what is for a shell is not expanded here
            yield from (flag.value or "" for flag in instruction.flags)
        case Cmd() | Entrypoint() | HealthCheck() | Shell() | Maintainer():
            pass
        case OnBuild():
            yield from _expanded_texts(instruction.instruction)
        case Env() | Label() | Arg():
            for pair in instruction.assignments:
                yield pair.name
                yield pair.value or ""
        case Copy() | Add():
            yield from (*instruction.sources, instruction.destination)
            yield from (instruction.chown or "", instruction.chmod or "", *instruction.exclude)
            yield from (flag.value or "" for flag in instruction.flags if flag.name == "from")
            yield from (each.content for each in instruction.heredocs if each.expand)
        case From() | Workdir() | User() | Expose() | Volume() | StopSignal():
            yield from (flag.value or "" for flag in instruction.flags)
            yield instruction.arguments


def _written_fields(instruction: Instruction) -> frozenset[str]:
    match instruction:
        case User():
            return frozenset({"user"})
        case Shell():
            return frozenset({"shell"})
        case Entrypoint():
            return frozenset({"Entrypoint", "Cmd"})  # it clears a Cmd that was there
        case Cmd():
            return frozenset({"Cmd"})
        case _:
            return frozenset({instruction.keyword})


def _read_fields(instruction: Instruction) -> frozenset[str]:
    match instruction:
        case Cmd() | Entrypoint() | HealthCheck() if isinstance(instruction.command, ShellForm):
            return frozenset({"shell"})
        case _:
            return frozenset()
