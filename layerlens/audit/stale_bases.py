"""Images on a stale base: the tag that they were built on leads to other layers now.

Which tag that was is what the image's annotation ``org.opencontainers.image.base.name`` says,
where it names a tag of this registry. Else it is any tag that led, in an earlier crawl, to a base
of the image by DiffIDs: of those that are stale, the nearest. A base is not stale while the layers
that its tag leads to now, for any platform, are the lowest ones of the image.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.audit.base_images import gather_bases
from layerlens.audit.holdings import Holdings, TagName
from layerlens.audit.records import ManifestKind
from layerlens.audit.stored_values import read_text, stored_text
from layerlens.errors import UsageError
from layerlens.oci.reference import DEFAULT_TAG, parse_reference

_TABLES = (
    # What live tags lead to, now and before, as ChainIDs of whole images.
    "CREATE TEMP TABLE leads_to (tag INTEGER, chain_id INTEGER, PRIMARY KEY (tag, chain_id))"
    " WITHOUT ROWID",
    """
    INSERT OR IGNORE INTO temp.leads_to SELECT live_tag.id, chain_id
    FROM temp.top JOIN temp.reach ON reach.manifest_id = image
    JOIN temp.live_tag ON live_tag.manifest_id = root
    """,
    "CREATE INDEX temp.leads_to_by_chain ON leads_to (chain_id, tag)",
    "CREATE TEMP TABLE led_to (chain_id INTEGER, tag INTEGER, PRIMARY KEY (chain_id, tag))"
    " WITHOUT ROWID",
    f"""
    WITH RECURSIVE below (root, id) AS (
        SELECT DISTINCT tag_history.manifest_id, tag_history.manifest_id
        FROM temp.live_tag JOIN tag_history ON tag_id = live_tag.id
        UNION
        SELECT root, index_member.manifest_id FROM below JOIN index_member ON index_id = below.id
    )
    INSERT OR IGNORE INTO temp.led_to SELECT manifest.chain_id, tag_id
    FROM temp.live_tag JOIN tag_history ON tag_id = live_tag.id
    JOIN below ON root = tag_history.manifest_id JOIN manifest ON manifest.id = below.id
    WHERE kind = {ManifestKind.IMAGE:d} AND chain_id IS NOT NULL
    """,  # noqa: S608 - a number of our own
    "CREATE TEMP TABLE named_base (name INTEGER PRIMARY KEY, tag INTEGER)",
    "CREATE TEMP TABLE stale (image INTEGER, tag INTEGER, chain_id INTEGER,"
    " PRIMARY KEY (image, tag)) WITHOUT ROWID",
)
_NAMES = """
SELECT DISTINCT base_name_id, value FROM temp.live_image JOIN manifest USING (id)
JOIN text ON text.id = base_name_id
"""
_TAG_CALLED = """
SELECT live_tag.id FROM temp.live_tag JOIN tag USING (id)
JOIN repository ON repository.id = repository_id
WHERE registry_id = ? AND repository.name = ? AND tag.name = ?
"""
_OTHER_LAYERS_NOW = """
EXISTS (SELECT 1 FROM temp.leads_to WHERE leads_to.tag = base.tag)
AND NOT EXISTS (
    SELECT 1 FROM image_layer JOIN temp.leads_to USING (chain_id)
    WHERE image_layer.manifest_id = base.image AND leads_to.tag = base.tag
)
"""
_BY_ANNOTATION = f"""
INSERT INTO temp.stale
SELECT image, tag, NULL FROM (
    SELECT live_image.id AS image, named_base.tag AS tag, base_digest
    FROM temp.live_image JOIN manifest USING (id)
    JOIN temp.named_base ON named_base.name = base_name_id WHERE chain_id IS NOT NULL
) AS base
WHERE {_OTHER_LAYERS_NOW}
AND NOT EXISTS (
    SELECT 1 FROM manifest JOIN temp.reach ON reach.manifest_id = manifest.id
    JOIN temp.live_tag ON live_tag.manifest_id = root
    WHERE manifest.digest = base.base_digest AND live_tag.id = base.tag
)
"""  # noqa: S608 - words of our own
_BY_LAYERS = f"""
WITH base (image, tag, chain_id, position) AS (
    SELECT live_image.id, led_to.tag, image_layer.chain_id, position
    FROM temp.live_image CROSS JOIN image_layer ON image_layer.manifest_id = live_image.id
    JOIN temp.led_to ON led_to.chain_id = image_layer.chain_id
    JOIN manifest ON manifest.id = live_image.id
    WHERE image_layer.chain_id IS NOT manifest.chain_id
    AND (base_name_id IS NULL OR base_name_id NOT IN (SELECT name FROM temp.named_base))
), left_behind (image, tag, chain_id, height) AS (
    SELECT image, tag, chain_id, RANK() OVER (PARTITION BY image ORDER BY position DESC)
    FROM base WHERE {_OTHER_LAYERS_NOW}
)
INSERT INTO temp.stale SELECT image, tag, chain_id FROM left_behind WHERE height = 1
"""  # noqa: S608 - words of our own
_STALE = """
SELECT stale.image, stale.tag, moved, stale.chain_id,
    (SELECT other.id FROM temp.leads_to JOIN temp.live_tag AS other ON other.id = leads_to.tag
     WHERE leads_to.chain_id = stale.chain_id ORDER BY other.place LIMIT 1),
    (SELECT other.id FROM temp.nearest JOIN temp.leads_to USING (chain_id)
     JOIN temp.live_tag AS other ON other.id = leads_to.tag
     WHERE nearest.image = stale.image AND chain_id != stale.chain_id
     ORDER BY other.place LIMIT 1)
