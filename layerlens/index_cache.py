"""Layer indexes kept on disk by verified digest, so that a second look costs almost nothing.

Three kinds of records, each a file written whole or not at all: a *reading* (what a layer
holds), a *receipt* (these stored bytes were verified and gave that reading) and a *note* (a small
result that follows from digests alone). A record that is damaged, of another version or not
readable is a miss, and a cache that can't be written to is a slower run, never an error.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import tempfile
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from layerlens.errors import MalformedInput
from layerlens.layer.index_codec import MAGIC, decode_reading
from layerlens.layer.read_layer import LayerFacts, LayerReading
from layerlens.oci.digest import Digest
from layerlens.oci.json_fields import parse_object
from layerlens.streams.decompression import Compression

DEFAULT_MAX_BYTES = 2 << 30

_RECEIPT_WHERE = "cache receipt"
_SWEEP_EVERY = 64 << 20  # bytes written by this process
_SEAL = 32  # bytes of SHA-256 before each record
_TOUCH_AFTER = 3600  # seconds


def default_directory() -> Path:
    """``$XDG_CACHE_HOME/layerlens``, by default ``~/.cache/layerlens`` (macOS: Library/Caches)."""
    base = os.environ.get("XDG_CACHE_HOME")
    if base and os.path.isabs(base):
        return Path(base) / "layerlens"
    home = Path.home()
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "layerlens"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Stored bytes that were verified: what they hold, and the name of their reading."""

    facts: LayerFacts
    reading: str


class IndexCache:
    """The cache in one directory; beyond ``max_bytes`` it forgets what was used longest ago."""

    def __init__(self, directory: Path, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._directory = directory / sha256(MAGIC).hexdigest()[:12]
        self._root = directory
        self._max_bytes = max_bytes
        self._written = 0

    def receipt(self, key: str) -> Receipt | None:
        """The receipt under ``key``, a text that says all that the verification depended on."""
        data = self._read(self._path("receipt", key))
        if data is None:
            return None
        try:
            fields = parse_object(data, _RECEIPT_WHERE)
            facts = LayerFacts(
                diff_id=Digest.parse(fields.string("diff_id")),
                size=fields.integer("size"),
                entries=fields.integer("entries"),
                warnings=fields.strings("warnings"),
                compression=Compression(fields.string("compression")),
                stored_size=fields.integer("stored_size"),
                closed=fields.boolean("closed", default=False),
            )
            return Receipt(facts, fields.string("reading"))
        except (MalformedInput, ValueError):
            return None

    def reading(self, receipt: Receipt) -> LayerReading | None:
        """The reading that a receipt stands for, unless it is damaged or was forgotten."""
        data = self._read(self._path("reading", receipt.reading))
        if data is None:
            return None
        try:
            reading = decode_reading(data)
        except MalformedInput:
            return None
        return reading if reading.facts() == receipt.facts else None

    def store(self, keys: tuple[str, ...], facts: LayerFacts, encoded: bytes) -> None:
        """Keep a reading, as ``encode_reading`` gives it, and a receipt for it under each key."""
        name = f"{facts.diff_id} {facts.compression.value} {facts.stored_size}"
        if self._write(self._path("reading", name), encoded):
            for key in keys:
                self.add_receipt(key, Receipt(facts, name))

    def add_receipt(self, key: str, receipt: Receipt) -> None:
        """Know a reading by one more key."""
        facts = receipt.facts
        fields = {
            "diff_id": str(facts.diff_id),
            "size": facts.size,
            "entries": facts.entries,
            "warnings": list(facts.warnings),
            "compression": facts.compression.value,
            "stored_size": facts.stored_size,
            "closed": facts.closed,
            "reading": receipt.reading,
        }
        self._write(self._path("receipt", key), json.dumps(fields).encode())

    def note(self, key: str) -> bytes | None:
        """The note under ``key``, a text that names the question and every digest it rests on."""
        return self._read(self._path("note", key))

    def add_note(self, key: str, data: bytes) -> None:
        """Keep a small result."""
        self._write(self._path("note", key), data)

    def _path(self, kind: str, key: str) -> Path:
        name = sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
        return self._directory / name[:2] / f"{name}.{kind}"

    def _read(self, path: Path) -> bytes | None:
        try:
            # a pipe in a record's place would keep open() waiting
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
                facts = os.fstat(file.fileno())
                if not stat.S_ISREG(facts.st_mode) or facts.st_size > self._max_bytes:
                    return None
                data = file.read()
            if sha256(data[_SEAL:]).digest() != data[:_SEAL]:
                return None
            _touch(path)
        except OSError:
            return None
        return data[_SEAL:]

    def _write(self, path: Path, data: bytes) -> bool:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with open(descriptor, "wb") as file:
                    file.write(sha256(data).digest())
                    file.write(data)
                os.replace(temporary, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
        except OSError:
            return False
        self._written += len(data)
        if self._written >= _SWEEP_EVERY:
            self._written = 0
            self.sweep()
        return True

    def sweep(self) -> None:
        """Forget what was used longest ago until the cache is within its bounds."""
        files: list[tuple[float, int, Path]] = []
        for path in self._root.glob("*/*/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        excess = sum(size for _, size, _ in files) - self._max_bytes
        for _, size, path in sorted(files, key=lambda file: file[0]):
            if excess <= 0:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                excess -= size


def _touch(path: Path) -> None:
    """Mark a record as used, once an hour at most."""
    if time.time() - path.stat().st_mtime > _TOUCH_AFTER:
        os.utime(path)
