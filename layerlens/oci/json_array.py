"""A JSON object with one long array of objects, read an item at a time: none is kept here.

What a hostile document takes in memory is then bounded by its bytes and one item, however little
is written between its braces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import cast

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.oci.json_document import (
    JsonValue,
    check_nesting_and_text,
    json_decoder,
    json_text,
    told_of_json,
)
from layerlens.oci.json_fields import JsonObject
from layerlens.oci.quoting import printable

ITEM_LIMIT = 1 << 20
"""Characters in one item, or in one of the other fields."""

_WINDOW = 1 << 12
"""Characters that are looked at first: decoders want their text to begin with the value."""

_NULL = "null"
_SPACE = re.compile(r"[ \t\n\r]*")


class LongArray:
    """The objects of the array under ``key``; ``rest`` are the other fields, once all were read.

    Iterated over once. Raises MalformedInput and LimitExceeded, as ``parse_json`` does.
    """

    def __init__(self, document: bytes, key: str, where: str) -> None:
        self._key = key
        self._where = printable(where)
        with told_of_json(self._where):
            self._text = json_text(document)
        self._decoder = json_decoder(self._where)
        self._position = 0
        self.rest = JsonObject({}, where)

    def __iter__(self) -> Iterator[JsonObject]:
        rest: dict[str, JsonValue] = {}
        found = False
        self._expect("{")
        more = not self._takes("}")
        while more:
            name = self._value()
            if not isinstance(name, str) or name in rest or (found and name == self._key):
                raise self._malformed("expected a key that did not occur before")
            self._expect(":")
            if name == self._key:
                found = True
                yield from self._items()
            else:
                rest[name] = self._value()
            more = self._goes_on("}")
        if self._position != len(self._text):
            raise self._malformed("something follows the document")
        if not found:
            raise MalformedInput(f"{self._where}: {self._key}: missing, expected an array")
        self.rest = JsonObject(rest, self._where)

    def _items(self) -> Iterator[JsonObject]:
        if self._text.startswith(_NULL, self._position):  # what Go writes for an empty one
            self._position += len(_NULL)
            return
        self._expect("[")
        number = 0
        more = not self._takes("]")
        while more:
            value = self._value()
            path = f"{self._key}[{number}]"
            if not isinstance(value, dict):
                raise self._malformed(f"expected {path} to be an object")
            yield JsonObject(value, self._where, path)
            number += 1
            more = self._goes_on("]")

    def _goes_on(self, end: str) -> bool:
        if self._takes(","):
            return True
        self._expect(end)
        return False

    def _takes(self, character: str) -> bool:
        """Whether it is what comes next; it is then passed, and blanks around it."""
        self._pass_blanks()
        if not self._text.startswith(character, self._position):
            return False
        self._position += 1
        self._pass_blanks()
        return True

    def _expect(self, character: str) -> None:
        if not self._takes(character):
            raise self._malformed(f"expected {character!r}")

    def _pass_blanks(self) -> None:
        match = _SPACE.match(self._text, self._position)
        self._position = match.end() if match else self._position

    def _value(self) -> JsonValue:
        self._pass_blanks()
        start = self._text[self._position : self._position + _WINDOW]
        try:
            value, length = cast("tuple[JsonValue, int]", self._decoder.raw_decode(start))
        except json.JSONDecodeError:
            start = self._text[self._position : self._position + ITEM_LIMIT]
            value, length = self._decoded(start)
        except (ValueError, RecursionError):
            value, length = self._decoded(start)
        self._position += length
        if isinstance(value, dict | list | str):
            check_nesting_and_text(value, self._where)
        return value

    def _decoded(self, start: str) -> tuple[JsonValue, int]:
        with told_of_json(self._where):
            try:
                return cast("tuple[JsonValue, int]", self._decoder.raw_decode(start))
            except json.JSONDecodeError:
                if self._position + len(start) < len(self._text):
                    raise LimitExceeded(
                        f"{self._where}: not JSON at character {self._position}, or a value of "
                        f"more than {ITEM_LIMIT} characters"
                    ) from None
                raise

    def _malformed(self, problem: str) -> MalformedInput:
        return MalformedInput(f"{self._where}: not JSON: {problem} at character {self._position}")
