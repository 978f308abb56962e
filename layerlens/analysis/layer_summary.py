"""A layer's changes, counted; small enough to be kept for every ChainID that was ever seen."""

from __future__ import annotations

import json
from dataclasses import dataclass

from layerlens.analysis.layer_changes import ChangeKind, count_changes
from layerlens.filesystem.file_tree import FileTree
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


def summarise(lower: FileTree, upper: FileTree, warnings: tuple[str, ...]) -> LayerSummary:
    """Count what turned ``lower`` into ``upper``. Directories are never counted as rewritten."""
    counts = count_changes(lower, upper)
    return LayerSummary(
        added=counts[ChangeKind.ADDED],
        changed=counts[ChangeKind.CHANGED],
        removed=counts[ChangeKind.REMOVED],
        rewritten=counts[ChangeKind.REWRITTEN],
        warnings=warnings,
    )
