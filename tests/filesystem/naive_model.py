"""Layers stacked the obvious way: one dictionary of paths, walked through from end to end.

Written from the image-spec alone and without a thought for speed, to be held against
layerlens.filesystem.stacking.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from layerlens.layer.entry import Entry, EntryKind, LayerEntry, OpaqueWhiteout, Whiteout


@dataclass(frozen=True, slots=True)
class Item:
    """What stands at a path, and which layer wrote it (None: only because of what is below)."""

    entry: Entry | None
    layer: int | None

    def is_directory(self) -> bool:
        return self.entry is None or self.entry.kind is EntryKind.DIRECTORY


Model = dict[str, Item]


class Impossible(Exception):
    """No runtime could apply the layer."""


def stacked(layers: Iterable[Iterable[LayerEntry]]) -> Model:
    """The paths of the file system that the layers make, "/" left out."""
    model: Model = {}
    for number, entries in enumerate(layers):
        for entry in entries:
            if isinstance(entry, Entry):
                _put(model, entry, number)
            elif isinstance(entry, Whiteout):
                parent, _, name = entry.path.rpartition("/")
                directory = _followed(model, parent)
                if directory is not None:
                    _drop_lower(model, f"{directory}/{name}", number)
            else:
                _empty(model, entry, number)
    return model


def _put(model: Model, entry: Entry, number: int) -> None:
    parent, _, name = entry.path.rpartition("/")
    directory = _made(model, parent)
    path = f"{directory}/{name}"
    here = model.get(path)
    if entry.kind is not EntryKind.DIRECTORY or (here is not None and not here.is_directory()):
        for other in list(model):
            if other.startswith(path + "/"):
                del model[other]
    model[path] = Item(entry, number)


def _empty(model: Model, opaque: OpaqueWhiteout, number: int) -> None:
    directory = _followed(model, opaque.path)
    if directory is None:
        return
    for path in list(model):
        if path.startswith(directory + "/") and "/" not in path[len(directory) + 1 :]:
            _drop_lower(model, path, number)


def _drop_lower(model: Model, path: str, number: int) -> None:
    """Remove what the layers below put at ``path`` and below it."""
    doomed = [
        other
        for other, item in model.items()
        if (other == path or other.startswith(path + "/")) and item.layer != number
    ]
    for other in doomed:
        del model[other]
    # A directory of the lower layers goes, one that this layer's own files need comes anew.
    for other in [other for other in model if other.startswith(path + "/")]:
        parent = other.rpartition("/")[0]
        while len(parent) >= len(path) and parent not in model:
            model[parent] = Item(None, None)
            parent = parent.rpartition("/")[0]


def _followed(model: Model, path: str) -> str | None:
    """The directory that ``path`` leads to through symlinks, "" for the root; None if there is
    none. Raises Impossible for a loop."""
    return _walk(model, path, make=())


def _made(model: Model, path: str) -> str:
    """The same, with directories made where they are missing."""
    found = _walk(model, path, make=(Item(None, None),))
    if found is None:
        raise Impossible(path)
    return found


def _walk(model: Model, path: str, make: tuple[Item, ...]) -> str | None:
    here = ""
    pending = [part for part in path.split("/") if part]
    for _ in range(10_000):
        if not pending:
            return here
        part = pending.pop(0)
        if part in ("", "."):
            continue
        if part == "..":
            here = here.rpartition("/")[0]
            continue
        item = model.get(f"{here}/{part}")
        if item is None:
            if not make:
                return None
            item = model[f"{here}/{part}"] = make[0]
        if item.is_directory():
            here = f"{here}/{part}"
        elif item.entry is not None and item.entry.kind is EntryKind.SYMLINK:
            target = item.entry.link_target or ""
            if target.startswith("/"):
                here = ""
            pending = target.split("/") + pending
        else:
            return None
    raise Impossible(path)
