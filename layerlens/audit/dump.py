"""All that a catalogue knows, as flat records for other engines, read a row at a time.

A record is a row of one of `DUMP_TABLES`: digests, texts and whole numbers; times are seconds
since 1970, sizes bytes, and what is not known is None. Records name each other by digests and
names, never by the catalogue's own keys.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from layerlens.audit.records import ManifestKind
from layerlens.audit.schema import failure_of, open_for_reading
from layerlens.audit.stored_values import (
    Value,
    read_optional_digest,
    read_optional_text,
)
from layerlens.errors import MalformedInput

Cell = str | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpTable:
    """One kind of record: the names of its fields, how each is read, and where from."""

    fields: tuple[tuple[str, Callable[[Value], Cell]], ...]
    statement: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, in their order."""
        return tuple(name for name, _ in self.fields)


def dump(path: Path, tables: Sequence[str]) -> Iterator[tuple[str, Sequence[Cell]]]:
    """The records of these tables, in their order: the table's name, and its fields' values.

    One read of the catalogue, as it was when it began. Raises as ``schema.open_for_reading``, at
    once; MalformedInput, on the way, for a damaged catalogue.
    """
    return _records(path, open_for_reading(path), tables)


def _records(
    path: Path, connection: sqlite3.Connection, tables: Sequence[str]
) -> Iterator[tuple[str, Sequence[Cell]]]:
    try:
        connection.execute("BEGIN")
        for name in tables:
            table = DUMP_TABLES[name]
            readers = [read for _, read in table.fields]
            for row in connection.execute(table.statement):
                yield name, [read(value) for read, value in zip(readers, row, strict=True)]
    except sqlite3.Error as error:
        raise failure_of(path, error) from error
    finally:
        connection.close()


def _number(value: Value) -> int | None:
    if value is None or isinstance(value, int):
        return value
    raise MalformedInput("the catalogue is damaged: a number that is none")


def _text(value: Value) -> Cell:
    return read_optional_text(value)


def _digest(value: Value) -> Cell:
    digest = read_optional_digest(value)
    return None if digest is None else str(digest)


def _content(value: Value) -> Cell:
    if not isinstance(value, bytes):
        raise MalformedInput("the catalogue is damaged: a digest of a wrong length")
    return f"sha256:{value.hex()}"


def _kind(value: Value) -> Cell:
    number = _number(value)
    return None if number is None else ManifestKind(number).name.lower()


_IN_REPOSITORY = (("registry", _text), ("repository", _text))

