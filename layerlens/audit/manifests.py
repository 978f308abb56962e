"""Manifests written to a catalogue, and what of them is still to be read.

A manifest never changes under its digest: one that stands there whole is left as it is. An image
whose config could not be read stands there by its layers alone, and is still to be read.
"""

from __future__ import annotations

import sqlite3

from layerlens.audit.interning import Keys
from layerlens.audit.records import (
    ConfigFacts,
    ImageRecord,
    IndexRecord,
    ManifestKind,
    UnreadManifest,
)
from layerlens.audit.stored_values import read_digest, read_optional_text, stored_digest
from layerlens.oci.digest import Digest

_LEAVES = frozenset({ManifestKind.IMAGE, ManifestKind.ARTIFACT})
WHOLE_KIND = f"""
CASE WHEN kind = {ManifestKind.IMAGE:d} AND manifest.chain_id IS NULL
    AND EXISTS (SELECT 1 FROM image_layer WHERE image_layer.manifest_id = manifest.id)
THEN NULL ELSE kind END
"""  # noqa: S608 - own words
"""The kind of a manifest that stands there whole; NULL where it is still to be read."""
_KIND = f"SELECT {WHOLE_KIND} FROM manifest WHERE digest = ?"  # noqa: S608 - as above
_UNREAD = f"""
WITH RECURSIVE below (id) AS (
    SELECT id FROM manifest WHERE digest = ?
    UNION
    SELECT index_member.manifest_id FROM below JOIN index_member ON index_id = below.id
)
SELECT digest, media_type.value, platform.value
FROM below JOIN manifest ON manifest.id = below.id
LEFT JOIN text AS media_type ON media_type.id = media_type_id
LEFT JOIN text AS platform ON platform.id = platform_id
WHERE {WHOLE_KIND} IS NULL ORDER BY manifest.id
"""  # noqa: S608 - as above
_KIND_OF_KEY = f"SELECT {WHOLE_KIND} FROM manifest WHERE id = ?"  # noqa: S608 - as above

_IMAGE_OF_CONFIG = """
SELECT manifest.id, platform.value, created
FROM manifest JOIN blob ON blob.id = config_id
LEFT JOIN text AS platform ON platform.id = platform_id
WHERE blob.digest = ? AND kind = ? LIMIT 1
"""
_LAYERS_OF_CONFIG = """
SELECT diff.digest, text.value FROM image_layer
LEFT JOIN diff ON diff.id = diff_id LEFT JOIN text ON text.id = instruction_id
WHERE manifest_id = ? ORDER BY position
"""
_LATEST_CREATED = """
WITH RECURSIVE below (id) AS (
    SELECT id FROM manifest WHERE digest = ?
    UNION
    SELECT index_member.manifest_id FROM below JOIN index_member ON index_id = below.id
)
SELECT MAX(created) FROM below JOIN manifest ON manifest.id = below.id WHERE kind = ?
"""


def facts_of_config(connection: sqlite3.Connection, config: Digest) -> ConfigFacts | None:
    """What a config says that belongs to an image the catalogue has; None if it has none."""
    image = connection.execute(
        _IMAGE_OF_CONFIG, (stored_digest(config), ManifestKind.IMAGE)
    ).fetchone()
    if image is None:
        return None
    key, platform, created = image
    layers = connection.execute(_LAYERS_OF_CONFIG, (key,)).fetchall()
    if any(diff_id is None for diff_id, _ in layers):
        return None
    return ConfigFacts(
        platform=read_optional_text(platform),
        created=created,
        diff_ids=tuple(read_digest(diff_id) for diff_id, _ in layers),
        instructions=tuple(read_optional_text(instruction) for _, instruction in layers),
    )


def created_below(connection: sqlite3.Connection, digest: Digest) -> int | None:
    """When the latest of the images below *digest* that were read was made, if one says so."""
    row = connection.execute(
        _LATEST_CREATED, (stored_digest(digest), ManifestKind.IMAGE)
    ).fetchone()
    created: int | None = row[0]
    return created


