import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
from audit.recorded import HOST, image, layer, list_tags, repository

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.dump import DUMP_TABLES

from .audit_running import DB, audit_runner, demo_in
from .demo_registry import AFTER, APP, BOTH, RECOMPRESSED, SIGNATURE, WHEELS
from .golden import assert_golden
from .running import Run

DUMP = ("audit", "dump")
Record = dict[str, object]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    demo_in(tmp_path)
    return audit_runner(monkeypatch, capfdbinary, tmp_path)


def records_of(run: Run, *words: str) -> list[Record]:
    ran = run(*DUMP, *DB, *words)
    assert ran.status == 0, ran.err
    assert ran.out.isascii()
    return [json.loads(line) for line in ran.out.splitlines()]


def test_it_writes_what_it_wrote_before(run: Run) -> None:
    assert_golden("audit-dump.ndjson", run(*DUMP, *DB).text().encode())


def test_every_record_has_the_fields_that_the_help_names(run: Run) -> None:
    first, *records = records_of(run)
    assert first == {"record": "catalogue", "schema_version": 1}
    assert {str(each["record"]) for each in records} == set(DUMP_TABLES)
    for each in records:
        name = str(each["record"])
        assert tuple(each) == ("record", *DUMP_TABLES[name].names)
    text = " ".join(run(*DUMP, "--help").text().split())
    for name, table in DUMP_TABLES.items():
        assert f"{name}: {', '.join(table.names)}" in text


def test_the_records_are_what_was_crawled(run: Run) -> None:
    tags = {
        f"{each['repository']}:{each['tag']}": each["manifest"]
        for each in records_of(run, "--record", "tag")
        if each["removed"] is None
    }
    assert tags == {
        name: None if root is None else str(root.digest) for name, root in AFTER.items()
    }
    manifests = {each["digest"]: each for each in records_of(run, "--record", "manifest")}
    assert manifests[str(SIGNATURE.digest)]["kind"] == "artifact"
    assert manifests[str(SIGNATURE.digest)]["subject"] == str(APP[0].digest)
    assert manifests[str(BOTH.digest)]["kind"] == "index"
    layers = [
        each["blob"]
        for each in records_of(run, "--record", "image_layer")
        if each["manifest"] == str(APP[1].digest)
    ]
    assert layers == [str(each.digest) for each in APP[1].layers]
    sizes = {each["digest"]: each["size"] for each in records_of(run, "--record", "blob")}
    assert sizes[str(RECOMPRESSED.digest)] == RECOMPRESSED.size


def test_only_the_records_asked_for_are_written(run: Run) -> None:
    records = records_of(run, "--record", "tag_history", "--record", "layer_listing")
    assert [each["record"] for each in records] == ["tag_history"] + ["layer_listing"] * 4
    assert {each.get("diff_id") for each in records} >= {str(WHEELS.diff_id)}


def test_text_that_is_not_utf_8_is_kept_exactly(run: Run, tmp_path: Path) -> None:
    evil = "RUN \x1b[31mred\udcff"
    with Catalogue(tmp_path / "other.sqlite") as catalogue:
        crawl = catalogue.start_run("x", now=1)
        where = repository(catalogue, crawl, "team/app")
        list_tags(catalogue, crawl, where, ["1"], now=1)
        built = replace(image("a", layer("a", instruction=evil)), base_name="\u202e")
        catalogue.record_image(built)
        (tag,) = catalogue.pending_tags(crawl, where)
        catalogue.record_tag(crawl, tag, built.digest, now=1)
    out = run(*DUMP, "--db", "other.sqlite").out
    assert b"\x1b" not in out
    (found,) = (each for each in map(json.loads, out.splitlines()) if "instruction" in each)
    assert found["instruction"] == "RUN \\x1b[31mred\\xff"
    assert base64.b64decode(found["instruction_base64"]) == b"RUN \x1b[31mred\xff"


def test_the_catalogue_of_a_registry_is_found_by_its_name(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "data" / "layerlens" / "audit"
    place.mkdir(parents=True)
    (tmp_path / "audit.sqlite").rename(place / f"{HOST}.sqlite")
    assert run(*DUMP, HOST).text() == run(*DUMP).text()


def test_a_damaged_catalogue_ends_in_one_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "audit.sqlite"
    data = bytearray(path.read_bytes())
    data[8192:] = bytes(len(data) - 8192)
    path.write_bytes(data)
    ran = run(*DUMP, *DB)
    assert ran.status == 2
    (line,) = ran.err.splitlines()
    assert line.startswith("layerlens: error: audit.sqlite: ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--record", "things", *DB], "invalid choice: 'things'"),
        (["--db", "nowhere"], "nowhere: there is no such catalogue"),
        ([HOST, *DB], "name REGISTRY or --db FILE, not both"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(words: list[str], message: str, run: Run) -> None:
    ran = run(*DUMP, *words)
    assert (ran.status, ran.out) == (2, b"")
    (line,) = ran.err.splitlines()
    assert message in line