DUMP_TABLES: Mapping[str, DumpTable] = {
    "run": DumpTable(
        fields=(("scope", _text), ("started", _number), ("finished", _number)),
        statement="SELECT scope, started, finished FROM run ORDER BY id",
    ),
    "registry": DumpTable(
        fields=(("registry", _text), ("listed", _number)),
        statement="SELECT host, listed FROM registry ORDER BY id",
    ),
    "repository": DumpTable(
        fields=(*_IN_REPOSITORY, ("listed", _number), ("removed", _number), ("failure", _text)),
        statement="""
        SELECT host, name, repository.listed, removed, failure
        FROM repository JOIN registry ON registry.id = registry_id ORDER BY repository.id
        """,
    ),
    "tag": DumpTable(
        fields=(
            *_IN_REPOSITORY,
            ("tag", _text),
            ("manifest", _digest),
            ("first_seen", _number),
            ("last_seen", _number),
            ("moved", _number),
            ("resolved", _number),
            ("removed", _number),
        ),
        statement="""
        SELECT host, repository.name, tag.name, digest, first_seen, last_seen, moved, resolved,
            tag.removed
        FROM tag JOIN repository ON repository.id = repository_id
        JOIN registry ON registry.id = registry_id
        LEFT JOIN manifest ON manifest.id = manifest_id ORDER BY tag.id
        """,
    ),
    "tag_history": DumpTable(
        fields=(
            *_IN_REPOSITORY,
            ("tag", _text),
            ("manifest", _digest),
            ("first_seen", _number),
            ("last_seen", _number),
        ),
        statement="""
        SELECT host, repository.name, tag.name, digest, tag_history.first_seen,
            tag_history.last_seen
        FROM tag_history JOIN tag ON tag.id = tag_id
        JOIN repository ON repository.id = repository_id
        JOIN registry ON registry.id = registry_id
        JOIN manifest ON manifest.id = tag_history.manifest_id ORDER BY tag_history.id
        """,
    ),
    "manifest": DumpTable(
        fields=(
            ("digest", _digest),
            ("kind", _kind),
            ("media_type", _text),
            ("size", _number),
            ("platform", _text),
            ("created", _number),
            ("config", _digest),
            ("chain_id", _digest),
            ("artifact_type", _text),
            ("subject", _digest),
            ("base_name", _text),
            ("base_digest", _digest),
        ),
        statement="""
        SELECT manifest.digest, kind, media_type.value, manifest.size, platform.value, created,
            blob.digest, chain.digest, artifact_type.value, subject, base_name.value, base_digest
        FROM manifest
        LEFT JOIN text AS media_type ON media_type.id = manifest.media_type_id
        LEFT JOIN text AS platform ON platform.id = platform_id
        LEFT JOIN blob ON blob.id = config_id
        LEFT JOIN chain ON chain.id = chain_id
        LEFT JOIN text AS artifact_type ON artifact_type.id = artifact_type_id
        LEFT JOIN text AS base_name ON base_name.id = base_name_id ORDER BY manifest.id
        """,
    ),
    "index_member": DumpTable(
        fields=(("index", _digest), ("position", _number), ("manifest", _digest)),
        statement="""
        SELECT list.digest, position, member.digest
        FROM index_member JOIN manifest AS list ON list.id = index_id
        JOIN manifest AS member ON member.id = manifest_id ORDER BY index_id, position
        """,
    ),
    "blob": DumpTable(
        fields=(("digest", _digest), ("size", _number), ("media_type", _text)),
        statement="""
        SELECT digest, size, value FROM blob JOIN text ON text.id = media_type_id ORDER BY blob.id
        """,
    ),
    "image_layer": DumpTable(
        fields=(
            ("manifest", _digest),
            ("position", _number),
            ("blob", _digest),
            ("diff_id", _digest),
            ("chain_id", _digest),
            ("instruction", _text),
        ),
        statement="""
        SELECT manifest.digest, position, blob.digest, diff.digest, chain.digest, text.value
        FROM image_layer JOIN manifest ON manifest.id = manifest_id
        JOIN blob ON blob.id = blob_id
        LEFT JOIN diff ON diff.id = image_layer.diff_id
        LEFT JOIN chain ON chain.id = image_layer.chain_id
        LEFT JOIN text ON text.id = instruction_id ORDER BY manifest_id, position
        """,
    ),
    "layer_listing": DumpTable(
        fields=(
            ("diff_id", _digest),
            ("size", _number),
            ("entries", _number),
            ("files", _number),
            ("empty_files", _number),
            ("bytes", _number),
        ),
        statement="""
        SELECT digest, size, entries, files, empty_files, bytes
        FROM layer_listing JOIN diff ON diff.id = diff_id ORDER BY diff_id
        """,
    ),
    "file": DumpTable(
        fields=(("content", _content), ("size", _number), ("path", _text)),
        statement="SELECT digest, size, path FROM file ORDER BY id",
    ),
    "layer_file": DumpTable(
        fields=(("diff_id", _digest), ("content", _content), ("copies", _number)),
        statement="""
        SELECT diff.digest, file.digest, copies FROM layer_file JOIN diff ON diff.id = diff_id
        JOIN file ON file.id = file_id ORDER BY diff_id, file_id
        """,
    ),
    "failure": DumpTable(
        fields=(
            *_IN_REPOSITORY,
            ("tag", _text),
            ("digest", _digest),
            ("reason", _text),
            ("time", _number),
        ),
        statement="""
        SELECT host, repository.name, tag.name, failure.digest, reason, time
        FROM failure JOIN registry ON registry.id = failure.registry_id
        LEFT JOIN repository ON repository.id = failure.repository_id
        LEFT JOIN tag ON tag.id = failure.tag_id ORDER BY failure.id
        """,
    ),
}
"""The kinds of records by name, in the order they are written."""
