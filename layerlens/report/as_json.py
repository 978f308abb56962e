r"""Values as JSON: dataclasses made for it by a command, written as they stand.

What every document keeps to: ``schema_version`` first; keys in the order of the fields; ASCII
only, two spaces of indent; sizes are integers of bytes; None is null and never left out.

Text that was bytes and is not UTF-8 (a path of an image, held with surrogateescape) is no valid
JSON text. Its key then holds the text as a table shows it (``caf\xe9``, see `safe_text`), for
reading alone, and the key followed by ``_base64`` holds the exact bytes. Where there is no such
key, the text is exact as it stands. Inside an array of strings or a mapping there is no place for
a second key: such text is only shown, so what has to be exact gets an object of its own.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING

from layerlens.report.safe_text import escape

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_INDENT = "  "
_PIECES_HELD = 4096

_quote = encode_basestring_ascii

_Names = tuple[tuple[str, str], ...]
_KNOWN: dict[type[object], _Names | None] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFields:
    """A path for JSON: `path_base64` is None where `path` is exact."""

    path: str
    path_base64: str | None


def path_fields(path: str) -> PathFields:
    """*path* as JSON can hold it; a surrogate that never was a byte leaves only what is shown."""
    try:
        path.encode()
    except UnicodeEncodeError:
        try:
            exact = path.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return PathFields(path=escape(path), path_base64=None)
        return PathFields(path=escape(path), path_base64=base64.b64encode(exact).decode("ascii"))
    return PathFields(path=path, path_base64=None)


def write_json(
    write: Callable[[str], object], document: DataclassInstance, *, schema_version: int
) -> None:
    """Write the dataclass *document* through *write*, a piece at a time.

    A field may hold str, int, bool, None, an Enum (its value is written), another dataclass, a
    mapping with string keys, or any iterable, written as an array. A generator is run as it is
    written, so that the whole is never in memory. TypeError for anything else (bytes, floats).
    """
    writer = _Writer(write)
    version: list[tuple[str, object]] = [('"schema_version"', schema_version)]
    writer.put_object(version + _fields_of(document, _field_names(type(document)) or ()), "\n")
    writer.pieces.append("\n")
    writer.hand_over()


class _Writer:
    """The pieces of a document on their way out; a break is a newline and the indent after it."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self.pieces: list[str] = []

    def hand_over(self) -> None:
        self._write("".join(self.pieces))
        self.pieces.clear()

    def put(self, value: object, line_break: str) -> None:
        names = _field_names(type(value))
        if names is not None:
            self.put_object(_fields_of(value, names), line_break)
        elif (scalar := _scalar(value)) is not None:
            self.pieces.append(scalar)
        elif isinstance(value, Mapping):
            self.put_object(_members_of(value), line_break)
        elif isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | memoryview):
            self.put_array(value, line_break)
        else:
            raise TypeError(f"a document has no place for {type(value).__name__}")

    def put_object(self, members: Iterable[tuple[str, object]], line_break: str) -> None:
        """Put an object of members whose names are quoted already."""
        inner = line_break + _INDENT
        before = "{" + inner
        for name, value in members:
            if type(value) is str:
                if value.isascii():
                    self.pieces.append(f"{before}{name}: {_quote(value)}")
                else:
                    self._put_text(name, value, before, inner)
            elif type(value) is int:
                self.pieces.append(f"{before}{name}: {value}")
            elif value is None:
                self.pieces.append(f"{before}{name}: null")
            elif (scalar := _scalar(value)) is not None:
                self.pieces.append(f"{before}{name}: {scalar}")
            else:
                self.pieces.append(f"{before}{name}: ")
                self.put(value, inner)
            before = "," + inner
        self.pieces.append("{}" if before[0] == "{" else line_break + "}")

    def _put_text(self, name: str, value: str, before: str, inner: str) -> None:
        """Put a member that is text beyond ASCII, and its exact bytes where it is not UTF-8."""
        text = path_fields(value)
        self.pieces.append(f"{before}{name}: {_quote(text.path)}")
        if text.path_base64 is not None:
            self.pieces.append(f',{inner}{name[:-1]}_base64": "{text.path_base64}"')

    def put_array(self, items: Iterable[object], line_break: str) -> None:
        inner = line_break + _INDENT
        before = "[" + inner
        for item in items:
            self.pieces.append(before)
            self.put(item, inner)
            before = "," + inner
            if len(self.pieces) > _PIECES_HELD:
                self.hand_over()
        self.pieces.append("[]" if before[0] == "[" else line_break + "]")


def _scalar(value: object) -> str | None:
    """The JSON text of a value without parts; None for any other."""
    if isinstance(value, str):
        return _quote(_shown(value))
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, Enum):
        return _scalar(value.value)
    return None


def _shown(text: str) -> str:
    return text if text.isascii() else path_fields(text).path


def _members_of(mapping: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The members of a mapping, whose keys are the image's: one of our own could be among them."""
    for name, value in mapping.items():
        yield _quote(_shown(name)), _shown(value) if isinstance(value, str) else value


def _fields_of(value: object, names: _Names) -> list[tuple[str, object]]:
    return [(quoted, getattr(value, name)) for name, quoted in names]


def _field_names(kind: type[object]) -> _Names | None:
    """The fields of a dataclass, plain and quoted; None for any other type."""
    try:
        return _KNOWN[kind]
    except KeyError:
        names = None
        if is_dataclass(kind):
            names = tuple((field.name, _quote(field.name)) for field in fields(kind))
        _KNOWN[kind] = names
        return names
