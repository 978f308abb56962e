"""Running the parts of ``audit`` on a catalogue of the demo registry."""

import csv
import io
from pathlib import Path

import pytest

from layerlens.oci.json_fields import JsonObject, parse_object

from .demo_registry import write_demo
from .running import Run, runner

DB = ["--db", "audit.sqlite"]


def audit_runner(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    """A function that runs ``layerlens`` in a directory of its own, where ``DB`` may be."""
    run = runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return run


def demo_in(directory: Path) -> Path:
    """The catalogue of the demo registry, as ``DB`` names it there."""
    return write_demo(directory / DB[1])


def document_of(run: Run, *words: str) -> JsonObject:
    """What ``--json`` writes."""
    text = run(*words, *DB, "--json").text()
    assert text.startswith('{\n  "schema_version": 1,\n')
    return parse_object(text.encode(), "a document", limit=1 << 24)


def table_of(run: Run, *words: str) -> list[dict[str, str]]:
    """What ``--csv`` writes, a mapping a row."""
    text = run(*words, *DB, "--csv").text()
    return list(csv.DictReader(io.StringIO(text, newline="")))
