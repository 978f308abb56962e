"""Layers that one instruction made for one platform, and that differ: built again and again.

Two layers are one if their DiffIDs are, or their blobs where no DiffID is known. At stake are the
bytes of all but the largest: what would not be stored if the instruction had been run once and its
layer shared. A RUN that installs the same packages is where that is likely; a COPY of different
files is meant to differ, which the instruction lets a reader tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from layerlens.analysis.sharing import Identity, quotient
from layerlens.audit.holdings import Holdings
from layerlens.audit.layer_holders import gather_repositories
from layerlens.audit.stored_values import read_optional_text, read_text

_TABLES = (
    "CREATE TEMP TABLE made (instruction_id INTEGER, platform_id INTEGER, content INTEGER,"
    " image INTEGER, size INTEGER,"
    " PRIMARY KEY (instruction_id, platform_id, content, image)) WITHOUT ROWID",
    """
    INSERT INTO temp.made
    SELECT instruction_id, COALESCE(platform_id, 0), COALESCE(diff_id, -blob_id), live_image.id,
        MIN(stored_blob.size)
    FROM temp.live_image CROSS JOIN image_layer ON image_layer.manifest_id = live_image.id
    JOIN manifest ON manifest.id = live_image.id
    JOIN temp.stored_blob ON stored_blob.id = blob_id
    WHERE instruction_id IS NOT NULL
    AND (diff_id IS NULL OR diff_id NOT IN (SELECT id FROM temp.empty_diff))
    GROUP BY 1, 2, 3, 4
    """,
)
_VARIANTS = """
WITH variant (instruction_id, platform_id, size) AS (
    SELECT instruction_id, platform_id, MIN(size)
    FROM temp.made GROUP BY instruction_id, platform_id, content
)
"""
_GROUPS = f"""
{_VARIANTS}
SELECT instruction_id, platform_id, COUNT(*), SUM(size), SUM(size) - MAX(size) AS at_stake,
    text.value, platform.value
FROM variant JOIN text ON text.id = instruction_id
LEFT JOIN text AS platform ON platform.id = platform_id
GROUP BY instruction_id, platform_id HAVING COUNT(*) > 1
ORDER BY at_stake DESC, text.value, platform.value LIMIT ?
"""  # noqa: S608 - words of our own
_COUNTS = f"""
{_VARIANTS}
SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM (
    SELECT SUM(size) - MAX(size) AS bytes
    FROM variant GROUP BY instruction_id, platform_id HAVING COUNT(*) > 1
)
"""  # noqa: S608 - words of our own
_IMAGES = """
SELECT COUNT(DISTINCT image) FROM temp.made WHERE instruction_id = ? AND platform_id = ?
"""
_REPOSITORIES = """
SELECT name FROM (
    SELECT DISTINCT repository FROM temp.made JOIN temp.repository_image USING (image)
    WHERE instruction_id = ? AND platform_id = ?
) JOIN temp.live_repository ON place = repository JOIN repository USING (id) ORDER BY place
"""
_COMMON = """
WITH listed (diff_id) AS (
    SELECT DISTINCT content FROM temp.made JOIN layer_listing ON layer_listing.diff_id = content
    WHERE instruction_id = ? AND platform_id = ?
), part (file_id, layers, copies) AS (
    SELECT file_id, COUNT(*), SUM(copies) FROM listed JOIN layer_file USING (diff_id)
    GROUP BY file_id
)
SELECT (SELECT COUNT(*) FROM listed), COALESCE(SUM(size * copies), 0),
    COALESCE(SUM(CASE WHEN layers > 1 THEN size * copies END), 0)
FROM part JOIN file ON file.id = file_id
"""
_ALL = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonFiles:
    """The files of an instruction's layers. ``layers``: those whose files were read; ``bytes``: of
    their files; ``common``: of those whose content another of the layers has as well."""

    layers: int
    bytes: int
    common: int

    @property
    def share(self) -> Fraction | None:
        """The part that is common: near 1 where few files differ; None where it is not known."""
        return quotient(self.common, self.bytes) if self.layers > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicates:
    """The layers of one instruction, for one platform, None where it is not known.

    ``layers``: distinct ones; ``bytes``: of all of them, each stored once; ``at_stake``: of all but
    the largest. ``images``, ``repositories``: those that hold one. ``files``: what their files say.
    """

    instruction: str
    platform: str | None
    layers: int
    bytes: int
    at_stake: int
    images: int
    repositories: tuple[str, ...]
    files: CommonFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicateTotals:
    """Instructions that made several layers for a platform, and the bytes at stake in them."""

    instructions: int
    at_stake: int


def near_duplicate_totals(holdings: Holdings) -> NearDuplicateTotals:
    """The sums over all instructions."""
    _gather(holdings)
    instructions, at_stake = holdings.connection.execute(_COUNTS).fetchone()
    return NearDuplicateTotals(instructions=instructions, at_stake=at_stake)


def near_duplicates(holdings: Holdings, top: int | None) -> Iterator[NearDuplicates]:
    """The instructions with most bytes at stake first; at most *top* of them."""
    _gather(holdings)
    connection = holdings.connection
    for *key, layers, size, at_stake, instruction, platform in connection.execute(
        _GROUPS, (_ALL if top is None else top,)
    ):
        yield NearDuplicates(
            instruction=read_text(instruction),
            platform=read_optional_text(platform),
            layers=layers,
            bytes=size,
            at_stake=at_stake,
            images=holdings.number(_IMAGES, *key),
            repositories=tuple(
                read_text(name) for (name,) in connection.execute(_REPOSITORIES, key)
            ),
            files=_common_files(holdings, key),
        )


def _common_files(holdings: Holdings, key: list[int]) -> CommonFiles:
    layers, size, common = holdings.connection.execute(_COMMON, key).fetchone()
    return CommonFiles(layers=layers, bytes=size, common=common)


def _gather(holdings: Holdings) -> None:
    gather_repositories(holdings, Identity.BLOB_DIGEST)
    if not holdings.has_table("made"):
        for statement in _TABLES:
            holdings.connection.execute(statement)
