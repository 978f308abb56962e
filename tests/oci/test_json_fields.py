import json

import pytest

from layerlens.errors import MalformedInput
from layerlens.oci.json_fields import JsonObject, parse_array_of_objects, parse_object

from .messages import refusal

DIGEST = "sha256:" + "a" * 64


def fields(text: str) -> JsonObject:
    return parse_object(text.encode(), "doc")


def test_each_type_of_field() -> None:
    one = fields(
        json.dumps(
            {
                "s": "x",
                "i": 3,
                "b": True,
                "o": {"k": "v"},
                "os": [{"n": 1}, {"n": 2}],
                "ss": ["a", "b"],
                "m": {"k": "v", "nothing": None},
                "set": {"80/tcp": {}, "443/tcp": {}},
                "d": DIGEST,
                "ds": [DIGEST],
            }
        )
    )
    assert one.string("s") == one.optional_string("s") == "x"
    assert one.integer("i") == one.optional_integer("i") == 3
    assert one.boolean("b", default=False) is True
    assert one.object("o").string("k") == "v"
    assert [item.integer("n") for item in one.objects("os")] == [1, 2]
    assert one.strings("ss") == one.string_or_strings("ss") == ("a", "b")
    assert one.string_or_strings("s") == ("x",)
    assert one.string_map("m") == {"k": "v", "nothing": ""}
    assert one.key_set("set") == ("443/tcp", "80/tcp")
    assert str(one.digest("d")) == DIGEST
    assert [str(digest) for digest in one.digests("ds")] == [DIGEST]


@pytest.mark.parametrize("text", ["{}", '{"k": null}'])
def test_null_counts_as_missing(text: str) -> None:
    one = fields(text)
    assert not one.has("k")
    assert one.optional_string("k") is None
    assert one.optional_integer("k") is None
    assert one.optional_object("k") is None
    assert one.optional_strings("k") is None
    assert one.string_or_strings("k") is None
    assert one.boolean("k", default=True) is True
    assert one.objects("k") == ()
    assert one.strings("k") == one.key_set("k") == ()
    assert one.digests("k") == ()
    assert one.string_map("k") == {}
    for getter, expected in (
        (one.string, "a string"),
        (one.integer, "an integer"),
        (one.object, "an object"),
        (one.digest, "a string"),
    ):
        with refusal(MalformedInput, f"doc: k: missing, expected {expected}"):
            getter("k")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("1.0", "a number"),
        ("1e3", "a number"),
        ("1e999", "a number"),
        ("true", "a boolean"),
        ('"1"', "a string"),
        ("[1]", "an array"),
        ("{}", "an object"),
    ],
)
def test_only_integers_are_integers(value: str, kind: str) -> None:
    with refusal(MalformedInput, f"doc: size: expected an integer, got {kind}"):
        fields(f'{{"size": {value}}}').integer("size")


def test_integers_fit_in_64_bits() -> None:
    for edge in (2**63 - 1, -(2**63)):
        assert fields(f'{{"size": {edge}}}').integer("size") == edge
    for beyond in (2**63, -(2**63) - 1, 10**4000):
        with refusal(MalformedInput, "doc: size:", "64 bits"):
            fields(f'{{"size": {beyond}}}').integer("size")


def test_an_error_tells_the_path() -> None:
    one = fields('{"layers": [{}, {"a": {"digest": 3}}]}')
    with refusal(MalformedInput, "doc: layers[1].a.digest: expected a string, got a number"):
        one.objects("layers")[1].object("a").string("digest")
    with refusal(MalformedInput, "doc: layers[0]: expected a string, got an object"):
        one.strings("layers")
    assert one.where == "doc"
    assert one.objects("layers")[1].object("a").where == "doc: layers[1].a"


@pytest.mark.parametrize(
    ("text", "getter", "message"),
    [
        ('{"k": 1}', "string", "expected a string, got a number"),
        ('{"k": 1}', "boolean", "expected a boolean, got a number"),
        ('{"k": []}', "object", "expected an object, got an array"),
        ('{"k": {}}', "objects", "expected an array, got an object"),
        ('{"k": "x"}', "strings", "expected an array, got a string"),
        ('{"k": ["x", null]}', "strings", "k[1]: expected a string, got null"),
        ('{"k": [[]]}', "objects", "k[0]: expected an object, got an array"),
        ('{"k": ["x"]}', "digests", "k[0]: 'x' is not a digest"),
        ('{"k": "x"}', "digest", "k: 'x' is not a digest"),
        ('{"k": {"\\u001b\\n": 1}}', "string_map", r"k['\x1b\n']: expected a string"),
    ],
)
def test_a_field_of_the_wrong_type(text: str, getter: str, message: str) -> None:
    one = fields(text)
    with refusal(MalformedInput, message):
        {
            "string": one.string,
            "boolean": lambda key: one.boolean(key, default=False),
            "object": one.object,
            "objects": one.objects,
            "strings": one.strings,
            "digest": one.digest,
            "digests": one.digests,
            "string_map": one.string_map,
        }[getter]("k")


def test_the_case_of_keys_is_folded_as_go_does() -> None:
    assert fields('{"config": "c", "repoTags": ["t"]}').strings("RepoTags") == ("t",)
    assert fields('{"Config": null, "config": "c"}').string("Config") == "c"
    assert fields('{"Config": null, "config": "c"}').string("config") == "c"
    assert fields('{"CONFIG": "c", "config": "c"}').string("config") == "c"


@pytest.mark.parametrize(
    "text", ['{"layers": [1], "Layers": [2]}', '{"LAYERS": 1, "Layers": true}']
)
def test_a_key_in_two_cases_may_not_mean_two_things(text: str) -> None:
    with refusal(MalformedInput, "doc: layers: the key is also written"):
        fields(text).has("layers")


def test_the_case_of_labels_is_kept() -> None:
    assert fields('{"Labels": {"a": "1", "A": "2"}}').string_map("Labels") == {"a": "1", "A": "2"}


def test_a_document_must_be_of_the_type_asked_for() -> None:
    with refusal(MalformedInput, "doc: expected an object, got an array"):
        parse_object(b"[]", "doc")
    with refusal(MalformedInput, "doc: expected an array, got an object"):
        parse_array_of_objects(b"{}", "doc")
    with refusal(MalformedInput, "doc: [1]: expected an object, got null"):
        parse_array_of_objects(b"[{}, null]", "doc")
    with refusal(MalformedInput, "doc: [1].Layers: expected an array, got a number"):
        parse_array_of_objects(b'[{}, {"Layers": 1}]', "doc")[1].strings("Layers")


def test_names_tell_every_key() -> None:
    assert fields('{"web": null, "db": {}}').names() == ("web", "db")
