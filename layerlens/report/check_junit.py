"""The verdicts of ``check`` as JUnit XML: a test case a rule.

What is written holds to the schema that Ant's JUnit task is known by (JUnit.xsd, every attribute
and element that it requires) and so to the looser ones of Jenkins and GitLab. ASCII throughout:
text from an image is escaped for a terminal first, then for XML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from xml.sax.saxutils import escape as escape_xml
from xml.sax.saxutils import quoteattr

from layerlens.analysis.rules import Judgement, Status, Verdict
from layerlens.report.check_text import bound_text, place_text, value_text
from layerlens.report.safe_text import escape
from layerlens.report.sizes import human_size

PLACES = 1000
"""Places told of one rule."""

_CLASS = "layerlens.check"
_NO_XML = re.compile("[\ufffe\uffff]")  # of what `escape` lets pass, what XML 1.0 has no place for


def junit_text(judgement: Judgement, image: str, when: datetime) -> str:
    """The document. *when*: at which time, in UTC, the image was checked."""
    return "".join(f"{line}\n" for line in _lines(judgement, image, when))


def _lines(judgement: Judgement, image: str, when: datetime) -> Iterator[str]:
    counts = (
        f'tests="{len(judgement.verdicts)}" failures="{judgement.count(Status.FAIL)}"'
        f' errors="0" skipped="{judgement.count(Status.SKIP)}"'
    )
    name = _attribute(f"layerlens check {image}")
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield "<testsuites>"
    yield (
        f'  <testsuite id="0" package="layerlens" name={name} {counts} time="0"'
        f' timestamp="{when:%Y-%m-%dT%H:%M:%S}" hostname="localhost">'
    )
    yield "    <properties>"
    yield f'      <property name="image" value={_attribute(image)}/>'
    yield "    </properties>"
    for verdict in judgement.verdicts:
        yield from _case(verdict)
    yield "    <system-out/>"
    yield "    <system-err/>"
    yield "  </testsuite>"
    yield "</testsuites>"


def _case(verdict: Verdict) -> Iterator[str]:
    case = f'    <testcase classname="{_CLASS}" name="{verdict.rule.kind.name}" time="0"'
    if verdict.status is Status.PASS:
        yield f"{case}/>"
        return
    yield f"{case}>"
    if verdict.status is Status.SKIP:
        yield f"      <skipped message={_attribute(verdict.why or '')}/>"
    else:
        value, limit = value_text(verdict, human_size), bound_text(verdict.rule, human_size)
        message = _attribute(f"{value}, where the limit is {limit}")
        body = "\n".join(_text(line) for line in _details(verdict))
        yield f'      <failure type="rule" message={message}>{body}</failure>'
    yield "    </testcase>"


def _details(verdict: Verdict) -> Iterator[str]:
    if verdict.why is not None:
        yield verdict.why
    for place in verdict.places[:PLACES]:
        yield place_text(place, human_size)
    if len(verdict.places) > PLACES:
        yield f"and {len(verdict.places) - PLACES} more"


def _text(text: str) -> str:
    return _ascii(escape_xml(_shown(text)))


def _attribute(text: str) -> str:
    return _ascii(quoteattr(_shown(text)))


def _shown(text: str) -> str:
    return _NO_XML.sub(lambda match: f"\\u{ord(match.group()):04x}", escape(text))


def _ascii(text: str) -> str:
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
