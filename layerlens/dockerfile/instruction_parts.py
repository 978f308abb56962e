"""What instructions are made of: places in the text, flags, here-documents, commands, mounts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where text stands: character offsets into `Dockerfile.text`, and lines counted from 1.

    An instruction's span is whole lines, from the start of its first one to after the newline of
    its last, comments between them and here-documents included.
    """

    start: int
    end: int
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """``--name`` or ``--name=value`` before an instruction's arguments; `value` None without =."""

    name: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """A here-document. `content`: its lines as they stand, newlines included. `expand`: whether
    variables in it are expanded. `chomp`: ``<<-``, leading tabs do not count."""

    name: str
    content: str
    expand: bool
    chomp: bool
    file_descriptor: int = 0

    @property
    def text(self) -> str:
        """The content without the tabs that ``<<-`` drops."""
        if not self.chomp:
            return self.content
        return "".join(line.lstrip("\t") for line in self.content.splitlines(keepends=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellForm:
    """A command as text that the shell reads."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecForm:
    """A command as a JSON array of words, which no shell reads."""

    words: tuple[str, ...]


Command = ShellForm | ExecForm


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """``name=value`` of ENV, LABEL or ARG; `value` None for an ARG without a default."""

    name: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One ``--mount`` of a RUN: its options in their order, the keys in lower case."""

    options: tuple[tuple[str, str], ...]

    def option(self, *names: str) -> str | None:
        """The value of the last option that has one of these names."""
        found = [value for name, value in self.options if name in names]
        return found[-1] if found else None

    @property
    def type(self) -> str:
        """``bind`` unless it says otherwise."""
        return self.option("type") or "bind"

    @property
    def target(self) -> str | None:
        """Where it is mounted."""
        return self.option("target", "dst", "destination")

    @property
    def source(self) -> str | None:
        """The path within `from_`; None: its root."""
        return self.option("source", "src")

    @property
    def from_(self) -> str | None:
        """The stage, image or named context it comes from; None: the build context."""
        return self.option("from")
