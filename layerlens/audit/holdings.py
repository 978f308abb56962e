"""What the tags of one registry lead to, gathered from its catalogue for the measures to ask.

A tag leads to its manifest, to what an index lists, and to the artifacts whose subject it leads to
(signatures, attestations). What nothing leads to is not there: a registry may still store it.

The tables are temporary, made once in one read of the catalogue, so that all figures of a report
agree even while a crawl writes. Places are numbers in the order of names:

- ``live_repository (place, id)``, ``live_tag (place, id, repository, manifest_id)``: what the
  registry has; a tag that was never resolved is not among them;
- ``reach (manifest_id, root)``: the manifest is led to by tags of ``root``;
- ``live_image (id)``: the images among them, each once, whoever tags it;
- ``foreign_blob (id)``: layers that a registry need not hold (foreign, not distributable);
- ``stored_blob (id, digest, size)``: every blob, those of ``foreign_blob`` with no bytes.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from layerlens.audit.records import ManifestKind
from layerlens.audit.schema import failure_of, open_for_reading
from layerlens.audit.stored_values import Value, read_text, stored_text
from layerlens.errors import AmbiguousImage, NotFound
from layerlens.oci.media_types import is_layer, may_be_elsewhere
from layerlens.oci.quoting import printable

_REPOSITORIES = """
INSERT INTO temp.live_repository (id)
SELECT id FROM repository WHERE registry_id = ? AND removed IS NULL ORDER BY name
"""
_TAGS = """
INSERT INTO temp.live_tag (id, repository, manifest_id)
SELECT tag.id, live_repository.place, manifest_id
FROM live_repository JOIN tag ON tag.repository_id = live_repository.id
WHERE tag.removed IS NULL AND manifest_id IS NOT NULL
ORDER BY live_repository.place, tag.name
"""
_CHILDREN = """
INSERT OR IGNORE INTO temp.child (parent, id)
SELECT index_id, manifest_id FROM index_member
UNION ALL
SELECT described.id, artifact.id
FROM manifest AS artifact JOIN manifest AS described ON described.digest = artifact.subject
WHERE artifact.subject IS NOT NULL
"""
_REACH = """
WITH RECURSIVE below (root, id) AS (
    SELECT DISTINCT manifest_id, manifest_id FROM temp.live_tag
    UNION
    SELECT below.root, child.id FROM below JOIN temp.child ON child.parent = below.id
)
INSERT INTO temp.reach (manifest_id, root) SELECT id, root FROM below ORDER BY id, root
"""
_IMAGES = """
INSERT INTO temp.live_image (id)
SELECT DISTINCT manifest_id FROM temp.reach JOIN manifest ON manifest.id = manifest_id
WHERE kind = ?
"""
_TABLES = (
    "CREATE TEMP TABLE live_repository (place INTEGER PRIMARY KEY, id INTEGER)",
    "CREATE TEMP TABLE live_tag"
    " (place INTEGER PRIMARY KEY, id INTEGER, repository INTEGER, manifest_id INTEGER)",
    "CREATE TEMP TABLE child (parent INTEGER, id INTEGER, PRIMARY KEY (parent, id)) WITHOUT ROWID",
    "CREATE TEMP TABLE reach"
    " (manifest_id INTEGER, root INTEGER, PRIMARY KEY (manifest_id, root)) WITHOUT ROWID",
    "CREATE TEMP TABLE live_image (id INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE foreign_blob (id INTEGER PRIMARY KEY)",
    """
    CREATE TEMP VIEW stored_blob AS SELECT id, digest,
        CASE WHEN id IN (SELECT id FROM temp.foreign_blob) THEN 0 ELSE size END AS size
    FROM blob
    """,
)
_TAG_INDEX = "CREATE INDEX temp.live_tag_by_manifest ON live_tag (manifest_id, place)"
_FOREIGN_TYPES = """
SELECT id, value FROM text WHERE value LIKE '%.foreign.%' OR value LIKE '%.nondistributable.%'
"""
_FOREIGN_BLOBS = "INSERT INTO temp.foreign_blob SELECT id FROM blob WHERE media_type_id = ?"
_TAG_NAME = """
SELECT repository.name, tag.name FROM repository JOIN tag ON tag.repository_id = repository.id
WHERE tag.id = ?
"""
_IMAGE_NAME = """
SELECT repository.name, tag.name
FROM temp.reach JOIN temp.live_tag ON live_tag.manifest_id = root
JOIN tag USING (id) JOIN repository ON repository.id = repository_id
WHERE reach.manifest_id = ? ORDER BY live_tag.place LIMIT 1
"""
_STEPS_BETWEEN = 1_000_000  # of SQLite's machine: some 10 ms
_TEMPORARY_CACHE_KIB = 32 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TagName:
    """A tag and its repository, without the registry's host."""

    repository: str
    tag: str

    def __str__(self) -> str:
        """As people write it; an image that was asked for by digest has that for a tag."""
        colon = "" if self.tag.startswith("@") else ":"
        return f"{self.repository}{colon}{self.tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """One registry of a catalogue, read as it was at one moment."""

    path: Path
    connection: sqlite3.Connection
    registry: str
    registry_key: int

    def number(self, statement: str, *values: Value) -> int:
        """The one number that a statement gives; 0 where it gives NULL."""
        (value,) = self.connection.execute(statement, values).fetchone()
        return int(value or 0)

    def has_table(self, name: str) -> bool:
        """Whether a measure has made its temporary table."""
        return bool(self.number("SELECT COUNT(*) FROM temp.sqlite_master WHERE name = ?", name))

    def tag_name(self, tag: int) -> TagName:
        """The name of a tag, by its key."""
        return _tag_name(self.connection.execute(_TAG_NAME, (tag,)).fetchone())

    def image_name(self, manifest: int) -> TagName | None:
        """The first tag, by name, that leads to a manifest; None where no tag does."""
        found = self.connection.execute(_IMAGE_NAME, (manifest,)).fetchone()
        return None if found is None else _tag_name(found)


@contextlib.contextmanager
def open_holdings(path: Path, registry: str | None) -> Iterator[Holdings]:
    """What the tags of *registry* lead to; where the catalogue has only one, it can be None.

    Raises NotFound for a registry that the catalogue has not, AmbiguousImage where it has several
    and none is named, and what ``schema.open_for_reading`` raises; KeyboardInterrupt, also in the
    midst of a question.
    """
    connection = open_for_reading(path)
    try:
        connection.execute(f"PRAGMA temp.cache_size = -{_TEMPORARY_CACHE_KIB}")
        connection.set_progress_handler(_keep_going, _STEPS_BETWEEN)
        connection.execute("BEGIN")
        key, host = _chosen_registry(connection, path, registry)
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(_REPOSITORIES, (key,))
        connection.execute(_TAGS)
        connection.execute(_TAG_INDEX)
        connection.execute(_CHILDREN)
        connection.execute(_REACH)
        connection.execute(_IMAGES, (ManifestKind.IMAGE,))
        for text, value in connection.execute(_FOREIGN_TYPES).fetchall():
            if is_layer(media_type := read_text(value)) and may_be_elsewhere(media_type):
                connection.execute(_FOREIGN_BLOBS, (text,))
        yield Holdings(path=path, connection=connection, registry=host, registry_key=key)
    except sqlite3.OperationalError as error:
        if str(error) == "interrupted":
            raise KeyboardInterrupt from error
        raise failure_of(path, error) from error
    except sqlite3.Error as error:
        raise failure_of(path, error) from error
    finally:
        connection.close()


def registries_in(path: Path) -> frozenset[str]:
    """The registries that the catalogue at *path* knows; raises as ``open_for_reading``."""
    connection = open_for_reading(path)
    try:
        rows = connection.execute("SELECT host FROM registry").fetchall()
    except sqlite3.Error as error:
        raise failure_of(path, error) from error
    finally:
        connection.close()
    return frozenset(read_text(host) for (host,) in rows)


def _keep_going() -> int:
    """Called in the midst of a question, so that it can be interrupted: what a signal raises here
    ends the question as interrupted."""
    return 0


def _tag_name(row: tuple[Value, Value]) -> TagName:
    repository, name = row
    return TagName(repository=read_text(repository), tag=read_text(name))


def _chosen_registry(
    connection: sqlite3.Connection, path: Path, registry: str | None
) -> tuple[int, str]:
    where = printable(str(path))
    if registry is not None:
        found = connection.execute(
            "SELECT id FROM registry WHERE host = ?", (stored_text(registry),)
        ).fetchone()
        if found is None:
            raise NotFound(f"{where}: nothing of {printable(registry)} is in this catalogue")
        return int(found[0]), registry
    rows = connection.execute("SELECT id, host FROM registry ORDER BY host").fetchall()
    if not rows:
        raise NotFound(f"{where}: this catalogue is empty; 'layerlens audit' fills it")
    if len(rows) > 1:
        names = ", ".join(printable(read_text(host)) for _, host in rows)
        raise AmbiguousImage(f"{where}: a catalogue of several registries, name one: {names}")
    ((key, host),) = rows
    return int(key), read_text(host)
