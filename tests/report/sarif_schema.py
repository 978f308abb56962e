"""A check of SARIF, as strict as the schema of version 2.1.0 for the part of it that is written.

It knows the properties that layerlens writes, with the types, enumerations and minima that
sarif-schema-2.1.0.json gives them; any other property is an error, as it would be there for a name
that is misspelt. Beyond the schema it holds to what the standard says in words: indexes point at
what they are about (3.27.6), a failing result has a level (3.27.9, 3.27.10), and URIs are valid
relative references (3.10.1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from layerlens.oci.json_fields import JsonObject, JsonValue

_LEVELS = {"none", "note", "warning", "error"}
_URI = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=@/-]|%[0-9A-F]{2})+")

_Check = Callable[[JsonValue], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Object:
    """An object of these properties and no others."""

    properties: Mapping[str, _Check]
    required: frozenset[str] = frozenset()

    def __call__(self, value: JsonValue) -> None:
        assert isinstance(value, dict), value
        assert self.required <= set(value) <= set(self.properties), sorted(value)
        for name, inner in value.items():
            self.properties[name](inner)


@dataclass(frozen=True, slots=True)
class _Array:
    item: _Check

    def __call__(self, value: JsonValue) -> None:
        assert isinstance(value, list), value
        for inner in value:
            self.item(inner)


def _text(value: JsonValue) -> None:
    assert isinstance(value, str), value
    assert value


def _uri(value: JsonValue) -> None:
    assert isinstance(value, str), value
    assert _URI.fullmatch(value), value


def _level(value: JsonValue) -> None:
    assert value in _LEVELS, value


def _true_or_false(value: JsonValue) -> None:
    assert isinstance(value, bool), value


def _integer(least: int) -> _Check:
    def check(value: JsonValue) -> None:
        assert isinstance(value, int), value
        assert not isinstance(value, bool)
        assert value >= least

    return check


def _one_of(*values: str) -> _Check:
    def check(value: JsonValue) -> None:
        assert value in values, value

    return check


def _map_of(item: _Check) -> _Check:
    def check(value: JsonValue) -> None:
        assert isinstance(value, dict), value
        for inner in value.values():
            item(inner)

    return check


_MESSAGE = _Object(properties={"text": _text}, required=frozenset({"text"}))
_ARTIFACT = _Object(properties={"uri": _uri, "uriBaseId": _text, "description": _MESSAGE})
_RULE = _Object(
    properties={
        "id": _text,
        "shortDescription": _MESSAGE,
        "defaultConfiguration": _Object(properties={"level": _level}),
    },
    required=frozenset({"id"}),
)
_REFERENCE = _Object(properties={"id": _text, "index": _integer(-1)})
_NOTIFICATION = _Object(
    properties={"level": _level, "message": _MESSAGE, "associatedRule": _REFERENCE},
    required=frozenset({"message"}),
)
_LOCATION = _Object(
    properties={
        "physicalLocation": _Object(
            properties={
                "artifactLocation": _ARTIFACT,
                "region": _Object(properties={"startLine": _integer(1)}),
            }
        )
    }
)
_RESULT = _Object(
    properties={
        "ruleId": _text,
        "ruleIndex": _integer(-1),
        "level": _level,
        "message": _MESSAGE,
        "locations": _Array(_LOCATION),
        "partialFingerprints": _map_of(_text),
    },
    required=frozenset({"message"}),
)
_DRIVER = _Object(
    properties={"name": _text, "version": _text, "rules": _Array(_RULE)},
    required=frozenset({"name"}),
)
_RUN = _Object(
    properties={
        "tool": _Object(properties={"driver": _DRIVER}, required=frozenset({"driver"})),
        "invocations": _Array(
            _Object(
                properties={
                    "executionSuccessful": _true_or_false,
                    "toolConfigurationNotifications": _Array(_NOTIFICATION),
                },
                required=frozenset({"executionSuccessful"}),
            )
        ),
        "originalUriBaseIds": _map_of(_ARTIFACT),
        "columnKind": _one_of("utf16CodeUnits", "unicodeCodePoints"),
        "results": _Array(_RESULT),
    },
    required=frozenset({"tool"}),
)
_LOG = _Object(
    properties={"$schema": _text, "version": _one_of("2.1.0"), "runs": _Array(_RUN)},
    required=frozenset({"version", "runs"}),
)


def checked_sarif(document: str) -> JsonObject:
    """The one run of a document that holds to the schema; AssertionError for any other."""
    value: JsonValue = json.loads(document)
    _LOG(value)
    assert isinstance(value, dict)
    (run,) = JsonObject(value, "sarif").objects("runs")
    rules = [rule.string("id") for rule in run.object("tool").object("driver").objects("rules")]
    assert len(set(rules)) == len(rules)
    for result in run.objects("results"):
        assert rules[result.integer("ruleIndex")] == result.string("ruleId")
        assert result.string("level") != "none"  # of a result whose kind is "fail"
        for location in result.objects("locations"):
            artifact = location.object("physicalLocation").object("artifactLocation")
            base = artifact.optional_string("uriBaseId")
            assert base is None or run.object("originalUriBaseIds").has(base)
    (invocation,) = run.objects("invocations")
    for notification in invocation.objects("toolConfigurationNotifications"):
        rule = notification.object("associatedRule")
        assert rules[rule.integer("index")] == rule.string("id")
    return run
