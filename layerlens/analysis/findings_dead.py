"""Findings told by dead bytes: deleted later, overwritten, copied for a mode or an owner."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from layerlens.analysis.findings import Finding, FindingKind, Place
from layerlens.analysis.findings_fates import Fates
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
writes small files anew, and a manifest is copied before the rest with good reason. Package
databases never count."""

_WRITTEN_AGAIN = frozenset({FindingKind.OVERWRITTEN, FindingKind.REWRITTEN})

_DATABASES = re.compile(
    r"/var/lib/(?:dpkg|rpm|dnf|apt|pacman)/|/var/cache/(?:debconf|ldconfig)/|/(?:usr/)?lib/apk/db/"
    r"|/usr/lib/sysimage/rpm/|/etc/ld\.so\.cache\Z"
)

_Pair = tuple[FindingKind, int, int]


def dead_findings(waste: Waste, claimed: frozenset[int], fates: Fates) -> Iterator[Finding]:
    """A finding for each pair of layers, one of which lost the other's files in one way.

    ``claimed``: the ids of entries that other findings are about. What a single layer lists twice
    is no instruction's doing and not told.
    """
    pairs: dict[_Pair, list[DeadFile]] = {}
    for file in waste.files:
        if id(file.entry) in claimed or file.written == file.killed:
            continue
        kind = _kind(file)
        if kind is FindingKind.OVERWRITTEN and _DATABASES.match(file.path):
            continue
        written = file.written
        if kind is FindingKind.DELETED_LATER:  # it matters who made the file, not who copied it
            written = fates.origin(written, file.path)
        pairs.setdefault((kind, written, file.killed), []).append(file)
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
        remedy=_remedy(kind, written, files, instructions),
    )


def _remedy(
    kind: FindingKind,
    written: int,
    files: Sequence[DeadFile],
    instructions: Mapping[int, str | None],
) -> str:
    by = instructions[written]
    match kind:
        case FindingKind.DELETED_LATER:
            return deleted_remedy(files[0].killed, by)
        case FindingKind.METADATA_COPIES:
            return copies_remedy(written, by, frozenset().union(*(file.aspects for file in files)))
        case FindingKind.REWRITTEN:
            return rewritten_remedy(written)
        case _:
            return overwritten_remedy(written, by)
