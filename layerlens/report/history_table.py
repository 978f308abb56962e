"""The history of a path, for people: a row a layer that did something to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from layerlens.analysis.layer_changes import ChangeKind
from layerlens.analysis.path_history import PathEvent
from layerlens.analysis.titles import LayerTitle
from layerlens.layer.entry import EntryKind
from layerlens.report.as_table import Align, Cell, Column, Styled, table_lines
from layerlens.report.change_lines import STYLES, change_text, node_kind
from layerlens.report.colour import Palette, Style
from layerlens.report.safe_text import escape, shorten
from layerlens.report.sizes import FormatSize

_COLUMNS = (
    Column(heading="LAYER", align=Align.RIGHT),
    Column(heading=""),
    Column(heading="SIZE", align=Align.RIGHT),
    Column(heading="WHAT"),
    Column(heading="INSTRUCTION", shorten=shorten),
)


def history_lines(
    path: str,
    events: Sequence[PathEvent],
    layers: Sequence[LayerTitle],
    *,
    format_size: FormatSize,
    width: int | None,
    palette: Palette,
) -> Iterator[str]:
    """The lines of one path, its name first, each with its newline."""
    yield f"{palette.paint(Style.HEADING, escape(path))}\n"
    if not events:  # the root, which nobody has to make
        yield "no layer changed it\n"
        return
    rows = [_row(event, layers[event.layer], format_size) for event in events]
    yield from table_lines(_COLUMNS, rows, width=width, palette=palette)


def event_size(event: PathEvent, format_size: FormatSize) -> str:
    """The bytes that a layer wrote or removed; ``-`` for what is no file."""
    node = event.before if event.after is None else event.after
    if node is None or node.inode.kind is not EntryKind.FILE:
        return "-"
    return format_size(node.inode.size)


def event_text(event: PathEvent, format_size: FormatSize) -> str:
    """What happened, in words; not escaped."""
    node = event.before if event.after is None else event.after
    assert node is not None
    match event.kind:
        case ChangeKind.ADDED:
            return f"added, a {node_kind(node)}"
        case ChangeKind.REMOVED:
            return "removed"
        case _:
            what = change_text(event.aspects, event.before, event.after, format_size)
            return what or "written again as it was"


def _row(event: PathEvent, layer: LayerTitle, format_size: FormatSize) -> list[Cell]:
    return [
        str(event.layer),
        Styled(event.kind.value, STYLES[event.kind]),
        event_size(event, format_size),
        event_text(event, format_size),
        layer.instruction or Styled("-", Style.FAINT),
    ]
