"""What a catalogue knows of a registry, and what it does not: every figure stands within this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.audit.holdings import Holdings
from layerlens.audit.records import FailureRecord, ManifestKind
from layerlens.audit.row_records import failure_records

_RUN = """
SELECT id, started, finished FROM run
WHERE id = (SELECT MAX(queued_run) FROM repository WHERE registry_id = ?)
"""
_TAGS = """
SELECT COUNT(*), COUNT(manifest_id)
FROM temp.live_repository JOIN tag ON repository_id = live_repository.id WHERE tag.removed IS NULL
"""
_UNLISTED_REPOSITORIES = """
SELECT COUNT(*) FROM temp.live_repository JOIN repository USING (id)
WHERE listed IS NULL AND failure IS NULL
"""
_FAILED_REPOSITORIES = """
SELECT COUNT(*) FROM temp.live_repository JOIN repository USING (id) WHERE failure IS NOT NULL
"""
_REMOVED_REPOSITORIES = """
SELECT COUNT(*) FROM repository WHERE registry_id = ? AND removed IS NOT NULL
"""
_REMOVED_TAGS = """
SELECT COUNT(*) FROM tag JOIN repository ON repository.id = repository_id
WHERE registry_id = ? AND tag.removed IS NOT NULL
"""
_FAILURES = "SELECT COUNT(*) FROM failure WHERE run_id = ? AND registry_id = ?"
_MANIFESTS = """
SELECT kind, COUNT(*), COALESCE(SUM(size), 0)
FROM (SELECT DISTINCT manifest_id AS id FROM temp.reach) JOIN manifest USING (id) GROUP BY kind
"""
_IMAGES_WITHOUT_DIFF_IDS = """
SELECT COUNT(DISTINCT manifest_id) FROM temp.live_image JOIN image_layer ON manifest_id = id
WHERE diff_id IS NULL
"""
_FOREIGN_LAYERS = """
SELECT COUNT(*), COALESCE(SUM(size), 0) FROM temp.foreign_blob JOIN blob USING (id) WHERE id IN (
    SELECT blob_id FROM temp.live_image JOIN image_layer ON manifest_id = live_image.id
)
"""
_OTHER_BLOBS = """
WITH layer (id) AS (
    SELECT DISTINCT blob_id FROM temp.live_image JOIN image_layer ON manifest_id = live_image.id
), other (id) AS (
    SELECT config_id FROM temp.reach JOIN manifest ON manifest.id = manifest_id
    UNION
    SELECT blob_id FROM temp.reach JOIN manifest ON manifest.id = reach.manifest_id
    JOIN image_layer ON image_layer.manifest_id = manifest.id
    WHERE kind = ? AND blob_id NOT IN (SELECT id FROM temp.foreign_blob)
)
SELECT COUNT(*), COALESCE(SUM(size), 0) FROM other JOIN blob USING (id)
WHERE id NOT IN (SELECT id FROM layer)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is known of a registry. Times are seconds since 1970, None where there is none.

    ``crawl_finished``: None while the last crawl is not. ``registry_listed``: when the registry's
    list of repositories was last read, None where only those that were named are known;
    ``unlisted_repositories``: those of whose tags only the named are known. ``tags``: those that
    are listed; ``unresolved_tags``: of them, those never followed to a manifest, because they were
    not chosen or failed. ``images``, ``indexes``, ``artifacts``: distinct manifests that tags lead
    to; ``unread_manifests``: named by a tag or an index, and never read. ``other_blobs``: configs,
    and blobs of artifacts. ``foreign_*``: layers that the registry need not hold, which have no
    bytes in any other figure. ``removed_*``: known once, and gone from the registry.
    """

    registry: str
    catalogue: str
    crawl_started: int | None
    crawl_finished: int | None
    registry_listed: int | None
    repositories: int
    unlisted_repositories: int
    failed_repositories: int
    removed_repositories: int
    tags: int
    unresolved_tags: int
    removed_tags: int
    images: int
    indexes: int
    artifacts: int
    unread_manifests: int
    images_without_diff_ids: int
    manifest_bytes: int
    other_blobs: int
    other_blob_bytes: int
    foreign_layers: int
    foreign_bytes: int
    failures: int

    @property
    def is_whole(self) -> bool:
        """Whether all that the registry's tags lead to is known."""
        return self.registry_listed is not None and not (
            self.unlisted_repositories
            or self.failed_repositories
            or self.unresolved_tags
            or self.unread_manifests
        )


def scope_of(holdings: Holdings) -> Scope:
    """What the catalogue knows of the registry."""
    connection = holdings.connection
    run = connection.execute(_RUN, (holdings.registry_key,)).fetchone() or (None, None, None)
    tags, resolved = connection.execute(_TAGS).fetchone()
    counts: dict[int | None, int] = {}
    manifest_bytes = 0
    for kind, count, size in connection.execute(_MANIFESTS):
        counts[kind] = count
        manifest_bytes += size
    other_blobs, other_bytes = connection.execute(_OTHER_BLOBS, (ManifestKind.ARTIFACT,)).fetchone()
    (listed,) = connection.execute(
        "SELECT listed FROM registry WHERE id = ?", (holdings.registry_key,)
    ).fetchone()
    foreign_layers, foreign_bytes = connection.execute(_FOREIGN_LAYERS).fetchone()
    return Scope(
        registry=holdings.registry,
        catalogue=str(holdings.path),
        crawl_started=run[1],
        crawl_finished=run[2],
        repositories=holdings.number("SELECT COUNT(*) FROM temp.live_repository"),
        registry_listed=listed,
        unlisted_repositories=holdings.number(_UNLISTED_REPOSITORIES),
        failed_repositories=holdings.number(_FAILED_REPOSITORIES),
        removed_repositories=holdings.number(_REMOVED_REPOSITORIES, holdings.registry_key),
        tags=tags,
        unresolved_tags=tags - resolved,
        removed_tags=holdings.number(_REMOVED_TAGS, holdings.registry_key),
        images=counts.get(ManifestKind.IMAGE, 0),
        indexes=counts.get(ManifestKind.INDEX, 0),
        artifacts=counts.get(ManifestKind.ARTIFACT, 0),
        unread_manifests=counts.get(None, 0),
        images_without_diff_ids=holdings.number(_IMAGES_WITHOUT_DIFF_IDS),
        manifest_bytes=manifest_bytes,
        other_blobs=other_blobs,
        other_blob_bytes=other_bytes,
        foreign_layers=foreign_layers,
        foreign_bytes=foreign_bytes,
        failures=holdings.number(_FAILURES, run[0], holdings.registry_key),
    )


def last_failures(holdings: Holdings) -> Iterator[FailureRecord]:
    """What the last crawl of the registry could not read, in the order it happened."""
    run = holdings.connection.execute(_RUN, (holdings.registry_key,)).fetchone()
    if run is not None:
        for failure in failure_records(holdings.connection, run[0]):
            if failure.registry == holdings.registry:
                yield failure
