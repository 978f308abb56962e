"""Compare: two images side by side, their layers, their configs, and the tree of what differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual import events, on, work
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from layerlens.report.safe_text import escape_message, shorten_middle
from layerlens.tui import keys
from layerlens.tui.screens.file_section import FileSection, FileSource
from layerlens.tui.shown_text import safe
from layerlens.tui.state.compared_images import ComparedPair, compared
from layerlens.tui.state.open_image import OpenImage, Stage
from layerlens.tui.state.tree_arrays import NotWanted, TreeArrays, tree_arrays
from layerlens.tui.state.tree_sorting import by_bytes
from layerlens.tui.widgets.field_list import FieldList
from layerlens.tui.widgets.file_tree_view import FileTreeView
from layerlens.tui.widgets.line_list import LineList
from layerlens.tui.widgets.row_list import RowList

_FEWEST_NAME_CELLS = 8
_CELLS_BESIDE_NAMES = len("A: ") + len("  B: ") + 4  # and what the frame takes


class CompareScreen(FileSection):
    """The image that is shown is B; A is another one that is open."""

    SECTION = "compare"
    BINDINGS = keys.bindings(keys.COMPARE)

    @dataclass
    class TreeMade(Message):
        """The tree of what differs is there."""

        pair: ComparedPair
        by_bytes: bool
        arrays: TreeArrays

    def __init__(self) -> None:
        super().__init__()
        self._older: OpenImage | None = None
        self._pair: ComparedPair | None = None
        self._by_bytes = False

    def content(self) -> Iterable[Widget]:
        self.pair_list = _PairList(id="pairs")
        self.pair_list.border_title = "Layers of A and B"
        self.config_list = LineList(id="config")
        self.config_list.border_title = "Config"
        self.tree_view = FileTreeView(id="tree")
        self.tree_view.border_title = "Files that differ"
        self.details = FieldList(id="details")
        self.details.border_title = "Pair"
        return [self.pair_list, self.tree_view, self.config_list, self.details]

    def on_mount(self) -> None:
        self.watch(self.pair_list, "moves", self._pair_selected, init=False)
        self.watch(self.tree_view, "moves", self._state_left_out, init=False)

    def image_changed(self, image: OpenImage) -> None:
        others = [each for each in self.layerlens.images if each is not image]
        if not others:
            self._show_nothing("Only one image is open: o opens another to compare it with.")
            return
        if self._older is None or self._older not in others:
            place = self.layerlens.images.index(image)
            self._older = self.layerlens.images[place - 1]
        self._compare(self._older, image)

    def _compare(self, a: OpenImage, b: OpenImage) -> None:
        if self._pair is not None and self._pair.a is a and self._pair.b is b:
            return
        pair = compared(a, b)
        if pair is None:
            self._show_nothing(_waiting_for(a if a.stage is not Stage.READY else b))
            return
        self._pair = pair
        self.pair_list.show_names(safe(a.title), safe(b.title))
        self.pair_list.show_lines(pair.pair_lines(), "Neither image has layers.")
        self.config_list.show_lines(pair.config_lines(), "The configs do not differ.")
        self._show_tree()

    def _show_nothing(self, text: str) -> None:
        self._pair = None
        self.pair_list.show_lines((), text)
        self.config_list.show_lines(())
        self.tree_view.show_message("")
        self.details.show_fields(())

    def _show_tree(self) -> None:
        if self._pair is not None:
            self.tree_view.show_message("Comparing …")
            self._make_tree(self._pair, self._by_bytes)

    @work(thread=True, exclusive=True, group="tree", description="tree", exit_on_error=False)
    def _make_tree(self, pair: ComparedPair, sort: bool) -> None:
        worker = get_current_worker()
        try:
            arrays = tree_arrays(
                pair.comparison.a.tree,
                pair.comparison.b.tree,
                lambda: not worker.is_cancelled,
                of_two_images=True,
            )
        except NotWanted:
            return
        if sort:
            arrays = by_bytes(arrays)
        self.post_message(self.TreeMade(pair, sort, arrays))

    def on_compare_screen_tree_made(self, made: TreeMade) -> None:
        if made.pair is self._pair and made.by_bytes == self._by_bytes:
            self.tree_view.show_arrays(made.arrays, shows_changes=True)

    def _pair_selected(self) -> None:
        if self._pair is not None and not self.pair_list.is_empty:
            self.details.show_fields(self._pair.pair_details(self.pair_list.cursor))

    def _state_left_out(self) -> None:
        self.tree_view.border_subtitle = self.tree_view.left_out

    @on(RowList.Chosen, "#tree")
    def _path_chosen(self) -> None:
        """Open a file, fold or unfold a directory."""
        view, row = self.tree_view.view, self.tree_view.row
        if view is not None and row is not None and view.is_directory(row):
            self.tree_view.action_toggle_fold()
        else:
            self.open_file()

    def file_source(self) -> FileSource | None:
        return None if self._pair is None else self._pair.viewed_file

    @on(RowList.Chosen, "#pairs")
    def _pair_chosen(self) -> None:
        self.tree_view.focus()

    @on(FileTreeView.SortAsked)
    def _sort(self) -> None:
        self._by_bytes = not self._by_bytes
        self._show_tree()

    def action_other(self, step: int) -> None:
        """Let another of the open images be A."""
        images = [each for each in self.layerlens.images if each is not self.layerlens.image]
        if self._older is None or len(images) < 2:
            return
        self._older = images[(images.index(self._older) + step) % len(images)]
        self._compare(self._older, self.layerlens.image)

    def action_swap(self) -> None:
        """Let A be B, and B A."""
        if self._older is not None:
            older, self._older = self._older, self.layerlens.image
            self.layerlens.show_image(older)


class _PairList(LineList):
    """The layers of A and B, and above them the names of both, in as many cells as there are."""

    _names: tuple[str, str] | None = None

    def show_names(self, a: str, b: str) -> None:
        """Show these, escaped already."""
        self._names = (a, b)
        self._show_title()

    def on_resize(self, event: events.Resize) -> None:
        self._show_title()
        super().on_resize(event)

    def _show_title(self) -> None:
        if self._names is not None:
            room = max(_FEWEST_NAME_CELLS, (self.size.width - _CELLS_BESIDE_NAMES) // 2)
            a, b = (shorten_middle(name, room) for name in self._names)
            self.border_title = Content(f"A: {a}  B: {b}")


def _waiting_for(image: OpenImage) -> str:
    name = safe(image.title)
    match image.stage:
        case Stage.READING | Stage.READY:
            return f"{name} is still being read …"
        case Stage.CANCELLED:
            return f"Reading {name} was stopped: it cannot be compared."
        case Stage.FAILED:
            return escape_message(image.error)
