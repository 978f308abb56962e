"""Find: paths of all layers, also those that are gone, and the history of the selected one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual import on, work
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from layerlens.analysis.path_history import PathEvent
from layerlens.errors import UsageError
from layerlens.filesystem.file_tree import FileTree
from layerlens.tui import keys
from layerlens.tui.screens.section_screen import SectionScreen
from layerlens.tui.shown_text import safe
from layerlens.tui.state.name_filter import FilterKind, NameFilter
from layerlens.tui.state.open_image import OpenImage, Stage
from layerlens.tui.state.path_search import PathSearch
from layerlens.tui.state.tree_arrays import NotWanted
from layerlens.tui.widgets.filter_box import FilterBox
from layerlens.tui.widgets.history_list import FoundList, HistoryList
from layerlens.tui.widgets.row_list import RowList


class FindScreen(SectionScreen):
    """The second section."""

    SECTION = "find"
    BINDINGS = keys.bindings(keys.FIND)

    @dataclass
    class PathsGathered(Message):
        """All paths of the image are there to be searched."""

        image: OpenImage
        search: PathSearch

    @dataclass
    class SearchEnded(Message):
        """A glob or regular expression was looked for."""

        asked: NameFilter

    def __init__(self) -> None:
        super().__init__()
        self._image: OpenImage | None = None
        self._gathered_layers = -1
        self._search: PathSearch | None = None
        self._wanted = ""

    def content(self) -> Iterable[Widget]:
        self.found = FoundList(id="found")
        self.filter_box = FilterBox(self.found, id="find-text", always_open=True)
        self.found.border_title = "Paths"
        self.history = HistoryList(id="history")
        self.history.border_title = "History"
        return [self.filter_box, self.found, self.history]

    def on_mount(self) -> None:
        self.watch(self.found, "moves", self._path_selected, init=False)
        self.watch(self.filter_box, "changes", self._search_typed, init=False)

    def image_changed(self, image: OpenImage) -> None:
        if image is not self._image:
            self._image = image
            self._gathered_layers = -1
            self._show(None)
        if image.stage is Stage.READING:
            self.found.show_message("The layers are still being read …")
        elif self._gathered_layers != len(image.layers):
            self._gathered_layers = len(image.layers)
            self.found.show_message("Gathering the paths of all layers …")
            self._gather(image, [read.tree for read in image.layers])

    def find(self, path: str) -> None:
        """Search for a path, and go to its history."""
        self._wanted = path
        self.filter_box.type(path)
        self._search_typed()

    @work(thread=True, exclusive=True, group="gather", description="gather", exit_on_error=False)
    def _gather(self, image: OpenImage, trees: Sequence[FileTree]) -> None:
        worker = get_current_worker()
        try:
            search = PathSearch(trees, lambda: not worker.is_cancelled)
        except NotWanted:
            return
        self.post_message(self.PathsGathered(image, search))

    def on_find_screen_paths_gathered(self, gathered: PathsGathered) -> None:
        if gathered.image is self._image:
            self._search = gathered.search
            self._search_typed()

    def _search_typed(self) -> None:
        search, asked = self._search, self.filter_box.search
        if search is None:
            return
        if asked is None:
            self.workers.cancel_group(self, "search")
            search.forget()
            self._show(search)
            self.found.show_message(
                f"{search.count} paths in all layers, also those that are gone: type to find some"
            )
        elif asked.kind is FilterKind.SUBSTRING:
            search.search(asked)
            self._show(search)
        else:
            try:
                asked.pattern()
            except UsageError as error:
                self.filter_box.show_error(str(error))
                return
            self._search_pattern(search, asked)

    @work(thread=True, exclusive=True, group="search", description="search", exit_on_error=False)
    def _search_pattern(self, search: PathSearch, asked: NameFilter) -> None:
        worker = get_current_worker()
        search.search(asked, lambda: not worker.is_cancelled)
        self.post_message(self.SearchEnded(asked))

    def on_find_screen_search_ended(self, ended: SearchEnded) -> None:
        if ended.asked == self.filter_box.search:
            self._show(self._search)

    def _show(self, search: PathSearch | None) -> None:
        self.found.show_found(search, self._wanted)
        count = len(search.found) if search is not None else 0
        self.found.border_title = f"Paths: {count} found" if count else "Paths"

    def _path_selected(self) -> None:
        image, path = self._image, self.found.path
        if image is None or path is None:
            self.history.show_events((), ())
            self.history.border_title = "History"
            return
        self.history.show_events(self.found.events, image.layers)
        self.history.border_title = Content(f"History of {safe(path, 200)}")

    @on(RowList.Chosen, "#found")
    def _path_chosen(self) -> None:
        if self.history.row_count():
            self.history.focus()

    @on(RowList.Chosen, "#history")
    def _event_chosen(self) -> None:
        event, path = self.history.event, self.found.path
        if event is not None and path is not None:
            self.layerlens.go_to(event.layer, path)

    def action_type(self) -> None:
        self.filter_box.open()

    def action_go_to(self) -> None:
        """Show the path where the selected event happened; where it was last, by default."""
        event: PathEvent | None = self.history.event if self.history.has_focus else None
        events, path = self.found.events, self.found.path
        event = event or (events[-1] if events else None)
        if event is not None and path is not None:
            self.layerlens.go_to(event.layer, path)
