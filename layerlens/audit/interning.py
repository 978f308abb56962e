"""Integer keys for digests and texts: each is written once, whoever names it again.

The keys used last are remembered, since what images share is asked for over and over.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from layerlens.audit.stored_values import (
    Value,
    read_text,
    stored_digest,
    stored_text,
    text_hash,
)
from layerlens.oci.digest import Digest, chain_ids
from layerlens.oci.media_types import may_be_elsewhere

_REMEMBERED = 1 << 16


class Keys:
    """The keys of one catalogue, made where they are missing, in the open transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._remembered: dict[tuple[str, bytes], int] = {}
        self._elsewhere: set[int] = set()

    def forget(self) -> None:
        """A transaction was rolled back: what was remembered may not be there."""
        self._remembered.clear()
        self._elsewhere.clear()

    def text(self, text: str) -> int:
        """The key of a text."""
        value = stored_text(text)
        unique = text_hash(value)
        return self._known("text", unique) or self._key(
            "text", "hash", unique, {"hash": unique, "value": value}
        )

    def optional_text(self, text: str | None) -> int | None:
        """As ``text``; None stays None."""
        return None if text is None else self.text(text)

    def blob(self, digest: Digest, size: int, media_type: str) -> int:
        """The key of a blob; the size and media type it was first listed with stay, but a type by
        which registries need not hold it only until it is listed by another."""
        unique = stored_digest(digest)
        known = self._known("blob", unique)
        if known is not None and known not in self._elsewhere:
            return known
        key = known or self._key(
            "blob",
            "digest",
            unique,
            {"digest": unique, "size": size, "media_type_id": self.text(media_type)},
        )
        if may_be_elsewhere(media_type):
            self._elsewhere.add(key)
        else:
            self._elsewhere.discard(key)
            self._hold(key, media_type)
        return key

    def _hold(self, blob: int, media_type: str) -> None:
        """The registry must hold the blob, whatever it was listed as before."""
        (listed,) = self._connection.execute(
            "SELECT value FROM blob JOIN text ON text.id = media_type_id WHERE blob.id = ?", (blob,)
        ).fetchone()
        if may_be_elsewhere(read_text(listed)):
            self._connection.execute(
                "UPDATE blob SET media_type_id = ? WHERE id = ?", (self.text(media_type), blob)
            )

    def manifest(self, digest: Digest) -> int:
        """The key of a manifest or index, which need not have been read yet."""
        return self._digest("manifest", digest)

    def diff(self, diff_id: Digest) -> int:
        """The key of a DiffID."""
        return self._digest("diff", diff_id)

    def chain(self, diff_ids: Sequence[Digest]) -> list[tuple[int, int]]:
        """For each DiffID, lowest first, its key and that of the ChainID it completes."""
        keys: list[tuple[int, int]] = []
        parent: int | None = None
        for diff_id, chain_id in zip(diff_ids, chain_ids(diff_ids), strict=True):
            diff = self.diff(diff_id)
            unique = stored_digest(chain_id)
            parent = self._known("chain", unique) or self._key(
                "chain",
                "digest",
                unique,
                {"digest": unique, "parent_id": parent, "diff_id": diff},
            )
            keys.append((diff, parent))
        return keys

    def _digest(self, table: str, digest: Digest) -> int:
        unique = stored_digest(digest)
        return self._known(table, unique) or self._key(table, "digest", unique, {"digest": unique})

    def _known(self, table: str, unique: bytes) -> int | None:
        return self._remembered.get((table, unique))

    def _key(self, table: str, column: str, unique: bytes, columns: Mapping[str, Value]) -> int:
        """The key of a row that may be there; tried as a new one first, as most are in a crawl."""
        marks = ", ".join("?" * len(columns))
        cursor = self._connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - own names
            " ON CONFLICT DO NOTHING",
            tuple(columns.values()),
        )
        if cursor.rowcount:
            assert cursor.lastrowid is not None
            return self._remember(table, unique, cursor.lastrowid)
        row = self._connection.execute(
            f"SELECT id FROM {table} WHERE {column} = ?",  # noqa: S608 - as above
            (unique,),
        ).fetchone()
        return self._remember(table, unique, int(row[0]))

    def _remember(self, table: str, unique: bytes, key: int) -> int:
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[table, unique] = key
        return key
