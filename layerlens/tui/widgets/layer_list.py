"""The layers of an image: a bar and the bytes of each, what it changed, what made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
_TEXT_CELLS = 18
"""Cells that the instruction has before there is a bar."""

_FEWEST_TEXT_CELLS = 10
"""Cells that the instruction has before there are dead bytes."""

_SMALLEST_BAR = 3
"""Cells of the bar where the instruction has fewer than it should."""

_DEAD = "†"
"""Marks dead bytes; stands alone where there is no room to say how many."""

_COUNT_STYLES = ("added", "changed", "removed")


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
        self._known_cells: _Cells | None = None

    def show_layers(self, layers: Sequence[ReadLayer], count: int) -> None:
        """Show these layers, of an image that has ``count``."""
        self._layers = layers
        self._known_cells = None
        self._largest = max((layer.size for layer in layers), default=0) or 1
        self._number_cells = len(str(max(0, count - 1)))
        self.rows_changed()

    def show_dead_bytes(self, dead: Sequence[int]) -> None:
        """Mark how much of each layer the image does not show; nothing while that is not known."""
        self._dead = dead
        self._known_cells = None
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
        cells = self._cells
        shown = self._span.first <= row <= self._span.last
        left = width - 2 - cells.number - 1 - cells.size - sum(cells.counts) - 2
        dead = self._dead[row] if self._dead else 0
        dead_cells, dead_text = cells.dead, _dead_text(dead)
        if dead_cells and left - dead_cells < _FEWEST_TEXT_CELLS:
            dead_cells, dead_text = len(_DEAD) + 1, _DEAD if dead else ""
        left -= dead_cells
        bar_cells = min(_WIDEST_BAR, left - _TEXT_CELLS)
        if left - _SMALLEST_BAR >= _FEWEST_TEXT_CELLS:
            bar_cells = max(bar_cells, _SMALLEST_BAR)
        parts: list[Part] = [
            ("▌ " if shown else "  ", "accent"),
            (f"{row:>{cells.number}} ", "faint"),
        ]
        if bar_cells > 2:
            parts.append((bar(read.size, self._largest, bar_cells), "accent"))
            left -= bar_cells
        parts.append((f"{_size_text(read):>{cells.size}}", PLAIN))
        if dead_cells:
            parts.append((f"{dead_text:>{dead_cells}}", "removed"))
        counts = zip(_count_texts(read), cells.counts, _COUNT_STYLES, strict=True)
        parts.extend(
            (f"{text:>{wide}}", style if text[1:] != "0" else "faint")
            for text, wide, style in counts
        )
        text = read.instruction or read.layer.media_type or ""
        parts.append(("  " + safe(text, max(1, left)), PLAIN))
        return parts

    @property
    def _cells(self) -> _Cells:
        """How wide the columns are for these layers."""
        if self._known_cells is None:
            dead = max(map(len, map(_dead_text, self._dead)), default=0)
            counts = [[len(text) + 1 for text in _count_texts(read)] for read in self._layers]
            self._known_cells = _Cells(
                number=self._number_cells,
                size=max(len(_size_text(read)) for read in self._layers) + 1,
                dead=dead + 1 if dead else 0,
                counts=tuple(max(column) for column in zip(*counts, strict=True)),
            )
        return self._known_cells


class _Cells(NamedTuple):
    """Widths of columns, with the space before each; ``dead`` of 0: there is no such column."""

    number: int
    size: int
    dead: int
    counts: tuple[int, ...]


def _size_text(read: ReadLayer) -> str:
    return human_size(read.size) if read.layer.facts else "no tar"


def _dead_text(dead: int) -> str:
    return f"{_DEAD}{human_size(dead)}" if dead else ""


def _count_texts(read: ReadLayer) -> tuple[str, str, str]:
    summary = read.summary
    return (
        f"+{short_count(summary.added)}",
        f"~{short_count(summary.changed)}",
        f"-{short_count(summary.removed)}",
    )


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
