"""How sizes and counts are spread: the median, the 90th percentile and the largest.

By nearest rank: a percentile is the smallest value that at least so many percent of all values do
not exceed, so it is always one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.analysis.sharing import Identity
from layerlens.audit.holdings import Holdings
from layerlens.audit.layer_holders import gather

_SPREAD = """
WITH measured (value) AS ({values}),
    ranked (value, place) AS (SELECT value, ROW_NUMBER() OVER (ORDER BY value) FROM measured),
    counted (n) AS (SELECT COUNT(*) FROM measured)
SELECT place, n, value FROM ranked, counted
WHERE place IN ((n * 50 + 99) / 100, (n * 90 + 99) / 100, n) ORDER BY place
"""
_LAYER_SIZES = "SELECT size FROM temp.layer_blob WHERE NOT empty"
_IMAGE_SIZES = """
SELECT COALESCE(SUM(size), 0) FROM temp.live_image
LEFT JOIN (SELECT image, SUM(size) AS size FROM temp.held_blob GROUP BY image)
ON image = live_image.id GROUP BY live_image.id
"""
_LAYERS_OF_IMAGES = """
SELECT COUNT(position) FROM temp.live_image LEFT JOIN image_layer ON manifest_id = live_image.id
GROUP BY live_image.id
"""
_RAW_SIZES = """
SELECT layer_listing.size FROM temp.layer_diff JOIN layer_listing ON diff_id = key WHERE NOT empty
"""
_FILES_OF_LAYERS = """
SELECT files + empty_files FROM temp.layer_diff JOIN layer_listing ON diff_id = key WHERE NOT empty
"""
_COMPRESSION = """
SELECT layer_listing.size * 1000 / layer_diff.size
FROM temp.layer_diff JOIN layer_listing ON diff_id = key WHERE NOT empty AND layer_diff.size > 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Percentiles of one measure over ``count`` values, None where there are none. ``unit``:
    ``bytes``, ``thousandths`` (of a ratio, rounded down), or what is counted; ``over``: what the
    values are of."""

    measure: str
    unit: str
    over: str
    count: int
    p50: int | None
    p90: int | None
    largest: int | None


def spreads(holdings: Holdings) -> Iterator[Spread]:
    """Each measure in turn; those of files and uncompressed tars only where some were read."""
    gather(holdings, Identity.BLOB_DIGEST)
    yield _spread(holdings, _LAYER_SIZES, "layer size", "bytes", "blobs")
    yield _spread(holdings, _IMAGE_SIZES, "image size", "bytes", "images")
    yield _spread(holdings, _LAYERS_OF_IMAGES, "layers per image", "layers", "images")
    gather(holdings, Identity.DIFF_ID)
    for values, measure, unit in (
        (_RAW_SIZES, "layer size uncompressed", "bytes"),
        (_COMPRESSION, "compression ratio", "thousandths"),
        (_FILES_OF_LAYERS, "files per layer", "files"),
    ):
        spread = _spread(holdings, values, measure, unit, "DiffIDs read")
        if spread.count:
            yield spread


def _spread(holdings: Holdings, values: str, measure: str, unit: str, over: str) -> Spread:
    rows = holdings.connection.execute(_SPREAD.format(values=values)).fetchall()
    by_place = {place: value for place, _, value in rows}
    count = rows[0][1] if rows else 0
    return Spread(
        measure=measure,
        unit=unit,
        over=over,
        count=count,
        p50=by_place.get((count * 50 + 99) // 100),
        p90=by_place.get((count * 90 + 99) // 100),
        largest=by_place.get(count),
    )
