"""A layer's changes, counted; small enough to be kept for every ChainID that was ever seen."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from layerlens.analysis.layer_changes import Change, ChangeKind
from layerlens.oci.json_fields import parse_object


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSummary:
    """How many paths a layer added, changed, removed and wrote again unchanged, and what was odd
    when it was laid on those below. Follows from the layer's ChainID alone."""

    added: int
    changed: int
    removed: int
    rewritten: int
    warnings: tuple[str, ...]

    def to_json(self) -> bytes:
        """The summary as bytes that ``from_json`` reads."""
        fields = {
            "added": self.added,
            "changed": self.changed,
            "removed": self.removed,
            "rewritten": self.rewritten,
            "warnings": list(self.warnings),
        }
        return json.dumps(fields).encode()

    @classmethod
    def from_json(cls, data: bytes) -> LayerSummary:
        """Read ``to_json``'s bytes. Raises MalformedInput."""
        fields = parse_object(data, "layer summary", limit=len(data))
        return cls(
            added=fields.integer("added"),
            changed=fields.integer("changed"),
            removed=fields.integer("removed"),
            rewritten=fields.integer("rewritten"),
            warnings=fields.strings("warnings"),
        )


def summarise(changes: Iterable[Change], warnings: tuple[str, ...]) -> LayerSummary:
    """Count changes by kind. Directories whose mtime alone differs are not counted as rewritten."""
    counts = dict.fromkeys(ChangeKind, 0)
    for change in changes:
        if change.kind is not ChangeKind.REWRITTEN or not change.is_directory:
            counts[change.kind] += 1
    return LayerSummary(
        added=counts[ChangeKind.ADDED],
        changed=counts[ChangeKind.CHANGED],
        removed=counts[ChangeKind.REMOVED],
        rewritten=counts[ChangeKind.REWRITTEN],
        warnings=warnings,
    )
