import pytest

from layerlens.analysis.comparison import parse_layer_range
from layerlens.errors import NotFound, UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", (0, 0)),
        ("-1", (6, 6)),
        ("-7", (0, 0)),
        ("2..5", (2, 5)),
        ("3..3", (3, 3)),
        ("4..", (4, 6)),
        ("..2", (0, 2)),
        ("..", (0, 6)),
        ("-3..-2", (4, 5)),
        ("-3..", (4, 6)),
        ("..-2", (0, 5)),
    ],
)
def test_layers_are_named_by_number_or_range(text: str, expected: tuple[int, int]) -> None:
    assert parse_layer_range(text, 7) == expected


@pytest.mark.parametrize("text", ["x", "", "1.5", "1...3", "1..2..3", "--1", "+1", "²", "1" * 11])
def test_anything_else_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no layer: expected a number, or A\.\.B$"):
        parse_layer_range(text, 7)


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("-8", -8), ("2..7", 7), ("-8..", -8), ("9..1", 9)]
)
def test_a_layer_that_is_not_there_is_named(text: str, number: int) -> None:
    with pytest.raises(NotFound, match=f"^has no layer {number}; they are 0 to 6$"):
        parse_layer_range(text, 7)


def test_an_image_without_layers_has_no_last_one() -> None:
    with pytest.raises(NotFound, match=r"^has no layer 0; there are none$"):
        parse_layer_range("..", 0)


@pytest.mark.parametrize("text", ["5..2", "-1..0"])
def test_a_range_does_not_run_backwards(text: str) -> None:
    with pytest.raises(UsageError, match="run backwards"):
        parse_layer_range(text, 7)
