"""A layer as an image holds it: what it is called, all that it lists, and the tree it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from layerlens.analysis.titles import LayerTitle
from layerlens.filesystem.file_tree import FileTree
from layerlens.filesystem.stacking import stack
from layerlens.layer.entry import LayerEntry
from layerlens.layer.layer_index import LayerIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenLayer:
    """``index``: None where the layer is no tar. ``tree``: the file system after it."""

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


def with_entries_of_their_own(layers: Sequence[WrittenLayer]) -> Sequence[WrittenLayer]:
    """The layers, stacked anew where an image lists one several times, so that every entry is an
    object of its own and its ``id`` stands for one layer's file."""
    seen: set[int] = set()
    found: list[WrittenLayer] = []
    repeated = False
    for layer in layers:
        index = layer.index
        if index is not None and index.entries:
            again = id(index.entries) in seen
            seen.add(id(index.entries))
            repeated = repeated or again
            if again:
                copies = tuple(type(entry)(*entry) for entry in index.entries)
                index = replace(index, entries=copies)
        tree = layer.tree
        if repeated:
            tree = stack(found[-1].tree, index, layer.number).tree if index else found[-1].tree
        found.append(WrittenLayer(title=layer.title, index=index, tree=tree))
    return found