def is_read(connection: sqlite3.Connection, digest: Digest) -> bool:
    """Whether the catalogue has this manifest or index whole."""
    found = connection.execute(_KIND, (stored_digest(digest),)).fetchone()
    return found is not None and found[0] is not None


def unread_below(connection: sqlite3.Connection, digest: Digest) -> tuple[UnreadManifest, ...]:
    """The manifests below *digest*, itself included, that the catalogue has not whole."""
    stored = stored_digest(digest)
    found = connection.execute(_KIND, (stored,)).fetchone()
    if found is None:
        return (UnreadManifest(digest=digest),)
    if found[0] in _LEAVES:
        return ()
    return tuple(
        UnreadManifest(
            digest=read_digest(each),
            media_type=read_optional_text(media_type),
            platform=read_optional_text(platform),
        )
        for each, media_type, platform in connection.execute(_UNREAD, (stored,))
    )


def add_image(connection: sqlite3.Connection, keys: Keys, image: ImageRecord) -> None:
    """Write an image or artifact with its layers, in the open transaction."""
    manifest = keys.manifest(image.digest)
    if _is_whole(connection, manifest):
        return
    diff_ids: list[Digest] = []
    for layer in image.layers:
        if layer.diff_id is None:
            break
        diff_ids.append(layer.diff_id)
    chain = keys.chain(diff_ids)
    known_whole = len(chain) == len(image.layers)
    config = image.config
    connection.execute(
        "UPDATE manifest SET kind = ?, media_type_id = ?, size = ?, platform_id = ?, created = ?,"
        " config_id = ?, chain_id = ?, artifact_type_id = ?, subject = ?, base_name_id = ?,"
        " base_digest = ? WHERE id = ?",
        (
            image.kind,
            keys.text(image.media_type),
            image.size,
            keys.optional_text(image.platform),
            image.created,
            None if config is None else keys.blob(config.digest, config.size, config.media_type),
            chain[-1][1] if chain and known_whole else None,
            keys.optional_text(image.artifact_type),
            None if image.subject is None else stored_digest(image.subject),
            keys.optional_text(image.base_name),
            None if image.base_digest is None else stored_digest(image.base_digest),
            manifest,
        ),
    )
    chained: list[tuple[int | None, int | None]] = [*chain]
    for layer in image.layers[len(chain) :]:
        diff_key = None if layer.diff_id is None else keys.diff(layer.diff_id)
        chained.append((diff_key, None))
    connection.execute("DELETE FROM image_layer WHERE manifest_id = ?", (manifest,))
    connection.executemany(
        "INSERT INTO image_layer"
        " (manifest_id, position, blob_id, diff_id, chain_id, instruction_id)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                manifest,
                position,
                keys.blob(layer.digest, layer.size, layer.media_type),
                *chained[position],
                keys.optional_text(layer.instruction),
            )
            for position, layer in enumerate(image.layers)
        ],
    )


def add_index(connection: sqlite3.Connection, keys: Keys, index: IndexRecord) -> None:
    """Write an index, and its members by name, in the open transaction."""
    manifest = keys.manifest(index.digest)
    if _is_whole(connection, manifest):
        return
    connection.execute(
        "UPDATE manifest SET kind = ?, media_type_id = ?, size = ? WHERE id = ?",
        (ManifestKind.INDEX, keys.text(index.media_type), index.size, manifest),
    )
    for position, member in enumerate(index.members):
        key = keys.manifest(member.digest)
        connection.execute(
            "INSERT INTO index_member (index_id, position, manifest_id) VALUES (?, ?, ?)",
            (manifest, position, key),
        )
        connection.execute(
            "UPDATE manifest SET size = ?, media_type_id = ?, platform_id = ?"
            " WHERE id = ? AND kind IS NULL",
            (
                member.size,
                keys.text(member.media_type),
                keys.optional_text(member.platform),
                key,
            ),
        )


def _is_whole(connection: sqlite3.Connection, manifest: int) -> bool:
    row = connection.execute(_KIND_OF_KEY, (manifest,)).fetchone()
    return row[0] is not None
