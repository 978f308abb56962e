"""The layers of an image: a bar and the bytes of each, what it changed, what made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from layerlens.report.sizes import human_size
from layerlens.tui import keys
from layerlens.tui.shown_text import Part, safe
from layerlens.tui.state.layer_span import LayerSpan, ViewKind
from layerlens.tui.state.open_image import ReadLayer
from layerlens.tui.widgets.row_list import PLAIN, RowList

_BAR = "█"
_PART_OF_BAR = " ▏▎▍▌▋▊▉█"
_WIDEST_BAR = 8
_NARROWEST_TEXT = 18
_COUNT_CELLS = 6
_SIZE_CELLS = 9
_DEAD_CELLS = 10


class LayerList(RowList):
    """A row a layer, as far as they are read."""

    BINDINGS = keys.bindings(keys.LAYERS)

    @dataclass
    class WholeAsked(Message):
        """The layers up to here are wanted as a whole."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._layers: Sequence[ReadLayer] = ()
        self._largest = 1
        self._number_cells = 2
        self._span = LayerSpan(ViewKind.LAYER, 0, 0)
        self._dead: Sequence[int] = ()

    def show_layers(self, layers: Sequence[ReadLayer], count: int) -> None:
        """Show these layers, of an image that has ``count``."""
        self._layers = layers
        self._largest = max((layer.size for layer in layers), default=0) or 1
        self._number_cells = len(str(max(0, count - 1)))
        self.rows_changed()

    def show_dead_bytes(self, dead: Sequence[int]) -> None:
        """Mark how much of each layer the image does not show; nothing while that is not known."""
        self._dead = dead
        self.refresh()

    def show_span(self, span: LayerSpan) -> None:
        """Mark the layers that the tree shows."""
        self._span = span
        self.refresh()

    def action_view_whole(self) -> None:
        self.post_message(self.WholeAsked())

    def row_count(self) -> int:
        return len(self._layers)

    def row_parts(self, row: int, width: int) -> list[Part]:
        read = self._layers[row]
        shown = self._span.first <= row <= self._span.last
        dead_cells = _DEAD_CELLS if any(self._dead) else 0
        fixed = dead_cells + 2 + self._number_cells + 1 + _SIZE_CELLS + 3 * _COUNT_CELLS + 2
        bar_cells = min(_WIDEST_BAR, width - fixed - _NARROWEST_TEXT)
        summary = read.summary
        parts: list[Part] = [
            ("▌ " if shown else "  ", "accent"),
            (f"{row:>{self._number_cells}} ", "faint"),
        ]
        if bar_cells > 2:
            parts.append((bar(read.size, self._largest, bar_cells), "accent"))
        size = human_size(read.size) if read.layer.facts else "no tar"
        parts.append((f"{size:>{_SIZE_CELLS}}", PLAIN))
        if any(self._dead) and row < len(self._dead):
            dead = self._dead[row]
            shown_dead = f"†{human_size(dead)}" if dead else ""
            parts.append((f"{shown_dead:>{_DEAD_CELLS}}", "removed"))
        parts.append(_count("+", summary.added, "added"))
        parts.append(_count("~", summary.changed, "changed"))
        parts.append(_count("-", summary.removed, "removed"))
        used = sum(len(text) for text, _ in parts) + 2
        text = read.instruction or read.layer.media_type or ""
        parts.append(("  " + safe(text, width - used), PLAIN))
        return parts


def _count(sign: str, count: int, style: str) -> Part:
    text = f"{sign}{short_count(count)}"
    return f"{text:>{_COUNT_CELLS}}", style if count else "faint"


def short_count(count: int) -> str:
    """A count in at most four characters: ``9999``, ``12k``, ``3.4M``."""
    if count < 10_000:
        return str(count)
    if count < 1_000_000:
        return f"{count // 1000}k"
    millions = count / 1_000_000
    return f"{millions:.1f}M" if millions < 10 else f"{int(millions)}M"


def bar(size: int, largest: int, width: int) -> str:
    """A bar of ``width`` cells, filled as far as ``size`` is of ``largest``, to an eighth."""
    eighths = round(size / largest * width * 8) if largest else 0
    if size and not eighths:
        eighths = 1
    full, part = divmod(min(eighths, width * 8), 8)
    return (_BAR * full + (_PART_OF_BAR[part] if part else "")).ljust(width)
