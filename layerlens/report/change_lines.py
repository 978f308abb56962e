"""Changes as lines for people: a letter, the bytes, the path, and what changed.

The bytes have a sign where they came (A) or went (D) with the path. Without one they are what the
path holds now, and a layer stored all of them again however little of it changed (M, R).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from layerlens.analysis.layer_changes import Aspect, Aspects, Change, ChangeKind
from layerlens.filesystem.file_tree import IMPLIED_LAYER, Node
from layerlens.layer.entry import Entry, EntryKind
from layerlens.report.colour import Palette, Style
from layerlens.report.listing import time_text
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
_NO_SIZE = "-"


def change_lines(
    changes: Iterable[Change], format_size: FormatSize, palette: Palette
) -> Iterator[str]:
    """A line a change, each with its newline, escaped; made as they are asked for."""
    letters = {kind: palette.paint(style, kind.value) for kind, style in STYLES.items()}
    for change in changes:
        kind = change.kind
        size = _size_text(change, format_size)
        path = palette.paint(STYLES[kind], escape(_shown_path(change)))
        detail = ""
        if change.aspects:
            details = change_text(change.aspects, change.before, change.after, format_size)
            detail = palette.paint(Style.FAINT, escape(f"  ({details})"))
        yield f"  {letters[kind]} {size:>{_SIZE_CELLS}}  {path}{detail}\n"


def change_text(
    aspects: Aspects, before: Node | None, after: Node | None, format_size: FormatSize
) -> str:
    """What of a path changed, and how: ``content 27 B -> 40 B, mode 0644 -> 0600``; not escaped."""
    if before is None or after is None:
        return ""
    return ", ".join(
        f"{aspect.value} {_difference(aspect, before, after, format_size)}".rstrip()
        for aspect in Aspect
        if aspect in aspects
    )


def size_change(before: int, after: int, format_size: FormatSize) -> str:
    """``27 B -> 40 B``; ``3.1 MB`` where nothing changed, ``3.1 MB, +39 B`` where only a few
    bytes did."""
    texts = format_size(before), format_size(after)
    if texts[0] != texts[1]:
        return f"{texts[0]} -> {texts[1]}"
    if before == after:
        return texts[1]
    return f"{texts[1]}, {size_difference(after - before, format_size)}"


def node_kind(node: Node) -> str:
    """The type of file a path is, links to one file told by what they stand for."""
    return KIND_WORDS[node.inode.kind]


def _size_text(change: Change, format_size: FormatSize) -> str:
    """The bytes of a file; none for what is no file, or a hard link to one counted elsewhere."""
    node = change.before if change.after is None else change.after
    assert node is not None
    entry = node.entry
    charged = change.bytes_before or change.bytes_after
    linked = entry.kind is EntryKind.HARD_LINK
    if node.inode.kind is not EntryKind.FILE or (linked and not charged):
        return _NO_SIZE
    if change.kind is ChangeKind.ADDED:
        return size_difference(change.bytes_after, format_size)
    if change.kind is ChangeKind.REMOVED:
        return size_difference(-change.bytes_before, format_size)
    return format_size(entry.size)


def _shown_path(change: Change) -> str:
    node = change.before if change.after is None else change.after
    assert node is not None
    path = change.path
    if node.children is not None:
        return path if path == "/" else f"{path}/"
    entry = node.entry
    if entry.kind is EntryKind.HARD_LINK:
        return f"{path} = {entry.link_target}"
    if node.inode.kind is EntryKind.SYMLINK and Aspect.LINK not in change.aspects:
        return f"{path} -> {node.inode.link_target}"
    return path


def _difference(
    aspect: Aspect, before_node: Node, after_node: Node, format_size: FormatSize
) -> str:
    """What an aspect was and is, where that is short enough to say."""
    before, after = before_node.inode, after_node.inode
    if aspect is Aspect.TYPE:
        return f"{_type_text(before, format_size)} -> {_type_text(after, format_size)}"
    if aspect is Aspect.CONTENT:
        return (
            "" if before.size == after.size else size_change(before.size, after.size, format_size)
        )
    if aspect is Aspect.LINK:
        return f"{before.link_target} -> {after.link_target}"
    if aspect is Aspect.MODE:
        return f"{before.mode:04o} -> {after.mode:04o}"
    if aspect is Aspect.OWNER:
        return f"{before.uid}:{before.gid} -> {after.uid}:{after.gid}"
    if aspect is Aspect.XATTRS:
        return " ".join(_xattr_texts(before, after))
    times = _time(before_node), _time(after_node)
    return "" if times[0] == times[1] else f"{times[0]} -> {times[1]}"


def _type_text(entry: Entry, format_size: FormatSize) -> str:
    kind = KIND_WORDS[entry.kind]
    if entry.kind is EntryKind.FILE:
        return f"{kind} of {format_size(entry.size)}"
    return f"{kind} {entry.device[0]}:{entry.device[1]}" if entry.device else kind


def _xattr_texts(before: Entry, after: Entry) -> Iterator[str]:
    """The names that differ, ``+`` before one that came and ``-`` before one that went."""
    old, new = dict(before.xattrs), dict(after.xattrs)
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            sign = "+" if name not in old else "-" if name not in new else ""
            yield f"{sign}{name}"


def _time(node: Node) -> str:
    return "none" if node.layer == IMPLIED_LAYER else time_text(node.inode.mtime_ns)
