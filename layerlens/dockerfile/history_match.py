"""How well an instruction of a Dockerfile and an entry of an image's history agree.

A history has variables expanded and a Dockerfile has not, so what a variable stands for may be
anything. Builders also forget: docker's old one keeps no sources of a COPY. What they keep must
agree, word for word.
"""

from __future__ import annotations

import enum
import posixpath
import re
from collections.abc import Iterator, Mapping

from layerlens.dockerfile.expansion import BadSubstitution, expand
from layerlens.dockerfile.instruction_parts import ExecForm
from layerlens.dockerfile.instructions import (
    Add,
    Arg,
    Copy,
    Env,
    Instruction,
    Label,
    OnBuild,
    Run,
    Workdir,
)
from layerlens.oci import created_by

_ANYTHING = "\ue000"
_CLASSIC_COPY = re.compile(r"(?:file|dir|multi|tarball):\S* in (.*)", re.DOTALL)
_FLAGS = re.compile(r"(?:--[a-z][\w-]*(?:=\S*)?\s+)*")
_SPACES = re.compile(r"\s+")


class Agreement(enum.IntEnum):
    """How far the two agree; none where they are of different keywords."""

    NONE = 0
    KEYWORD = 1
    """The same keyword with other words: the Dockerfile was changed since, or it is another."""
    FULL = 2


def agreement(
    instruction: Instruction, entry: created_by.Instruction, escape: str = "\\"
) -> Agreement:
    """How far an instruction agrees with what an entry of the history says was done."""
    if entry.keyword is None:
        if isinstance(instruction, Run) and isinstance(instruction.command, ExecForm):
            same = _squeezed(" ".join(instruction.command.words)) == _squeezed(entry.text)
            return Agreement.FULL if same else Agreement.NONE
        return Agreement.NONE
    if entry.keyword != instruction.keyword:
        return Agreement.NONE
    words = entry.text[len(entry.keyword) :].strip()
    return Agreement.FULL if _same(instruction, words, escape) else Agreement.KEYWORD


def _same(instruction: Instruction, words: str, escape: str) -> bool:
    match instruction:
        case Run():
            return _same_run(instruction, words)
        case Copy() | Add():
            return _same_copy(instruction, words, escape)
        case Env() | Label():
            names = [_wild(pair.name, escape) for pair in instruction.assignments]
            return all(any(f"{form}=" in words for form in _written(name)) for name in names)
        case Arg():
            return all(pair.name in words for pair in instruction.assignments)
        case Workdir():
            return _same_path(_wild(instruction.path, escape), words)
        case OnBuild():
            return instruction.instruction.keyword == words.split(maxsplit=1)[0].upper()
        case _:
            return True  # one field of the config, whatever it is written like


def _written(name: str) -> tuple[str, ...]:
    return (name, f'"{name}"', f"'{name}'")


def _same_run(instruction: Run, words: str) -> bool:
    told = _squeezed(_without_flags(words))
    if isinstance(instruction.command, ExecForm):
        given = " ".join(instruction.command.words)
        return told in {_squeezed(given), _squeezed(instruction.arguments)}
    text = _squeezed(instruction.command.text)
    if not instruction.heredocs:
        return told == text
    return told == _squeezed(instruction.script or "") or told.startswith(text)


def _same_copy(instruction: Copy | Add, words: str, escape: str) -> bool:
    destination = _wild(instruction.destination, escape)
    classic = _CLASSIC_COPY.fullmatch(words)
    if classic is not None:
        return _same_path(destination, classic[1])
    told = _without_flags(words)
    if told.startswith("["):
        told = " ".join(re.findall(r'"([^"]*)"', told))
    sources = [_wild(source, escape) for source in instruction.sources]
    inline = len(instruction.heredocs)
    given = " ".join([*sources, *([_ANYTHING] if inline else []), destination])
    if _matches(_squeezed(given), _squeezed(told)):
        return True
    head, _, tail = told.rpartition(" ")
    wanted = " ".join([*sources, *([_ANYTHING] if inline else [])])
    return _matches(_squeezed(wanted), _squeezed(head)) and _same_path(destination, tail)


def _same_path(given: str, told: str) -> bool:
    """Whether a path as it is written may be the path that a builder has put down."""
    given, told = _clean(given), _clean(told)
    if _matches(given, told) or given == ".":
        return True
    if given.startswith("/"):
        return False
    return _matches(f"{_ANYTHING}/{given.removeprefix('./')}", told)


def _clean(path: str) -> str:
    return posixpath.normpath(path.strip().strip("\"'") or ".")


def _without_flags(words: str) -> str:
    match = _FLAGS.match(words)
    return words[match.end() :] if match else words


def _squeezed(text: str) -> str:
    return _SPACES.sub(" ", text).strip()


class _Anything(Mapping[str, str]):
    """Every variable is set, to what a pattern takes as anything."""

    def __getitem__(self, name: str) -> str:
        return _ANYTHING

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _wild(text: str, escape: str) -> str:
    """The text with its quotes off and anything where a variable stands."""
    if "$" in text and "+" in text:
        return _ANYTHING  # ${name:+word} is word or nothing
    try:
        return expand(text, _Anything(), escape).text
    except BadSubstitution:
        return text


def _matches(pattern: str, text: str) -> bool:
    first, *others = pattern.split(_ANYTHING)
    if not others:
        return pattern == text
    *middle, last = others
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
