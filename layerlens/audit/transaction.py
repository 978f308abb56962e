"""Transactions of a catalogue: one that is begun inside another is part of it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from layerlens.audit.interning import Keys
from layerlens.audit.schema import failure_of
from layerlens.errors import LayerlensError


class Transaction(AbstractContextManager[None]):
    """One for a connection, entered again and again; a class, since a crawl enters it for every
    row, and a generator would take as long as the row.

    Where SQLite fails once, the whole is rolled back, whatever is made of the error inside it.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, keys: Keys, lock: threading.RLock
    ) -> None:
        self._path = path
        self._connection = connection
        self._keys = keys
        self._lock = lock
        self._depth = 0
        self._failure: LayerlensError | None = None

    def __enter__(self) -> None:
        """Begin; raises LayerlensError where the file can't be written."""
        self._lock.acquire()
        try:
            if self._failure is not None:
                raise self._failure
            if not self._depth:
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
            if isinstance(error, sqlite3.Error):
                self._failure = failure_of(self._path, error)
            failure = self._failure
            if self._depth == 0:
                self._failure = None
                self._end(whole=error is None and failure is None)
        finally:
            self._lock.release()
        if failure is not None and (error is None or isinstance(error, sqlite3.Error)):
            raise failure from error

    def _end(self, *, whole: bool) -> None:
        committed = False
        try:
            if whole:
                self._connection.execute("COMMIT")
                committed = True
        except sqlite3.Error as failed:
            raise failure_of(self._path, failed) from failed
        finally:
            if not committed:
                self._keys.forget()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
