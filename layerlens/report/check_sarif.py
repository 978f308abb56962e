"""The verdicts of ``check`` as SARIF 2.1.0: a result for each place where a rule was broken.

Rules that passed are no results: code scanning services would show them as alerts. Those that
were skipped are notifications of the invocation. A path of the image is a URI relative to its
root (``IMAGEROOT``); where a rule was broken by no path, the result points at the file that sets
the rule, or else at the image.

Source: SARIF 2.1.0 (OASIS, 2020), sections 3.14, 3.18-3.20, 3.27, 3.58.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import quote

from layerlens.analysis.rules import RULE_KINDS, Judgement, Place, Status, Verdict
from layerlens.oci.json_document import JsonValue
from layerlens.report.check_text import bound_text, place_text, value_text
from layerlens.report.safe_text import escape
from layerlens.report.sizes import human_size

PLACES = 1000
"""Results of one rule: services take no more than some thousands in all."""

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "IMAGEROOT"

_Object = dict[str, JsonValue]


def sarif_text(judgement: Judgement, image: str, *, version: str, rules_file: str | None) -> str:
    """The document. *version*: layerlens's own. *rules_file*: which file sets the rules."""
    where = rules_file if rules_file is not None else image
    results: list[JsonValue] = [
        result for verdict in judgement.verdicts for result in _results(verdict, where)
    ]
    rules: list[JsonValue] = [_rule(name) for name in RULE_KINDS]
    skipped: list[JsonValue] = [
        _skipped(verdict) for verdict in judgement.verdicts if verdict.status is Status.SKIP
    ]
    run: _Object = {
        "tool": {"driver": {"name": "layerlens", "version": version, "rules": rules}},
        "invocations": [
            {"executionSuccessful": True, "toolConfigurationNotifications": skipped},
        ],
        "originalUriBaseIds": {
            _ROOT: {"description": {"text": f"The root of the image {escape(image)}"}}
        },
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    document: _Object = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _rule(name: str) -> _Object:
    kind = RULE_KINDS[name]
    text = f"{kind.meaning[0].upper()}{kind.meaning[1:]}."
    return {
        "id": name,
        "shortDescription": {"text": text},
        "defaultConfiguration": {"level": "error"},
    }


def _results(verdict: Verdict, where: str) -> Iterator[_Object]:
    if verdict.status is not Status.FAIL:
        return
    if not isinstance(verdict.rule.limit, tuple):
        # A sum is too large as a whole; where most of it lies is no result of its own.
        yield _result(verdict, None, where)
        return
    for number, place in enumerate(verdict.places[:PLACES], 1):
        more = len(verdict.places) - PLACES if number == PLACES else 0
        yield _result(verdict, place, where, more)


def _result(verdict: Verdict, place: Place | None, where: str, more: int = 0) -> _Object:
    name = verdict.rule.kind.name
    value = value_text(verdict, human_size)
    message = f"{name}: {value}, where the limit is {bound_text(verdict.rule, human_size)}"
    if place is not None:
        message = f"{name}: {place_text(place, human_size)}"
        message += f" (and {more} more {verdict.rule.kind.unit.value})" if more > 0 else ""
    elif verdict.places:
        most = "; ".join(place_text(each, human_size) for each in verdict.places[:5])
        message = f"{message}. Most of it: {most}"
    path = place.path if place is not None else None
    fingerprint = sha256(f"{name}\0{path or ''}".encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "ruleId": name,
        "ruleIndex": list(RULE_KINDS).index(name),
        "level": "error",
        "message": {"text": escape(message)},
        "locations": [_location(path, where)],
        "partialFingerprints": {"layerlensRulePath/v1": fingerprint},
    }


def _location(path: str | None, where: str) -> _Object:
    artifact: _Object = {"uri": _uri(where)}
    if path is not None:
        artifact = {"uri": _uri(path.lstrip("/")), "uriBaseId": _ROOT}
    return {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": 1}}}


def _uri(path: str) -> str:
    """A path as a relative reference; a colon in its first part would read as a scheme."""
    try:
        data = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that never was a byte
        data = escape(path).encode()
    return quote(data, safe="/") or "."


def _skipped(verdict: Verdict) -> _Object:
    name = verdict.rule.kind.name
    return {
        "level": "note",
        "message": {"text": escape(f"{name} was skipped: {verdict.why}")},
        "associatedRule": {"id": name, "index": list(RULE_KINDS).index(name)},
    }
