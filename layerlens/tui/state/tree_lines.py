"""A row of the tree as text: what became of it, its columns, its place in the tree, its name."""

from __future__ import annotations

import enum

from layerlens.filesystem.file_tree import IMPLIED_LAYER
from layerlens.layer.entry import EntryKind
from layerlens.report.listing import mode_text
from layerlens.report.safe_text import escape, shorten
from layerlens.report.sizes import human_size
from layerlens.tui.shown_text import Part
from layerlens.tui.state.tree_arrays import ROOT, State, TreeArrays
from layerlens.tui.state.tree_view import TreeView

_NAME_CELLS = 18
"""The name gets at least so many cells; columns that would take them are left out."""

_ROOMY_NAME_CELLS = 30
"""As many as that before there is a mode or an owner."""

_MODE_CELLS, _OWNER_CELLS, _SIZE_CELLS, _HALF_CELLS, _LAYER_CELLS = 10, 9, 9, 9, 3

STYLES = {
    State.UNMODIFIED: "",
    State.ADDED: "added",
    State.CHANGED: "changed",
    State.REMOVED: "removed",
    State.REWRITTEN: "rewritten",
}


class Column(enum.Enum):
    """A column beside the name; the value is its name in key bindings."""

    MODE = "mode"
    OWNER = "owner"
    SIZE = "size"
    CHANGE = "change"
    LAYER = "layer"
    LINK = "link"


_CELLS = {
    Column.SIZE: _SIZE_CELLS,
    Column.LAYER: _LAYER_CELLS,
    Column.CHANGE: 2 * _HALF_CELLS + 1,
    Column.MODE: _MODE_CELLS,
    Column.OWNER: _OWNER_CELLS,
}

DEFAULT_COLUMNS = frozenset(Column)
TOGGLED_COLUMNS = frozenset((Column.MODE, Column.OWNER, Column.SIZE, Column.CHANGE, Column.LINK))


def fitting_columns(
    arrays: TreeArrays, wanted: frozenset[Column], width: int, asked: tuple[Column, ...] = ()
) -> dict[Column, int]:
    """The cells of those of the wanted columns that leave the name its own, the most useful ones
    first, and before all ``asked``, which somebody chose; in the order in which they stand."""
    left = width - _NAME_CELLS - 3
    found: dict[Column, int] = {}
    for column in dict.fromkeys((*asked, *_CELLS)):
        cells = _CELLS[column]
        if column is Column.CHANGE:  # a half for what came, and one for what went
            halves = bool(arrays.gained[ROOT]) + bool(arrays.lost[ROOT])
            cells = halves * (_HALF_CELLS + 1) - 1 if halves else 0
        roomy = column in (Column.MODE, Column.OWNER) and column not in asked
        needed = cells + (_ROOMY_NAME_CELLS - _NAME_CELLS if roomy else 0)
        if roomy and column is Column.OWNER and Column.MODE in wanted and Column.MODE not in found:
            continue  # of the two, the mode says more
        if column in wanted and cells and needed < left:
            found[column] = cells
            left -= cells + 1
    return {column: found[column] for column in _COLUMN_ORDER if column in found}


_COLUMN_ORDER = (Column.MODE, Column.OWNER, Column.LAYER, Column.SIZE, Column.CHANGE)


def tree_line(
    view: TreeView,
    row: int,
    wanted: frozenset[Column],
    width: int,
    asked: tuple[Column, ...] = (),
) -> list[Part]:
    """The parts of one row for a line of ``width`` cells, escaped."""
    arrays = view.arrays
    state = arrays.state(row)
    style = STYLES[state]
    parts: list[Part] = [(_mark(arrays, row, state), style or "changed")]
    used = 3
    for column, cells in fitting_columns(arrays, wanted, width, asked).items():
        parts.extend(_cell(column, arrays, row))
        used += cells + 1
    indent = "  " * max(0, arrays.depths[row] - 1) if row != ROOT else ""
    directory = view.is_directory(row)
    below = arrays.lengths[row] > 1
    arrow = ("▸ " if view.is_folded(row) else "▾ ") if below else "  "
    before = (indent + arrow)[-max(2, width // 2) :]  # however deep, a name has room
    parts.append((before, "faint"))
    used += len(before)
    name = escape(_shown_name(arrays, row, links=Column.LINK in wanted))
    parts.append((shorten(name, max(4, width - used)), style or ("directory" if directory else "")))
    return parts


def _mark(arrays: TreeArrays, row: int, state: State) -> str:
    """A sign and a letter; ``·`` for a directory in which something changed."""
    if state is not State.UNMODIFIED:
        return f"{state.sign}{state.letter} "
    return " · " if arrays.masks[row] & ~State.UNMODIFIED.bit else "   "


def _shown_name(arrays: TreeArrays, row: int, *, links: bool) -> str:
    node = arrays.nodes[row]
    name = arrays.names[row]
    if arrays.directories[row]:
        return name if name.endswith("/") else f"{name}/"
    if links and node.entry.kind is EntryKind.SYMLINK:
        return f"{name} -> {node.entry.link_target}"
    if links and node.entry.kind is EntryKind.HARD_LINK:
        return f"{name} = {node.entry.link_target}"
    return name


def _cell(column: Column, arrays: TreeArrays, row: int) -> list[Part]:
    node = arrays.nodes[row]
    inode = node.inode
    match column:
        case Column.MODE:
            return [(f"{mode_text(inode)} ", "faint")]
        case Column.OWNER:
            return [
                (f"{shorten(f'{inode.uid}:{inode.gid}', _OWNER_CELLS):<{_OWNER_CELLS}} ", "faint")
            ]
        case Column.LAYER:
            layer = "-" if node.layer == IMPLIED_LAYER else str(node.layer)
            return [(f"{layer:>{_LAYER_CELLS}} ", "faint")]
        case Column.SIZE:
            return [(f"{_size(arrays, row):>{_SIZE_CELLS}} ", "")]
        case _:
            return _change(arrays, row)


def _size(arrays: TreeArrays, row: int) -> str:
    inode = arrays.nodes[row].inode
    if not arrays.directories[row]:
        if inode.device is not None:
            return f"{inode.device[0]},{inode.device[1]}"
        if inode.kind is not EntryKind.FILE:
            return "-"
    return human_size(arrays.bytes[row])


def _change(arrays: TreeArrays, row: int) -> list[Part]:
    """What came and went in and below the row."""
    gained, lost = arrays.gained[row], arrays.lost[row]
    came = f"+{human_size(gained)}" if gained else ""
    went = f"-{human_size(lost)}" if lost else ""
    halves: list[Part] = []
    if arrays.gained[ROOT]:
        halves.append((f"{came:>{_HALF_CELLS}} ", "added"))
    if arrays.lost[ROOT]:
        halves.append((f"{went:>{_HALF_CELLS}} ", "removed"))
    return halves
