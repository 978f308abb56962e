"""Identical content that a registry stores more than once, because it was compressed differently:
one DiffID, several blobs. This is what lies between sharing by blob digest and by DiffID.

Layers that list nothing are not among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.analysis.sharing import Identity
from layerlens.audit.holdings import Holdings
from layerlens.audit.layer_holders import gather_repositories
from layerlens.audit.stored_values import read_digest, read_optional_text, read_text
from layerlens.oci.digest import Digest

_TABLES = (
    "CREATE TEMP TABLE form (diff_id INTEGER, blob_id INTEGER, PRIMARY KEY (diff_id, blob_id))"
    " WITHOUT ROWID",
    """
    INSERT OR IGNORE INTO temp.form SELECT diff_id, blob_id
    FROM temp.live_image CROSS JOIN image_layer ON manifest_id = live_image.id
    WHERE diff_id IS NOT NULL AND diff_id NOT IN (SELECT id FROM temp.empty_diff)
    """,
)
_GROUPS = """
SELECT diff_id, COUNT(*) AS blobs, SUM(size) - MIN(size) AS excess, MIN(size) AS smallest
FROM temp.form JOIN temp.stored_blob ON stored_blob.id = blob_id
GROUP BY diff_id HAVING COUNT(*) > 1
"""
_RECOMPRESSED = f"""
SELECT diff_id, digest, blobs, excess, smallest,
    (SELECT value FROM temp.held_diff JOIN image_layer ON manifest_id = image
     JOIN text ON text.id = instruction_id
     WHERE held_diff.key = found.diff_id AND image_layer.diff_id = found.diff_id LIMIT 1)
FROM ({_GROUPS}) AS found JOIN diff ON diff.id = diff_id
ORDER BY excess DESC, digest LIMIT ?
"""  # noqa: S608 - words of our own
_TOTALS = f"SELECT COUNT(*), COALESCE(SUM(excess), 0) FROM ({_GROUPS})"  # noqa: S608 - as above
_REPOSITORIES = """
SELECT name FROM temp.repository_diff JOIN temp.live_repository ON place = repository
JOIN repository USING (id) WHERE key = ? ORDER BY place
"""
_ALL = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class RecompressedLayer:
    """A content in several blobs. ``size``: bytes of the smallest; ``excess``: of all others;
    ``instruction``: the Dockerfile line that made it in one of its images."""

    diff_id: Digest
    blobs: int
    size: int
    excess: int
    instruction: str | None
    repositories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecompressedTotals:
    """How many contents are stored in several blobs, and the bytes that this takes."""

    layers: int
    excess: int


def recompressed_totals(holdings: Holdings) -> RecompressedTotals:
    """The sums over all of them."""
    _gather(holdings)
    layers, excess = holdings.connection.execute(_TOTALS).fetchone()
    return RecompressedTotals(layers=layers, excess=excess)


def recompressed_layers(holdings: Holdings, top: int | None) -> Iterator[RecompressedLayer]:
    """The contents whose further blobs take most bytes, those first; at most *top* of them."""
    _gather(holdings)
    connection = holdings.connection
    for key, digest, blobs, excess, size, instruction in connection.execute(
        _RECOMPRESSED, (_ALL if top is None else top,)
    ):
        yield RecompressedLayer(
            diff_id=read_digest(digest),
            blobs=blobs,
            size=size,
            excess=excess,
            instruction=read_optional_text(instruction),
            repositories=tuple(
                read_text(name) for (name,) in connection.execute(_REPOSITORIES, (key,))
            ),
        )


def _gather(holdings: Holdings) -> None:
    gather_repositories(holdings, Identity.DIFF_ID)
    if not holdings.has_table("form"):
        for statement in _TABLES:
            holdings.connection.execute(statement)
