"""Paths that were found, each with what became of it in short; and one path's history in full."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from layerlens.analysis.path_history import PathEvent
from layerlens.report.history_table import event_size, event_text
from layerlens.report.safe_text import cells, shorten_middle
from layerlens.report.sizes import human_size
from layerlens.tui.shown_text import Part, parts_text, safe
from layerlens.tui.state.open_image import ReadLayer
from layerlens.tui.state.path_search import PathSearch, summary_parts
from layerlens.tui.state.tree_arrays import STATE_OF
from layerlens.tui.state.tree_lines import STYLES
from layerlens.tui.widgets.row_list import PLAIN, RowList

_SUMMARY_CELLS = 16
_REMEMBERED = 256


class FoundList(RowList):
    """The paths that a search found, or a message."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._search: PathSearch | None = None
        self._message = ""
        self._history = lru_cache(maxsize=_REMEMBERED)(self._history_of)

    @property
    def path(self) -> str | None:
        """The selected path."""
        return self._search.path(self.cursor) if self._search and self._search.found else None

    @property
    def events(self) -> tuple[PathEvent, ...]:
        """The history of the selected path."""
        return self._history(self.cursor) if self._search and self._search.found else ()

    def show_found(self, search: PathSearch | None, wanted: str) -> None:
        """Show what a search found, the cursor on ``wanted`` if it is among it."""
        self._search = search
        self._message = "Nothing was found." if search is not None else ""
        self._history.cache_clear()
        count = len(search.found) if search is not None else 0
        exact = (
            (row for row in range(count) if search.path(row) == wanted)
            if search is not None and wanted
            else iter(())
        )
        self.rows_changed(next(exact, 0))

    def show_message(self, text: str) -> None:
        """Show a message where nothing is found."""
        self._message = text
        self.rows_changed()

    def row_count(self) -> int:
        if self._search and self._search.found:
            return len(self._search.found)
        return len(self.message_lines(self._message))

    def has_cursor(self) -> bool:
        return bool(self._search and self._search.found)

    def row_parts(self, row: int, width: int) -> list[Part]:
        if not self._search or not self._search.found:
            return [(self.message_lines(self._message)[row], "faint")]
        events = self._history(row)
        parts = summary_parts(events)
        used = cells(parts_text(parts))
        parts.append((" " * max(0, _SUMMARY_CELLS - used), PLAIN))
        gone = bool(events) and events[-1].after is None
        left = width - max(used, _SUMMARY_CELLS)
        path = shorten_middle(safe(self._search.path(row)), max(4, left))
        parts.append((path, "removed" if gone else PLAIN))
        return parts

    def _history_of(self, row: int) -> tuple[PathEvent, ...]:
        assert self._search is not None
        return self._search.history(row)


class HistoryList(RowList):
    """What became of one path: a row a layer that did something to it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._events: Sequence[PathEvent] = ()
        self._layers: Sequence[ReadLayer] = ()

    @property
    def event(self) -> PathEvent | None:
        """The selected event."""
        return self._events[self.cursor] if self._events else None

    def show_events(self, events: Sequence[PathEvent], layers: Sequence[ReadLayer]) -> None:
        """Show what the layers did."""
        self._events = events
        self._layers = layers
        self.rows_changed(len(events) - 1)

    def row_count(self) -> int:
        return len(self._events)

    def row_parts(self, row: int, width: int) -> list[Part]:
        event = self._events[row]
        state = STATE_OF[event.kind]
        what = safe(event_text(event, human_size), max(10, width // 2))
        parts: list[Part] = [
            (f"layer {event.layer:>3} ", "faint"),
            (f"{state.sign}{state.letter} ", STYLES[state]),
            (f"{event_size(event, human_size):>9}  ", PLAIN),
            (f"{what}  ", STYLES[state]),
        ]
        left = width - cells(parts_text(parts))
        if left > 4:
            parts.append((safe(self._layers[event.layer].instruction, left), "faint"))
        return parts
