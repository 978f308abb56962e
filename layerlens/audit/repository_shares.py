"""Whose bytes they are: what each repository holds alone, shares, and has for its part.

A layer's bytes are divided evenly among the repositories that hold it. Amortised bytes are whole
numbers and sum up exactly to what is stored: of a layer that does not divide evenly, the first of
its holders, in the order of their names, take one byte more.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.analysis.sharing import Identity
from layerlens.audit.holdings import Holdings
from layerlens.audit.layer_holders import gather_repositories
from layerlens.audit.stored_values import read_text

_SHARES = """
WITH divided (repository, own, alone, whole, holders, turn) AS (
    SELECT repository, repository_{x}.size, repository_{x}.size, layer_{x}.size,
        COUNT(*) OVER (PARTITION BY key),
        ROW_NUMBER() OVER (PARTITION BY key ORDER BY repository)
    FROM temp.repository_{x} JOIN temp.layer_{x} USING (key)
), shares (repository, own, exclusive, amortised) AS (
    SELECT repository, SUM(own), SUM(CASE WHEN holders = 1 THEN alone ELSE 0 END),
        SUM(whole / holders + (turn <= whole % holders))
    FROM divided GROUP BY repository
), images (repository, count) AS (
    SELECT repository, COUNT(*) FROM temp.repository_image GROUP BY repository
), tags (repository, count) AS (
    SELECT place, COUNT(tag.id) FROM temp.live_repository JOIN tag
    ON tag.repository_id = live_repository.id WHERE tag.removed IS NULL GROUP BY place
)
SELECT name, COALESCE(tags.count, 0), COALESCE(images.count, 0), COALESCE(own, 0) AS own,
    COALESCE(exclusive, 0) AS exclusive, COALESCE(own - exclusive, 0) AS shared,
    COALESCE(amortised, 0) AS amortised
FROM temp.live_repository JOIN repository USING (id)
LEFT JOIN shares ON shares.repository = place
LEFT JOIN images ON images.repository = place
LEFT JOIN tags ON tags.repository = place
ORDER BY {order}, place LIMIT ?
"""
_ALL = -1


class ShareOrder(enum.Enum):
    """By what repositories are listed, the largest first; by name from A."""

    AMORTISED = "amortised"
    EXCLUSIVE = "exclusive"
    OWN = "own"
    NAME = "name"


_ORDERS = {
    ShareOrder.AMORTISED: "amortised DESC",
    ShareOrder.EXCLUSIVE: "exclusive DESC",
    ShareOrder.OWN: "own DESC",
    ShareOrder.NAME: "place",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryShare:
    """One repository. ``own``: bytes of its distinct layers; ``exclusive``: of those that no other
    repository holds; ``amortised``: its part of what is stored. ``tags``: as it lists them."""

    repository: str
    tags: int
    images: int
    own: int
    exclusive: int
    shared: int
    amortised: int


def count_repositories(holdings: Holdings) -> int:
    """How many repositories the registry has."""
    return holdings.number("SELECT COUNT(*) FROM temp.live_repository")


def repository_shares(
    holdings: Holdings, identity: Identity, order: ShareOrder, top: int | None
) -> Iterator[RepositoryShare]:
    """The repositories, those without a known image too; at most *top* of them."""
    suffix = gather_repositories(holdings, identity)
    statement = _SHARES.format(x=suffix, order=_ORDERS[order])
    for name, tags, images, own, exclusive, shared, amortised in holdings.connection.execute(
        statement, (_ALL if top is None else top,)
    ):
        yield RepositoryShare(
            repository=read_text(name),
            tags=tags,
            images=images,
            own=own,
            exclusive=exclusive,
            shared=shared,
            amortised=amortised,
        )
