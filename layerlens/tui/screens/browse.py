"""Browse: the layers of an image, the files that the chosen ones wrote, and what is selected."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from textual import on, work
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from layerlens.errors import LayerlensError, UsageError
from layerlens.filesystem.file_tree import FileTree
from layerlens.layer.entry import EntryKind
from layerlens.tui import keys
from layerlens.tui.screens.file_section import FileSection, FileSource
from layerlens.tui.screens.whole_details import WholeDetails
from layerlens.tui.shown_text import content, safe, toast
from layerlens.tui.state.details import layer_details, path_details
from layerlens.tui.state.layer_span import LayerSpan, ViewKind, layer_span
from layerlens.tui.state.name_filter import FilterKind, NameFilter, Searching, pattern_matches
from layerlens.tui.state.open_image import OpenImage, Stage
from layerlens.tui.state.tree_arrays import NotWanted, TreeArrays, tree_arrays
from layerlens.tui.state.tree_sorting import by_bytes
from layerlens.tui.state.viewed_file import viewed_file
from layerlens.tui.widgets.field_list import FieldList
from layerlens.tui.widgets.file_tree_view import FileTreeView
from layerlens.tui.widgets.filter_box import FilterBox
from layerlens.tui.widgets.layer_list import LayerList
from layerlens.tui.widgets.row_list import RowList

_WAIT_BEFORE_TREE = 0.02
"""Seconds the selection must rest on a layer before its tree is made."""


class BrowseScreen(FileSection):
    """The first section."""

    SECTION = "browse"
    BINDINGS = keys.bindings(keys.BROWSE)

    @dataclass
    class TreeMade(Message):
        """A tree that was asked for is there."""

        image: OpenImage
        span: LayerSpan
        by_bytes: bool
        searching: Searching

    @dataclass
    class SearchEnded(Message):
        """A glob or regular expression was looked for in a tree."""

        arrays: TreeArrays
        search: NameFilter
        matches: bytes

    def __init__(self) -> None:
        super().__init__()
        self._image: OpenImage | None = None
        self._kind = ViewKind.LAYER
        self._mark: int | None = None
        self._by_bytes = False
        self._shown: tuple[OpenImage, LayerSpan, bool] | None = None
        self._made: tuple[OpenImage, LayerSpan, bool] | None = None
        self._searching: Searching | None = None
        self._wanted_path: str | None = None

    def content(self) -> Iterable[Widget]:
        self.layer_list = LayerList(id="layers")
        self.layer_list.border_title = "Layers"
        self.tree_view = FileTreeView(id="tree")
        self.tree_view.border_title = "Files"
        self.details = FieldList(id="details")
        self.details.border_title = "Details"
        self.filter_box = FilterBox(self.tree_view, id="filter")
        return [self.layer_list, self.tree_view, self.details, self.filter_box]

    def on_mount(self) -> None:
        self.watch(self.layer_list, "moves", self._layer_selected, init=False)
        self.watch(self.tree_view, "moves", self._path_selected, init=False)
        self.watch(self.filter_box, "changes", self._search, init=False)

    def image_changed(self, image: OpenImage) -> None:
        another = image is not self._image
        if another:
            self._image = image
            self._mark = None
            self._shown = None
            self.layer_list.show_layers((), 0)
        if len(image.layers) != self.layer_list.row_count():
            self.layer_list.show_layers(tuple(image.layers), image.layer_count)
        self.layer_list.show_dead_bytes(image.dead_bytes)
        count = f" {len(image.layers)}/{image.layer_count}" if image.layer_count else ""
        self.layer_list.border_title = (
            f"Layers{count}" if image.stage is not Stage.READY else "Layers"
        )
        self._layer_selected()

    def go_to(self, layer: int, path: str) -> None:
        """Select a layer, and in the tree of what it did a path."""
        self._kind = ViewKind.LAYER
        self._wanted_path = path
        self.filter_box.clear()
        self.layer_list.move_cursor(layer)
        self._show_tree()
        if self._made is self._shown:
            self._go_to_wanted_path()
        self.tree_view.focus()

    def _go_to_wanted_path(self) -> None:
        if self._wanted_path is not None:
            self.tree_view.go_to(self._wanted_path)
            self._wanted_path = None

    @property
    def span(self) -> LayerSpan:
        """The layers that the tree shows, or will once it is made."""
        return layer_span(self._kind, self.layer_list.cursor, self._mark)

    def _show_tree(self) -> None:
        """Have the tree of the selected layers made, unless it is or will be."""
        image = self._image
        if image is None:
            return
        if not image.layers:
            self._shown = None
            self.tree_view.border_title = "Files"
            style = "error" if image.stage is Stage.FAILED else "faint"
            self.tree_view.show_message(_instead_of_tree(image), style)
            return
        span = self.span
        self.layer_list.show_span(span)
        self.tree_view.border_title = content(span.title)
        wanted = (image, span, self._by_bytes)
        if self._shown is not None and _same(self._shown, wanted):
            return
        self._shown = wanted
        before = image.tree(span.last if span.kind is ViewKind.WHOLE else span.first - 1)
        self._make_tree(image, span, before, image.tree(span.last), self._by_bytes)

    @work(thread=True, exclusive=True, group="tree", description="tree", exit_on_error=False)
    def _make_tree(
        self, image: OpenImage, span: LayerSpan, before: FileTree, after: FileTree, sort: bool
    ) -> None:
        worker = get_current_worker()
        is_wanted: Callable[[], bool] = lambda: not worker.is_cancelled  # noqa: E731
        if worker.cancelled_event.wait(_WAIT_BEFORE_TREE):
            return
        try:
            arrays = tree_arrays(before, after, is_wanted)
        except NotWanted:
            return
        if sort:
            arrays = by_bytes(arrays)
        searching = Searching(arrays)
        self.post_message(self.TreeMade(image, span, sort, searching))
        searching.prepare()

    def on_browse_screen_tree_made(self, made: TreeMade) -> None:
        if self._shown is None or not _same(self._shown, (made.image, made.span, made.by_bytes)):
            return
        self._made = self._shown
        self._searching = made.searching
        gc.freeze()  # as large as the image, and freed without being looked for
        self.tree_view.show_arrays(
            made.searching.arrays, shows_changes=made.span.kind is not ViewKind.WHOLE
        )
        self._search()
        self._go_to_wanted_path()

    def _layer_selected(self) -> None:
        self._show_tree()
        if self._image is not None and not self._image.layers:
            self.details.border_title = "Details"
            self.details.show_fields(())
        elif self._image is not None and not self.tree_view.has_focus:
            self.details.border_title = f"Layer {self.layer_list.cursor}"
            self.details.show_fields(layer_details(self._image, self.layer_list.cursor))

    def _path_selected(self) -> None:
        self._state_filter()
        if not self.layer_list.has_focus:
            self._show_path_details()

    def _show_path_details(self) -> None:
        view, row = self.tree_view.view, self.tree_view.row
        if view is None or row is None:
            self.details.show_fields(())
            return
        self.details.border_title = "Path"
        self.details.show_fields(path_details(view.arrays, row, view.arrays.path(row)))

    def on_descendant_focus(self) -> None:
        if self.tree_view.has_focus:
            self._show_path_details()
        elif self.layer_list.has_focus:
            self._layer_selected()

    @on(RowList.Chosen, "#layers")
    def _layer_chosen(self) -> None:
        self.tree_view.focus()

    @on(RowList.Chosen, "#tree")
    def _path_chosen(self) -> None:
        """Open a file, fold or unfold a directory, follow a link."""
        view, row = self.tree_view.view, self.tree_view.row
        if view is None or row is None:
            return
        if view.is_directory(row):
            self.tree_view.action_toggle_fold()
        elif view.arrays.nodes[row].inode.kind is EntryKind.SYMLINK:
            self._follow(view.arrays.path(row))
        else:
            self.open_file()

    def file_source(self) -> FileSource | None:
        if self._made is None:
            return None
        image, span, _ = self._made  # of what can be seen, while another tree is being made
        return lambda arrays, row, limits: viewed_file(image, arrays, row, span, limits)

    def _follow(self, path: str) -> None:
        """Go to what a link leads to."""
        assert self._made is not None
        image, span, _ = self._made
        try:
            found = image.tree(span.last).resolve(path)
        except LayerlensError as error:
            self.app.notify(toast(str(error)), markup=False, severity="warning")
        else:
            self.tree_view.go_to(found.path)

    @on(FileTreeView.SortAsked)
    def _sort(self) -> None:
        self._by_bytes = not self._by_bytes
        self._show_tree()

    def action_view(self, kind: str) -> None:
        self._kind = ViewKind(kind)
        self._show_tree()

    def action_next_view(self) -> None:
        """From what a layer changed to the whole and back, by way of the range if one is marked."""
        kinds = [ViewKind.LAYER, ViewKind.WHOLE]
        if self._mark is not None:
            kinds.insert(1, ViewKind.RANGE)
        position = kinds.index(self.span.kind)
        self.action_view(kinds[(position + 1) % len(kinds)].value)

    def action_history(self) -> None:
        path = self.tree_view.path
        if path == "/":
            self.app.notify("choose a path below / to see its history", markup=False)
        elif path is not None:
            self.layerlens.show_history(path)

    def action_details(self) -> None:
        """Show all that is known of the selected layer or path, none of it cut off."""
        if self.details.fields:
            title = str(self.details.border_title)
            self.app.push_screen(WholeDetails(title, self.details.fields))

    def action_mark(self) -> None:
        """Start a range at the selected layer; on the start itself, give the range up."""
        if self._mark == self.layer_list.cursor and self._kind is ViewKind.RANGE:
            self._mark = None
            self._kind = ViewKind.LAYER
        else:
            self._mark = self.layer_list.cursor
            self._kind = ViewKind.RANGE
        self._show_tree()

    def action_move_layer(self, count: int) -> None:
        self.layer_list.move_cursor(self.layer_list.cursor + count)

    @on(LayerList.WholeAsked)
    def _whole_asked(self) -> None:
        self.action_view(ViewKind.WHOLE.value)

    def action_filter(self) -> None:
        self.filter_box.open()

    def _search(self) -> None:
        """Show what matches the filter as it stands; of a text at once, of a pattern soon."""
        view, search = self.tree_view.view, self.filter_box.search
        self._state_filter()
        if view is None:
            return
        if search is None:
            self.workers.cancel_group(self, "search")
            if view.matches is not None:
                self.tree_view.show_matches(None)
        elif search.kind is FilterKind.SUBSTRING:
            if self._searching is not None:
                self.tree_view.show_matches(self._searching.matches(search.text))
        else:
            try:
                search.pattern()
            except UsageError as error:
                self.filter_box.show_error(str(error))
                return
            self._search_pattern(view.arrays, search)

    def _state_filter(self) -> None:
        """Say what of the changes is left out, what is filtered by, and where nothing is shown,
        whether anything could be."""
        search = self.filter_box.search
        stated = []
        if left_out := self.tree_view.left_out:
            stated.append(left_out)
        if search is not None:
            stated.append(f"{search.kind.value}: {safe(search.text, 30)}")
            hidden = self.tree_view.hidden_matches
            if hidden is not None:
                stated.append(f"{hidden} hidden" if hidden else "no match")
        self.tree_view.border_subtitle = Content(" · ".join(stated))

    @work(thread=True, exclusive=True, group="search", description="search", exit_on_error=False)
    def _search_pattern(self, arrays: TreeArrays, search: NameFilter) -> None:
        worker = get_current_worker()
        found = pattern_matches(arrays, search, lambda: not worker.is_cancelled)
        if found is not None:
            self.post_message(self.SearchEnded(arrays, search, found))

    def on_browse_screen_search_ended(self, ended: SearchEnded) -> None:
        view = self.tree_view.view
        if view is None or view.arrays is not ended.arrays:
            return
        if self.filter_box.search == ended.search:
            self.tree_view.show_matches(ended.matches)


def _same(one: tuple[OpenImage, LayerSpan, bool], other: tuple[OpenImage, LayerSpan, bool]) -> bool:
    return one[0] is other[0] and one[1:] == other[1:]


def _instead_of_tree(image: OpenImage) -> str:
    """What stands where no tree can be shown yet, or ever."""
    match image.stage:
        case Stage.READING:
            return f"Reading {safe(image.shown_name)} … (ctrl+x stops it)"
        case Stage.CANCELLED:
            return "Reading was stopped before the first layer was read."
        case Stage.FAILED:
            return "No layer could be read."
        case Stage.READY:
            return "This image has no layers."
