"""What is said of the selected layer or path: a word and a value a line, not yet escaped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from layerlens.analysis.layer_changes import aspects_between
from layerlens.filesystem.file_tree import IMPLIED_LAYER, Node
from layerlens.layer.entry import Entry, EntryKind
from layerlens.report.change_lines import KIND_WORDS
from layerlens.report.counted import counted
from layerlens.report.listing import mode_text, time_text
from layerlens.report.sizes import human_size
from layerlens.tui.state.open_image import OpenImage
from layerlens.tui.state.tree_arrays import State, TreeArrays

_STATE_WORDS = {
    State.UNMODIFIED: "unmodified",
    State.ADDED: "added",
    State.CHANGED: "changed",
    State.REMOVED: "removed",
    State.REWRITTEN: "rewritten as it was",
}


class Field(NamedTuple):
    """A word, and what it is; neither is escaped."""

    label: str
    value: str


def layer_details(image: OpenImage, number: int) -> Iterator[Field]:
    """What a layer is, the most asked for first."""
    read = image.layers[number]
    layer, summary = read.layer, read.summary
    yield Field("made by", read.instruction or "(the history does not tell)")
    facts = layer.facts
    if facts is None:
        yield Field("type", f"{layer.media_type}: no tar, what it holds is not known")
    else:
        stored = layer.stored.size
        kept = (
            "" if stored is None else f", {human_size(stored)} stored ({facts.compression.value})"
        )
        yield Field("size", f"{_size_text(facts.size)}{kept}")
    yield Field(
        "changes",
        f"{summary.added} added, {summary.changed} changed, {summary.removed} removed, "
        f"{summary.rewritten} rewritten as they were",
    )
    if image.dead_bytes:
        dead = image.dead_bytes[number]
        yield Field("dead", f"{_size_text(dead)} that the image does not show")
    yield Field("DiffID", str(layer.diff_id or "-"))
    yield Field("blob", str(layer.blob_digest or "- (stored uncompressed, without a digest)"))
    yield Field("ChainID", str(layer.chain_id or "-"))
    if layer.media_type:
        yield Field("media type", layer.media_type)
    for warning in (*(facts.warnings if facts else ()), *summary.warnings):
        yield Field("warning", warning)


def path_details(arrays: TreeArrays, row: int, path: str) -> Iterator[Field]:
    """What a path is and what became of it, the most asked for first."""
    node = arrays.nodes[row]
    inode = node.inode
    state = arrays.state(row)
    yield Field("path", path)
    yield Field("is", _what(arrays, row, node))
    before = arrays.before.get(row)
    words = _STATE_WORDS[state]
    if before is not None:
        aspects = sorted(aspect.value for aspect in aspects_between(before.inode, inode))
        words = f"{words}: {', '.join(aspects)}" if aspects else words
        if before.inode.size != inode.size:
            words += f" ({before.inode.size} -> {inode.size} bytes)"
    if state is not State.UNMODIFIED or arrays.gained[row] or arrays.lost[row]:
        moved = f"+{arrays.gained[row]} -{arrays.lost[row]} bytes"
        yield Field("here", f"{words}, {moved}")
    if node.entry.kind is EntryKind.SYMLINK:
        yield Field("leads to", node.entry.link_target or "")
    if node.entry.kind is EntryKind.HARD_LINK:
        yield Field("linked to", node.entry.link_target or "")
    yield Field(
        "mode", f"{mode_text(inode)} ({inode.permissions:04o})  owner {inode.uid}:{inode.gid}"
    )
    if node.layer == IMPLIED_LAYER:
        yield Field("layer", "none lists this directory, only something in it")
    else:
        yield Field("layer", f"{node.layer} wrote it; modified {time_text(inode.mtime_ns)}")
    if inode.content is not None:
        yield Field("sha256", inode.content.hex())
    yield from _xattrs(inode)


def _what(arrays: TreeArrays, row: int, node: Node) -> str:
    inode = node.inode
    kind = KIND_WORDS[inode.kind]
    size = arrays.bytes[row]
    if inode.kind is EntryKind.FILE:
        return f"{kind} of {_size_text(inode.size)}"
    if inode.device is not None:
        return f"{kind} {inode.device[0]}:{inode.device[1]}"
    if arrays.directories[row]:
        count = arrays.lengths[row] - 1
        return f"{kind}, {counted(count, 'path')} below it, {_size_text(size)}"
    return kind


def _size_text(size: int) -> str:
    """For people, and to the byte where that is not the same."""
    exact = counted(size, "byte")
    return exact if size < 1000 else f"{human_size(size)} ({exact})"


def _xattrs(inode: Entry) -> Iterator[Field]:
    for name, value in inode.xattrs:
        shown = value.decode("utf-8", "surrogateescape")
        yield Field("xattr", f"{name}={shown}")
