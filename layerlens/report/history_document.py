"""What ``log --json`` writes, as values for ``as_json``; the order of fields is the document's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layerlens.analysis.layer_changes import Aspect
from layerlens.analysis.path_history import PathEvent
from layerlens.analysis.titles import ImageTitle, LayerTitle
from layerlens.report.diff_document import FileFields, file_fields

HISTORY_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFields:
    """What one layer did. ``change``: A, M, D or R. ``what``: the aspects that changed."""

    layer: int
    diff_id: str | None
    instruction: str | None
    change: str
    what: Sequence[str]
    before: FileFields | None
    after: FileFields | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathHistoryFields:
    """One path. ``there``: whether it is after the last layer."""

    path: str
    there: bool
    events: Sequence[EventFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryDocument:
    """``log IMAGE PATH``."""

    image: ImageTitle
    paths: Sequence[PathHistoryFields]


def path_history_fields(
    path: str, events: Sequence[PathEvent], layers: Sequence[LayerTitle]
) -> PathHistoryFields:
    """The history of one path in an image of these layers."""
    return PathHistoryFields(
        path=path,
        there=bool(events) and events[-1].after is not None,
        events=[
            EventFields(
                layer=event.layer,
                diff_id=layers[event.layer].diff_id,
                instruction=layers[event.layer].instruction,
                change=event.kind.value,
                what=[aspect.value for aspect in Aspect if aspect in event.aspects],
                before=file_fields(event.before) if event.before else None,
                after=file_fields(event.after) if event.after else None,
            )
            for event in events
        ],
    )
