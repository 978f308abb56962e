"""A layer as an image holds it: what it is called, all that it lists, and the tree it makes."""

from __future__ import annotations

from dataclasses import dataclass

from layerlens.analysis.titles import LayerTitle
from layerlens.filesystem.file_tree import FileTree
from layerlens.layer.entry import LayerEntry
from layerlens.layer.layer_index import LayerIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenLayer:
    """``index``: None where the layer is no tar; else its entries are objects of this layer alone,
    so that an ``id`` stands for one layer's file. ``tree``: the file system after it."""

    title: LayerTitle
    index: LayerIndex | None
    tree: FileTree

    @property
    def number(self) -> int:
        """From 0, lowest first."""
        return self.title.number

    @property
    def entries(self) -> tuple[LayerEntry, ...]:
        """Its entries and whiteouts in the tar's order; none where it is no tar."""
        return self.index.entries if self.index else ()
