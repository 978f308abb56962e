"""Files that stand more than once in the layers of a registry, as far as layers' files were read.

Over distinct layers by DiffID, as ``layerlens shared --files`` counts them: regular files that are
not empty, those that a layer above hides included; two are one if their SHA-256 is.
"""

from __future__ import annotations

from collections.abc import Iterator

from layerlens.analysis.sharing import Identity
from layerlens.analysis.sharing_files import DuplicatedFile, FileSharing
from layerlens.audit.holdings import Holdings
from layerlens.audit.layer_holders import gather
from layerlens.audit.stored_values import read_text

_LAYERS = """
SELECT COUNT(layer_listing.diff_id), COUNT(*) - COUNT(layer_listing.diff_id),
    COALESCE(SUM(files), 0), COALESCE(SUM(empty_files), 0), COALESCE(SUM(bytes), 0),
    COALESCE(SUM(bytes * images), 0)
FROM temp.layer_diff LEFT JOIN layer_listing ON diff_id = key
"""
_TABLES = (
    "CREATE TEMP TABLE content (file_id INTEGER PRIMARY KEY, copies INTEGER, layers INTEGER)",
    """
    INSERT INTO temp.content SELECT file_id, SUM(copies), COUNT(*)
    FROM temp.layer_diff JOIN layer_file ON diff_id = key GROUP BY file_id
    """,
)
_CONTENTS = """
SELECT COUNT(*), COALESCE(SUM(copies = 1), 0), COALESCE(SUM(size), 0)
FROM temp.content JOIN file ON file.id = file_id
"""
_DUPLICATED = """
SELECT digest, size, copies, layers, path FROM temp.content JOIN file ON file.id = file_id
WHERE copies > 1 ORDER BY size * (copies - 1) DESC, digest LIMIT ?
"""
_ALL = -1


def file_sharing(holdings: Holdings) -> FileSharing | None:
    """The figures; None where the files of no layer were read."""
    gather(holdings, Identity.DIFF_ID)
    connection = holdings.connection
    layers, unread, files, empty, size, logical = connection.execute(_LAYERS).fetchone()
    if not layers:
        return None
    _gather_contents(holdings)
    distinct, singletons, distinct_bytes = connection.execute(_CONTENTS).fetchone()
    return FileSharing(
        layers=layers,
        unread_layers=unread,
        files=files,
        empty_files=empty,
        distinct=distinct,
        singletons=singletons,
        logical_bytes=logical,
        bytes=size,
        distinct_bytes=distinct_bytes,
    )


def duplicated_files(holdings: Holdings, top: int | None) -> Iterator[DuplicatedFile]:
    """The contents whose further copies take most bytes, those first; at most *top* of them."""
    gather(holdings, Identity.DIFF_ID)
    _gather_contents(holdings)
    for digest, size, copies, layers, path in holdings.connection.execute(
        _DUPLICATED, (_ALL if top is None else top,)
    ):
        yield DuplicatedFile(
            content=digest, size=size, copies=copies, layers=layers, path=read_text(path)
        )


def _gather_contents(holdings: Holdings) -> None:
    if not holdings.has_table("content"):
        for statement in _TABLES:
            holdings.connection.execute(statement)
