"""What an image's config has where a Dockerfile's own instructions set nothing, or another thing:
what a tool changed without an instruction, and what a later instruction took back."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from layerlens.dockerfile.instruction_parts import Command, ShellForm
from layerlens.dockerfile.instructions import (
    Cmd,
    Dockerfile,
    Entrypoint,
    Expose,
    HealthCheck,
    Label,
    OnBuild,
    StopSignal,
    Volume,
    Workdir,
)
from layerlens.dockerfile.stage_state import State, walked_states
from layerlens.oci.image_config import RuntimeConfig

_SCRATCH = State(working_directory="/", user="")
_LAST_PORT = 65535
_RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UntoldConfig:
    """Values of the config that the instructions do not lead to, one that depends on what is not
    known among them. Empty, or None: nothing to add. A command of no words takes one back, and
    what else only the instructions set is left."""

    environment: Mapping[str, str]
    labels: Mapping[str, str]
    exposed_ports: Words
    volumes: Words
    working_dir: str
    user: str
    stop_signal: str
    healthcheck: Words | None
    on_build: Words
    shell: Words | None
    entrypoint: Words | None
    cmd: Words | None


def untold_config(dockerfile: Dockerfile, config: RuntimeConfig) -> UntoldConfig:
    """What to add below the Dockerfile's last stage, which is one from scratch."""
    stage = dockerfile.stages[-1]
    told = _Told()
    walked = walked_states(dockerfile, stage, _SCRATCH)
    end = next(walked)
    for instruction, after in zip(stage.instructions, walked, strict=True):
        told.note(instruction, end, dockerfile.escape)
        end = after
    variables = {
        name: value for name, _, value in (variable.partition("=") for variable in config.env)
    }
    return UntoldConfig(
        environment={
            name: value for name, value in variables.items() if end.variables.get(name) != value
        },
        labels={
            name: value for name, value in config.labels.items() if told.labels.get(name) != value
        },
        exposed_ports=tuple(port for port in config.exposed_ports if port not in told.ports),
        volumes=tuple(volume for volume in config.volumes if volume not in told.volumes),
        working_dir=""
        if _clean(config.working_dir) in {end.working_directory, _clean(told.working_dir)}
        else config.working_dir,
        user="" if config.user == end.user else config.user,
        stop_signal="" if config.stop_signal == told.stop_signal else config.stop_signal,
        healthcheck=None if told.healthcheck else config.healthcheck,
        on_build=tuple(each for each in config.on_build if each not in told.on_build),
        shell=None if config.shell == end.shell else config.shell,
        entrypoint=_command(told.entrypoint, config.entrypoint),
        cmd=_command(told.cmd, config.cmd),
    )


@dataclass(slots=True)
class _Told:
    """What the instructions so far have set, beside what is a `State`."""

    labels: dict[str, str | None] = field(default_factory=dict)
    ports: set[str] = field(default_factory=set)
    volumes: set[str | None] = field(default_factory=set)
    on_build: set[str] = field(default_factory=set)
    working_dir: str = ""
    stop_signal: str | None = None
    healthcheck: bool = False
    entrypoint: Words = ()
    cmd: Words = ()

    def note(self, instruction: object, state: State, escape: str) -> None:
        match instruction:
            case Label():
                for pair in instruction.assignments:
                    name = state.expanded(pair.name, escape)
                    if name is not None:
                        self.labels[name] = state.expanded(pair.value or "", escape)
            case Expose():
                for text in instruction.ports:
                    self.ports.update(_ports(state.expanded(text, escape) or ""))
            case Volume():
                self.volumes.update(state.expanded(path, escape) for path in instruction.paths)
            case Workdir():
                self.working_dir = instruction.path
            case Entrypoint():
                self.entrypoint = _words(instruction.command, state)
            case Cmd():
                self.cmd = _words(instruction.command, state)
            case _:
                self._note_rest(instruction, state, escape)

    def _note_rest(self, instruction: object, state: State, escape: str) -> None:
        match instruction:
            case StopSignal():
                self.stop_signal = state.expanded(instruction.signal, escape)
            case HealthCheck():
                self.healthcheck = True
            case OnBuild():
                self.on_build.add(instruction.arguments.strip())
            case _:
                pass


def _words(command: Command, state: State) -> Words:
    if isinstance(command, ShellForm):
        return (*state.shell, command.text)
    return command.words


def _command(told: Words, wanted: Words | None) -> Words | None:
    return None if told == (wanted or ()) else wanted or ()


def _clean(path: str) -> str:
    return posixpath.normpath(path) if path else "/"


def _ports(text: str) -> Iterator[str]:
    """The ports of EXPOSE's ``80``, ``53/udp`` or ``8000-8010`` as a config has them: docker's
    one by one, buildah's as a range."""
    numbers, _, protocol = text.partition("/")
    protocol = protocol.lower() or "tcp"
    yield f"{numbers}/{protocol}"
    ends = _RANGE.fullmatch(numbers)
    if ends is not None:
        for port in range(int(ends[1]), min(int(ends[2]), _LAST_PORT) + 1):
            yield f"{port}/{protocol}"
