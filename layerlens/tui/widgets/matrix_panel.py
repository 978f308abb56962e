"""Holders against layers: the list of holders, the matrix, and details of the selected layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual import on
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from layerlens.tui.state.shared_matrix import SharedMatrix
from layerlens.tui.widgets.field_list import FieldList
from layerlens.tui.widgets.line_list import HeadLine, LineList
from layerlens.tui.widgets.row_list import RowList


class MatrixPanel(Container):
    """Shows a `SharedMatrix`, or a message in its place."""

    @dataclass
    class LayerChosen(Message):
        """The holders of a layer, by its row, are wanted."""

        row: int

    @dataclass
    class HolderChosen(Message):
        """A holder, by its number, was chosen."""

        number: int

    def __init__(self, holders: str, *, id: str | None = None) -> None:  # noqa: A002
        """``holders``: what those that hold layers are called."""
        super().__init__(id=id)
        self._matrix: SharedMatrix | None = None
        self.holder_list = LineList(id="holders")
        self.holder_list.border_title = holders
        self.head = HeadLine(id="matrix-head")
        self.row_list = LineList(id="matrix-rows")
        self.box = Vertical(self.head, self.row_list, id="matrix")
        self.details = FieldList(id="details")
        self.details.border_title = "Layer"

    def compose(self) -> Iterator[Widget]:
        yield self.holder_list
        yield self.box
        yield self.details

    def on_mount(self) -> None:
        self.watch(self.row_list, "moves", self._show_details, init=False)

    def show(self, matrix: SharedMatrix) -> None:
        """Show a matrix."""
        self._matrix = matrix
        self.holder_list.show_lines(matrix.image_rows())
        self.box.border_title = Content(f"Layers {matrix.summary}")
        self.head.show_line(matrix.heading)
        self.row_list.show_lines(matrix.rows(), "There are no layers.")
        self._show_details()

    def show_message(self, text: str) -> None:
        """Show a text, escaped already, and no matrix."""
        self._matrix = None
        self.holder_list.show_lines((), text)
        self.row_list.show_lines(())
        self.head.show_line(None)
        self.details.show_fields(())

    def _show_details(self) -> None:
        if self._matrix is None or self.row_list.is_empty:
            self.details.show_fields(())
        else:
            self.details.show_fields(self._matrix.details(self.row_list.cursor))

    @on(RowList.Chosen, "#matrix-rows")
    def _layer_chosen(self, chosen: RowList.Chosen) -> None:
        if self._matrix is not None and not self.row_list.is_empty:
            self.post_message(self.LayerChosen(chosen.row))

    @on(RowList.Chosen, "#holders")
    def _holder_chosen(self, chosen: RowList.Chosen) -> None:
        if self._matrix is not None:
            self.post_message(self.HolderChosen(chosen.row))
