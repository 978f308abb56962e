"""A catalogue's file, open for writing, and its transactions; of its rows nothing is known here."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from layerlens.audit.interning import Keys
from layerlens.audit.schema import open_for_writing
from layerlens.audit.stored_values import Value, stored_text
from layerlens.audit.transaction import Transaction


class CatalogueFile:
    """What all tables of a catalogue have in common."""

    def __init__(self, path: Path) -> None:
        """Open the catalogue at *path*, or make it; raises as ``schema.open_for_writing``."""
        self.path = path
        self._connection = open_for_writing(path)
        self._keys = Keys(self._connection)
        self._lock = threading.RLock()
        self._transaction = Transaction(path, self._connection, self._keys, self._lock)

    def close(self) -> None:
        """Close the file; the methods raise after that."""
        with self._lock:
            self._connection.close()

    def remove(self) -> None:
        """Close the file, and take it away."""
        self.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Commit all that is written in the block at its end, and nothing of it if it raises."""
        return self._transaction

    def _registry(self, host: str) -> int:
        name = stored_text(host)
        self._do("INSERT INTO registry (host) VALUES (?) ON CONFLICT DO NOTHING", name)
        return self._numbers("SELECT id FROM registry WHERE host = ?", name)[0]

    def _do(self, statement: str, *values: Value) -> None:
        self._connection.execute(statement, values)

    def _numbers(self, statement: str, *values: Value) -> tuple[int, ...]:
        """A row of numbers, which is there for certain."""
        row: tuple[int, ...] = self._connection.execute(statement, values).fetchone()
        return row
