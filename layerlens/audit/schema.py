"""The catalogue's tables, its version, and how its file is opened.

Every digest, text and row of what many images share stands once and is named by an integer. The
layers' DiffIDs are a tree (`chain`): a node is a ChainID, its parent the chain below, so that an
image derives from another exactly when its top is below the other's in the tree.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

from layerlens.errors import LayerlensError, MalformedInput, NotFound, UnsupportedInput
from layerlens.oci.quoting import printable

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x4C4C4155  # "LLAU"
_MAGIC = b"SQLite format 3\0"
_BUSY_SECONDS = 15.0

SCHEMA = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    started INTEGER NOT NULL,
    finished INTEGER,
    state TEXT
);
-- listed: when its list of repositories was last read whole.
CREATE TABLE registry (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL UNIQUE,
    listed INTEGER
);
CREATE TABLE repository (
    id INTEGER PRIMARY KEY,
    registry_id INTEGER NOT NULL REFERENCES registry,
    name TEXT NOT NULL,
    listed INTEGER,
    removed INTEGER,
    failure TEXT,
    queued_run INTEGER REFERENCES run,
    done_run INTEGER REFERENCES run,
    UNIQUE (registry_id, name)
);
-- Long texts that repeat: media types, platforms, instructions. The hash is their index.
CREATE TABLE text (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, value TEXT NOT NULL);
CREATE TABLE blob (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    media_type_id INTEGER NOT NULL REFERENCES text
);
-- kind is NULL while a manifest is only named, by a tag or an index, and was not read.
CREATE TABLE manifest (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    kind INTEGER,
    media_type_id INTEGER REFERENCES text,
    size INTEGER,
    platform_id INTEGER REFERENCES text,
    created INTEGER,
    config_id INTEGER REFERENCES blob,
    chain_id INTEGER REFERENCES chain,
    artifact_type_id INTEGER REFERENCES text,
    subject BLOB,
    base_name_id INTEGER REFERENCES text,
    base_digest BLOB
);
CREATE INDEX manifest_by_config ON manifest (config_id);
CREATE TABLE index_member (
    index_id INTEGER NOT NULL REFERENCES manifest,
    position INTEGER NOT NULL,
    manifest_id INTEGER NOT NULL REFERENCES manifest,
    PRIMARY KEY (index_id, position)
) WITHOUT ROWID;
CREATE TABLE diff (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE);
CREATE TABLE chain (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    parent_id INTEGER REFERENCES chain,
    diff_id INTEGER NOT NULL REFERENCES diff
);
-- chain_id is NULL from the first layer on whose DiffID is not known.
CREATE TABLE image_layer (
    manifest_id INTEGER NOT NULL REFERENCES manifest,
    position INTEGER NOT NULL,
    blob_id INTEGER NOT NULL REFERENCES blob,
    diff_id INTEGER REFERENCES diff,
    chain_id INTEGER REFERENCES chain,
    instruction_id INTEGER REFERENCES text,
    PRIMARY KEY (manifest_id, position)
) WITHOUT ROWID;
CREATE INDEX image_layer_by_blob ON image_layer (blob_id);
-- moved: when it was first seen to lead to manifest_id; resolved: when last.
CREATE TABLE tag (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repository,
    name TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    moved INTEGER,
    resolved INTEGER,
    removed INTEGER,
    manifest_id INTEGER REFERENCES manifest,
    queued_run INTEGER REFERENCES run,
    checked_run INTEGER REFERENCES run,
    UNIQUE (repository_id, name)
);
-- What tags led to before, in the order it was seen.
CREATE TABLE tag_history (
    id INTEGER PRIMARY KEY,
    tag_id INTEGER NOT NULL REFERENCES tag,
    manifest_id INTEGER NOT NULL REFERENCES manifest,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL
);
-- A layer whose tar was read to list its files, by its DiffID, which was verified. size: bytes of
-- the tar; files: regular ones that are not empty, bytes: theirs together.
CREATE TABLE layer_listing (
    diff_id INTEGER PRIMARY KEY REFERENCES diff,
    size INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    files INTEGER NOT NULL,
    empty_files INTEGER NOT NULL,
    bytes INTEGER NOT NULL
);
-- One content of regular files that are not empty: its SHA-256, its size, a path it was met at.
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    path TEXT NOT NULL
);
-- How many files of a layer have a content.
CREATE TABLE layer_file (
    diff_id INTEGER NOT NULL REFERENCES layer_listing,
    file_id INTEGER NOT NULL REFERENCES file,
    copies INTEGER NOT NULL,
    PRIMARY KEY (diff_id, file_id)
) WITHOUT ROWID;
CREATE TABLE failure (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run,
    registry_id INTEGER NOT NULL REFERENCES registry,
    repository_id INTEGER REFERENCES repository,
    tag_id INTEGER REFERENCES tag,
    digest BLOB,
    reason TEXT NOT NULL,
    time INTEGER NOT NULL
);
"""


