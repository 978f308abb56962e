import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.report.as_json import PathFields, path_fields, write_json


class _Kind(Enum):
    ADDED = "A"


class _Word(StrEnum):
    SMALL = "small"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    path: str
    size: int = 0
    kind: _Kind = _Kind.ADDED
    mode: int | None = None
    aspects: Iterable[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    name: str
    verified: bool = True
    word: _Word = _Word.SMALL
    labels: Mapping[str, str] = field(default_factory=dict)
    changes: Iterable[_Change] = ()


def _written(document: _Document) -> str:
    pieces: list[str] = []
    write_json(pieces.append, document, schema_version=1)
    return "".join(pieces)


def test_a_document_as_it_stands() -> None:
    document = _Document(
        name="wéb",
        labels={"b": "2", "a": "1"},
        changes=[_Change(path="/a", size=2**63, aspects=("content", "mode"))],
    )
    assert _written(document) == (
        """\
{
  "schema_version": 1,
  "name": "w\\u00e9b",
  "verified": true,
  "word": "small",
  "labels": {
    "b": "2",
    "a": "1"
  },
  "changes": [
    {
      "path": "/a",
      "size": 9223372036854775808,
      "kind": "A",
      "mode": null,
      "aspects": [
        "content",
        "mode"
      ]
    }
  ]
}
"""
    )


@given(
    st.text(),
    st.dictionaries(st.text(), st.text()),
    st.lists(st.builds(_Change, path=st.text(), aspects=st.lists(st.text()))),
)
def test_it_is_what_the_standard_library_would_write(
    name: str, labels: Mapping[str, str], changes: list[_Change]
) -> None:
    text = _written(_Document(name=name, labels=labels, changes=changes))
    document = json.loads(text)
    assert text == json.dumps(document, indent=2) + "\n"
    assert document["name"] == name
    assert document["labels"] == labels
    assert [each["path"] for each in document["changes"]] == [each.path for each in changes]


def test_a_path_that_is_not_utf_8_is_also_there_as_base64() -> None:
    text = _written(_Document(name="x", changes=[_Change(path="/caf\udce9\n")]))
    (change,) = json.loads(text)["changes"]
    assert list(change) == ["path", "path_base64", "size", "kind", "mode", "aspects"]
    assert change["path"] == "/caf\\xe9\\n"
    assert base64.b64decode(change["path_base64"]) == b"/caf\xe9\n"


def test_no_string_anywhere_is_invalid_json_text() -> None:
    change = _Change(path="/\ud800", aspects=("\udcff",))
    text = _written(_Document(name="x", labels={"\udcfe": "\udcfd"}, changes=[change]))
    document = json.loads(text)
    assert document["changes"][0]["path"] == "/\\ud800"
    assert "path_base64" not in document["changes"][0]
    assert document["changes"][0]["aspects"] == ["\\xff"]
    assert document["labels"] == {"\\xfe": "\\xfd"}


@given(st.binary())
def test_path_fields_lose_no_byte(path: bytes) -> None:
    made = path_fields(path.decode("utf-8", "surrogateescape"))
    exact = made.path.encode() if made.path_base64 is None else base64.b64decode(made.path_base64)
    assert exact == path


def test_a_path_of_utf_8_stands_as_it_is() -> None:
    assert path_fields("/é\n\\x1b") == PathFields(path="/é\n\\x1b", path_base64=None)


def test_a_generator_is_written_while_it_runs() -> None:
    written: list[str] = []
    produced_before_first_write = 0

    def changes() -> Iterator[_Change]:
        nonlocal produced_before_first_write
        for number in range(100_000):
            if not written:
                produced_before_first_write = number
            yield _Change(path=f"/{number}")

    write_json(written.append, _Document(name="x", changes=changes()), schema_version=1)
    assert produced_before_first_write < 2_000
    assert max(map(len, written)) < 1_000_000
    assert len(json.loads("".join(written))["changes"]) == 100_000


@pytest.mark.parametrize("value", [b"bytes", 1.5, object(), _Document])
def test_what_has_no_place_in_a_document_is_refused(value: object) -> None:
    @dataclass(frozen=True)
    class Holder:
        value: object

    with pytest.raises(TypeError):
        write_json(lambda text: None, Holder(value), schema_version=1)
