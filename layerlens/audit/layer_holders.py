"""Which image and which repository holds which layer, by one identity: tables that measures ask.

An image holds a layer or it does not: one that it lists twice counts once, in the smallest of its
blobs. For the identity ``x`` (``blob``, ``diff``, ``chain``) there are, once `gather` was called,

- ``held_x (key, image, size)``: the image holds the layer, in so many compressed bytes;
- ``layer_x (key, images, size, held, empty)``: each layer once: how many images hold it, bytes to
  store it once, bytes of all of them together, whether it is known to list nothing;

and after `gather_repositories`

- ``repository_x (key, repository, size)``: the repository, by its place, holds it in some image.
"""

from __future__ import annotations

from layerlens.analysis.sharing import EMPTY_DIFF_IDS, Identity
from layerlens.audit.holdings import Holdings
from layerlens.audit.stored_values import stored_digest
from layerlens.oci.digest import Digest

SUFFIXES = {Identity.BLOB_DIGEST: "blob", Identity.DIFF_ID: "diff", Identity.CHAIN_ID: "chain"}
"""What stands for an identity in names: of tables, and with ``_id`` of columns."""

_TABLES = (
    "CREATE TEMP TABLE held_{x} (key INTEGER, image INTEGER, size INTEGER, empty INTEGER,"
    " PRIMARY KEY (key, image)) WITHOUT ROWID",
    "CREATE TEMP TABLE layer_{x} (key INTEGER PRIMARY KEY, images INTEGER, size INTEGER,"
    " held INTEGER, empty INTEGER)",
)
_HELD = """
INSERT INTO temp.held_{x}
SELECT image_layer.{x}_id, live_image.id, MIN(stored_blob.size), MAX(empty_diff.id IS NOT NULL)
FROM temp.live_image CROSS JOIN image_layer ON image_layer.manifest_id = live_image.id
JOIN temp.stored_blob ON stored_blob.id = blob_id
LEFT JOIN temp.empty_diff ON empty_diff.id = diff_id
WHERE image_layer.{x}_id IS NOT NULL
GROUP BY 1, 2
"""
_LAYERS = """
INSERT INTO temp.layer_{x}
SELECT key, COUNT(*), MIN(size), SUM(size), MAX(empty) FROM temp.held_{x} GROUP BY key
"""
_REPOSITORY_TABLES = (
    "CREATE TEMP TABLE IF NOT EXISTS repository_image (image INTEGER, repository INTEGER,"
    " PRIMARY KEY (image, repository)) WITHOUT ROWID",
    "CREATE TEMP TABLE repository_{x} (key INTEGER, repository INTEGER, size INTEGER,"
    " PRIMARY KEY (key, repository)) WITHOUT ROWID",
)
_REPOSITORY_IMAGES = """
INSERT OR IGNORE INTO temp.repository_image
SELECT DISTINCT live_image.id, live_tag.repository
FROM temp.live_image JOIN temp.reach ON reach.manifest_id = live_image.id
JOIN temp.live_tag ON live_tag.manifest_id = root
"""
_REPOSITORY_LAYERS = """
INSERT INTO temp.repository_{x}
SELECT key, repository, MIN(size)
FROM temp.held_{x} JOIN temp.repository_image USING (image) GROUP BY key, repository
"""


def gather(holdings: Holdings, identity: Identity) -> str:
    """Make the tables of images and layers, unless they are there; the identity's suffix."""
    suffix = SUFFIXES[identity]
    if holdings.has_table(f"layer_{suffix}"):
        return suffix
    connection = holdings.connection
    if not holdings.has_table("empty_diff"):
        connection.execute("CREATE TEMP TABLE empty_diff (id INTEGER PRIMARY KEY)")
        connection.executemany(
            "INSERT INTO temp.empty_diff SELECT id FROM diff WHERE digest = ?",
            ((stored_digest(Digest.parse(digest)),) for digest in EMPTY_DIFF_IDS),
        )
    for statement in (*_TABLES, _HELD, _LAYERS):
        connection.execute(statement.format(x=suffix))
    return suffix


def gather_repositories(holdings: Holdings, identity: Identity) -> str:
    """Make the table of repositories as well, unless it is there; the identity's suffix."""
    suffix = gather(holdings, identity)
    if not holdings.has_table(f"repository_{suffix}"):
        for statement in (*_REPOSITORY_TABLES, _REPOSITORY_IMAGES, _REPOSITORY_LAYERS):
            holdings.connection.execute(statement.format(x=suffix))
    return suffix
