import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.oci.json_fields import JsonValue, parse_json

from .messages import refusal, refusal_at_most

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(json_values)
def test_what_json_says_is_what_comes_out(value: JsonValue) -> None:
    assert parse_json(json.dumps(value).encode(), "doc") == value


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_json_or_a_named_error(data: bytes) -> None:
    with refusal_at_most(MalformedInput, "doc: "):
        value = parse_json(data, "doc")
        assert value == json.loads(data)


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{} {}", "Extra data"),
        (b'"\x01"', "control character"),
        (b"\xef\xbb\xbf{}", "BOM"),
        ("{}".encode("utf-16"), "not UTF-8 at byte 0"),
        ("{}".encode("utf-32-le"), "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a": ["\\ud800"]}', "lone surrogate"),
        (b'{"\\udfff": 1}', "lone surrogate"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"[" + b"9" * (sys.get_int_max_str_digits() + 1) + b"]", "too many digits"),
    ],
)
def test_what_is_not_json_is_refused(data: bytes, fact: str) -> None:
    with refusal(MalformedInput, "doc: ", fact):
        parse_json(data, "doc")


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert parse_json(b'"\\ud83d\\ude00"', "doc") == "\U0001f600"


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "a": true}',
        b'{"a": 1, "a": 1.0}',
        b'{"a": null, "a": []}',
        b'[{"x": {"a": "", "\\u0061": "b"}}]',
        b'{"a": 1, "a": 1, "a": 2}',
    ],
)
def test_a_key_may_not_mean_two_things(data: bytes) -> None:
    with refusal(MalformedInput, "the key 'a' occurs twice"):
        parse_json(data, "doc")


def test_a_key_may_be_said_twice() -> None:
    assert parse_json(b'{"a": {"b": [1]}, "a": {"b": [1]}}', "doc") == {"a": {"b": [1]}}


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_is_limited_to_a_hundred(opening: bytes, closing: bytes) -> None:
    parse_json(opening * 100 + b"0" + closing * 100, "doc")
    for inner in (b"0", b"[]", b"{}"):
        with refusal(LimitExceeded, "deeper than 100"):
            parse_json(opening * 101 + inner + closing * 101, "doc")
    with refusal(LimitExceeded, "deeper than 100"):
        parse_json(opening * 100 + b"[]" + closing * 100, "doc")


@pytest.mark.parametrize("unit", [b"[", b'{"a":'])
def test_nesting_without_end_is_an_error_and_no_crash(unit: bytes) -> None:
    data = unit * (4 * 1024 * 1024 // len(unit))
    with pytest.raises(MalformedInput):
        parse_json(data, "doc")


def test_nesting_a_million_deep_is_an_error_and_no_crash() -> None:
    with refusal(LimitExceeded, "deeper than 100"):
        parse_json(b"[" * 1_000_000 + b"]" * 1_000_000, "doc")


def test_the_size_is_limited() -> None:
    data = json.dumps("x" * 98).encode()
    assert len(data) == 100
    parse_json(data, "doc", limit=100)
    with refusal(LimitExceeded, "100 bytes", "limit is 99"):
        parse_json(data, "doc", limit=99)
    with refusal(LimitExceeded, "limit is 4194304"):
        parse_json(b" " * (4 * 1024 * 1024 + 1), "doc")


def test_the_document_s_name_cannot_break_the_line() -> None:
    with refusal(MalformedInput, r"a\nb\x1b\u202e.json: "):
        parse_json(b"", "a\nb\x1b\u202e.json")
