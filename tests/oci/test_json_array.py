"""A long array read an item at a time: the same as the whole, or the same refusal."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_builder import Json

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.oci.json_array import ITEM_LIMIT, LongArray
from layerlens.oci.json_fields import JsonValue, parse_object

SCALARS: st.SearchStrategy[Json] = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5)
)
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below),
    max_leaves=5,
)
ITEMS = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), max_size=4)
NAMES = st.text(max_size=4).filter(lambda name: name != "items")
REST = st.dictionaries(NAMES, VALUES, max_size=3)


def read(document: bytes) -> tuple[list[dict[str, JsonValue]], dict[str, JsonValue]]:
    array = LongArray(document, "items", "doc")
    items = [dict(item.values()) for item in array]
    return items, dict(array.rest.values())


@given(ITEMS, REST, REST, st.sampled_from([None, 1, "\t"]))
def test_it_is_what_the_whole_document_holds(
    items: list[dict[str, Json]], before: dict[str, Json], after: dict[str, Json], indent: Json
) -> None:
    whole = {**before, "items": items, **after}
    spaces = indent if isinstance(indent, int | str) else None
    document = json.dumps(whole, indent=spaces).encode()
    try:
        parsed = parse_object(document, "doc")
    except MalformedInput:  # a lone surrogate
        with pytest.raises(MalformedInput):
            read(document)
        return
    found, rest = read(document)
    assert found == [dict(each.values()) for each in parsed.objects("items")]
    assert rest == {name: value for name, value in parsed.values().items() if name != "items"}


@given(st.integers(3900, 4200), st.sampled_from(["text", "number", "list"]))
def test_values_of_about_the_size_that_is_looked_at_first(size: int, kind: str) -> None:
    item = {"text": "x" * size, "number": 10 ** (size - 3900), "list": [0] * (size // 2)}
    document = json.dumps({"items": [{"a": item[kind]}, {"b": 1}], "c": item[kind]}).encode()
    assert read(document) == ([{"a": item[kind]}, {"b": 1}], {"c": item[kind]})


def test_no_items() -> None:
    for text in ('{"items": []}', ' { "items" : null } '):
        assert read(text.encode()) == ([], {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "{}",
        '{"items": [}',
        '{"items": [{}',
        '{"items": [{},]}',
        '{"items": [{}]',
        '{"items": [{}]}x',
        '{"items": [{}],}',
        '{"items": [{}] "a": 1}',
        '{"items": [1]}',
        '{"items": {}}',
        '{"items": [], "items": []}',
        '{"a": 1, "a": 2, "items": []}',
        '{"items": [{"a": 1, "a": 2}]}',
        '{"items": [{"a": NaN}]}',
        '{"items": [{"a": "\\ud800"}]}',
        "{1: 2}",
        '{"items": [], "a": 1e}',
        "\ufeff{}",
        '{"items": [{"a": %s}]}' % ("9" * 5000),
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput) as raised:
        read(text.encode())
    assert str(raised.value).startswith("doc: ")


def test_limits() -> None:
    with pytest.raises(LimitExceeded, match="nested"):
        read(b'{"items": [{"a": %s}]}' % (b"[" * 200 + b"]" * 200))
    with pytest.raises(LimitExceeded, match="more than 1048576 characters"):
        read(b'{"items": [{"a": "%s"}]}' % (b"x" * ITEM_LIMIT))
    with pytest.raises(LimitExceeded):
        read(b'{"items": [{"a": %s' % (b"[" * 3_000_000))


def test_what_is_written_in_little_takes_little_memory() -> None:
    document = b'{"items": [%s {}]}' % (b"{}," * 20_000)
    tracemalloc.start()
    try:
        count = sum(1 for item in LongArray(document, "items", "doc"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 20_001
    assert peak < 5 * len(document)
