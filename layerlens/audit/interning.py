"""Integer keys for digests and texts: each is written once, whoever names it again.

The keys used last are remembered, since what images share is asked for over and over.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from layerlens.audit.stored_values import Value, stored_digest, stored_text, text_hash
from layerlens.oci.digest import Digest, chain_ids

_REMEMBERED = 1 << 16


class Keys:
    """The keys of one catalogue, made where they are missing, in the open transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._remembered: dict[tuple[str, bytes], int] = {}

    def forget(self) -> None:
        """A transaction was rolled back: what was remembered may not be there."""
        self._remembered.clear()

    def text(self, text: str) -> int:
        """The key of a text."""
        value = stored_text(text)
        unique = text_hash(value)
        found = self._find("text", "hash", unique)
        return found or self._add("text", unique, {"hash": unique, "value": value})

    def optional_text(self, text: str | None) -> int | None:
        """As ``text``; None stays None."""
        return None if text is None else self.text(text)

    def blob(self, digest: Digest, size: int, media_type: str) -> int:
        """The key of a blob; the size and media type it was first listed with stay."""
        unique = stored_digest(digest)
        found = self._find("blob", "digest", unique)
        if found:
            return found
        columns: dict[str, Value] = {
            "digest": unique,
            "size": size,
            "media_type_id": self.text(media_type),
        }
        return self._add("blob", unique, columns)

    def manifest(self, digest: Digest) -> int:
        """The key of a manifest or index, which need not have been read yet."""
        unique = stored_digest(digest)
        return self._find("manifest", "digest", unique) or self._add(
            "manifest", unique, {"digest": unique}
        )

    def diff(self, diff_id: Digest) -> int:
        """The key of a DiffID."""
        unique = stored_digest(diff_id)
        return self._find("diff", "digest", unique) or self._add("diff", unique, {"digest": unique})

    def chain(self, diff_ids: Sequence[Digest]) -> list[tuple[int, int]]:
        """For each DiffID, lowest first, its key and that of the ChainID it completes."""
        keys: list[tuple[int, int]] = []
        parent: int | None = None
        for diff_id, chain_id in zip(diff_ids, chain_ids(diff_ids), strict=True):
            diff = self.diff(diff_id)
            unique = stored_digest(chain_id)
            parent = self._find("chain", "digest", unique) or self._add(
                "chain", unique, {"digest": unique, "parent_id": parent, "diff_id": diff}
            )
            keys.append((diff, parent))
        return keys

    def _find(self, table: str, column: str, unique: bytes) -> int | None:
        known = self._remembered.get((table, unique))
        if known is not None:
            return known
        row = self._connection.execute(
            f"SELECT id FROM {table} WHERE {column} = ?",  # noqa: S608 - names of our own
            (unique,),
        ).fetchone()
        return None if row is None else self._remember(table, unique, int(row[0]))

    def _add(self, table: str, unique: bytes, columns: dict[str, Value]) -> int:
        marks = ", ".join("?" * len(columns))
        cursor = self._connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 - as above
            tuple(columns.values()),
        )
        assert cursor.lastrowid is not None
        return self._remember(table, unique, cursor.lastrowid)

    def _remember(self, table: str, unique: bytes, key: int) -> int:
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[table, unique] = key
        return key
