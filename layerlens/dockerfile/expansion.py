"""Variables and quotes in a Dockerfile's words, as its frontend treats them before any shell.

``$name``, ``${name}``, ``${name:-word}``, ``-``, ``:+``, ``+``, ``:?``, ``?``, ``#``, ``##``,
``%``, ``%%``, ``/`` and ``//``; single and double quotes; the escape character. Source: the
Dockerfile reference, "Environment replacement", and BuildKit's ``shell/lex.go`` for what it does
not say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from layerlens.errors import MalformedInput
from layerlens.oci.quoting import quoted

SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What Go calls white space, for a class of a regular expression (Python calls more so)."""

_NAME = re.compile(r"[0-9]+|[@*#?\-$!]|[^\W\d]\w*")
_SPACE = re.compile(f"[{SPACE}]")
_DEEPEST = 50
_LONGEST = 1 << 16
"""Characters that the variables of one text may bring in: Linux takes no argument of twice that."""


class BadSubstitution(MalformedInput):
    """Quotes or ``${…}`` that do not close, or a form that no Dockerfile frontend knows."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text expanded: as one word, as words split at spaces outside quotes; the names it used."""

    text: str
    words: tuple[str, ...]
    names: frozenset[str]


def expand(text: str, environment: Mapping[str, str], escape: str = "\\") -> Expanded:
    """*text* with its variables replaced (those not in *environment* by nothing), unquoted.

    Raises BadSubstitution, also for ``${name:?}`` of a variable that is not set.
    """
    lexer = _Lexer(text, environment, escape)
    word, words = lexer.process(None, raw=False)
    return Expanded(word, tuple(words), frozenset(lexer.names))


def raw_words(text: str) -> tuple[str, ...]:
    """*text* split at spaces outside quotes, with its quotes, escapes and variables left alone.

    Raises BadSubstitution.
    """
    lexer = _Lexer(text, None, "\\")
    return tuple(lexer.process(None, raw=True)[1])


def variable_names(text: str, escape: str = "\\") -> frozenset[str]:
    """The variables that expanding *text* looks at. Raises BadSubstitution."""
    lexer = _Lexer(text, None, escape)
    lexer.process(None, raw=False)
    return frozenset(lexer.names)


