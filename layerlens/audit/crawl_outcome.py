"""What became of a crawl, as a value: what was asked, what was found, what could not be read."""

from __future__ import annotations

from dataclasses import dataclass

from layerlens.audit.records import CrawlRun, FailureRecord, RunChanges, RunCounts
from layerlens.source.registry.client import RateLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of registries now; a crawl that was gone on with had asked more before."""

    tag_lists: int = 0
    tags: int = 0
    manifests: int = 0
    configs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesOutcome:
    """Layers that were read now for their files. ``stored_bytes``: of their blobs; ``opaque``:
    layers that can't be, being no tars or kept somewhere else than in the registry."""

    layers: int
    stored_bytes: int
    opaque: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlOutcome:
    """How a crawl ended.

    ``title``: what was crawled; ``resumed``: whether it went on with one that had been interrupted;
    ``asked``: None where nothing was, and the catalogue told all this; ``silent``: for each
    registry that no longer answered the last error, and then the crawl is not over; ``files``: None
    where they were not asked for.
    """

    title: str
    run: CrawlRun
    resumed: bool
    counts: RunCounts
    changes: RunChanges
    failures: tuple[FailureRecord, ...]
    asked: Asked | None
    rate_limit: RateLimit | None
    silent: tuple[str, ...]
    files: FilesOutcome | None
