"""A Dockerfile's instructions as frozen values, each with the exact place it stands at.

Text is as the Dockerfile has it once its lines are joined: variables are not expanded and quotes
not taken off (`expansion` does both), for what they come to depends on where an instruction
stands. Source: the Dockerfile reference, and BuildKit where that is silent.
"""

from __future__ import annotations

from dataclasses import dataclass

from layerlens.dockerfile.instruction_parts import (
    Assignment,
    Command,
    ExecForm,
    Flag,
    Heredoc,
    Mount,
    Span,
)
from layerlens.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """What every instruction has. `arguments`: all after the keyword and the flags."""

    span: Span
    keyword: str
    flags: tuple[Flag, ...] = ()
    arguments: str = ""
    heredocs: tuple[Heredoc, ...] = ()

    @property
    def line(self) -> str:
        """The instruction on one line, as a history or a message would name it."""
        flags = [f"--{f.name}" if f.value is None else f"--{f.name}={f.value}" for f in self.flags]
        return " ".join([self.keyword, *flags, *([self.arguments] if self.arguments else [])])

    def flag(self, name: str) -> str | None:
        """The value of the last flag of that name, "" where it has none; None without the flag."""
        found = [flag.value or "" for flag in self.flags if flag.name == name]
        return found[-1] if found else None

    def switch(self, name: str) -> bool:
        """Whether a flag such as ``--link`` is on."""
        value = self.flag(name)
        return value is not None and value.lower() not in {"false", "0", "f"}


@dataclass(frozen=True, slots=True, kw_only=True)
class From(_Base):
    """FROM: a stage begins. `name`: in lower case, after AS."""

    image: str
    name: str | None

    @property
    def platform(self) -> str | None:
        """``--platform``."""
        return self.flag("platform")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Transfer(_Base):
    """What COPY and ADD share. `sources` without here-documents, which are in `heredocs`."""

    sources: tuple[str, ...]
    destination: str
    json: bool

    @property
    def chown(self) -> str | None:
        """``--chown``."""
        return self.flag("chown")

    @property
    def chmod(self) -> str | None:
        """``--chmod``."""
        return self.flag("chmod")

    @property
    def link(self) -> bool:
        """``--link``: its layer does not depend on those below."""
        return self.switch("link")

    @property
    def exclude(self) -> tuple[str, ...]:
        """All ``--exclude`` patterns."""
        return tuple(flag.value or "" for flag in self.flags if flag.name == "exclude")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy(_Transfer):
    """COPY."""

    @property
    def from_(self) -> str | None:
        """``--from``: a stage by name or number, an image, a named context; None: the context."""
        return self.flag("from")

    @property
    def parents(self) -> bool:
        """``--parents``: sources keep their directories."""
        return self.switch("parents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(_Transfer):
    """ADD: COPY that also fetches addresses and git repositories, and unpacks local tars."""

    @property
    def checksum(self) -> str | None:
        """``--checksum``."""
        return self.flag("checksum")

    @property
    def keep_git_dir(self) -> bool:
        """``--keep-git-dir``."""
        return self.switch("keep-git-dir")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(_Base):
    """RUN. A here-document that is the whole of it is its `script`."""

    command: Command
    mounts: tuple[Mount, ...] = ()

    @property
    def network(self) -> str | None:
        """``--network``."""
        return self.flag("network")

    @property
    def script(self) -> str | None:
        """What the shell is given: the command, here-documents included; None in exec form."""
        if isinstance(self.command, ExecForm):
            return None
        if not self.heredocs:
            return self.command.text
        (first, *others) = self.heredocs
        if not others and self.command.text.startswith("<<") and " " not in self.command.text:
            return first.text
        documents = "".join(f"{heredoc.content}{heredoc.name}\n" for heredoc in self.heredocs)
        return f"{self.command.text}\n{documents}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Env(_Base):
    """ENV."""

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(_Base):
    """LABEL."""

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arg(_Base):
    """ARG."""

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workdir(_Base):
    """WORKDIR."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User(_Base):
    """USER: ``name[:group]``."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cmd(_Base):
    """CMD."""

    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrypoint(_Base):
    """ENTRYPOINT, which also clears an inherited CMD."""

    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell(_Base):
    """SHELL: what shell forms after it are given to."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expose(_Base):
    """EXPOSE."""

    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(_Base):
    """VOLUME: what is written below it by later instructions may be lost."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSignal(_Base):
    """STOPSIGNAL."""

    signal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck(_Base):
    """HEALTHCHECK; `command` None is ``HEALTHCHECK NONE``."""

    command: Command | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintainer(_Base):
    """MAINTAINER, which LABEL has replaced."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBuild(_Base):
    """ONBUILD: `instruction` is carried out by the builds that start from this image."""

    instruction: Instruction


Instruction = (
    From
    | Run
    | Copy
    | Add
    | Env
    | Arg
    | Label
    | Workdir
    | User
    | Cmd
    | Entrypoint
    | Shell
    | Expose
    | Volume
    | StopSignal
    | HealthCheck
    | Maintainer
    | OnBuild
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trivia:
    """Lines between instructions: comments, parser directives, blank lines."""

    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage: a FROM and what follows it. `number` counts from 0."""

    number: int
    start: From
    instructions: tuple[Instruction, ...]

    @property
    def name(self) -> str | None:
        """Its name, in lower case."""
        return self.start.name

    @property
    def title(self) -> str:
        """Its name, or else its number."""
        return self.name or str(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerfile:
    """A Dockerfile, every character of it.

    `pieces` cover `text` from end to end. `name`: what errors call the file. `escape`: the
    escape character. `syntax`: the frontend that a parser directive asks for. `arguments`: the
    ARGs before the first FROM.
    """

    name: str
    text: str
    escape: str
    syntax: str | None
    pieces: tuple[Trivia | Instruction, ...]
    arguments: tuple[Arg, ...]
    stages: tuple[Stage, ...]

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """Every instruction, in the file's order, FROM and global ARGs included."""
        return tuple(piece for piece in self.pieces if not isinstance(piece, Trivia))

    def source(self, span: Span) -> str:
        """The text that stands at a span."""
        return self.text[span.start : span.end]

    def to_bytes(self) -> bytes:
        """The file's bytes, put together from its pieces."""
        return "".join(self.source(piece.span) for piece in self.pieces).encode(
            "utf-8", "surrogateescape"
        )

    def find_stage(self, reference: str, before: int | None = None) -> Stage | None:
        """The stage that ``--from`` or ``--target`` means by a name or a number.

        Only those before stage number *before* count, where that is given: a stage is defined
        before it is used. The last one of a name wins. None: it is no stage.
        """
        known = self.stages if before is None else self.stages[:before]
        for stage in reversed(known):
            if stage.name == reference.lower():
                return stage
        if reference.isascii() and reference.isdigit() and int(reference) < len(known):
            return known[int(reference)]
        return None

    def base_stage(self, image: str, before: int) -> Stage | None:
        """The stage that ``FROM image`` of stage number *before* starts from: by name alone."""
        for stage in reversed(self.stages[:before]):
            if stage.name == image.lower():
                return stage
        return None

    def target(self, reference: str | None) -> Stage:
        """The stage to build: the last by default. Raises NotFound, naming those there are."""
        if reference is None:
            return self.stages[-1]
        stage = self.find_stage(reference)
        if stage is None:
            names = ", ".join(stage.title for stage in self.stages)
            raise NotFound(f"{self.name}: no stage {reference!r}; there are {names}")
        return stage
