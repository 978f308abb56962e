"""The pieces of an instruction's line: flags, words, pairs, JSON arrays, here-documents.

Each follows the rules of its own that the Dockerfile's frontend has; none of them expands
variables. What is wrong is a ValueError whose text says what, for `parser` to say where.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.dockerfile.expansion import SPACE, BadSubstitution, expand, raw_words
from layerlens.dockerfile.instruction_parts import Assignment, Flag, Heredoc
from layerlens.oci.quoting import quoted

_SPACE = re.compile(f"[{SPACE}]")
_SPACES = re.compile(f"[{SPACE}]+")
_BLANKS = re.compile(r"[\t\v\f\r ]+")
_HEREDOC = re.compile(r"([0-9]{0,9})<<(-?)([^<]+)")


def stripped(text: str) -> str:
    """The text without white space at its ends."""
    start = _SPACES.match(text)
    text = text[start.end() :] if start else text
    end = len(text)
    while end and _SPACE.match(text[end - 1]):
        end -= 1
    return text[:end]


def split_keyword(line: str) -> tuple[str, str]:
    """The first word of a line, and the rest of it."""
    parts = _BLANKS.split(stripped(line), maxsplit=1)
    return parts[0], parts[1] if len(parts) > 1 else ""


def split_flags(text: str) -> tuple[tuple[Flag, ...], str]:
    """The flags at the start of an instruction's arguments, and what follows them."""
    flags: list[Flag] = []
    at = 0
    while True:
        spaces = _SPACES.match(text, at)
        at = spaces.end() if spaces else at
        if not text.startswith("--", at):
            return tuple(flags), stripped(text[at:])
        word, at = _flag_word(text, at)
        if word == "--":
            return tuple(flags), stripped(text[at:])
        name, equals, value = word.removeprefix("--").partition("=")
        flags.append(Flag(name=name, value=value if equals else None))


def _flag_word(text: str, at: int) -> tuple[str, int]:
    """A word from *at* on, its quotes taken off; and where it ends."""
    word: list[str] = []
    quote = ""
    while at < len(text):
        character = text[at]
        if not quote and _SPACE.match(character):
            break
        at += 1
        if character == "\\":
            word.append(text[at : at + 1])
            at += 1
        elif character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        else:
            word.append(character)
    return "".join(word), at


def blank_separated(text: str) -> tuple[str, ...]:
    """The words between spaces; quotes mean nothing here."""
    return tuple(_BLANKS.split(text)) if text else ()


def json_words(text: str) -> tuple[str, ...] | None:
    """The words of a JSON array of strings; None for text that is no JSON array.

    ValueError for an array that holds anything else, as a build would fail.
    """
    if not text.startswith("["):
        return None
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list):
        return None
    items: list[object] = value
    words = tuple(item for item in items if isinstance(item, str))
    if len(words) != len(items):
        raise ValueError("an array of arguments may hold strings alone")
    return words


def quoted_words(text: str, escape: str) -> tuple[str, ...]:
    """The words of ENV, LABEL and ARG: spaces in quotes do not split; quotes are kept."""
    return tuple(_quoted_words(text, escape))


def _quoted_words(text: str, escape: str) -> Iterator[str]:
    word: list[str] = []
    quote = ""
    at = 0
    while at < len(text):
        character = text[at]
        at += 1
        if not quote and _SPACE.match(character):
            if word:
                yield "".join(word)
            word.clear()
            continue
        if character == escape and quote != "'":
            if at == len(text):
                break  # an escape character at the very end is dropped
            word.append(character)
            character = text[at]
            at += 1
        elif character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        word.append(character)
    if word:
        yield "".join(word)


def assignments(text: str, keyword: str, escape: str) -> tuple[Assignment, ...]:
    """``name=value …``, or the old ``name the whole rest``."""
    words = quoted_words(text, escape)
    if not words:
        raise ValueError(f"{keyword} needs a name and a value")
    if "=" not in words[0]:
        parts = _BLANKS.split(text, maxsplit=1)
        if len(parts) < 2:
            raise ValueError(f"{keyword} needs a name and a value")
        return (Assignment(name=parts[0], value=parts[1]),)
    found = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{keyword}: {quoted(word)} is not of the form name=value")
        if not name:
            raise ValueError(f"{keyword}: {quoted(word)} names nothing")
        found.append(Assignment(name=name, value=value))
    return tuple(found)


def declarations(text: str, escape: str) -> tuple[Assignment, ...]:
    """ARG's ``name`` and ``name=default``."""
    found = []
    for word in quoted_words(text, escape):
        name, equals, value = word.partition("=")
        if not name:
            raise ValueError(f"ARG: {quoted(word)} names nothing")
        found.append(Assignment(name=name, value=value if equals else None))
    if not found:
        raise ValueError("ARG needs a name")
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeredocStart:
    """``<<NAME`` on an instruction's line, whose lines are yet to be read."""

    name: str
    expand: bool
    chomp: bool
    file_descriptor: int

    def ended_by(self, line: str) -> bool:
        """Whether a line, without its newline, is the one after the last."""
        return (line.lstrip("\t") if self.chomp else line) == self.name

    def with_content(self, content: str) -> Heredoc:
        """The whole here-document."""
        return Heredoc(
            name=self.name,
            content=content,
            expand=self.expand,
            chomp=self.chomp,
            file_descriptor=self.file_descriptor,
        )


def heredoc_start(word: str) -> HeredocStart | None:
    """The here-document that a word of a line opens; None: it opens none."""
    match = _HEREDOC.fullmatch(word)
    if match is None:
        return None
    try:
        plain, raw = _unquoted(match[3]), raw_words(match[3])
    except BadSubstitution:
        return None
    if len(plain) != 1 or len(raw) != 1:
        return None
    return HeredocStart(
        name=plain[0],
        expand=plain[0] == raw[0],
        chomp=bool(match[2]),
        file_descriptor=int(match[1] or "0"),
    )


def heredoc_starts(line: str) -> tuple[HeredocStart, ...]:
    """The here-documents that a line opens, in their order."""
    if "<<" not in line:
        return ()
    try:
        words = raw_words(line)
    except BadSubstitution:  # a shell's own syntax: the frontend sees no here-document either
        return ()
    return tuple(start for word in words if (start := heredoc_start(word)) is not None)


def _unquoted(word: str) -> tuple[str, ...]:
    """The words without quotes, variables left as they are (a delimiter is never expanded)."""
    return expand(word.replace("$", "\\$"), {}).words
