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

_SHARED = """
SELECT key, named.digest, images, layer.size, held
FROM temp.layer_{x} AS layer JOIN {x} AS named ON named.id = key
WHERE images > 1 AND NOT empty ORDER BY held - layer.size DESC, images DESC, named.digest LIMIT ?
"""
_EXCLUSIVE = """
SELECT key, named.digest, images, layer.size, held
FROM temp.layer_{x} AS layer JOIN {x} AS named ON named.id = key
WHERE images = 1 AND NOT empty ORDER BY layer.size DESC, named.digest LIMIT ?
"""
_FIRST_HOLDER = "SELECT MIN(image) FROM temp.held_{x} WHERE key = ?"
_INSTRUCTION = """
SELECT value FROM image_layer JOIN text ON text.id = instruction_id
WHERE manifest_id = ? AND {x}_id = ? ORDER BY position LIMIT 1
"""
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
    image: TagName | None
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
    holdings: Holdings, identity: Identity, statement: str, top: int | None
) -> Iterator[RankedLayer]:
    suffix = gather_repositories(holdings, identity)
    connection = holdings.connection
    query = statement.format(x=suffix)
    first_holder, instruction, repositories = (
        each.format(x=suffix) for each in (_FIRST_HOLDER, _INSTRUCTION, _REPOSITORIES)
    )
    for key, digest, images, size, held in connection.execute(
        query, (_ALL if top is None else top,)
    ):
        image = holdings.number(first_holder, key)
        found = connection.execute(instruction, (image, key)).fetchone()
        yield RankedLayer(
            digest=read_digest(digest),
            size=size,
            saved=held - size,
            images=images,
            image=holdings.image_name(image),
            instruction=None if found is None else read_optional_text(found[0]),
            repositories=tuple(
                read_text(name) for (name,) in connection.execute(repositories, (key,))
            ),
        )
