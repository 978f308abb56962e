"""The fields of JSON from an image, typed; every error says where it was found.

What Go's encoding/json does (and so docker and containerd) is the model: ``null`` counts as
missing, and the case of keys is folded. Where a key is written in two cases with different
values, readers would disagree: it is refused.
"""

from collections.abc import Mapping
from typing import TypeVar

from layerlens.errors import MalformedInput
from layerlens.oci.digest import Digest
from layerlens.oci.json_document import DOCUMENT_LIMIT, JsonValue, parse_json
from layerlens.oci.quoting import printable, quoted

__all__ = [
    "DOCUMENT_LIMIT",
    "JsonObject",
    "JsonValue",
    "parse_array_of_objects",
    "parse_json",
    "parse_object",
]

_INTEGERS = range(-(2**63), 2**63)

_Field = TypeVar("_Field")


def parse_object(data: bytes, where: str, *, limit: int = DOCUMENT_LIMIT) -> "JsonObject":
    """Parse a document that must be one JSON object; raises as ``parse_json`` does."""
    value = parse_json(data, where, limit=limit)
    if not isinstance(value, dict):
        raise MalformedInput(f"{printable(where)}: expected an object, got {_kind(value)}")
    return JsonObject(value, where)


def parse_array_of_objects(
    data: bytes, where: str, *, limit: int = DOCUMENT_LIMIT
) -> tuple["JsonObject", ...]:
    """Parse a document that must be an array of objects; raises as ``parse_json`` does."""
    value = parse_json(data, where, limit=limit)
    if not isinstance(value, list):
        raise MalformedInput(f"{printable(where)}: expected an array, got {_kind(value)}")
    return JsonObject({"": value}, where).objects("")


