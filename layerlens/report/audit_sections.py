"""The sections of ``audit report``: their names, and what is asked of them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from layerlens.analysis.sharing import Identity
from layerlens.audit.repository_shares import ShareOrder


class Section(enum.Enum):
    """A part of the report; the value is the name it is asked for by."""

    SCOPE = "scope"
    SHARING = "sharing"
    REFERENCES = "references"
    PERCENTILES = "percentiles"
    SHARED = "shared"
    EXCLUSIVE = "exclusive"
    RECOMPRESSED = "recompressed"
    REPOSITORIES = "repositories"
    BASES = "bases"
    STALE = "stale"
    NEAR_DUPLICATES = "near-duplicates"
    FILES = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """What a report is to show. ``identity``: by which layers and repositories are counted and
    listed; ``top``: at most so many of each list, None for all."""

    sections: frozenset[Section]
    identity: Identity
    order: ShareOrder
    top: int | None
