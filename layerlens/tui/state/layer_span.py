"""Which layers the tree shows: one and what it changed, all up to it, or a range of them."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ViewKind(enum.Enum):
    """What of the layers is shown; the value is its name in key bindings."""

    LAYER = "layer"
    WHOLE = "whole"
    RANGE = "range"


@dataclass(frozen=True, slots=True)
class LayerSpan:
    """Layers ``first`` to ``last``, both included. As a WHOLE nothing in them is a change."""

    kind: ViewKind
    first: int
    last: int

    @property
    def title(self) -> str:
        """What a person calls it."""
        match self.kind:
            case ViewKind.LAYER:
                return f"What layer {self.last} changed"
            case ViewKind.WHOLE:
                return "Layer 0 as a whole" if not self.last else f"Layers 0 to {self.last}"
            case ViewKind.RANGE if self.first == self.last:
                return f"What layers {self.first} to … changed: move to the end of the range"
            case ViewKind.RANGE:
                return f"What layers {self.first} to {self.last} changed"


def layer_span(kind: ViewKind, layer: int, mark: int | None) -> LayerSpan:
    """The layers shown while ``layer`` is selected and ``mark`` is the start of a range, if any."""
    if kind is ViewKind.WHOLE:
        return LayerSpan(kind, 0, layer)
    if kind is ViewKind.RANGE and mark is not None:
        return LayerSpan(kind, min(mark, layer), max(mark, layer))
    return LayerSpan(ViewKind.LAYER, layer, layer)
