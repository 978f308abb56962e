"""Findings told by dead bytes: deleted later, overwritten, copied for a mode or an owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from layerlens.analysis.findings import Finding, FindingKind, Place
from layerlens.analysis.findings_fates import Fates
from layerlens.analysis.findings_files import largest_first
from layerlens.analysis.findings_places import PACKAGE_DATABASES
from layerlens.analysis.findings_remedies import (
    copies_remedy,
    deleted_remedy,
    moved_remedy,
    overwritten_remedy,
    rewritten_remedy,
)
from layerlens.analysis.layer_changes import Aspect
from layerlens.analysis.waste import DeadFile, DeadReason, Waste
from layerlens.analysis.written_layer import WrittenLayer
from layerlens.layer.entry import Entry

WRITTEN_AGAIN_MINIMUM = 1_000_000
"""Bytes of one layer that another has to write again before it is told: whatever installs something
writes small files anew, and a manifest is copied before the rest with good reason. Package
databases never count."""

_WRITTEN_AGAIN = frozenset({FindingKind.OVERWRITTEN, FindingKind.REWRITTEN})

_BY_ORIGIN = frozenset({FindingKind.DELETED_LATER, FindingKind.METADATA_COPIES})
"""Of these it matters who made the files, not who copied them."""


class _Pair(NamedTuple):
    """What files have in common that are told together. ``written``: the layer that the fix is
    about. ``moved``: the layer that took them away has them at another path."""

    kind: FindingKind
    written: int
    killed: int
    moved: bool


def dead_findings(
    layers: Sequence[WrittenLayer], waste: Waste, claimed: frozenset[int], fates: Fates
) -> Iterator[Finding]:
    """A finding for each pair of layers, one of which lost the other's files in one way.

    ``waste``: of ``layers``. ``claimed``: the ids of entries that other findings are about. What a
    single layer lists twice is no instruction's doing and not told.
    """
    moves = _Moves(layers)
    pairs: dict[_Pair, list[DeadFile]] = {}
    for file in waste.files:
        if id(file.entry) in claimed or file.written == file.killed:
            continue
        kind = _kind(file)
        if kind in _WRITTEN_AGAIN and PACKAGE_DATABASES.match(file.path):
            continue
        origin = fates.origin(file.written, file.path) if kind in _BY_ORIGIN else file.written
        moved = kind is FindingKind.DELETED_LATER and moves.path(file) is not None
        pairs.setdefault(_Pair(kind, origin, file.killed, moved), []).append(file)
    instructions = {layer.title.number: layer.title.instruction for layer in waste.layers}
    for pair, files in pairs.items():
        size = sum(file.size for file in files)
        if pair.kind not in _WRITTEN_AGAIN or size >= WRITTEN_AGAIN_MINIMUM:
            yield _finding(pair, files, instructions, moves)


class _Moves:
    """Where layers put what they take away from another path: nothing else is a ``mv`` in a RUN."""

    def __init__(self, layers: Sequence[WrittenLayer]) -> None:
        self._layers = {layer.number: layer for layer in layers}
        self._contents: dict[int, Mapping[bytes, str]] = {}

    def path(self, file: DeadFile) -> str | None:
        """Where the layer that deleted ``file`` wrote the same bytes."""
        contents = self._contents.get(file.killed)
        if contents is None:
            contents = self._contents[file.killed] = {
                entry.content: entry.path
                for entry in self._layers[file.killed].entries
                if isinstance(entry, Entry) and entry.size and entry.content is not None
            }
        return contents.get(file.entry.content or b"")


def _kind(file: DeadFile) -> FindingKind:
    match file.reason:
        case DeadReason.DELETED:
            return FindingKind.DELETED_LATER
        case DeadReason.OVERWRITTEN:
            return FindingKind.OVERWRITTEN
        case DeadReason.COPIED:
            if file.aspects <= {Aspect.MTIME}:
                return FindingKind.REWRITTEN
            return FindingKind.METADATA_COPIES


def _finding(
    pair: _Pair,
    files: Sequence[DeadFile],
    instructions: Mapping[int, str | None],
    moves: _Moves,
) -> Finding:
    by_writer = pair.kind is FindingKind.DELETED_LATER  # the fix is where the files are made
    layer, other = (pair.written, pair.killed) if by_writer else (pair.killed, pair.written)
    return Finding(
        kind=pair.kind,
        layer=layer,
        instruction=instructions[layer],
        other_layer=other,
        places=largest_first(
            Place(file.path, 1, file.size, file.size, (file.killed,)) for file in files
        ),
        subject=(),
        remedy=_remedy(pair, files, instructions, moves),
    )


def _remedy(
    pair: _Pair,
    files: Sequence[DeadFile],
    instructions: Mapping[int, str | None],
    moves: _Moves,
) -> str:
    by = instructions[pair.written]
    match pair.kind:
        case FindingKind.DELETED_LATER:
            now = moves.path(files[0]) if pair.moved else None
            if now is not None:
                return moved_remedy(pair.killed, by, files[0].path, now)
            return deleted_remedy(pair.killed, by)
        case FindingKind.METADATA_COPIES:
            aspects = frozenset[Aspect]().union(*(file.aspects for file in files))
            return copies_remedy(pair.written, by, aspects)
        case FindingKind.REWRITTEN:
            return rewritten_remedy(pair.written, instructions[pair.killed])
        case _:
            return overwritten_remedy(pair.written, by)
