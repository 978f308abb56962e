"""Findings told by content: files that an image holds at several paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from layerlens.analysis.duplicates import Copy, DuplicateContent
from layerlens.analysis.findings import Evidence, Finding, FindingKind, Place
from layerlens.analysis.findings_fates import Fates
from layerlens.analysis.findings_files import largest_first
from layerlens.analysis.findings_places import LICENCES, PACKAGE_DATABASES
from layerlens.analysis.findings_remedies import duplicate_remedy

DUPLICATE_MINIMUM = 4096
"""Bytes of a file below which nobody would make a link of it."""


def duplicate_findings(
    duplicates: Sequence[DuplicateContent],
    claimed: frozenset[int],
    fates: Fates,
    instructions: Mapping[int, str | None],
) -> Iterator[Finding]:
    """A finding for each layer that brings files whose bytes the image has at another path.

    ``claimed``: the ids of entries that other findings are about.
    """
    further: dict[int, list[tuple[Copy, Copy]]] = {}
    for duplicate in duplicates:
        if duplicate.size < DUPLICATE_MINIMUM:
            continue
        copies = [
            copy
            for copy in duplicate.copies
            if id(copy.inode) not in claimed and not _has_to_be_there(copy.path)
        ]
        for copy in copies[1:]:
            layer = fates.origin(copy.layer, copy.path)
            further.setdefault(layer, []).append((copy, copies[0]))
    for layer, pairs in further.items():
        largest, first = max(pairs, key=lambda pair: pair[0].inode.size)
        other = fates.origin(first.layer, first.path)
        yield Finding(
            kind=FindingKind.DUPLICATES,
            layer=layer,
            instruction=instructions.get(layer),
            other_layer=other if other != layer else None,
            places=largest_first(
                Place(copy.path, 1, copy.inode.size, 0, (), Evidence.CONTENT) for copy, _ in pairs
            ),
            subject=(),
            remedy=duplicate_remedy(largest.path, first.path, other),
        )


def _has_to_be_there(path: str) -> bool:
    """Whether a package or its manager would only write it again."""
    return bool(PACKAGE_DATABASES.match(path) or LICENCES.match(path))
