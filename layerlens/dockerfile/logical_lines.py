"""A Dockerfile's characters cut into logical lines: what an instruction says, and where.

Here are parser directives, comments, continuation lines with comments and blank lines between
them, and the byte order mark; what a line means is `parser`'s. Source: the Dockerfile
reference, "Format" and "Parser directives".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.dockerfile.expansion import SPACE
from layerlens.dockerfile.instruction_parts import Span
from layerlens.errors import MalformedInput
from layerlens.oci.quoting import quoted

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
_LEADING = re.compile(f"[{SPACE}]*")
_CONTINUED = {
    "\\": re.compile(r"(?:^|(?<=[^\\]))\\[ \t]*\Z"),
    "`": re.compile(r"(?:^|(?<=[^`]))`[ \t]*\Z"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalLine:
    """An instruction's lines joined; its here-documents are not in it."""

    text: str
    span: Span


class LogicalLines:
    """Iterates over the logical lines of a text; `take_line` reads here-documents between them."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._at = 0
        self.line_number = 0
        self.escape = "\\"
        self.directives: dict[str, str] = {}
        self._directives_over = False

    @property
    def position(self) -> int:
        """The offset after the last line taken."""
        return self._at

    def __iter__(self) -> Iterator[LogicalLine | Span]:
        """The logical lines, and the span of each line that belongs to none.

        Raises MalformedInput for a directive that can't be.
        """
        while self._at < len(self._text):
            start, first_line = self._at, self.line_number + 1
            line = _without_leading(self._first_line())
            self._note_directive(line)
            if not line or line.startswith("#"):
                yield self._span(start, first_line)
                continue
            text = self._joined(line)
            span = self._span(start, first_line)
            yield span if text is None else LogicalLine(text=text, span=span)

    def take_line(self) -> str | None:
        """The next line as it stands, with its newline; None at the end."""
        if self._at >= len(self._text):
            return None
        end = self._text.find("\n", self._at) + 1 or len(self._text)
        line = self._text[self._at : end]
        self._at = end
        self.line_number += 1
        return line

    def span_from(self, span: Span) -> Span:
        """*span*, reaching to the last line that was taken."""
        return self._span(span.start, span.first_line)

    def fail(self, line_number: int, reason: str) -> MalformedInput:
        """The error to raise for a line."""
        return MalformedInput(f"{self._name}:{line_number}: {reason}")

    def _span(self, start: int, first_line: int) -> Span:
        return Span(start=start, end=self._at, first_line=first_line, last_line=self.line_number)

    def _first_line(self) -> str:
        line = without_newline(self.take_line() or "")
        return line.removeprefix("\ufeff") if self.line_number == 1 else line

    def _joined(self, line: str) -> str | None:
        """A first line and those that continue it; None where nothing but the joins is there."""
        parts = []
        continued, line = self._cut(line)
        parts.append(line)
        if not continued and not line:
            return None
        while continued:
            following = self.take_line()
            if following is None:
                break
            line = without_newline(following)
            bare = _without_leading(line)
            if not bare or bare.startswith("#"):
                continue
            continued, line = self._cut(line)
            parts.append(line)
        return "".join(parts)

    def _cut(self, line: str) -> tuple[bool, str]:
        match = _CONTINUED[self.escape].search(line)
        return (False, line) if match is None else (True, line[: match.start()])

    def _note_directive(self, line: str) -> None:
        if self._directives_over:
            return
        match = _DIRECTIVE.fullmatch(line)
        name = match[1].lower() if match else ""
        if match is None or name not in _DIRECTIVES:
            self._directives_over = True
            return
        if name in self.directives:
            raise self.fail(self.line_number, f"the parser directive {name} stands twice")
        self.directives[name] = match[2]
        if name == "escape":
            if match[2] not in _CONTINUED:
                raise self.fail(
                    self.line_number,
                    f"the escape character can't be {quoted(match[2])}, only \\ or `",
                )
            self.escape = match[2]


def without_newline(line: str) -> str:
    """The line without what ends it: a newline, after any carriage returns."""
    return line.rstrip("\r\n")


def _without_leading(line: str) -> str:
    match = _LEADING.match(line)
    return line[match.end() :] if match else line
