"""A Dockerfile read into typed instructions without losing a byte of it.

What a build would refuse is refused here, with the line: an unknown instruction, a here-document
that does not end, an array of arguments that holds numbers. A flag that is not known is kept as
it stands, for frontends grow new ones. Nothing is expanded, and nothing is looked up.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from difflib import get_close_matches
from typing import NamedTuple, TypedDict

from layerlens.dockerfile.instruction_parts import (
    Command,
    ExecForm,
    Flag,
    Heredoc,
    Mount,
    ShellForm,
    Span,
)
from layerlens.dockerfile.instructions import (
    Add,
    Arg,
    Cmd,
    Copy,
    Dockerfile,
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
    Stage,
    StopSignal,
    Trivia,
    User,
    Volume,
    Workdir,
)
from layerlens.dockerfile.logical_lines import LogicalLine, LogicalLines, without_newline
from layerlens.dockerfile.parser_words import (
    HeredocStart,
    assignments,
    blank_separated,
    declarations,
    heredoc_start,
    heredoc_starts,
    json_words,
    split_flags,
    split_keyword,
)
from layerlens.oci.quoting import quoted

_WITH_HEREDOCS = frozenset({"ADD", "COPY", "RUN"})


def parse_dockerfile(data: bytes, name: str = "Dockerfile") -> Dockerfile:
    """The Dockerfile of these bytes; *name* is what errors call it.

    Bytes that are not UTF-8 are carried as lone surrogates. Raises MalformedInput
    (``Dockerfile:12: …``) for what no build would accept.
    """
    text = data.decode("utf-8", "surrogateescape")
    return _Parsing(LogicalLines(text, name), name).dockerfile(text)


class _Parts(NamedTuple):
    """One instruction, read as far as all instructions are alike."""

    span: Span
    keyword: str
    flags: tuple[Flag, ...]
    arguments: str
    heredocs: tuple[Heredoc, ...]
    escape: str


class _Parsing:
    """The pieces read so far."""

    def __init__(self, lines: LogicalLines, name: str) -> None:
        self._lines = lines
        self._name = name
        self._pieces: list[Trivia | Instruction] = []
        self._arguments: list[Arg] = []
        self._stages: list[tuple[From, list[Instruction]]] = []

    def dockerfile(self, text: str) -> Dockerfile:
        for item in self._lines:
            if isinstance(item, Span):
                self._pieces.append(Trivia(span=item))
            else:
                instruction = self._instruction(item)
                self._pieces.append(instruction)
                self._place(instruction)
        if not self._stages:
            raise self._lines.fail(max(1, self._lines.line_number), "there is no FROM")
        return Dockerfile(
            name=self._name,
            text=text,
            escape=self._lines.escape,
            syntax=self._lines.directives.get("syntax"),
            pieces=tuple(self._pieces),
            arguments=tuple(self._arguments),
            stages=tuple(
                Stage(number=number, start=start, instructions=tuple(instructions))
                for number, (start, instructions) in enumerate(self._stages)
            ),
        )

    def _place(self, instruction: Instruction) -> None:
        if isinstance(instruction, From):
            self._stages.append((instruction, []))
        elif self._stages:
            self._stages[-1][1].append(instruction)
        elif isinstance(instruction, Arg):
            self._arguments.append(instruction)
        else:
            raise self._lines.fail(
                instruction.span.first_line,
                f"{instruction.keyword} stands before the first FROM, where only ARG may",
            )

    def _instruction(self, line: LogicalLine) -> Instruction:
        try:
            keyword, rest = split_keyword(line.text)
            heredocs = self._heredocs(line, keyword.upper(), rest)
            return _typed(keyword, rest, self._lines.span_from(line.span), heredocs, self._escape)
        except ValueError as error:
            raise self._lines.fail(line.span.first_line, str(error)) from error

    @property
    def _escape(self) -> str:
        return self._lines.escape

    def _heredocs(self, line: LogicalLine, keyword: str, rest: str) -> tuple[Heredoc, ...]:
        if keyword == "ONBUILD":
            keyword, rest = split_keyword(rest)
        if keyword.upper() not in _WITH_HEREDOCS or "<<" not in rest:
            return ()
        if json_words(split_flags(rest)[1]) is not None:
            return ()
        return tuple(self._heredoc(line, start) for start in heredoc_starts(line.text))

    def _heredoc(self, line: LogicalLine, start: HeredocStart) -> Heredoc:
        content: list[str] = []
        while (following := self._lines.take_line()) is not None:
            if start.ended_by(without_newline(following)):
                return start.with_content("".join(content))
            content.append(following)
        raise ValueError(f"the here-document {quoted(start.name)} does not end")


def _typed(
    keyword: str, rest: str, span: Span, heredocs: tuple[Heredoc, ...], escape: str
) -> Instruction:
    reader = _READERS.get(keyword.upper())
    if reader is None:
        near = get_close_matches(keyword.upper(), _READERS, n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"unknown instruction {quoted(keyword)}{hint}")
    flags, arguments = split_flags(rest)
    return reader(_Parts(span, keyword.upper(), flags, arguments, heredocs, escape))


class _Common(TypedDict):
    """What every instruction is made of."""

    span: Span
    keyword: str
    flags: tuple[Flag, ...]
    arguments: str
    heredocs: tuple[Heredoc, ...]


def _common(parts: _Parts) -> _Common:
    return {
        "span": parts.span,
        "keyword": parts.keyword,
        "flags": parts.flags,
        "arguments": parts.arguments,
        "heredocs": parts.heredocs,
    }


def _needed(parts: _Parts) -> str:
    if not parts.arguments:
        raise ValueError(f"{parts.keyword} needs an argument")
    return parts.arguments


def _command(parts: _Parts) -> Command:
    words = json_words(parts.arguments)
    return ShellForm(text=parts.arguments) if words is None else ExecForm(words=words)


def _from(parts: _Parts) -> From:
    words = blank_separated(parts.arguments)
    name = None
    if len(words) == 3 and words[1].lower() == "as":
        name = words[2].lower()
    elif len(words) != 1:
        raise ValueError("FROM needs an image, or an image, AS and a name")
    return From(**_common(parts), image=words[0], name=name)


def _transfer(parts: _Parts) -> tuple[tuple[str, ...], str, bool]:
    listed = json_words(parts.arguments)
    words = blank_separated(parts.arguments) if listed is None else listed
    if len(words) < 2:
        raise ValueError(f"{parts.keyword} needs a source and a destination")
    sources = words[:-1]
    if listed is None and parts.heredocs:
        sources = tuple(word for word in sources if heredoc_start(word) is None)
        if any(heredoc.file_descriptor for heredoc in parts.heredocs):
            raise ValueError(f"{parts.keyword} takes no numbered here-document")
    return sources, words[-1], listed is not None


def _copy(parts: _Parts) -> Copy:
    sources, destination, json = _transfer(parts)
    return Copy(**_common(parts), sources=sources, destination=destination, json=json)


def _add(parts: _Parts) -> Add:
    sources, destination, json = _transfer(parts)
    return Add(**_common(parts), sources=sources, destination=destination, json=json)


def _run(parts: _Parts) -> Run:
    if not parts.arguments and not any(flag.name == "mount" for flag in parts.flags):
        _needed(parts)
    mounts = tuple(_mount(flag.value or "") for flag in parts.flags if flag.name == "mount")
    return Run(**_common(parts), command=_command(parts), mounts=mounts)


def _mount(text: str) -> Mount:
    try:
        fields = next(csv.reader([text]), [])
    except csv.Error as error:
        raise ValueError(f"--mount={quoted(text)}: {error}") from error
    options = [field.partition("=") for field in fields]
    return Mount(options=tuple((name.strip().lower(), value) for name, _, value in options))


def _env(parts: _Parts) -> Env:
    return Env(**_common(parts), assignments=assignments(parts.arguments, "ENV", parts.escape))


def _label(parts: _Parts) -> Label:
    found = assignments(parts.arguments, "LABEL", parts.escape)
    return Label(**_common(parts), assignments=found)


def _arg(parts: _Parts) -> Arg:
    return Arg(**_common(parts), assignments=declarations(parts.arguments, parts.escape))


def _shell(parts: _Parts) -> Shell:
    words = json_words(parts.arguments)
    if not words:
        raise ValueError("SHELL needs a JSON array of words")
    return Shell(**_common(parts), words=words)


def _volume(parts: _Parts) -> Volume:
    words = json_words(parts.arguments)
    paths = blank_separated(_needed(parts)) if words is None else words
    return Volume(**_common(parts), paths=paths)


def _health_check(parts: _Parts) -> HealthCheck:
    kind, rest = split_keyword(_needed(parts))
    if kind.upper() == "NONE":
        if rest:
            raise ValueError("HEALTHCHECK NONE takes no arguments")
        return HealthCheck(**_common(parts), command=None)
    if kind.upper() != "CMD" or not rest:
        raise ValueError("HEALTHCHECK needs NONE, or CMD and a command")
    words = json_words(rest)
    command = ShellForm(text=rest) if words is None else ExecForm(words=words)
    return HealthCheck(**_common(parts), command=command)


def _on_build(parts: _Parts) -> OnBuild:
    keyword, rest = split_keyword(_needed(parts))
    if keyword.upper() in {"ONBUILD", "FROM", "MAINTAINER"}:
        raise ValueError(f"ONBUILD can't hold {keyword.upper()}")
    inner = _typed(keyword, rest, parts.span, parts.heredocs, parts.escape)
    return OnBuild(**_common(parts), instruction=inner)


_READERS: dict[str, Callable[[_Parts], Instruction]] = {
    "ADD": _add,
    "ARG": _arg,
    "CMD": lambda parts: Cmd(**_common(parts), command=_command(parts)),
    "COPY": _copy,
    "ENTRYPOINT": lambda parts: Entrypoint(**_common(parts), command=_command(parts)),
    "ENV": _env,
    "EXPOSE": lambda parts: Expose(**_common(parts), ports=blank_separated(_needed(parts))),
    "FROM": _from,
    "HEALTHCHECK": _health_check,
    "LABEL": _label,
    "MAINTAINER": lambda parts: Maintainer(**_common(parts), name=_needed(parts)),
    "ONBUILD": _on_build,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": lambda parts: StopSignal(**_common(parts), signal=_needed(parts)),
    "USER": lambda parts: User(**_common(parts), user=_needed(parts)),
    "VOLUME": _volume,
    "WORKDIR": lambda parts: Workdir(**_common(parts), path=_needed(parts)),
}
