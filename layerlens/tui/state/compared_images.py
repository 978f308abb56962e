"""Two images side by side: their layers, their configs, and what to say of each pair of layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from layerlens.analysis.comparison import ImageComparison
from layerlens.analysis.config_differences import ConfigDifference
from layerlens.analysis.layer_alignment import LayerPair, Relation
from layerlens.analysis.layer_changes import ChangeKind
from layerlens.analysis.titles import LayerTitle
from layerlens.layer.entry import EntryKind
from layerlens.report.sizes import human_size
from layerlens.streams.limits import Limits
from layerlens.tui.shown_text import MakeParts, Part, safe
from layerlens.tui.state.details import Field
from layerlens.tui.state.open_image import OpenImage, Stage
from layerlens.tui.state.tree_arrays import STATE_OF, State, TreeArrays
from layerlens.tui.state.tree_lines import STYLES
from layerlens.tui.state.viewed_file import ViewedFile

_RELATION_STYLES = {
    Relation.SAME: "faint",
    Relation.MOVED: "changed",
    Relation.REBUILT: "changed",
    Relation.ONLY_A: "removed",
    Relation.ONLY_B: "added",
}
_SIGNS = {
    Relation.SAME: "=",
    Relation.MOVED: "^",
    Relation.REBUILT: "~",
    Relation.ONLY_A: "-",
    Relation.ONLY_B: "+",
}
_RELATION_CELLS = max(len(relation.value) for relation in Relation) + 1
_NUMBER_CELLS, _SIZE_CELLS = 3, 9


@dataclass(frozen=True, slots=True, eq=False)
class ComparedPair:
    """Two images that are read whole, ``a`` the older one, and what differs."""

    a: OpenImage
    b: OpenImage
    comparison: ImageComparison
    pairs: tuple[LayerPair, ...]
    config: tuple[ConfigDifference, ...]

    def pair_lines(self) -> Sequence[MakeParts]:
        """A line a pair of layers."""
        return [partial(self._pair_parts, pair) for pair in self.pairs]

    def config_lines(self) -> Sequence[MakeParts]:
        """A line a difference of the configs."""
        return [partial(_config_parts, difference) for difference in self.config]

    def pair_details(self, number: int) -> Iterator[Field]:
        """What is known of the two layers of a pair."""
        pair = self.pairs[number]
        yield Field("relation", _RELATION_WORDS[pair.relation])
        for letter, image, layer in (
            ("A", self.comparison.a, pair.a),
            ("B", self.comparison.b, pair.b),
        ):
            if layer is None:
                yield Field(letter, "has no such layer")
                continue
            title = image.layers[layer]
            size = "no tar" if title.size is None else f"{title.size} bytes"
            yield Field(letter, f"layer {layer}, {size}")
            yield Field("  made by", title.instruction or "(the history does not tell)")
            yield Field("  DiffID", title.diff_id or "-")
            yield Field("  blob", title.blob_digest or "-")

    def viewed_file(self, arrays: TreeArrays, row: int, limits: Limits) -> ViewedFile | None:
        """The file at a row of the tree of what differs, with A's as the one before; None where
        it is no file with bytes."""
        node, path = arrays.nodes[row], arrays.path(row)
        if node.inode.kind is not EntryKind.FILE:
            return None
        removed = arrays.state(row) is State.REMOVED
        older = None if removed else self.comparison.a.tree.find(path)
        if older is not None and older.inode.kind is not EntryKind.FILE:
            older = None
        return ViewedFile(
            path=path,
            inode=node.inode,
            where=f"layer {node.layer} of {'A' if removed else 'B'}",
            before=None if older is None else older.inode,
            before_where="" if older is None else f"layer {older.layer} of A",
            layers=[read.layer for image in (self.a, self.b) for read in image.layers],
            limits=limits,
        )

    def _pair_parts(self, pair: LayerPair, width: int) -> list[Part]:
        a = self.comparison.a.layers[pair.a] if pair.a is not None else None
        b = self.comparison.b.layers[pair.b] if pair.b is not None else None
        layer = b or a
        assert layer is not None
        style = _RELATION_STYLES[pair.relation]
        parts: list[Part] = [
            (f"{_SIGNS[pair.relation]} ", style),
            (f"{_number(pair.a):>{_NUMBER_CELLS}} {_number(pair.b):>{_NUMBER_CELLS}} ", "faint"),
            (f" {pair.relation.value:<{_RELATION_CELLS}}", style),
            (f"{_size(layer):>{_SIZE_CELLS}}  ", ""),
        ]
        left = width - sum(len(text) for text, _ in parts)
        return [*parts, (safe(layer.instruction or "", left), "faint" if style == "faint" else "")]


_RELATION_WORDS = {
    Relation.SAME: "same: one DiffID, the same bytes",
    Relation.MOVED: "moved: one DiffID, in another place",
    Relation.REBUILT: "rebuilt: one instruction, other bytes",
    Relation.ONLY_A: "only in A",
    Relation.ONLY_B: "only in B",
}


def compared(a: OpenImage, b: OpenImage) -> ComparedPair | None:
    """The two compared; None while one of them is not read to its end."""
    if a.stage is not Stage.READY or b.stage is not Stage.READY:
        return None
    assert a.image is not None
    assert b.image is not None
    comparison = ImageComparison(a.image.compared(), b.image.compared())
    return ComparedPair(
        a=a,
        b=b,
        comparison=comparison,
        pairs=comparison.layer_pairs(),
        config=comparison.config_differences(),
    )


def _config_parts(difference: ConfigDifference, width: int) -> list[Part]:
    state = STATE_OF[difference.kind]
    name = difference.field if difference.key is None else f"{difference.field} {difference.key}"
    mark: Part = (f"{state.sign}{state.letter} ", STYLES[state])
    shown = safe(name, max(8, width // 2))
    before, after = difference.before, difference.after
    if difference.kind is ChangeKind.CHANGED:
        text = f"{before or _EMPTY} -> {after or _EMPTY}"
    else:
        text = before or after or ""
    left = width - len(mark[0]) - len(shown) - 2
    return [mark, (f"{shown}  ", ""), (safe(text, left), "faint")]


_EMPTY = '""'


def _number(number: int | None) -> str:
    return "-" if number is None else str(number)


def _size(layer: LayerTitle) -> str:
    return "no tar" if layer.size is None else human_size(layer.size)
