"""Transactions of a catalogue: one that is begun inside another is part of it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from layerlens.audit.interning import Keys
from layerlens.audit.schema import failure_of


class Transaction(AbstractContextManager[None]):
    """One for a connection, entered again and again; a class, since a crawl enters it for every
    row, and a generator would take as long as the row."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, keys: Keys, lock: threading.RLock
    ) -> None:
        self._path = path
        self._connection = connection
        self._keys = keys
        self._lock = lock
        self._depth = 0

    def __enter__(self) -> None:
        """Begin; raises LayerlensError where the file can't be written."""
        self._lock.acquire()
        if not self._depth:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except BaseException as error:
                self._lock.release()
                if isinstance(error, sqlite3.Error):
                    raise failure_of(self._path, error) from error
                raise
        self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Commit what is whole; an error of SQLite's is raised as a LayerlensError."""
        try:
            self._depth -= 1
            if self._depth == 0:
                self._end(error)
        finally:
            self._lock.release()
        if isinstance(error, sqlite3.Error):
            raise failure_of(self._path, error) from error

    def _end(self, error: BaseException | None) -> None:
        try:
            if error is None:
                self._connection.execute("COMMIT")
        except sqlite3.Error as failed:
            raise failure_of(self._path, failed) from failed
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
                self._keys.forget()
