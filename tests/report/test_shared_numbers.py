from fractions import Fraction

import pytest

from layerlens.report.shared_numbers import (
    decimal_text,
    exact_text,
    numbers_text,
    percent_text,
    ratio_text,
)


@pytest.mark.parametrize(
    ("number", "places", "text"),
    [
        (Fraction(0), 2, "0.00"),
        (Fraction(1), 0, "1"),
        (Fraction(1, 2), 0, "1"),
        (Fraction(1, 3), 4, "0.3333"),
        (Fraction(2, 3), 4, "0.6667"),
        (Fraction(1, 200), 2, "0.01"),
        (Fraction(999, 1000), 2, "1.00"),
        (Fraction(10**30 + 1), 1, f"{10**30 + 1}.0"),
        (Fraction(205, 100), 2, "2.05"),
    ],
)
def test_decimals_are_rounded_half_up_without_floats(
    number: Fraction, places: int, text: str
) -> None:
    assert decimal_text(number, places) == text


def test_what_divides_by_nothing_is_a_dash_or_null() -> None:
    assert (ratio_text(None), percent_text(None), exact_text(None)) == ("-", "-", None)
    assert (ratio_text(Fraction(7, 4)), percent_text(Fraction(7, 8))) == ("1.75", "87.5 %")
    assert exact_text(Fraction(7, 8)) == "0.8750"


def test_long_lists_say_how_many_there_are() -> None:
    numbers = [0, 2, 4, 6, 8]
    assert numbers_text(numbers) == "0, 2, 4, 6, 8"
    assert numbers_text(numbers, 13) == "0, 2, 4, 6, 8"
    assert numbers_text(numbers, 12) == "0, 2, … (5)"
    assert numbers_text(numbers, 1) == "0, … (5)"
    assert numbers_text([1000], 1) == "1000"
