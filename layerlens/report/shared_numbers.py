"""Ratios, shares and lists of image numbers as the reports of sharing write them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from layerlens.analysis.layer_numbers import number_ranges

_UNKNOWN = "-"
ELLIPSIS = "…"


def decimal_text(number: Fraction, places: int) -> str:
    """*number* (0 or more) with so many decimal places, rounded half up; exact, without floats."""
    scale = 10**places
    scaled = (2 * number.numerator * scale + number.denominator) // (2 * number.denominator)
    whole, rest = divmod(scaled, scale)
    return f"{whole}.{rest:0{places}}" if places else str(whole)


def ratio_text(ratio: Fraction | None) -> str:
    """A ratio for people: ``1.83``; ``-`` where there is none."""
    return _UNKNOWN if ratio is None else decimal_text(ratio, 2)


def percent_text(share: Fraction | None) -> str:
    """A share for people: ``85.7 %``; ``-`` where there is none."""
    return _UNKNOWN if share is None else f"{decimal_text(share * 100, 1)} %"


def exact_text(number: Fraction | None) -> str | None:
    """A ratio or share for other programs: a decimal of four places, ``1.8312``."""
    return None if number is None else decimal_text(number, 4)


def numbers_text(numbers: Sequence[int], most: int | None = None) -> str:
    """``0-3, 5``; where that takes more than *most* characters, fewer, and how many there are:
    ``0, 2, … (12)``. One of them is always shown."""
    ranges = number_ranges(numbers)
    text = ", ".join(ranges)
    while most is not None and len(text) > most and len(ranges) > 1:
        ranges.pop()
        text = f"{', '.join(ranges)}, {ELLIPSIS} ({len(numbers)})"
    return text
