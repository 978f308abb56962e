"""A RUN's shell text as a list of simple commands, where it is no more than that.

Only what can be understood whole is: commands one after another (``&&``, ``;``, newlines), words
with quotes and plain variables, assignments before a command. A pipe, a redirection into a file,
a substitution, a loop, a condition: NotUnderstood, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_SILENCED = re.compile(r"(?:(?:[12]?|&)>{1,2} ?/dev/null|[12]?>&[12])(?=[\s;&]|\Z)")
_REDIRECTION = re.compile(r"(?:&>>?|>[>|&]?|<[>&]?) *")
_KEYWORDS = frozenset(
    {
        *(
            "if",
            "then",
            "else",
            "elif",
            "fi",
            "for",
            "while",
            "until",
            "do",
            "done",
            "case",
            "esac",
        ),
        *("function", "select", "{", "}", "!", "[[", "time", "coproc"),
    }
)

VARIABLE = "\0"
"""Stands in a word for a variable's value."""


class NotUnderstood(Exception):
    """The text is more than a list of simple commands; the message is a clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """`text`: quotes taken off, VARIABLE where a variable stands. `names`: those variables, in
    their order. `pattern`: whether the shell matches it with files."""

    text: str
    names: tuple[str, ...] = ()
    pattern: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleCommand:
    """`assignments`: what is set for this command alone. `words`: the command and its arguments."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]

    @property
    def names(self) -> frozenset[str]:
        """The variables that its words stand on."""
        values = [value for _, value in self.assignments]
        return frozenset(name for word in (*values, *self.words) for name in word.names)


def simple_commands(text: str) -> tuple[SimpleCommand, ...]:
    """The commands of a shell text, in their order. Raises NotUnderstood."""
    if VARIABLE in text:
        raise NotUnderstood("it has a NUL, which no shell takes")
    commands = []
    words: list[Word] = []
    raw: list[str] = []

    def end() -> None:
        if words:
            commands.append(_command(words, raw))
        words.clear()
        raw.clear()

    for item in _items(text):
        if isinstance(item, str):
            end()
        else:
            words.append(item[0])
            raw.append(item[1])
    end()
    return tuple(commands)


def _command(words: list[Word], raw: list[str]) -> SimpleCommand:
    assignments = []
    at = 0
    while at < len(words) and _ASSIGNMENT.match(raw[at]):
        name, _, value = words[at].text.partition("=")
        assignments.append((name, Word(text=value, names=words[at].names)))
        at += 1
    rest = tuple(words[at:])
    if rest and rest[0].text in _KEYWORDS:
        raise NotUnderstood(f"it has the shell's {rest[0].text}")
    return SimpleCommand(assignments=tuple(assignments), words=rest)


def _items(text: str) -> Iterator[str | tuple[Word, str]]:
    """Separators as strings; words with the text they were written with."""
    at = 0
    while at < len(text):
        character = text[at]
        if character in " \t\r":
            at += 1
        elif character in "\n;":
            at += 1
            yield ";"
        elif text.startswith("\\\n", at):
            at += 2
        elif text.startswith("&&", at):
            at += 2
            yield "&&"
        elif character == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif silenced := _SILENCED.match(text, at):
            at = silenced.end()
        elif character in "|&<>()`":
            raise NotUnderstood(_beyond_a_list(text, at))
        else:
            start = at
            word, at = _word(text, at)
            yield word, text[start:at]


_ODD = {
    "<<<": "it has a here-string",
    "<<": "it has a here-document",
    "<(": "it has a process substitution",
    ">(": "it has a process substitution",
    "|": "it has a pipe",
    "(": "it has a subshell",
    ")": "it has a subshell",
    "`": "it has a command substitution",
}


def _beyond_a_list(text: str, at: int) -> str:
    """What begins at *at* that a list of simple commands has not."""
    for start, reason in _ODD.items():
        if text.startswith(start, at):
            return reason
    redirection = _REDIRECTION.match(text, at)
    if redirection is None:
        return "it has a command in the background"
    _, end = _word(text, redirection.end())
    file = text[redirection.end() : end] or "a file"
    if ">" in redirection[0]:
        return f"it writes a command's output to {file}"
    return f"it reads a command's input from {file}"


def _word(text: str, at: int) -> tuple[Word, int]:
    parts: list[str] = []
    names: list[str] = []
    pattern = False
    while at < len(text):
        character = text[at]
        if character in " \t\r\n;&|<>()":
            break
        if character == "\\":
            following = text[at + 1 : at + 2]
            parts.append("" if following == "\n" else following)
            at += 2
        elif character == "'":
            end = text.find("'", at + 1)
            if end < 0:
                raise NotUnderstood("a quote does not close")
            parts.append(text[at + 1 : end])
            at = end + 1
        elif character == '"':
            at = _double_quoted(text, at + 1, parts, names)
        elif character == "$":
            at = _variable(text, at, parts, names)
        elif character == "`":
            raise NotUnderstood("it has a command substitution")
        else:
            if character in "*?[{~" and not (character == "~" and parts):
                pattern = True
            parts.append(character)
            at += 1
    return Word(text="".join(parts), names=tuple(names), pattern=pattern), at


def _double_quoted(text: str, at: int, parts: list[str], names: list[str]) -> int:
    while at < len(text):
        character = text[at]
        if character == '"':
            return at + 1
        if character == "$":
            at = _variable(text, at, parts, names)
        elif character == "`":
            raise NotUnderstood("it has a command substitution")
        elif character == "\\" and text[at + 1 : at + 2] in {'"', "$", "\\", "`", "\n"}:
            parts.append(text[at + 1].replace("\n", ""))
            at += 2
        else:
            parts.append(character)
            at += 1
    raise NotUnderstood("a quote does not close")


def _variable(text: str, at: int, parts: list[str], names: list[str]) -> int:
    match = _VARIABLE.match(text, at)
    if match is None:
        raise NotUnderstood("it has a substitution other than a plain variable")
    parts.append(VARIABLE)
    names.append(match[1] or match[2])
    return match.end()
