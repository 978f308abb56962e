"""The file tree: a list of the rows that a `TreeView` shows, and the keys that fold them."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message

from layerlens.tui import keys
from layerlens.tui.shown_text import Part
from layerlens.tui.state.tree_arrays import ROOT, State, TreeArrays
from layerlens.tui.state.tree_lines import (
    DEFAULT_COLUMNS,
    TOGGLED_COLUMNS,
    Column,
    fitting_columns,
    tree_line,
)
from layerlens.tui.state.tree_view import DEFAULT_STATES, Folding, TreeView
from layerlens.tui.widgets.clipboard import copy
from layerlens.tui.widgets.row_list import RowList

_LARGEST_INDENT_CLICK = 2


class FileTreeView(RowList):
    """A tree of files, or a message in its place."""

    BINDINGS = keys.bindings(keys.TREE)

    @dataclass
    class SortAsked(Message):
        """The rows are wanted in the other order."""

    @dataclass
    class DiffAsked(Message):
        """The selected file is to be compared with the version below."""

    @dataclass
    class SaveAsked(Message):
        """The selected file is to be saved."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.view: TreeView | None = None
        self.states = DEFAULT_STATES
        self.columns = DEFAULT_COLUMNS
        self._asked: tuple[Column, ...] = ()
        self.shows_changes = True
        self._message = ""
        self._message_style = "faint"
        self._folding = Folding()
        self._path = "/"
        # Where the cursor stands since the tree is shown, and the row it would stand on if a
        # directory that is folded did not hide it.
        self._placed = (-1, ROOT)

    @property
    def row(self) -> int | None:
        """The row of the arrays that the cursor is on."""
        if self.view is None or not self.view.rows:
            return None
        return self.view.rows[min(self.cursor, len(self.view.rows) - 1)]

    @property
    def path(self) -> str | None:
        """The path that the cursor is on."""
        row = self.row
        return None if row is None or self.view is None else self.view.arrays.path(row)

    @property
    def left_out(self) -> str:
        """What is usually shown, and was hidden, in a few words; empty where nothing was."""
        hidden = sorted(DEFAULT_STATES - self.states) if self.shows_changes else []
        return f"without {', '.join(state.name.lower() for state in hidden)}" if hidden else ""

    @property
    def hidden_matches(self) -> int | None:
        """Where a search leaves nothing to show: how many paths it found, all of them hidden by
        what became of them. None where there is no search, or it has something to show."""
        view = self.view
        if view is None or view.matches is None or len(view.rows) > 1:
            return None
        return view.matches.count(1)

    def show_message(self, text: str, style: str = "faint") -> None:
        """Show a message, escaped already, in the tree's place."""
        self._remember_place()
        self.view = None
        self._message = text
        self._message_style = style
        self.rows_changed(0)

    def show_arrays(self, arrays: TreeArrays, *, shows_changes: bool) -> None:
        """Show another tree; folded, filtered and placed as the one before was, by its paths."""
        self._remember_place()
        self.shows_changes = shows_changes
        self.view = TreeView(arrays, self._shown_states(), self._folding)
        row = arrays.nearest(self._path)
        self._placed = (self.view.position(row), row)
        self.rows_changed(self._placed[0])

    def show_matches(self, matches: bytes | None) -> None:
        """Show only what matches; with None, all."""
        if self.view is None:
            return
        row = self._placed[1] if self._stays_placed else self.row
        self._placed = (-1, ROOT)
        self.view.show_matches(matches)
        if row is not None and (matches is None or matches[row]) and self.view.is_shown(row):
            self.rows_changed(self.view.position(row))
        elif matches is not None:
            self.rows_changed(self._first_match(matches))
        else:
            self.rows_changed(self.view.position(row or ROOT))

    def go_to(self, path: str) -> bool:
        """Put the cursor on a path, showing what hides it; False where there is no such path."""
        if self.view is None:
            self._path = path
            return False
        row = self.view.arrays.find(path)
        if row is None:
            return False
        if self.view.matches is not None:
            self.view.show_matches(None)
        self.view.unfold_to(row)
        if not self.view.is_shown(row):
            self.states = self.states | {self.view.arrays.state(row)}
            self.view.show_states(self._shown_states())
        self.rows_changed(self.view.position(row))
        return True

    def _first_match(self, matches: bytes) -> int:
        assert self.view is not None
        first = matches.find(1)
        return 0 if first < 0 else self.view.position(first)

    def _remember_place(self) -> None:
        if self.view is not None:
            self._folding = self.view.folding
            if not self._stays_placed:
                self._path = self.path or self._path

    @property
    def _stays_placed(self) -> bool:
        """Whether the cursor has not moved, nor anything been searched for, since the tree is
        shown."""
        return self.cursor == self._placed[0]

    def _shown_states(self) -> frozenset[State]:
        return self.states if self.shows_changes else frozenset(State)

    def row_count(self) -> int:
        if self.view is None:
            return len(self.message_lines(self._message))
        return len(self.view.rows)

    def has_cursor(self) -> bool:
        return self.view is not None

    def row_parts(self, row: int, width: int) -> list[Part]:
        if self.view is None:
            return [(self.message_lines(self._message)[row], self._message_style)]
        return tree_line(self.view, self.view.rows[row], self._wanted_columns(), width, self._asked)

    def _wanted_columns(self) -> frozenset[Column]:
        return self.columns - {Column.LAYER if self.shows_changes else Column.CHANGE}

    def action_toggle_fold(self) -> None:
        row = self.row
        if self.view is None or row is None:
            return
        if self.view.is_folded(row):
            self.view.unfold(row)
        else:
            self.view.fold(row)
        self.rows_changed()

    def action_fold(self) -> None:
        row = self.row
        if self.view is None or row is None:
            return
        if self.view.is_directory(row) and not self.view.is_folded(row) and row != ROOT:
            self.view.fold(row)
            self.rows_changed()
        else:
            self.move_cursor(self.view.parent_position(self.cursor))

    def action_unfold(self) -> None:
        row = self.row
        if self.view is None or row is None:
            return
        if self.view.is_folded(row):
            self.view.unfold(row)
            self.rows_changed()
        elif self.view.is_directory(row):
            following = self.cursor + 1
            if following < len(self.view.rows) and (
                self.view.arrays.parents[self.view.rows[following]] == row
            ):
                self.move_cursor(following)

    def action_fold_all(self) -> None:
        if self.view is not None and (row := self.row) is not None:
            self.view.fold_all()
            self.rows_changed(self.view.position(row))

    def action_unfold_all(self) -> None:
        if self.view is not None and (row := self.row) is not None:
            self.view.unfold_all()
            self.rows_changed(self.view.position(row))

    def action_toggle_all(self) -> None:
        """Unfold all if anything that is shown is folded, else fold all."""
        if self.view is None:
            return
        if self.view.is_anything_folded():
            self.action_unfold_all()
        else:
            self.action_fold_all()

    def action_toggle_state(self, name: str) -> None:
        state = State[name.upper()]
        self.states = self.states ^ {state}
        if self.view is not None and (row := self.row) is not None:
            self.view.show_states(self._shown_states())
            self.rows_changed(self.view.position(row))

    def action_sort(self) -> None:
        self.post_message(self.SortAsked())

    def action_toggle_columns(self) -> None:
        shown = self.columns & TOGGLED_COLUMNS
        self.columns = self.columns - shown if shown else self.columns | TOGGLED_COLUMNS
        self.refresh()

    def action_toggle_column(self, name: str) -> None:
        """Hide a column; or show it, before others if there is room for some of them only."""
        column = Column(name)
        others = tuple(each for each in self._asked if each is not column)
        if self._is_column_shown(column):
            self.columns = self.columns - {column}
            self._asked = others
        else:
            self.columns = self.columns | {column}
            self._asked = others if column is Column.LINK else (column, *others)
            if not self._is_column_shown(column):
                self.app.notify(f"there is no room for the column {name} here", markup=False)
        self.refresh()

    def _is_column_shown(self, column: Column) -> bool:
        if self.view is None or column is Column.LINK:
            return column in self.columns
        width = self.scrollable_content_region.width
        wanted = self._wanted_columns()
        return column in fitting_columns(self.view.arrays, wanted, width, self._asked)

    def action_copy_path(self) -> None:
        if (path := self.path) is not None:
            copy(self.app, path)

    def action_open_diff(self) -> None:
        self.post_message(self.DiffAsked())

    def action_save(self) -> None:
        self.post_message(self.SaveAsked())

    def on_click(self, event: events.Click) -> None:
        """A click on the arrow folds; elsewhere it selects."""
        offset = event.get_content_offset(self)
        if offset is None or self.view is None:
            return
        position = offset.y + self.scroll_offset.y
        if position >= self.row_count():
            return
        parts = self.row_parts(position, self.scrollable_content_region.width)
        start = sum(len(text) for text, _ in parts[:-1])
        if start - _LARGEST_INDENT_CLICK <= offset.x < start:
            event.stop()
            event.prevent_default()
            self.move_cursor(position)
            self.action_toggle_fold()
