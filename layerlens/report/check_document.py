"""What ``check --json`` says, as values; the order of fields is the document's.

Sizes and counts are integers. Shares and percentages are decimals as text, of four places; what
passes and fails is decided on the exact values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from layerlens.analysis.rules import Judgement, Place, Status, Unit, Verdict
from layerlens.analysis.titles import ImageTitle
from layerlens.report.shared_numbers import decimal_text

CHECK_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFields:
    """Where a rule was broken. ``layer``: number from 0, None where no single layer did it."""

    path: str | None
    layer: int | None
    bytes: int | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFields:
    """One rule and its verdict. ``limit``: a number in ``unit``; ``listed``: the patterns or
    kinds of a rule that lists them. Both None where the rule is switched off."""

    rule: str
    status: str
    unit: str
    value: int | str | None
    limit: int | str | None
    listed: Sequence[str] | None
    exclude: Sequence[str]
    source: str
    why: str | None
    places: Iterator[PlaceFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDocument:
    """All that ``check`` says. ``rules_file``: where rules were read, None if in no file."""

    image: ImageTitle
    baseline: ImageTitle | None
    base: str | None
    rules_file: str | None
    verdict: str
    passed: int
    failed: int
    skipped: int
    rules: Iterator[RuleFields]


def check_document(
    judgement: Judgement,
    image: ImageTitle,
    *,
    baseline: ImageTitle | None,
    base: str | None,
    rules_file: str | None,
) -> CheckDocument:
    """The document of a judgement."""
    return CheckDocument(
        image=image,
        baseline=baseline,
        base=base,
        rules_file=rules_file,
        verdict=(Status.PASS if judgement.passed else Status.FAIL).value,
        passed=judgement.count(Status.PASS),
        failed=judgement.count(Status.FAIL),
        skipped=judgement.count(Status.SKIP),
        rules=map(rule_fields, judgement.verdicts),
    )


def rule_fields(verdict: Verdict) -> RuleFields:
    """One verdict for a document."""
    rule = verdict.rule
    return RuleFields(
        rule=rule.kind.name,
        status=verdict.status.value,
        unit=rule.kind.unit.value,
        value=_number(rule.kind.unit, verdict.value),
        limit=None if isinstance(rule.limit, tuple) else _number(rule.kind.unit, rule.limit),
        listed=rule.limit if isinstance(rule.limit, tuple) else None,
        exclude=rule.exclude,
        source=rule.source,
        why=verdict.why,
        places=map(_place, verdict.places),
    )


def _number(unit: Unit, value: Fraction | None) -> int | str | None:
    if value is None:
        return None
    if unit in (Unit.SHARE, Unit.PERCENT):
        return f"{'-' if value < 0 else ''}{decimal_text(abs(value), 4)}"
    return int(value)


def _place(place: Place) -> PlaceFields:
    return PlaceFields(path=place.path, layer=place.layer, bytes=place.bytes, note=place.note)
