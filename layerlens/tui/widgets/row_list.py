"""A list of lines with a cursor, drawn on Textual's line API: what every list here is made of.

A subclass says how many rows there are and what stands in one; nothing is kept for a row, so
that half a million cost no more than those on the screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from layerlens.tui import keys
from layerlens.tui.shown_text import Part

PLAIN = ""
"""The style of text that has none of its own."""


class RowList(ScrollView, can_focus=True):
    """Rows of text. A style's name is that of a component class without its ``rows--``."""

    ALLOW_SELECT = False
    BINDINGS = keys.bindings(keys.LIST)
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--cursor",
        "rows--cursor-blurred",
        "rows--added",
        "rows--changed",
        "rows--removed",
        "rows--rewritten",
        "rows--directory",
        "rows--faint",
        "rows--heading",
        "rows--accent",
        "rows--error",
    }

    cursor: var[int] = var(0, always_update=False)
    moves: var[int] = var(0)
    """Counts how often the cursor came to another row, or another thing to its row. To be watched:
    a watcher runs before the next painting, a message would be handled after it, and what it
    changes be painted a frame later."""

    @dataclass
    class Chosen(Message):
        """Enter was pressed on a row, or it was clicked while the cursor was on it."""

        rows: RowList
        row: int

        @property
        def control(self) -> RowList:
            return self.rows

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._styles: dict[tuple[str, str], Style] = {}
        self._line_cells = 0

    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def row_parts(self, row: int, width: int) -> list[Part]:
        """What stands in a row, escaped, for a line of so many cells; more is cut off."""
        raise NotImplementedError

    def has_cursor(self) -> bool:
        """Whether a row is marked as the one that keys act on."""
        return True

    def rows_changed(self, cursor: int | None = None) -> None:
        """Tell that there are other rows, or other things in them; the cursor may be put."""
        self._take_row_count(self.row_count())
        self.set_reactive(RowList.cursor, self._within(self.cursor if cursor is None else cursor))
        self.keep_cursor_in_sight()
        self.refresh()
        self.moves += 1

    def _take_row_count(self, count: int) -> None:
        """Make room for so many rows; the screen is laid out anew only if that shows or hides the
        scrollbar."""
        if self.show_vertical_scrollbar != self._wants_scrollbar(count):
            self.virtual_size = Size(1, count)
        elif count != self.virtual_size.height:
            self.set_reactive(RowList.virtual_size, Size(1, count))
            if self.show_vertical_scrollbar:
                self.vertical_scrollbar.window_virtual_size = count

    def _wants_scrollbar(self, count: int) -> bool:
        overflow: str = self.styles.overflow_y
        overflows = count > self.scrollable_content_region.height
        return overflow == "scroll" or (overflow == "auto" and overflows)

    def keep_cursor_in_sight(self) -> None:
        """Scroll as little as shows the cursor."""
        height = self.scrollable_content_region.height
        if not height:
            return
        top = self.scroll_offset.y
        if self.cursor < top:
            top = self.cursor
        elif self.cursor >= top + height:
            top = self.cursor - height + 1
        top = max(0, min(top, self.row_count() - height))
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False)

    def move_cursor(self, row: int) -> None:
        """Put the cursor on a row, or the nearest one there is."""
        self.cursor = self._within(row)

    def validate_cursor(self, row: int) -> int:
        return self._within(row)

    def watch_cursor(self, before: int, now: int) -> None:
        self.refresh_line(before)
        self.refresh_line(now)
        self.keep_cursor_in_sight()
        self.moves += 1

    def _within(self, row: int) -> int:
        return max(0, min(row, self.row_count() - 1))

    def action_move(self, rows: int) -> None:
        self.move_cursor(self.cursor + rows)

    def action_move_page(self, pages: int) -> None:
        height = max(1, self.scrollable_content_region.height - 1)
        self.move_cursor(self.cursor + pages * height)

    def action_move_to_first(self) -> None:
        self.move_cursor(0)

    def action_move_to_last(self) -> None:
        self.move_cursor(self.row_count() - 1)

    def action_choose(self) -> None:
        if self.row_count():
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        row = offset.y + self.scroll_offset.y
        if row >= self.row_count():
            return
        event.stop()
        if row == self.cursor and event.chain > 1:
            self.action_choose()
        else:
            self.move_cursor(row)

    def on_resize(self, event: events.Resize) -> None:
        if self.has_cursor():
            self.keep_cursor_in_sight()
        else:
            self.rows_changed()  # a message takes other lines

    def message_lines(self, text: str) -> list[str]:
        """A message, escaped already, cut into lines that fit."""
        return wrap(text, max(8, self.scrollable_content_region.width)) or [""]

    def on_focus(self) -> None:
        self.refresh_line(self.cursor)

    def on_blur(self) -> None:
        self.refresh_line(self.cursor)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        self._line_cells = self.scrollable_content_region.width  # costs more than a line does
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        width = self._line_cells
        row = y + self.scroll_offset.y
        if row >= self.row_count():
            return Strip.blank(width, self._style(PLAIN, under_cursor=False))
        under_cursor = row == self.cursor and self.has_cursor()
        segments = [
            Segment(text, self._style(name, under_cursor=under_cursor))
            for text, name in self.row_parts(row, width)
            if text
        ]
        base = self._style(PLAIN, under_cursor=under_cursor)
        return Strip(segments).adjust_cell_length(width, base)

    def refresh_line(self, y: int) -> None:
        top = self.scroll_offset.y
        if top <= y < top + self.size.height:
            self.refresh(Region(0, y - top, self.size.width, 1))

    def _style(self, name: str, *, under_cursor: bool) -> Style:
        """A style on the widget's own background, or on the cursor's."""
        cursor = "" if not under_cursor else "cursor" if self.has_focus else "cursor-blurred"
        key = (name, cursor)
        style = self._styles.get(key)
        if style is None:
            style = self.rich_style
            for part in filter(None, key):
                # Under the cursor text has the one colour that can be read on it, by every theme;
                # what is faint has a colour between the text's and that of what is behind it.
                whole = part in ("cursor", "faint")
                style += self.get_component_rich_style(f"rows--{part}", partial=not whole)
            self._styles[key] = style
        return style
