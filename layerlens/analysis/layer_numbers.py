"""Layers named by their numbers, those that follow each other joined: ``layers 0-3, 5``."""

from __future__ import annotations

from collections.abc import Sequence


def number_ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers: ``0-3, 5``."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][-1] == number - 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join("-".join(map(str, span)) for span in spans)


def layers_text(numbers: Sequence[int]) -> str:
    """Ascending numbers of layers, at least one: ``layer 0``, ``layers 0-3, 5``."""
    return f"{'layer' if len(numbers) == 1 else 'layers'} {number_ranges(numbers)}"
