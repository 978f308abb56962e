"""A JSON document from an image, parsed within limits.

Keys that would make two readers see two documents are refused. The types of the fields are
for ``json_fields`` to check.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator
from typing import Never, TypeAlias, cast

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.oci.quoting import printable, quoted

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"

DOCUMENT_LIMIT = 4 * 1024 * 1024
"""Bytes in a JSON document (distribution spec: manifests of at least 4 MiB are accepted)."""

NESTING_LIMIT = 100


def parse_json(data: bytes, where: str, *, limit: int = DOCUMENT_LIMIT) -> JsonValue:
    """Parse UTF-8 JSON of at most ``limit`` bytes; ``where`` names the document in errors.

    Raises LimitExceeded for a document too long or nested deeper than 100, and MalformedInput
    for what is not JSON, is not UTF-8 (a byte order mark and lone surrogates included), or
    has a key twice in an object with different values.
    """
    where = printable(where)
    if len(data) > limit:
        raise LimitExceeded(f"{where}: a JSON document of {len(data)} bytes; the limit is {limit}")
    with told_of_json(where):
        value = cast(JsonValue, json_decoder(where).decode(json_text(data)))
    if not _is_plain(data):
        check_nesting_and_text(value, where)
    return value


def json_text(data: bytes) -> str:
    """The text of a document; raises UnicodeDecodeError, JSONDecodeError for a byte order mark."""
    text = data.decode("utf-8")
    if text.startswith("\ufeff"):
        raise json.JSONDecodeError("Unexpected UTF-8 BOM", text, 0)
    return text


def json_decoder(where: str) -> json.JSONDecoder:
    """A decoder that refuses what ``parse_json`` does, but for nesting and lone surrogates."""

    def refuse_constant(name: str) -> Never:
        raise MalformedInput(f"{where}: not JSON: {name} is not a number")

    def object_of_pairs(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            _check_repeated_keys(pairs, where)
        return fields

    return json.JSONDecoder(object_pairs_hook=object_of_pairs, parse_constant=refuse_constant)


@contextlib.contextmanager
def told_of_json(where: str) -> Iterator[None]:
    """Turn what decoding raises into errors that name the document."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise MalformedInput(f"{where}: not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise MalformedInput(f"{where}: not JSON: {printable(str(error))}") from error
    except ValueError as error:  # the interpreter's own bound on the digits of an integer
        raise MalformedInput(f"{where}: an integer with too many digits") from error
    except RecursionError as error:
        raise _nested_too_deeply(where) from error


def _is_plain(data: bytes) -> bool:
    """Whether a look at the bytes shows that nothing is nested too deeply, and no text is odd."""
    containers = data.count(b"{") + data.count(b"[")
    return containers <= NESTING_LIMIT and data.isascii() and b"\\u" not in data


def _check_repeated_keys(pairs: list[tuple[str, JsonValue]], where: str) -> None:
    seen: dict[str, JsonValue] = {}
    for key, value in pairs:
        # repr tells 1 from 1.0 and true, which compare equal.
        if key in seen and repr(seen[key]) != repr(value):
            raise MalformedInput(
                f"{where}: the key {quoted(key)} occurs twice in an object, with different values"
            )
        seen[key] = value


def check_nesting_and_text(value: JsonValue, where: str) -> None:
    """Raise LimitExceeded for a value nested too deeply, MalformedInput for lone surrogates."""
    level: list[JsonValue] = [[value]]
    depth = -1
    while level:
        depth += 1
        if depth > NESTING_LIMIT:
            raise _nested_too_deeply(where)
        below: list[JsonValue] = []
        for container in level:
            if isinstance(container, dict):
                children: Iterable[JsonValue] = (*container, *container.values())
            else:
                children = cast(list[JsonValue], container)
            for child in children:
                if isinstance(child, str):
                    _check_text(child, where)
                elif isinstance(child, list | dict):
                    below.append(child)
        level = below


def _check_text(text: str, where: str) -> None:
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedInput(f"{where}: {quoted(text)} holds a lone surrogate") from error


def _nested_too_deeply(where: str) -> LimitExceeded:
    return LimitExceeded(f"{where}: JSON nested deeper than {NESTING_LIMIT} levels")
