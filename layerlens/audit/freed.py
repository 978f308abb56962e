"""What deleting tags would free, exactly, given all that the other tags lead to.

Counted are manifests, configs and layers that nothing else of the registry leads to: a manifest
stays while another tag leads to it, or an index that stays lists it; an artifact goes with the
manifest that it is about, unless a tag leads to it; a blob stays while any manifest that stays has
it, in whatever repository. Each is counted once, in the bytes it is stored in; layers that a
registry need not hold are not counted.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.audit.holdings import Holdings, TagName
from layerlens.audit.records import ManifestKind
from layerlens.audit.stored_values import read_digest
from layerlens.audit.tag_choice import dated_tags
from layerlens.oci.digest import Digest

_TABLES = (
    "CREATE TEMP TABLE deleted (place INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE kept_manifest (id INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE gone_manifest (id INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE reached_blob (id INTEGER PRIMARY KEY, role INTEGER, stays INTEGER)",
)
_GATHER = (
    """
    INSERT INTO temp.kept_manifest SELECT DISTINCT reach.manifest_id FROM temp.reach WHERE root IN (
        SELECT manifest_id FROM temp.live_tag WHERE place NOT IN (SELECT place FROM temp.deleted)
    )
    """,
    """
    INSERT INTO temp.gone_manifest SELECT DISTINCT manifest_id FROM temp.reach
    WHERE manifest_id NOT IN (SELECT id FROM temp.kept_manifest)
    """,
)
# What the deleted tags lead to: a blob is the layer of an image, else a config, else an artifact's.
_BLOBS = """
WITH reached (id) AS (
    SELECT DISTINCT reach.manifest_id FROM temp.reach WHERE root IN (
        SELECT manifest_id FROM temp.live_tag JOIN temp.deleted USING (place)
    )
), used (id, role) AS (
    SELECT blob_id, CASE kind WHEN ? THEN 0 ELSE 2 END
    FROM reached JOIN manifest USING (id) JOIN image_layer ON manifest_id = manifest.id
    WHERE blob_id NOT IN (SELECT id FROM temp.foreign_blob)
    UNION ALL
    SELECT config_id, 1 FROM reached JOIN manifest USING (id) WHERE config_id IS NOT NULL
)
INSERT INTO temp.reached_blob (id, role) SELECT id, MIN(role) FROM used GROUP BY id
"""
_STAYS = """
UPDATE temp.reached_blob SET stays = id IN (
    SELECT blob_id FROM temp.kept_manifest JOIN image_layer ON manifest_id = kept_manifest.id
    UNION
    SELECT config_id FROM temp.kept_manifest JOIN manifest USING (id) WHERE config_id IS NOT NULL
)
"""
_SUMS = """
SELECT role, stays, COUNT(*), SUM(size) FROM temp.reached_blob JOIN blob USING (id)
GROUP BY role, stays
"""
_MANIFESTS = """
SELECT kind, COUNT(*), COALESCE(SUM(size), 0) FROM temp.gone_manifest JOIN manifest USING (id)
GROUP BY kind
"""
_TAG_TABLES = (
    "DROP TABLE IF EXISTS temp.tags_of",
    "DROP TABLE IF EXISTS temp.root_bytes",
    "DROP TABLE IF EXISTS temp.alone",
    # Bytes of what each of the deleted tags leads to, and of what only it leads to.
    "CREATE TEMP TABLE tags_of (manifest_id INTEGER PRIMARY KEY, tags INTEGER, place INTEGER)",
    """
    INSERT INTO temp.tags_of SELECT reach.manifest_id, COUNT(*), MIN(place)
    FROM temp.reach JOIN temp.live_tag ON live_tag.manifest_id = root GROUP BY reach.manifest_id
    """,
    "CREATE TEMP TABLE root_bytes (root INTEGER PRIMARY KEY, bytes INTEGER)",
    """
    WITH doomed (root) AS (
        SELECT DISTINCT manifest_id FROM temp.live_tag JOIN temp.deleted USING (place)
    ), used (root, blob_id) AS (
        SELECT root, blob_id FROM doomed JOIN temp.reach USING (root)
        JOIN image_layer USING (manifest_id)
        UNION
        SELECT root, config_id FROM doomed JOIN temp.reach USING (root)
        JOIN manifest ON manifest.id = reach.manifest_id WHERE config_id IS NOT NULL
    ), sums (root, bytes) AS (
        SELECT root, size FROM used JOIN temp.stored_blob ON stored_blob.id = blob_id
        UNION ALL
        SELECT root, size FROM doomed JOIN temp.reach USING (root)
        JOIN manifest ON manifest.id = reach.manifest_id
    )
    INSERT INTO temp.root_bytes SELECT root, SUM(bytes) FROM sums GROUP BY root
    """,
    "CREATE TEMP TABLE alone (place INTEGER PRIMARY KEY, bytes INTEGER)",
    """
    WITH used (blob_id, manifest_id) AS (
        SELECT blob_id, manifest_id
        FROM temp.reached_blob CROSS JOIN image_layer ON blob_id = reached_blob.id
        UNION ALL
        SELECT config_id, id FROM manifest
        WHERE config_id IN (SELECT id FROM temp.reached_blob)
    ), sums (place, bytes) AS (
        SELECT MIN(place), size FROM used JOIN temp.tags_of USING (manifest_id)
        JOIN blob ON blob.id = blob_id
        GROUP BY blob_id HAVING MAX(tags) = 1 AND MIN(place) = MAX(place)
        UNION ALL
        SELECT place, size FROM temp.tags_of JOIN manifest ON manifest.id = manifest_id
        WHERE tags = 1
    )
    INSERT INTO temp.alone SELECT place, SUM(bytes) FROM sums
    WHERE place IN (SELECT place FROM temp.deleted) GROUP BY place
    """,
)
_TAGS = """
SELECT deleted.place, COALESCE(root_bytes.bytes, 0), COALESCE(alone.bytes, 0)
FROM temp.deleted JOIN temp.live_tag USING (place)
LEFT JOIN temp.root_bytes ON root = manifest_id LEFT JOIN temp.alone USING (place)
ORDER BY 3 DESC, deleted.place LIMIT ?
"""
_GONE_BLOBS = """
SELECT digest, role, size FROM temp.reached_blob JOIN blob USING (id) WHERE NOT stays
ORDER BY size DESC, digest LIMIT ?
"""
_GONE_MANIFESTS = """
SELECT digest, kind, COALESCE(size, 0) FROM temp.gone_manifest JOIN manifest USING (id)
ORDER BY kind, digest LIMIT ?
"""
_ALL = -1


class BlobRole(enum.Enum):
    """What a blob is to the manifests that have it; the numbers are their order in the sums."""

    LAYER = 0
    CONFIG = 1
    ARTIFACT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """So many things of so many bytes."""

    count: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What goes with the ``tags``. ``artifact_blobs``: what artifacts have instead of layers;
    ``manifests``: of all kinds, with those never read among them, whose blobs are not known.
    ``layers_kept``: layers that the tags lead to, and something that stays does as well."""

    tags: int
    images: int
    indexes: int
    artifacts: int
    unread: int
    layers: Counted
    configs: Counted
    artifact_blobs: Counted
    manifests: Counted
    layers_kept: Counted

    @property
    def bytes(self) -> int:
        """All that is freed."""
        return (
            self.layers.bytes
            + self.configs.bytes
            + self.artifact_blobs.bytes
            + self.manifests.bytes
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedTag:
    """One of the tags. ``date``: what it dates from, in seconds since 1970; ``size``: bytes of all
    that it leads to; ``alone``: bytes that would be freed if no other tag were deleted."""

    name: TagName
    date: int
    size: int
    alone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneBlob:
    """A blob that would be freed."""

    digest: Digest
    role: BlobRole
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneManifest:
    """A manifest that would be freed; ``kind`` is None where it was never read."""

    digest: Digest
    kind: ManifestKind | None
    size: int


def freed(holdings: Holdings, tags: frozenset[int]) -> Freed:
    """What deleting the tags at these places frees; what follows is of the tags given last."""
    connection = holdings.connection
    if not holdings.has_table("deleted"):
        for statement in _TABLES:
            connection.execute(statement)
    for table in ("deleted", "kept_manifest", "gone_manifest", "reached_blob"):
        connection.execute(f"DELETE FROM temp.{table}")  # noqa: S608 - names of our own
    connection.executemany(
        "INSERT INTO temp.deleted VALUES (?)", ((place,) for place in sorted(tags))
    )
    for statement in _GATHER:
        connection.execute(statement)
    connection.execute(_BLOBS, (ManifestKind.IMAGE,))
    connection.execute(_STAYS)
    blobs = {
        (BlobRole(role), bool(stays)): Counted(count=count, bytes=size)
        for role, stays, count, size in connection.execute(_SUMS)
    }
    manifests = {
        kind: Counted(count=count, bytes=size)
        for kind, count, size in connection.execute(_MANIFESTS)
    }
    nothing = Counted(count=0, bytes=0)
    return Freed(
        tags=len(tags),
        images=manifests.get(ManifestKind.IMAGE, nothing).count,
        indexes=manifests.get(ManifestKind.INDEX, nothing).count,
        artifacts=manifests.get(ManifestKind.ARTIFACT, nothing).count,
        unread=manifests.get(None, nothing).count,
        layers=blobs.get((BlobRole.LAYER, False), nothing),
        configs=blobs.get((BlobRole.CONFIG, False), nothing),
        artifact_blobs=blobs.get((BlobRole.ARTIFACT, False), nothing),
        manifests=Counted(
            count=sum(each.count for each in manifests.values()),
            bytes=sum(each.bytes for each in manifests.values()),
        ),
        layers_kept=blobs.get((BlobRole.LAYER, True), nothing),
    )


def deleted_tags(holdings: Holdings, top: int | None) -> Iterator[DeletedTag]:
    """The deleted tags, those that free most alone first; at most *top* of them."""
    for statement in _TAG_TABLES:
        holdings.connection.execute(statement)
    rows = holdings.connection.execute(_TAGS, (_ALL if top is None else top,)).fetchall()
    wanted = {place for place, _, _ in rows}
    tags = {tag.place: tag for tag in dated_tags(holdings) if tag.place in wanted}
    for place, size, alone in rows:
        tag = tags[place]
        yield DeletedTag(name=tag.name, date=tag.date, size=size, alone=alone)


def gone_blobs(holdings: Holdings, top: int | None) -> Iterator[GoneBlob]:
    """The blobs that go, the largest first; at most *top* of them."""
    for digest, role, size in holdings.connection.execute(
        _GONE_BLOBS, (_ALL if top is None else top,)
    ):
        yield GoneBlob(digest=read_digest(digest), role=BlobRole(role), size=size)


def gone_manifests(holdings: Holdings, top: int | None) -> Iterator[GoneManifest]:
    """The manifests that go; at most *top* of them."""
    for digest, kind, size in holdings.connection.execute(
        _GONE_MANIFESTS, (_ALL if top is None else top,)
    ):
        yield GoneManifest(
            digest=read_digest(digest),
            kind=None if kind is None else ManifestKind(kind),
            size=size,
        )
