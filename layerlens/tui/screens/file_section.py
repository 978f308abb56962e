"""What sections with a tree of files have in common: the chosen file opened, compared, saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from textual import on

from layerlens.report.change_lines import KIND_WORDS
from layerlens.streams.limits import Limits
from layerlens.tui.screens.file_view import FileView
from layerlens.tui.screens.save_prompt import SavePrompt
from layerlens.tui.screens.section_screen import SectionScreen
from layerlens.tui.state.tree_arrays import TreeArrays
from layerlens.tui.state.viewed_file import ViewedFile
from layerlens.tui.widgets.file_rows import Form
from layerlens.tui.widgets.file_tree_view import FileTreeView

FileSource: TypeAlias = Callable[[TreeArrays, int, Limits], ViewedFile | None]
"""The file in a row of a tree; None for what has no content."""


class FileSection(SectionScreen):
    """A section with a tree of files, made in ``content``."""

    tree_view: FileTreeView

    def file_source(self) -> FileSource | None:
        """Where the files of the tree that is seen are read from; None while there are none."""
        raise NotImplementedError

    def open_file(self, form: Form | None = None) -> None:
        """Show the chosen file, by default in the form that suits it."""
        if (file := self._viewed_file()) is not None:
            self.app.push_screen(FileView(file) if form is None else FileView(file, form))

    @on(FileTreeView.DiffAsked)
    def _diff_asked(self) -> None:
        self.open_file(Form.DIFF)

    @on(FileTreeView.SaveAsked)
    def _save_asked(self) -> None:
        if (file := self._viewed_file()) is not None:
            self.app.push_screen(SavePrompt(file))

    def _viewed_file(self) -> ViewedFile | None:
        view, row, source = self.tree_view.view, self.tree_view.row, self.file_source()
        if view is None or row is None or source is None:
            return None
        file = source(view.arrays, row, self.layerlens.opening.load_settings.limits)
        if file is None:
            kind = KIND_WORDS[view.arrays.nodes[row].inode.kind]
            self.app.notify(f"a {kind} has no content", markup=False)
        return file
