"""Layers named by their numbers."""

import pytest

from layerlens.analysis.layer_numbers import layers_text, number_ranges


@pytest.mark.parametrize(
    ("numbers", "ranges"),
    [
        ([], []),
        ([4], ["4"]),
        ([0, 1], ["0", "1"]),
        ([0, 1, 2], ["0-2"]),
        ([0, 2, 3, 5, 6, 7, 8, 10], ["0", "2", "3", "5-8", "10"]),
    ],
)
def test_numbers_in_a_row_are_joined(numbers: list[int], ranges: list[str]) -> None:
    assert number_ranges(numbers) == ranges


def test_layers_in_words() -> None:
    assert layers_text([4]) == "layer 4"
    assert layers_text([0, 1, 2, 3, 5]) == "layers 0-3, 5"
