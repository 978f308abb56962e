"""The verdicts of ``check`` in words: values, limits and places, for every form of report."""

from __future__ import annotations

from fractions import Fraction

from layerlens.analysis.rules import Judgement, Needs, Place, Rule, Status, Unit, Verdict
from layerlens.report.counted import counted
from layerlens.report.shared_numbers import decimal_text
from layerlens.report.sizes import FormatSize, exact_size, size_difference

NONE = "-"
_UNKNOWN = "infinite"
_MOST_PLACES = 9  # decimal places; beyond, two numbers are called the same


def value_text(verdict: Verdict, format_size: FormatSize) -> str:
    """The value of a rule: ``412.3 MB``, ``95.1 %``, ``3 files``; ``-`` where there is none.

    It never looks like the limit unless it is the limit.
    """
    rule = verdict.rule
    if verdict.value is None:
        return _UNKNOWN if verdict.status is Status.FAIL else NONE
    limit = rule.limit if isinstance(rule.limit, Fraction) else None
    if limit is None or verdict.value == limit:
        return _number(rule, verdict.value, 1, format_size)
    if rule.kind.unit is Unit.BYTES:
        shown = _number(rule, verdict.value, 1, format_size)
        same = format_size(int(verdict.value)) == format_size(int(limit))
        return f"{_number(rule, verdict.value, 1, exact_size)} B" if same else shown
    for places in range(1, _MOST_PLACES):
        shown = _number(rule, verdict.value, places, format_size)
        if shown != _number(rule, limit, places, format_size):
            break
    return shown


def limit_text(rule: Rule, format_size: FormatSize) -> str:
    """The limit of a rule: ``500.0 MB``, ``95 %``; ``none`` where nothing may be found."""
    if rule.limit is None:
        return NONE
    if isinstance(rule.limit, tuple):
        return "none"
    if rule.kind.unit is Unit.BYTES:
        return format_size(int(rule.limit))
    return f"{_plain(rule.limit * (100 if rule.kind.unit is Unit.SHARE else 1))} %"


def bound_text(rule: Rule, format_size: FormatSize) -> str:
    """The limit with the side it is on: ``at most 500.0 MB``."""
    if not isinstance(rule.limit, Fraction):
        return limit_text(rule, format_size)
    side = "at least" if rule.kind.lowest else "at most"
    return f"{side} {limit_text(rule, format_size)}"


def _number(rule: Rule, value: Fraction, places: int, format_size: FormatSize) -> str:
    match rule.kind.unit:
        case Unit.BYTES:
            if rule.kind.needs is Needs.BASELINE and rule.kind.paths:  # a growth
                return size_difference(int(value), format_size)
            return format_size(int(value))
        case Unit.SHARE:
            return f"{_decimal(value * 100, places)} %"
        case Unit.PERCENT:
            sign = "+" if value > 0 else ""
            return f"{sign}{_decimal(value, places)} %"
        case Unit.FILES:
            return counted(int(value), "file")
        case Unit.FINDINGS:
            return counted(int(value), "finding")


def _decimal(value: Fraction, places: int) -> str:
    return f"{'-' if value < 0 else ''}{decimal_text(abs(value), places)}"


def _plain(value: Fraction) -> str:
    """A limit as short as it is exact, to six decimal places."""
    text = decimal_text(value, 6)
    return text.rstrip("0").rstrip(".")


def place_text(place: Place, format_size: FormatSize) -> str:
    """``/etc/x (layer 3, 1.2 MB, deleted by layer 4)``, ``layer 3 (1.2 MB)``; not yet escaped."""
    details = []
    if place.path is not None and place.layer is not None and place.layer >= 0:
        details.append(f"layer {place.layer}")
    if place.bytes is not None:
        details.append(format_size(place.bytes))
    if place.note is not None:
        details.append(place.note)
    name = place.path
    if name is None:
        name = "the config" if place.layer is None else f"layer {place.layer}"
    return f"{name} ({', '.join(details)})" if details else name


def detail_text(verdict: Verdict, format_size: FormatSize) -> str:
    """Why a rule was skipped, or the first place where it was broken; not yet escaped."""
    parts = []
    if verdict.why is not None:
        parts.append(verdict.why)
    if verdict.places:
        more = len(verdict.places) - 1
        place = place_text(verdict.places[0], format_size)
        parts.append(f"{place} and {more} more" if more else place)
    return "; ".join(parts)


def verdict_line(judgement: Judgement) -> str:
    """``FAIL: 2 of 9 rules failed, 1 skipped``, without a newline."""
    failed, skipped = judgement.count(Status.FAIL), judgement.count(Status.SKIP)
    total = len(judgement.verdicts)
    if failed:
        text = f"FAIL: {failed} of {counted(total, 'rule')} failed"
    else:
        text = f"PASS: {total - skipped} of {counted(total, 'rule')} passed"
    return f"{text}, {skipped} skipped" if skipped else text