_COLUMNS = """
SELECT tables.name, columns.name
FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
WHERE tables.type = 'table'
"""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The catalogue at *path*, made with its directories where it is not there.

    Raises UnsupportedInput for another version or another program's database, MalformedInput for
    what is no database, LayerlensError where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _check_start(path)
        connection = _connect(path, "rwc")
    except (OSError, sqlite3.Error) as error:
        raise failure_of(path, error) from error
    try:
        with _closed_on_failure(connection):
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            if _number(connection, "PRAGMA schema_version") == 0:
                for statement in SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            else:
                _check_version(connection, path)
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise failure_of(path, error) from error
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """The catalogue at *path*, which nothing can be written to through it.

    Raises NotFound where there is none, else as ``open_for_writing``.
    """
    if not path.exists():
        raise NotFound(
            f"{printable(str(path))}: there is no such catalogue; 'layerlens audit' makes one"
        )
    try:
        _check_start(path)
        connection = _readable(path)
        with _closed_on_failure(connection):
            _check_version(connection, path)
    except (OSError, sqlite3.Error) as error:
        raise failure_of(path, error) from error
    return connection


def failure_of(path: Path, error: OSError | sqlite3.Error) -> LayerlensError:
    """One line for what went wrong with the file at *path*."""
    where = printable(str(path))
    if isinstance(error, OSError):
        return LayerlensError(f"{where}: {error.strerror or error}")
    if isinstance(error, sqlite3.OperationalError):
        if "locked" in str(error):
            return LayerlensError(f"{where}: another process is writing to it; try again later")
        text = printable(str(error))
        if "unable to open" in text or "readonly" in text:
            return LayerlensError(
                f"{where}: can't be written to ({text}): is it, or its directory, read-only?"
            )
        return LayerlensError(f"{where}: {text}")
    return MalformedInput(f"{where}: {printable(str(error))}")


def _check_start(path: Path) -> None:
    """Raise MalformedInput for a file that is no database: SQLite would write over a short one;
    IsADirectoryError for a directory, which SQLite would call an error of the disk."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
    if start not in {b"", _MAGIC}:
        raise MalformedInput(f"{printable(str(path))}: file is not a database")


def _readable(path: Path) -> sqlite3.Connection:
    connection = _connect(path, "ro")
    try:
        with _closed_on_failure(connection):
            connection.execute("SELECT 1 FROM sqlite_master")
    except sqlite3.OperationalError:
        # In a directory that cannot be written to, a catalogue that no crawl has open can still
        # be read; one with a write-ahead log beside it cannot.
        if path.with_name(path.name + "-wal").exists():
            raise
        connection = _connect(path, "ro&immutable=1")
    return connection


@contextmanager
def _closed_on_failure(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    where = printable(str(path))
    if _number(connection, "PRAGMA application_id") != _APPLICATION_ID:
        raise UnsupportedInput(f"{where}: a database, but not a catalogue of layerlens audit")
    version = _number(connection, "PRAGMA user_version")
    if version == SCHEMA_VERSION and _columns(connection) == _columns_of_this_version():
        return
    found = "with other tables" if version == SCHEMA_VERSION else f"of version {version}"
    raise UnsupportedInput(
        f"{where}: a catalogue {found}, made by another layerlens (this one reads version "
        f"{SCHEMA_VERSION}): move it away and make it again with 'layerlens audit'"
    )


def _columns(connection: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    """Each table's columns, with its name."""
    return frozenset(connection.execute(_COLUMNS))


@cache
def _columns_of_this_version() -> frozenset[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:")) as made:
        made.executescript(SCHEMA)
        return _columns(made)


def _number(connection: sqlite3.Connection, statement: str) -> int:
    (value,) = connection.execute(statement).fetchone()
    return int(value)
