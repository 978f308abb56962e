"""Findings told by dead bytes: deleted later, overwritten, copied for a mode or an owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from layerlens.analysis.findings import Finding, FindingKind, Place
from layerlens.analysis.findings_files import largest_first
from layerlens.analysis.findings_remedies import (
    copies_remedy,
    deleted_remedy,
    overwritten_remedy,
    rewritten_remedy,
)
from layerlens.analysis.layer_changes import Aspect
from layerlens.analysis.waste import DeadFile, DeadReason, Waste

WRITTEN_AGAIN_MINIMUM = 1_000_000
"""Bytes of one layer that another has to write again before it is told: whatever installs something
writes package databases, and a manifest is copied before the rest with good reason."""

_WRITTEN_AGAIN = frozenset({FindingKind.OVERWRITTEN, FindingKind.REWRITTEN})

_Pair = tuple[FindingKind, int, int]


def dead_findings(waste: Waste, claimed: frozenset[int]) -> Iterator[Finding]:
    """A finding for each pair of layers, one of which lost the other's files in one way.

    ``claimed``: the ids of entries that other findings are about. What a single layer lists twice
    is no instruction's doing and not told.
    """
    pairs: dict[_Pair, list[DeadFile]] = {}
    for file in waste.files:
        if id(file.entry) not in claimed and file.written != file.killed:
            pairs.setdefault((_kind(file), file.written, file.killed), []).append(file)
    instructions = {layer.title.number: layer.title.instruction for layer in waste.layers}
    for (kind, written, killed), files in pairs.items():
        size = sum(file.size for file in files)
        if kind not in _WRITTEN_AGAIN or size >= WRITTEN_AGAIN_MINIMUM:
            yield _finding(kind, written, killed, files, instructions)


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
    kind: FindingKind,
    written: int,
    killed: int,
    files: Sequence[DeadFile],
    instructions: Mapping[int, str | None],
) -> Finding:
    by_writer = kind is FindingKind.DELETED_LATER  # the fix is where the files are made
    layer, other = (written, killed) if by_writer else (killed, written)
    return Finding(
        kind=kind,
        layer=layer,
        instruction=instructions[layer],
        other_layer=other,
        places=largest_first(
            Place(file.path, 1, file.size, file.size, (file.killed,)) for file in files
        ),
        subject=(),
        remedy=_remedy(kind, files, instructions),
    )


def _remedy(
    kind: FindingKind, files: Sequence[DeadFile], instructions: Mapping[int, str | None]
) -> str:
    written, killed = files[0].written, files[0].killed
    by = instructions[written]
    match kind:
        case FindingKind.DELETED_LATER:
            return deleted_remedy(killed, by)
        case FindingKind.METADATA_COPIES:
            return copies_remedy(written, by, frozenset().union(*(file.aspects for file in files)))
        case FindingKind.REWRITTEN:
            return rewritten_remedy(written)
        case _:
            return overwritten_remedy(written, by)
