"""A list of lines that were made before: short lists, such as the layers of two images."""

from __future__ import annotations

from collections.abc import Sequence

from layerlens.tui.shown_text import MakeParts, Part
from layerlens.tui.widgets.row_list import RowList


class LineList(RowList):
    """Lines with a cursor, or a message where there are none."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._lines: Sequence[MakeParts] = ()
        self._message = ""

    def show_lines(self, lines: Sequence[MakeParts], instead: str = "") -> None:
        """Show these lines, or ``instead``, escaped already, where there are none."""
        self._lines = lines
        self._message = instead
        self.rows_changed()

    @property
    def is_empty(self) -> bool:
        """Whether a message stands in the lines' place."""
        return not self._lines

    def row_count(self) -> int:
        return len(self._lines) or len(self.message_lines(self._message))

    def row_parts(self, row: int, width: int) -> list[Part]:
        if not self._lines:
            return [(self.message_lines(self._message)[row], "faint")]
        return self._lines[row](width)

    def has_cursor(self) -> bool:
        return bool(self._lines)


class HeadLine(RowList, can_focus=False):
    """The line above the columns of a list."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._line: MakeParts | None = None

    def show_line(self, line: MakeParts | None) -> None:
        """Show this; None for nothing."""
        self._line = line
        self.rows_changed(0)

    def row_count(self) -> int:
        return 1

    def row_parts(self, row: int, width: int) -> list[Part]:
        return [] if self._line is None else self._line(width)

    def has_cursor(self) -> bool:
        return False