FROM temp.stale JOIN tag ON tag.id = stale.tag JOIN temp.live_tag ON live_tag.id = stale.tag
ORDER BY live_tag.place, (
    SELECT MIN(other.place) FROM temp.reach JOIN temp.live_tag AS other ON other.manifest_id = root
    WHERE reach.manifest_id = stale.image
), stale.image LIMIT ?
"""
_ALL = -1


class Evidence(enum.Enum):
    """How the tag that an image was built on is known."""

    ANNOTATION = "annotation"
    LAYERS = "layers"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleImage:
    """An image whose ``base`` leads to other layers now. ``through``: what stands between the two,
    the nearest base of the image, None where it was built on ``base`` itself or an annotation says
    so. ``moved``: when the base was first seen to lead there, in seconds since 1970; ``still_at``:
    a tag that leads to the old layers yet, on which the image may have been meant to stay."""

    image: TagName | None
    base: TagName
    through: TagName | None
    evidence: Evidence
    moved: int | None
    still_at: TagName | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleTotals:
    """How many images stand on a stale base, on how many tags, and how many pairs that makes:
    several tags may have led to one base."""

    images: int
    bases: int
    pairs: int


def stale_totals(holdings: Holdings) -> StaleTotals:
    """The numbers over all images."""
    _gather(holdings)
    images, bases, pairs = holdings.connection.execute(
        "SELECT COUNT(DISTINCT image), COUNT(DISTINCT tag), COUNT(*) FROM temp.stale"
    ).fetchone()
    return StaleTotals(images=images, bases=bases, pairs=pairs)


def stale_images(holdings: Holdings, top: int | None) -> Iterator[StaleImage]:
    """The images, by the tag of their base; at most *top* of them."""
    _gather(holdings)
    for image, tag, moved, chain, still_at, through in holdings.connection.execute(
        _STALE, (_ALL if top is None else top,)
    ):
        yield StaleImage(
            image=holdings.image_name(image),
            base=holdings.tag_name(tag),
            through=None if through is None else holdings.tag_name(through),
            evidence=Evidence.ANNOTATION if chain is None else Evidence.LAYERS,
            moved=moved,
            still_at=None if still_at is None else holdings.tag_name(still_at),
        )


def _gather(holdings: Holdings) -> None:
    if holdings.has_table("stale"):
        return
    gather_bases(holdings)
    connection = holdings.connection
    for statement in _TABLES:
        connection.execute(statement)
    for key, name in connection.execute(_NAMES).fetchall():
        tag = _tag_called(holdings, read_text(name))
        if tag is not None:
            connection.execute("INSERT INTO temp.named_base VALUES (?, ?)", (key, tag))
    connection.execute(_BY_ANNOTATION)
    connection.execute(_BY_LAYERS)


def _tag_called(holdings: Holdings, name: str) -> int | None:
    """The tag of this registry that an annotation names, None where it names none."""
    try:
        reference = parse_reference(name)
    except UsageError:
        return None
    if reference.registry != holdings.registry:
        return None
    found = holdings.connection.execute(
        _TAG_CALLED,
        (
            holdings.registry_key,
            stored_text(reference.repository),
            stored_text(reference.tag or DEFAULT_TAG),
        ),
    ).fetchone()
    return None if found is None else int(found[0])
