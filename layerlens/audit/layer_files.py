"""The files of layers written to a catalogue, and which layers' files are still to be read.

A layer stands for its DiffID: however often it is compressed anew, its files are read once.
"""

from __future__ import annotations

import sqlite3

from layerlens.audit.interning import Keys
from layerlens.audit.records import (
    LARGEST_BLOB,
    LayerFilesRecord,
    ManifestKind,
    UnlistedLayer,
)
from layerlens.audit.row_records import repository_record
from layerlens.audit.stored_values import read_digest, read_text, stored_text
from layerlens.errors import MalformedInput

_UNLISTED = f"""
WITH RECURSIVE reached (repository_id, manifest_id) AS (
    SELECT repository_id, manifest_id FROM tag
    WHERE queued_run = ? AND removed IS NULL AND manifest_id IS NOT NULL
    UNION
    SELECT repository_id, index_member.manifest_id
    FROM reached JOIN index_member ON index_id = reached.manifest_id
), unlisted (diff_id, blob_id, repository_id) AS (
    SELECT image_layer.diff_id, MIN(blob_id), repository_id
    FROM reached JOIN manifest ON manifest.id = reached.manifest_id
    JOIN image_layer ON image_layer.manifest_id = manifest.id
    WHERE kind = {int(ManifestKind.IMAGE)} AND image_layer.diff_id IS NOT NULL
        AND image_layer.diff_id NOT IN (SELECT diff_id FROM layer_listing)
    GROUP BY image_layer.diff_id
)
SELECT diff.digest, blob.digest, blob.size, text.value,
    repository.id, registry.host, repository.name, repository.listed, repository.removed,
    repository.failure
FROM unlisted JOIN diff ON diff.id = unlisted.diff_id
JOIN blob ON blob.id = unlisted.blob_id
JOIN text ON text.id = media_type_id
JOIN repository ON repository.id = unlisted.repository_id
JOIN registry ON registry.id = registry_id
ORDER BY unlisted.diff_id
"""  # noqa: S608 - a number of our own


def unlisted_layers(connection: sqlite3.Connection, run_key: int) -> tuple[UnlistedLayer, ...]:
    """The layers of the images that a run looked at whose files the catalogue does not have."""
    return tuple(
        UnlistedLayer(
            diff_id=read_digest(diff_id),
            blob=read_digest(blob),
            size=size,
            media_type=read_text(media_type),
            repository=repository_record(repository),
        )
        for diff_id, blob, size, media_type, *repository in connection.execute(
            _UNLISTED, (run_key,)
        )
    )


def add_layer_files(connection: sqlite3.Connection, keys: Keys, layer: LayerFilesRecord) -> None:
    """Write what a layer holds, in the open transaction; what is there already stays."""
    if any(not 0 < file.size <= LARGEST_BLOB for file in layer.files):
        raise MalformedInput(f"layer {layer.diff_id}: a file's size is out of range")
    key = keys.diff(layer.diff_id)
    known = connection.execute("SELECT 1 FROM layer_listing WHERE diff_id = ?", (key,)).fetchone()
    if known is not None:
        return
    connection.execute(
        "INSERT INTO layer_listing (diff_id, size, entries, files, empty_files, bytes)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            key,
            layer.size,
            layer.entries,
            sum(file.copies for file in layer.files),
            layer.empty_files,
            sum(file.copies * file.size for file in layer.files),
        ),
    )
    connection.executemany(
        "INSERT INTO file (digest, size, path) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        ((file.content, file.size, stored_text(file.path)) for file in layer.files),
    )
    connection.executemany(
        "INSERT INTO layer_file (diff_id, file_id, copies)"
        " SELECT ?, id, ? FROM file WHERE digest = ?",
        ((key, file.copies, file.content) for file in layer.files),
    )
