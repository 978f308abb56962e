"""Changes as lines for people: a letter, the bytes gained or lost, the path, and what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from layerlens.analysis.change_statistics import ChangeStatistics, DirectoryStatistics
from layerlens.analysis.layer_changes import Aspect, Change, ChangeKind
from layerlens.filesystem.file_tree import Node
from layerlens.layer.entry import Entry, EntryKind
from layerlens.report.as_table import Align, Column, table_lines
from layerlens.report.colour import Palette, Style
from layerlens.report.safe_text import escape
from layerlens.report.sizes import FormatSize, size_difference

STYLES = {
    ChangeKind.ADDED: Style.ADDED,
    ChangeKind.CHANGED: Style.CHANGED,
    ChangeKind.REMOVED: Style.REMOVED,
    ChangeKind.REWRITTEN: Style.REWRITTEN,
}
KIND_WORDS = {
    EntryKind.FILE: "file",
    EntryKind.DIRECTORY: "directory",
    EntryKind.SYMLINK: "symlink",
    EntryKind.HARD_LINK: "hard link",
    EntryKind.CHARACTER_DEVICE: "character device",
    EntryKind.BLOCK_DEVICE: "block device",
    EntryKind.FIFO: "fifo",
}

_SIZE_CELLS = 10


def change_lines(
    changes: Iterable[Change], format_size: FormatSize, palette: Palette
) -> Iterator[str]:
    """A line a change, each with its newline, escaped; made as they are asked for."""
    for change in changes:
        size = _size_text(change, format_size)
        letter = palette.paint(STYLES[change.kind], change.kind.value)
        path = palette.paint(STYLES[change.kind], escape(_shown_path(change)))
        details = ", ".join(_details(change, format_size))
        detail = palette.paint(Style.FAINT, escape(f"  ({details})")) if details else ""
        yield f"  {letter} {size:>{_SIZE_CELLS}}  {path}{detail}\n"


def summary_line(statistics: ChangeStatistics, format_size: FormatSize) -> str:
    """The changes added up, on one line without a newline; ``no changes`` where there are none."""
    parts = []
    if statistics.added:
        parts.append(f"{statistics.added} added ({format_size(statistics.added_bytes)})")
    if statistics.changed:
        before, after = statistics.changed_bytes_before, statistics.changed_bytes_after
        sizes = f"{format_size(before)} -> {format_size(after)}"
        parts.append(f"{statistics.changed} changed ({sizes})")
    if statistics.removed:
        parts.append(f"{statistics.removed} removed ({format_size(statistics.removed_bytes)})")
    if statistics.rewritten:
        size = format_size(statistics.rewritten_bytes)
        parts.append(f"{statistics.rewritten} rewritten ({size})")
    return ", ".join(parts) or "no changes"


def statistics_lines(
    rows: Iterable[DirectoryStatistics],
    format_size: FormatSize,
    *,
    width: int | None,
    palette: Palette,
) -> Iterator[str]:
    """``--stat``: a row a top-level directory, with counts and bytes."""
    right = Align.RIGHT
    columns = (
        Column(heading="  DIRECTORY"),
        Column(heading="ADDED", align=right),
        Column(heading="BYTES", align=right),
        Column(heading="CHANGED", align=right),
        Column(heading="BEFORE", align=right),
        Column(heading="AFTER", align=right),
        Column(heading="REMOVED", align=right),
        Column(heading="BYTES", align=right),
        Column(heading="GROWTH", align=right),
    )
    cells = [
        (
            f"  {row.directory}",
            str(row.statistics.added),
            format_size(row.statistics.added_bytes),
            str(row.statistics.changed),
            format_size(row.statistics.changed_bytes_before),
            format_size(row.statistics.changed_bytes_after),
            str(row.statistics.removed),
            format_size(row.statistics.removed_bytes),
            size_difference(row.statistics.growth, format_size),
        )
        for row in rows
    ]
    if cells:
        yield from table_lines(columns, cells, width=width, palette=palette)


def _size_text(change: Change, format_size: FormatSize) -> str:
    kinds = {node.inode.kind for node in (change.before, change.after) if node is not None}
    if EntryKind.FILE not in kinds:
        return "-"
    if change.kind is ChangeKind.REWRITTEN:
        return format_size(change.bytes_after)
    return size_difference(change.bytes_after - change.bytes_before, format_size)


def _shown_path(change: Change) -> str:
    node = change.after or change.before
    assert node is not None
    path = change.path
    if node.children is not None:
        return path if path == "/" else f"{path}/"
    if node.entry.kind is EntryKind.HARD_LINK:
        return f"{path} = {node.entry.link_target}"
    if node.entry.kind is EntryKind.SYMLINK and change.before is None:
        return f"{path} -> {node.entry.link_target}"
    return path


def _details(change: Change, format_size: FormatSize) -> Iterator[str]:
    if change.before is None or change.after is None:
        return
    before, after = change.before.inode, change.after.inode
    for aspect in Aspect:
        if aspect in change.aspects:
            yield f"{aspect.value} {_difference(aspect, before, after, format_size)}".rstrip()


def _difference(aspect: Aspect, before: Entry, after: Entry, format_size: FormatSize) -> str:
    """What an aspect was and is, where that is short enough to say."""
    if aspect is Aspect.TYPE:
        return f"{_type_text(before)} -> {_type_text(after)}"
    if aspect is Aspect.CONTENT:
        sizes = format_size(before.size), format_size(after.size)
        return "" if before.size == after.size else f"{sizes[0]} -> {sizes[1]}"
    if aspect is Aspect.LINK:
        return f"{before.link_target} -> {after.link_target}"
    if aspect is Aspect.MODE:
        return f"{before.mode:04o} -> {after.mode:04o}"
    if aspect is Aspect.OWNER:
        return f"{before.uid}:{before.gid} -> {after.uid}:{after.gid}"
    if aspect is Aspect.XATTRS:
        names = {name for name, _ in {*before.xattrs} ^ {*after.xattrs}}
        return " ".join(sorted(names))
    return ""


def _type_text(entry: Entry) -> str:
    device = f" {entry.device[0]}:{entry.device[1]}" if entry.device else ""
    return KIND_WORDS[entry.kind] + device


def node_kind(node: Node) -> str:
    """The type of file a path is, links to one file told by what they stand for."""
    return KIND_WORDS[node.inode.kind]
