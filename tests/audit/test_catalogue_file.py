"""The catalogue's file: damaged, of another version, somebody else's, or open in two processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from layerlens.audit import location, schema
from layerlens.audit.catalogue import Catalogue
from layerlens.audit.schema import SCHEMA_VERSION, open_for_reading
from layerlens.errors import (
    AmbiguousImage,
    LayerlensError,
    MalformedInput,
    NotFound,
    UnsupportedInput,
    UsageError,
)

from .recorded import HOST, image, layer, rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some" / "where" / "catalogue.sqlite"


def filled(path: Path) -> None:
    with Catalogue(path) as catalogue:
        run = catalogue.start_run("all", now=100)
        catalogue.queue_repositories(run, HOST, ["team/app"])
        catalogue.record_image(image("a", layer("base")))


def test_directories_are_made_and_what_was_written_is_there_again(path: Path) -> None:
    filled(path)
    with Catalogue(path) as again:
        assert again.start_run("all", now=200).started == 100
    with closing(open_for_reading(path)) as reading:
        assert reading.execute("SELECT COUNT(*) FROM image_layer").fetchone() == (1,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reading.execute("DELETE FROM image_layer")


def test_a_catalogue_that_is_not_there_is_not_made_by_reading(path: Path) -> None:
    with pytest.raises(NotFound, match="no such catalogue"):
        open_for_reading(path)
    assert not path.exists()


@pytest.mark.parametrize("version", [0, SCHEMA_VERSION + 1])
def test_another_version_is_refused_and_left_alone(path: Path, version: int) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    for opened in (Catalogue, open_for_reading):
        with pytest.raises(
            UnsupportedInput, match=f"of version {version}, made by another layerlens"
        ):
            opened(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE registry DROP COLUMN listed",
        "ALTER TABLE registry ADD COLUMN colour TEXT",
        "DROP TABLE failure",
    ],
)
def test_other_tables_under_the_same_version_are_refused_in_a_line(path: Path, change: str) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(change)
    before = path.read_bytes()
    for opened in (Catalogue, open_for_reading):
        with pytest.raises(UnsupportedInput, match="with other tables, made by another"):
            opened(path)
    assert path.read_bytes() == before


def test_somebody_elses_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cookies.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cookie (value)")
    before = path.read_bytes()
    for opened in (Catalogue, open_for_reading):
        with pytest.raises(UnsupportedInput, match="not a catalogue"):
            opened(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("data", [b"not a database at all, but long enough to be one" * 50, b"x"])
def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    for opened in (Catalogue, open_for_reading):
        with pytest.raises(LayerlensError, match="file"):
            opened(path)
    assert path.read_bytes() == data


def write_more(path: Path) -> None:
    with Catalogue(path) as catalogue:
        for name in "abcdef":
            catalogue.record_image(image(name, layer(name)))
        catalogue.counts(catalogue.start_run("all", now=1))


def test_damage_is_one_error_and_no_traceback(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    data = bytearray(path.read_bytes())
    data[len(data) // 8 :] = os.urandom(len(data) - len(data) // 8)
    path.write_bytes(data)
    with pytest.raises(MalformedInput):
        write_more(path)


def test_a_digest_of_a_wrong_length_is_damage(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE diff SET digest = x'00'")
    with (
        Catalogue(path) as catalogue,
        pytest.raises(MalformedInput, match="damaged: a digest"),
    ):
        catalogue.facts_of_config(image("a").config.digest)  # type: ignore[union-attr]


def test_a_file_that_cannot_be_made_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LayerlensError, match="file"):
        Catalogue(tmp_path / "file" / "catalogue.sqlite")
    with pytest.raises(LayerlensError, match=f"{tmp_path}: Is a directory"):
        Catalogue(tmp_path)
    with pytest.raises(LayerlensError, match=f"{tmp_path}: Is a directory"):
        open_for_reading(tmp_path)


def test_a_file_that_cannot_be_written_to_is_said_to_be_so(path: Path) -> None:
    filled(path)
    with Catalogue(path) as catalogue:
        catalogue._connection.execute("PRAGMA query_only = ON")  # root may write to any file
        with pytest.raises(LayerlensError, match=r"can't be written to .* read-only\?"):
            filled_further(catalogue)


def test_a_full_disk_takes_nothing_along_with_what_it_kept_from_being_written(path: Path) -> None:
    filled(path)
    with Catalogue(path) as catalogue:
        (pages,) = catalogue._numbers("PRAGMA page_count")
        catalogue._do(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(LayerlensError, match="full"):
            filled_further(catalogue)
        catalogue._do(f"PRAGMA max_page_count = {pages + 1000}")
        filled_further(catalogue)
    assert rows(path, "SELECT COUNT(*) FROM image_layer") == [(201,)]
    assert rows(path, "PRAGMA foreign_key_check") == []


def filled_further(catalogue: Catalogue) -> None:
    """Another image, of many layers."""
    catalogue.record_image(image("b", *(layer(f"{number}") for number in range(200))))


_HOLDING = """
import sys
from pathlib import Path
from layerlens.audit.catalogue import Catalogue
with Catalogue(Path(sys.argv[1])) as catalogue:
    run = catalogue.start_run("theirs", now=5)
    with catalogue.transaction():
        catalogue.queue_repositories(run, "registry.example.com", ["theirs"])
        print("holding", flush=True)
        sys.stdin.read()
"""


def test_of_two_processes_one_writes_and_the_other_reads_or_waits_or_says_why(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDING, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "holding\n"
        with closing(open_for_reading(path)) as reading:
            question = "SELECT name FROM repository"
            assert reading.execute(question).fetchall() == [("team/app",)]
        with monkeypatch.context() as impatient:
            impatient.setattr(schema, "_BUSY_SECONDS", 0.1)
            with pytest.raises(LayerlensError, match="another process is writing"):
                Catalogue(path)
        other.stdin.close()
        with Catalogue(path) as catalogue:  # waits
            catalogue.record_image(image("b", layer("base")))
    assert other.returncode == 0
    assert rows(path, "SELECT name FROM repository") == [("team/app",), ("theirs",)]


def test_it_is_kept_where_the_users_data_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    where = location.default_path("localhost:5000")
    assert where == tmp_path / "layerlens" / "audit" / "localhost:5000.sqlite"
    with pytest.raises(NotFound, match="no catalogue yet"):
        location.only_path()
    filled(where)
    assert location.only_path() == where
    filled(location.default_path("registry.example.com"))
    with pytest.raises(AmbiguousImage, match=r"localhost:5000, registry.example.com"):
        location.only_path()
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert location.default_directory().is_absolute()


@pytest.mark.parametrize("name", ["", "..", "a/b", "../../etc", "a b", "UPPER/../x", "localhost:"])
def test_what_is_no_host_is_no_file_name(name: str) -> None:
    with pytest.raises(UsageError, match="not a registry"):
        location.default_path(name)