class JsonObject:
    """A read-only view of one JSON object, with a getter for each type of field.

    A getter raises MalformedInput, with the path of the field, when the value has another
    type. ``null`` counts as missing. A missing field is an error where a getter returns one
    value, unless its name says optional; lists and maps are then empty.
    """

    __slots__ = ("_document", "_fields", "_folded", "_path")

    def __init__(self, fields: Mapping[str, JsonValue], document: str, path: str = "") -> None:
        """``document`` names the document, and ``path`` the object's place in it."""
        self._fields = fields
        self._document = printable(document)
        self._path = path
        self._folded: dict[str, list[str]] | None = None

    @property
    def where(self) -> str:
        """The document, and the path of this object in it: ``index.json: manifests[0]``."""
        return f"{self._document}: {self._path}" if self._path else self._document

    def malformed(self, key: str, problem: str) -> MalformedInput:
        """An error about one field, for the caller to raise."""
        return MalformedInput(f"{self._document}: {self._child_path(key)}: {problem}")

    def names(self) -> tuple[str, ...]:
        """All keys as they are written, those with a null included."""
        return tuple(self._fields)

    def has_only(self, count: int) -> bool:
        """Whether there are so many keys and no more: then no others need be looked for."""
        return len(self._fields) == count

    def values(self) -> Mapping[str, JsonValue]:
        """The fields as they stand, by their keys as written: for who reads very many objects,
        and checks keys and types himself."""
        return self._fields

    def has(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self._value(key) is not None

    def string(self, key: str) -> str:
        """A string that must be there."""
        return self._required(key, self.optional_string(key), "a string")

    def optional_string(self, key: str) -> str | None:
        """A string, or None if missing."""
        value = self._value(key)
        if value is None or isinstance(value, str):
            return value
        raise self._unexpected(key, "a string", value)

    def integer(self, key: str) -> int:
        """An integer of 64 bits that must be there, written without fraction or exponent."""
        return self._required(key, self.optional_integer(key), "an integer")

    def optional_integer(self, key: str) -> int | None:
        """As ``integer``, or None if missing."""
        value = self._value(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._unexpected(key, "an integer", value)
        if value not in _INTEGERS:
            raise self.malformed(key, "an integer that does not fit in 64 bits")
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """A boolean, or the default if missing."""
        value = self._value(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._unexpected(key, "a boolean", value)
        return value

    def digest(self, key: str) -> Digest:
        """A digest that must be there."""
        return self._digest_at(key, self.string(key))

    def digests(self, key: str) -> tuple[Digest, ...]:
        """An array of digests."""
        return tuple(
            self._digest_at(f"{key}[{index}]", text) for index, text in enumerate(self.strings(key))
        )

    def object(self, key: str) -> "JsonObject":
        """An object that must be there."""
        return self._required(key, self.optional_object(key), "an object")

    def optional_object(self, key: str) -> "JsonObject | None":
        """An object, or None if missing."""
        value = self._value(key)
        if value is None:
            return None
        return self._object_at(key, value)

    def objects(self, key: str) -> tuple["JsonObject", ...]:
        """An array of objects."""
        return tuple(
            self._object_at(f"{key}[{index}]", item)
            for index, item in enumerate(self._array(key) or ())
        )

    def strings(self, key: str) -> tuple[str, ...]:
        """An array of strings."""
        return self.optional_strings(key) or ()

    def optional_strings(self, key: str) -> tuple[str, ...] | None:
        """An array of strings, or None if missing."""
        array = self._array(key)
        if array is None:
            return None
        return tuple(self._string_at(f"{key}[{index}]", item) for index, item in enumerate(array))

    def string_or_strings(self, key: str) -> tuple[str, ...] | None:
        """An array of strings, or None if missing; docker also reads one string as such."""
        value = self._value(key)
        return (value,) if isinstance(value, str) else self.optional_strings(key)

    def string_map(self, key: str) -> Mapping[str, str]:
        """An object whose values are strings; a null among them reads as empty, as in Go."""
        value = self.optional_object(key)
        if value is None:
            return {}
        return {
            name: "" if item is None else self._string_at(f"{key}[{quoted(name)}]", item)
            for name, item in value._fields.items()
        }

    def key_set(self, key: str) -> tuple[str, ...]:
        """The keys of an object whose values say nothing (a Go set), sorted."""
        value = self.optional_object(key)
        return () if value is None else tuple(sorted(value._fields))

    def _value(self, key: str) -> JsonValue:
        fields = self._fields
        value = fields.get(key)
        if self._folded is None:
            self._folded = _names_by_folding(fields)
        for other in self._folded.get(key.casefold(), ()):
            candidate = fields[other]
            if candidate is None or other == key or len(other) != len(key):
                continue
            if value is not None and repr(value) != repr(candidate):
                raise self.malformed(
                    key, f"the key is also written {quoted(other)}, with a different value"
                )
            value = candidate
        return value

    def _array(self, key: str) -> list[JsonValue] | None:
        value = self._value(key)
        if value is None or isinstance(value, list):
            return value
        raise self._unexpected(key, "an array", value)

    def _required(self, key: str, value: _Field | None, expected: str) -> _Field:
        if value is None:
            raise self.malformed(key, f"missing, expected {expected}")
        return value

    def _string_at(self, key: str, value: JsonValue) -> str:
        if not isinstance(value, str):
            raise self._unexpected(key, "a string", value)
        return value

    def _object_at(self, key: str, value: JsonValue) -> "JsonObject":
        if not isinstance(value, dict):
            raise self._unexpected(key, "an object", value)
        return JsonObject(value, self._document, self._child_path(key))

    def _digest_at(self, key: str, text: str) -> Digest:
        try:
            return Digest.parse(text)
        except MalformedInput as error:
            raise self.malformed(key, str(error)) from error

    def _unexpected(self, key: str, expected: str, value: JsonValue) -> MalformedInput:
        return self.malformed(key, f"expected {expected}, got {_kind(value)}")

    def _child_path(self, key: str) -> str:
        key = printable(key)
        if self._path and key and not key.startswith("["):
            return f"{self._path}.{key}"
        return self._path + key


def _names_by_folding(fields: Mapping[str, JsonValue]) -> dict[str, list[str]]:
    folded: dict[str, list[str]] = {}
    for name in fields:
        folded.setdefault(name.casefold(), []).append(name)
    return folded


def _kind(value: JsonValue) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "an object"
