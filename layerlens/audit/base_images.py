"""Which images stand on which: by their DiffIDs, and by what they say of themselves.

By DiffIDs an image derives from a base if the base's are a proper prefix of its own. By annotation
it derives from what ``org.opencontainers.image.base.name`` and ``.digest`` name, whether or not the
registry holds that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.audit.holdings import Holdings, TagName
from layerlens.audit.stored_values import (
    read_digest,
    read_optional_digest,
    read_optional_text,
    read_text,
)
from layerlens.oci.digest import Digest

_TABLES = (
    # The images whose DiffIDs are all known, by the ChainID of their top layer.
    "CREATE TEMP TABLE top (chain_id INTEGER, image INTEGER, PRIMARY KEY (chain_id, image))"
    " WITHOUT ROWID",
    """
    INSERT INTO temp.top SELECT chain_id, live_image.id
    FROM temp.live_image JOIN manifest USING (id) WHERE chain_id IS NOT NULL
    """,
    # An image, and each ChainID below its top that is the top of others. A ChainID stands at one
    # height, so the highest position is the nearest base.
    "CREATE TEMP TABLE derived (chain_id INTEGER, image INTEGER, position INTEGER,"
    " PRIMARY KEY (chain_id, image)) WITHOUT ROWID",
    """
    INSERT INTO temp.derived
    SELECT image_layer.chain_id, live_image.id, position
    FROM temp.live_image CROSS JOIN image_layer ON image_layer.manifest_id = live_image.id
    JOIN manifest ON manifest.id = live_image.id
    WHERE image_layer.chain_id IS NOT manifest.chain_id
    AND image_layer.chain_id IN (SELECT chain_id FROM temp.top)
    """,
    "CREATE TEMP TABLE nearest (chain_id INTEGER, image INTEGER, PRIMARY KEY (chain_id, image))"
    " WITHOUT ROWID",
    """
    INSERT INTO temp.nearest SELECT chain_id, image
    FROM (SELECT chain_id, image, MAX(position) FROM temp.derived GROUP BY image)
    """,
    "CREATE INDEX temp.nearest_by_image ON nearest (image, chain_id)",
)
_BASES = """
SELECT chain_id, digest, COUNT(*) AS images, MAX(position) + 1
FROM temp.derived JOIN chain ON chain.id = chain_id
GROUP BY chain_id ORDER BY images DESC, digest LIMIT ?
"""
_BASE_IMAGES = """
SELECT image, MIN(live_tag.place), live_tag.id FROM temp.top
JOIN temp.reach ON reach.manifest_id = image JOIN temp.live_tag ON live_tag.manifest_id = root
WHERE chain_id = ?
"""
_BASE_BYTES = """
SELECT COALESCE(SUM(size), 0)
FROM (SELECT DISTINCT blob_id AS id FROM image_layer WHERE manifest_id = ?)
JOIN temp.stored_blob USING (id)
"""
_DERIVED = """
SELECT derived.image, nearest.image IS NOT NULL
FROM temp.derived LEFT JOIN temp.nearest USING (chain_id, image)
WHERE chain_id = ? ORDER BY derived.image
"""
_NEAREST = "SELECT COUNT(*) FROM temp.nearest WHERE chain_id = ?"
_REPOSITORIES = """
SELECT name FROM (
    SELECT DISTINCT live_tag.repository AS place FROM temp.derived
    JOIN temp.reach ON reach.manifest_id = image
    JOIN temp.live_tag ON live_tag.manifest_id = root
    WHERE chain_id = ?
) JOIN temp.live_repository USING (place) JOIN repository USING (id) ORDER BY place
"""
_ANNOTATED = """
SELECT text.value, manifest.base_digest, COUNT(*) AS images, base.id
FROM temp.live_image JOIN manifest ON manifest.id = live_image.id
LEFT JOIN text ON text.id = manifest.base_name_id
LEFT JOIN manifest AS base ON base.digest = manifest.base_digest
WHERE manifest.base_name_id IS NOT NULL OR manifest.base_digest IS NOT NULL
GROUP BY manifest.base_name_id, manifest.base_digest
ORDER BY images DESC, text.value, manifest.base_digest LIMIT ?
"""
_COUNT_ANNOTATED = """
SELECT COUNT(*) FROM (
    SELECT DISTINCT base_name_id, base_digest FROM temp.live_image JOIN manifest USING (id)
    WHERE base_name_id IS NOT NULL OR base_digest IS NOT NULL
)
"""
_ALL = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseImage:
    """A base by DiffIDs. ``image``: one with just these layers, by its first tag; ``layers`` and
    ``bytes`` (compressed) are its own; ``images``: how many derive from it; ``nearest``: of them,
    those with no other base between; ``repositories``: where they are, by name."""

    key: int
    chain_id: Digest
    image: TagName
    layers: int
    bytes: int
    images: int
    nearest: int
    repositories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedImage:
    """An image that derives from a base. ``nearest``: with no other base between the two."""

    image: TagName | None
    nearest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedBase:
    """What images name as their base; ``image``: a tag of the registry that leads to its digest,
    None where there is none."""

    name: str | None
    digest: Digest | None
    images: int
    image: TagName | None


def count_bases(holdings: Holdings) -> int:
    """How many ChainIDs are the top of an image that others derive from."""
    gather_bases(holdings)
    return holdings.number("SELECT COUNT(DISTINCT chain_id) FROM temp.derived")


def base_images(holdings: Holdings, top: int | None) -> Iterator[BaseImage]:
    """The bases by DiffIDs, those of most images first; at most *top* of them."""
    gather_bases(holdings)
    connection = holdings.connection
    for key, digest, images, layers in connection.execute(_BASES, (_ALL if top is None else top,)):
        image, _, tag = connection.execute(_BASE_IMAGES, (key,)).fetchone()
        yield BaseImage(
            key=key,
            chain_id=read_digest(digest),
            image=holdings.tag_name(tag),
            layers=layers,
            bytes=holdings.number(_BASE_BYTES, image),
            images=images,
            nearest=holdings.number(_NEAREST, key),
            repositories=tuple(
                read_text(name) for (name,) in connection.execute(_REPOSITORIES, (key,))
            ),
        )


def derived_images(holdings: Holdings, base: BaseImage) -> Iterator[DerivedImage]:
    """The images that derive from a base, in the order they were first seen."""
    for image, nearest in holdings.connection.execute(_DERIVED, (base.key,)):
        yield DerivedImage(image=holdings.image_name(image), nearest=bool(nearest))


def count_annotated_bases(holdings: Holdings) -> int:
    """How many bases are named by annotations."""
    return holdings.number(_COUNT_ANNOTATED)


def annotated_bases(holdings: Holdings, top: int | None) -> Iterator[AnnotatedBase]:
    """The bases that annotations name, those of most images first; at most *top* of them."""
    for name, digest, images, base in holdings.connection.execute(
        _ANNOTATED, (_ALL if top is None else top,)
    ):
        yield AnnotatedBase(
            name=read_optional_text(name),
            digest=read_optional_digest(digest),
            images=images,
            image=None if base is None else holdings.image_name(base),
        )


def gather_bases(holdings: Holdings) -> None:
    """Make the tables ``top``, ``derived`` and ``nearest``, unless they are there."""
    if not holdings.has_table("top"):
        for statement in _TABLES:
            holdings.connection.execute(statement)
