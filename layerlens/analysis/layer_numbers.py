"""Layers named by their numbers: ``layers 0-3, 5, 6``."""

from __future__ import annotations

from collections.abc import Sequence


def number_ranges(numbers: Sequence[int]) -> list[str]:
    """Ascending numbers, three or more that follow each other joined: ``["0-3", "5", "6"]``."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][-1] == number - 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    return [
        text
        for span in spans
        for text in ([f"{span[0]}-{span[-1]}"] if len(span) > 2 else map(str, span))
    ]


def layers_text(numbers: Sequence[int]) -> str:
    """Ascending numbers of layers, at least one: ``layer 0``, ``layers 0-3, 5, 6``."""
    return f"{'layer' if len(numbers) == 1 else 'layers'} {', '.join(number_ranges(numbers))}"
