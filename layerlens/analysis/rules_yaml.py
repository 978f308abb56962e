"""The YAML that files like ``.dive-ci`` are written in: mappings of mappings of plain values.

A small strict parser rather than a library: block mappings by indentation, plain and quoted
scalars on one line, comments, one document. Everything else that YAML has (sequences, flow
collections, block scalars, anchors, tags, several documents) is refused with the line it is on,
and never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from layerlens.errors import UsageError
from layerlens.oci.quoting import printable, quoted

LONGEST = 1 << 20
"""Characters of a file: what is longer is none that a person wrote."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_KEY = re.compile(r"""(?P<key>"[^"\\]*"|'[^']*'|[A-Za-z0-9_][^\s:#]*)\s*:(?=\s|\Z)""")
_REFUSED = {
    "-": "a sequence",
    "[": "a flow sequence",
    "{": "a flow mapping",
    "|": "a block of text",
    ">": "a block of text",
    "&": "an anchor",
    "*": "an alias",
    "!": "a tag",
    "%": "a directive",
    "?": "a complex key",
    "@": "a reserved character",
    "`": "a reserved character",
    "]": "a flow sequence",
    "}": "a flow mapping",
    ",": "a flow collection",
}
_INDENTED = "indented differently from the lines that it stands among"
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "t": "\t", "0": "\0"}


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as text, and the line it stands on (from 1). ``text``: None for null."""

    text: str | None
    line: int


@dataclass(frozen=True, slots=True)
class YamlMapping:
    """A mapping, and the line of each key."""

    fields: Mapping[str, Scalar | YamlMapping]
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    number: int
    indent: int
    key: str
    value: Scalar | None  # None where nothing or only a comment follows the colon


def parse_yaml_mapping(text: str, where: str) -> YamlMapping:
    """The mapping that the text of the file *where* holds; empty for a file of comments.

    Raises UsageError, which names the line, for what this parser does not take.
    """
    if len(text) > LONGEST:
        raise UsageError(f"{printable(where)}: too long: {len(text)} characters")
    try:
        lines = _lines(text)
        found, end = _mapping(lines, 0, lines[0].indent if lines else 0)
        if end < len(lines):
            raise _Refused(lines[end].number, _INDENTED)
    except _Refused as refusal:
        raise UsageError(f"{printable(where)}: line {refusal.line}: {refusal}") from None
    return found


class _Refused(Exception):
    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


def _lines(text: str) -> list[_Line]:
    found: list[_Line] = []
    begun = ended = False
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        stripped = raw.strip(" ")
        if not stripped.strip() or stripped.lstrip().startswith("#"):
            continue
        if raw.rstrip() == "---" and not (found or begun or ended):
            begun = True
            continue
        if raw.rstrip() == "...":
            ended = True
            continue
        if ended or raw.startswith("---"):
            raise _Refused(number, "a second document, where one is expected")
        found.append(_line(raw, number))
    return found


def _line(raw: str, number: int) -> _Line:
    body = raw.lstrip(" ")
    if body.startswith("\t"):
        raise _Refused(number, "a tab as indentation, where YAML wants spaces")
    refused = _REFUSED.get(body[0])
    if refused is not None:
        raise _Refused(number, f"{refused}, where 'key: value' is expected")
    match = _KEY.match(body)
    if match is None:
        raise _Refused(number, f"expected 'key: value', got {quoted(body.strip())}")
    key = match["key"]
    if key[0] in "'\"":
        key = key[1:-1]
    rest = body[match.end() :].strip()
    value = None
    if rest and not rest.startswith("#"):
        value = Scalar(_scalar(rest, number), number)
    return _Line(number=number, indent=len(raw) - len(body), key=key, value=value)


def _mapping(lines: list[_Line], start: int, indent: int) -> tuple[YamlMapping, int]:
    """The mapping whose first line is ``lines[start]``, and the line after it."""
    fields: dict[str, Scalar | YamlMapping] = {}
    numbers: dict[str, int] = {}
    position = start
    while position < len(lines) and lines[position].indent >= indent:
        line = lines[position]
        if line.indent > indent:
            raise _Refused(line.number, _INDENTED)
        if line.key in fields:
            problem = f"the key {quoted(line.key)} stands on line {numbers[line.key]} already"
            raise _Refused(line.number, problem)
        numbers[line.key] = line.number
        position += 1
        if line.value is not None:
            fields[line.key] = line.value
        elif position < len(lines) and lines[position].indent > indent:
            fields[line.key], position = _mapping(lines, position, lines[position].indent)
        else:
            fields[line.key] = Scalar(None, line.number)
    return YamlMapping(fields, numbers), position


def _scalar(text: str, line: int) -> str | None:
    """The text of a value; None for null."""
    if text[0] in "'\"":
        return _quoted_scalar(text, line)
    refused = _REFUSED.get(text[0])
    if refused is not None and not re.match(r"-[0-9.]", text):
        raise _Refused(line, f"{refused}, where a plain value is expected")
    plain = re.split(r"\s#", text, maxsplit=1)[0].rstrip()
    if re.search(r":(\s|\Z)", plain):
        raise _Refused(line, "a mapping on the line of its key")
    return None if plain in _NULLS else plain


def _quoted_scalar(text: str, line: int) -> str:
    mark = text[0]
    pieces: list[str] = []
    position = 1
    while position < len(text):
        character = text[position]
        position += 1
        if character == mark:
            if mark == "'" and text[position : position + 1] == "'":
                position += 1  # a quote within single quotes
            else:
                rest = text[position:]
                if rest.strip() and not re.match(r"\s+#", rest):
                    raise _Refused(line, f"{quoted(rest.strip())} after a quoted value")
                return "".join(pieces)
        elif character == "\\" and mark == '"':
            escaped = text[position : position + 1]
            position += 1
            if escaped not in _ESCAPES:
                raise _Refused(line, f"an escape that is not known: {quoted(character + escaped)}")
            character = _ESCAPES[escaped]
        pieces.append(character)
    raise _Refused(line, "a quoted value that does not end on its line")
