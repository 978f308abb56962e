"""Which file is looked at, and which one was at its path before; how their bytes are had."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from layerlens.errors import LayerlensError
from layerlens.file_content import file_content
from layerlens.image_layer import Layer
from layerlens.layer.entry import Entry, EntryKind
from layerlens.layer_jobs import Cancelled
from layerlens.streams.limits import Limits
from layerlens.tui.state.layer_span import LayerSpan, ViewKind
from layerlens.tui.state.open_image import OpenImage
from layerlens.tui.state.tree_arrays import State, TreeArrays


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewedFile:
    """A file of an image. ``inode``: as a layer lists it. ``where``: which layers left it so.
    ``before``: the file that was at the path below those layers, if one was."""

    path: str
    inode: Entry
    where: str
    before: Entry | None
    before_where: str
    layers: Sequence[Layer]
    limits: Limits

    def content(self, is_wanted: Callable[[], bool] = lambda: True) -> Iterator[bytes]:
        """Its bytes. Raises what `file_content` raises, Cancelled once it is not wanted."""
        return self._content_of(self.inode, is_wanted)

    def content_before(self, is_wanted: Callable[[], bool] = lambda: True) -> Iterator[bytes]:
        """The bytes of what was there before; none where nothing was."""
        return iter(()) if self.before is None else self._content_of(self.before, is_wanted)

    def _content_of(self, inode: Entry, is_wanted: Callable[[], bool]) -> Iterator[bytes]:
        def check() -> None:
            if not is_wanted():
                raise Cancelled("cancelled")

        return file_content(inode, self.layers, self.limits, check)


def viewed_file(
    image: OpenImage, arrays: TreeArrays, row: int, span: LayerSpan, limits: Limits
) -> ViewedFile | None:
    """The file at a row of the tree of ``span``; None where it is no file with bytes."""
    inode = arrays.nodes[row].inode
    if inode.kind is not EntryKind.FILE:
        return None
    path = arrays.path(row)
    removed = arrays.state(row) is State.REMOVED
    here = f"layer {span.last}"
    below = "layer " + str(span.first - 1)
    # As a whole, the version to compare with is what was there before the file was last written.
    lower = arrays.nodes[row].layer - 1 if span.kind is ViewKind.WHOLE else span.first - 1
    node = image.tree(lower).find(path) if lower >= 0 else None
    before = node.inode if node is not None and node.inode.kind is EntryKind.FILE else None
    return ViewedFile(
        path=path,
        inode=inode,
        where=below if removed else here,
        before=None if removed else before,
        before_where=f"layer {lower}",
        layers=[read.layer for read in image.layers],
        limits=limits,
    )


def whole_content(content: Iterator[bytes], largest: int, name: str) -> bytes:
    """All of the bytes. Raises LayerlensError where there are more than ``largest``."""
    pieces = []
    size = 0
    for piece in content:
        size += len(piece)
        if size > largest:
            raise LayerlensError(f"{name}: has more than {largest} bytes")
        pieces.append(piece)
    return b"".join(pieces)
