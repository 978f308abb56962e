"""The layers that matter most: those whose sharing saves most, and the largest that nobody shares.

Layers that list nothing are not among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.analysis.sharing import Identity
from layerlens.audit.holdings import Holdings, TagName
from layerlens.audit.layer_holders import gather_repositories
from layerlens.audit.stored_values import read_digest, read_optional_text, read_text
from layerlens.oci.digest import Digest

_RANKED = """
WITH ranked AS (
    SELECT key, named.digest AS digest, images, layer.size AS whole, held,
        (SELECT MIN(image) FROM temp.held_{x} WHERE held_{x}.key = layer.key) AS image
    FROM temp.layer_{x} AS layer JOIN {x} AS named ON named.id = key
    WHERE {condition} AND NOT empty ORDER BY {order} LIMIT ?
), named AS (
    SELECT *,
        (SELECT value FROM image_layer JOIN text ON text.id = instruction_id
         WHERE manifest_id = image AND {x}_id = key ORDER BY position LIMIT 1) AS instruction,
        (SELECT live_tag.id FROM temp.reach JOIN temp.live_tag ON live_tag.manifest_id = root
         WHERE reach.manifest_id = image ORDER BY live_tag.place LIMIT 1) AS tag
    FROM ranked
)
SELECT key, digest, images, whole, held, instruction, repository.name, tag.name
FROM named JOIN tag ON tag.id = named.tag JOIN repository ON repository.id = repository_id
ORDER BY {order}
"""
_SHARED = ("images > 1", "held - whole DESC, images DESC, digest")
_EXCLUSIVE = ("images = 1", "whole DESC, digest")
_REPOSITORIES = """
SELECT name FROM temp.repository_{x} JOIN temp.live_repository ON place = repository
JOIN repository USING (id) WHERE key = ? ORDER BY place
"""
_ALL = -1  # SQLite's LIMIT for no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedLayer:
    """A layer and who holds it. ``size``: compressed bytes of one; ``saved``: bytes that storing
    it once saves; ``image``: one that holds it, by its first tag; ``instruction``: the Dockerfile
    line that made it there; ``repositories``: all that hold it, by name."""

    digest: Digest
    size: int
    saved: int
    images: int
    image: TagName
    instruction: str | None
    repositories: tuple[str, ...]


def count_shared(holdings: Holdings, identity: Identity) -> int:
    """How many layers several images hold, but for the empty ones."""
    suffix = gather_repositories(holdings, identity)
    return holdings.number(
        f"SELECT COUNT(*) FROM temp.layer_{suffix} WHERE images > 1 AND NOT empty"  # noqa: S608
    )


def count_exclusive(holdings: Holdings, identity: Identity) -> int:
    """How many layers one image alone holds, but for the empty ones."""
    suffix = gather_repositories(holdings, identity)
    return holdings.number(
        f"SELECT COUNT(*) FROM temp.layer_{suffix} WHERE images = 1 AND NOT empty"  # noqa: S608
    )


def shared_layers(holdings: Holdings, identity: Identity, top: int | None) -> Iterator[RankedLayer]:
    """The layers of several images, those that save most first; at most *top* of them."""
    return _ranked(holdings, identity, _SHARED, top)


def exclusive_layers(
    holdings: Holdings, identity: Identity, top: int | None
) -> Iterator[RankedLayer]:
    """The layers of one image alone, the largest first; at most *top* of them."""
    return _ranked(holdings, identity, _EXCLUSIVE, top)


def _ranked(
    holdings: Holdings, identity: Identity, which: tuple[str, str], top: int | None
) -> Iterator[RankedLayer]:
    suffix = gather_repositories(holdings, identity)
    condition, order = which
    connection = holdings.connection
    statement = _RANKED.format(x=suffix, condition=condition, order=order)
    repositories = _REPOSITORIES.format(x=suffix)
    for key, digest, images, size, held, instruction, repository, tag in connection.execute(
        statement, (_ALL if top is None else top,)
    ):
        yield RankedLayer(
            digest=read_digest(digest),
            size=size,
            saved=held - size,
            images=images,
            image=TagName(repository=read_text(repository), tag=read_text(tag)),
            instruction=read_optional_text(instruction),
            repositories=tuple(
                read_text(name) for (name,) in connection.execute(repositories, (key,))
            ),
        )
