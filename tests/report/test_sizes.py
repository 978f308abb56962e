import pytest

from layerlens.report.sizes import FormatSize, exact_size, human_size, size_difference


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1, "1 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1024, "1.0 kB"),
        (1_550_000, "1.6 MB"),
        (2_300_000_000, "2.3 GB"),
        (-999, "-999 B"),
        (-1500, "-1.5 kB"),
    ],
)
def test_human_sizes_are_decimal(size: int, text: str) -> None:
    assert human_size(size) == text


def test_exact_sizes_are_plain_numbers() -> None:
    assert exact_size(1_234_567) == "1234567"


@pytest.mark.parametrize(
    ("size", "format_size", "text"),
    [
        (1500, human_size, "+1.5 kB"),
        (-1500, human_size, "-1.5 kB"),
        (0, human_size, "0 B"),
        (1500, exact_size, "+1500"),
        (0, exact_size, "0"),
    ],
)
def test_differences_have_a_sign(size: int, format_size: FormatSize, text: str) -> None:
    assert size_difference(size, format_size) == text