class _Words:
    """Characters gathered into words."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._word: list[str] = []

    def add(self, text: str) -> None:
        """Text in which a space ends a word."""
        for character in text:
            if _SPACE.match(character):
                self.end()
            else:
                self._word.append(character)

    def add_quoted(self, text: str) -> None:
        self._word.append(text)

    def end(self) -> None:
        word = "".join(self._word)
        self._word.clear()
        if word:
            self.done.append(word)


class _Lexer:
    """Without an environment, variables are noted and left as they are written."""

    def __init__(self, text: str, environment: Mapping[str, str] | None, escape: str) -> None:
        self._text = text
        self._at = 0
        self._environment = environment
        self._escape = escape
        self._depth = 0
        self._brought = 0
        self.names: set[str] = set()

    def _next(self) -> str:
        """The next character; "" at the end."""
        character = self._text[self._at : self._at + 1]
        self._at += 1
        return character

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def process(self, stop: str | None, *, raw: bool) -> tuple[str, list[str]]:
        """Read to *stop*, or to the end; *raw*: keep quotes and escapes as they are."""
        result: list[str] = []
        words = _Words()
        while character := self._peek():
            if character == stop:
                self._at += 1
                words.end()
                return "".join(result), words.done
            if character == "$":
                piece = self._dollar()
                words.add(piece)
            elif character == "'":
                piece = self._single_quoted(raw=raw)
                words.add_quoted(piece)
            elif character == '"':
                piece = self._double_quoted(raw=raw)
                words.add_quoted(piece)
            elif character == self._escape:
                self._at += 1
                escaped = self._next()
                piece = character + escaped if raw else escaped
                words.add_quoted(piece)
            else:
                self._at += 1
                piece = character
                words.add(piece)
            result.append(piece)
        if stop is not None:
            raise BadSubstitution(f"{quoted(self._text)} has no matching {stop}")
        words.end()
        return "".join(result), words.done

    def _single_quoted(self, *, raw: bool) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise BadSubstitution(f"{quoted(self._text)} has a single quote that does not close")
        start, self._at = self._at, end + 1
        return self._text[start : end + 1] if raw else self._text[start + 1 : end]

    def _double_quoted(self, *, raw: bool) -> str:
        self._at += 1
        result = ['"'] if raw else []
        while character := self._peek():
            if character == '"':
                self._at += 1
                return "".join([*result, '"'] if raw else result)
            if character == "$":
                result.append(self._dollar())
                continue
            self._at += 1
            if character == self._escape:
                if raw:
                    result.append(character)
                if not self._peek():
                    continue
                if self._peek() in {'"', "$", self._escape}:
                    character = self._next()
                elif raw:
                    continue
            result.append(character)
        raise BadSubstitution(f"{quoted(self._text)} has a double quote that does not close")

    def _name(self) -> str:
        match = _NAME.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _dollar(self) -> str:
        start = self._at
        self._at += 1
        if self._peek() != "{":
            name = self._name()
            return self._counted(self._value(name, self._text[start : self._at])) if name else "$"
        self._at += 1
        if self._peek() in {"", "{", "}", ":"}:
            raise BadSubstitution(f"{quoted(self._text)}: bad substitution")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadSubstitution(f"{quoted(self._text)}: substitutions nested too deep")
        value = self._counted(self._braced(start))
        self._depth -= 1
        return value

    def _counted(self, value: str) -> str:
        if self._environment is not None:
            self._brought += len(value)
        if self._brought > _LONGEST:
            raise BadSubstitution(f"{quoted(self._text)} expands to over {_LONGEST} characters")
        return value

    def _braced(self, start: int) -> str:
        """What follows ``${``."""
        name = self._name()
        modifier = self._next()
        if modifier == "}":
            return self._value(name, self._text[start : self._at])
        if modifier == "/":
            return self._replaced(name, start)
        null_is_unset = modifier == ":"
        if null_is_unset:
            modifier = self._next()
        if not modifier or modifier not in "-+?#%" or (null_is_unset and modifier in "#%"):
            raise BadSubstitution(
                f"{quoted(self._text)}: unsupported modifier {quoted(modifier)} in substitution"
            )
        word = self.process("}", raw=modifier in "#%")[0]
        written = self._text[start : self._at]
        self.names.add(name)
        if self._environment is None:
            return written
        value = self._environment.get(name)
        is_set = bool(value) if null_is_unset else value is not None
        match modifier:
            case "-":
                return value or "" if is_set else word
            case "+":
                return word if is_set else ""
            case "?":
                if not is_set:
                    raise BadSubstitution(f"{name}: {word or 'is not set'}")
                return value or ""
            case _:
                return _trimmed(value or "", modifier, word)

    def _replaced(self, name: str, start: int) -> str:
        every = self._peek() == "/"
        if every:
            self._at += 1
        pattern = self.process("/", raw=True)[0]
        replacement = self.process("}", raw=True)[0]
        written = self._text[start : self._at]
        value = self._value(name, written)
        if self._environment is None:
            return written
        expression = _pattern(pattern, longest=True)
        return re.sub(
            expression, lambda _: self._counted(replacement), value, count=0 if every else 1
        )

    def _value(self, name: str, written: str) -> str:
        self.names.add(name)
        return written if self._environment is None else self._environment.get(name, "")


def _trimmed(value: str, modifier: str, word: str) -> str:
    longest = word.startswith(modifier)
    if longest:
        word = word[1:]
    expression = _pattern(word, longest=longest or modifier == "%")
    if modifier == "#":
        match = re.match(expression, value, re.DOTALL)
        return value[match.end() :] if match else value
    starts = range(len(value) + 1) if longest else range(len(value), -1, -1)
    for start in starts:
        if re.compile(expression, re.DOTALL).fullmatch(value, start):
            return value[:start]
    return value


def _pattern(pattern: str, *, longest: bool) -> str:
    """A shell's pattern, without brackets, as a regular expression.

    What stands between two stars is taken where it is found first, as all that could follow a later
    place can follow that one too: no pattern is tried in every way to share a text out among stars.
    """
    chunks = [""]
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            chunks.append("")
        elif character == "?":
            chunks[-1] += "."
        elif character == "\\":
            following = pattern[at : at + 1]
            if following not in {"}", "/"}:
                if following not in {"*", "?", "\\"}:
                    raise BadSubstitution(f"{quoted(pattern)}: invalid escape in a pattern")
                chunks[-1] += re.escape(following)
                at += 1
        else:
            chunks[-1] += re.escape(character)
    last = f".*{chunks.pop()}" if longest and len(chunks) > 1 else ""
    first, *later = chunks
    return first + "".join(f"(?>.*?{chunk})" for chunk in later) + last
