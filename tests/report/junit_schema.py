"""A check of JUnit XML, as strict as the schema of Ant's JUnit task (JUnit.xsd, windyroad).

It knows the elements and attributes of that schema that layerlens could write, all that the schema
requires, their order and their types; anything else is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, fromstring

_INTEGER = r"-?[0-9]{1,9}"
_DECIMAL = r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
_ANY = r"(?s).*"
_NAME = r"(?s).+"
_TIME = r"[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Type:
    """``children``: a regular expression over the names of child elements, each after a space."""

    required: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)
    children: str = ""
    text: bool = False


_TYPES = {
    "testsuites": _Type(children="( testsuite)*"),
    "testsuite": _Type(
        required={
            "id": _INTEGER,
            "package": _ANY,
            "name": _NAME,
            "timestamp": _TIME,
            "hostname": _NAME,
            "tests": _INTEGER,
            "failures": _INTEGER,
            "errors": _INTEGER,
            "time": _DECIMAL,
        },
        optional={"skipped": _INTEGER},
        children=" properties( testcase)* system-out system-err",
    ),
    "properties": _Type(children="( property)*"),
    "property": _Type(required={"name": _NAME, "value": _ANY}),
    "testcase": _Type(
        required={"name": _ANY, "classname": _ANY, "time": _DECIMAL},
        children="( skipped| error| failure)?",
    ),
    "skipped": _Type(optional={"message": _ANY}),  # of any type, says the schema
    "failure": _Type(required={"type": _ANY}, optional={"message": _ANY}, text=True),
    "system-out": _Type(text=True),
    "system-err": _Type(text=True),
}


def checked_junit(document: str) -> Element:
    """The root of a document that holds to the schema; AssertionError for any other."""
    root = fromstring(document)
    assert root.tag == "testsuites"
    _check(root)
    for suite in root:
        cases = suite.findall("testcase")
        counts = {
            "tests": len(cases),
            "failures": sum(case.find("failure") is not None for case in cases),
            "errors": sum(case.find("error") is not None for case in cases),
            "skipped": sum(case.find("skipped") is not None for case in cases),
        }
        assert {key: int(suite.attrib[key]) for key in counts} == counts
    return root


def _check(element: Element) -> None:
    assert element.tag in _TYPES, element.tag
    kind = _TYPES[element.tag]
    attributes = {**kind.required, **kind.optional}
    assert set(kind.required) <= set(element.attrib) <= set(attributes), element.attrib
    for name, value in element.attrib.items():
        assert re.fullmatch(attributes[name], value), (element.tag, name, value)
    names = "".join(f" {child.tag}" for child in element)
    assert re.fullmatch(kind.children, names), (element.tag, names)
    if not kind.text:
        texts = [element.text, *(child.tail for child in element)]
        assert not "".join(text or "" for text in texts).strip(), element.tag
    for child in element:
        _check(child)
