from pathlib import Path

import pytest
from audit.recorded import HOST

from layerlens.audit.catalogue import Catalogue
from layerlens.report.audit_freed_text import FREED_TABLES

from .audit_running import DB, audit_runner, demo_in, document_of, table_of
from .demo_registry import APP, OS, WHEELS, write_demo
from .golden import assert_golden
from .running import Run

FREED = ("audit", "freed")


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    demo_in(tmp_path)
    return audit_runner(monkeypatch, capfdbinary, tmp_path)


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("audit-freed.txt", ["--keep-newest", "1"]),
        ("audit-freed.json", ["team/app:1.0", "team/app:1.1", "--json"]),
        ("audit-freed-tags.csv", ["--repo", "team/*", "--csv"]),
    ],
)
def test_it_says_what_it_said_before(golden: str, words: list[str], run: Run) -> None:
    ran = run(*FREED, *DB, *words)
    assert ran.status == 0, ran.err
    assert_golden(golden, ran.out)


def test_an_image_that_two_tags_lead_to_stays_with_one_of_them(run: Run) -> None:
    one = document_of(run, *FREED, "team/app:1.2")
    assert (one.integer("freed_bytes"), one.integer("images")) == (0, 0)
    both = document_of(run, *FREED, "team/app:1.2", "team/app:latest")
    code, config, manifest = 1_000_002, 200, 500
    assert both.integer("freed_bytes") == code + config + manifest
    assert [each.integer("alone") for each in both.objects("tags")] == [0, 0]


def test_a_signature_goes_with_what_it_signs(run: Run) -> None:
    document = document_of(run, *FREED, "team/app:1.0")
    assert document.integer("artifacts") == 1
    blobs = {each.string("digest"): each for each in document.objects("gone_blobs")}
    assert {each.string("role") for each in blobs.values()} == {"layer", "config", "artifact"}
    assert str(OS.digest) not in blobs
    assert document.object("layers_kept").integer("count") == 4
    gone = {each.string("digest") for each in document.objects("gone_manifests")}
    assert str(APP[0].digest) in gone
    assert len(gone) == 2


def test_signatures_under_tags_of_their_own_go_when_asked(run: Run, tmp_path: Path) -> None:
    with Catalogue(tmp_path / "audit.sqlite") as catalogue:
        crawl = catalogue.start_run("more", now=2_000_000_000)
        catalogue.queue_repositories(crawl, HOST, ["team/app"])
        (where,) = catalogue.pending_repositories(crawl)
        name = f"sha256-{APP[0].digest.hex}.sig"
        catalogue.add_tags(crawl, where, [name], now=2_000_000_000)
        (tag,) = (each for each in catalogue.pending_tags(crawl, where) if each.name == name)
        catalogue.record_tag(crawl, tag, APP[1].digest, now=2_000_000_000)
    words = (*FREED, "team/app:1.0", "team/app:1.1")
    assert document_of(run, *words).integer("signature_tags") == 1
    text = " ".join(run(*words, *DB).text().split())
    assert "1 tag with signatures of what goes would be left; --signatures counts" in text
    both = document_of(run, *words, "--signatures")
    assert (both.integer("signature_tags"), both.integer("deleted_tags")) == (0, 3)
    assert both.integer("freed_bytes") > document_of(run, *words).integer("freed_bytes")


def test_all_of_a_registry_frees_all_of_it(run: Run) -> None:
    document = document_of(run, *FREED, "--tags", "*")
    report = document_of(run, "audit", "report")
    (by_blob, *_) = report.objects("sharing")
    scope = report.object("scope")
    assert document.object("layers").integer("bytes") == by_blob.integer("stored")
    assert document.integer("freed_bytes") == (
        by_blob.integer("stored")
        + scope.integer("other_blob_bytes")
        + scope.integer("manifest_bytes")
    )


def test_table_csv_and_json_agree(run: Run) -> None:
    words = (*FREED, "--repo", "*", "--keep-newest", "0")
    document = document_of(run, *words)
    rows = table_of(run, *words)
    expected = [
        (
            each.string("repository"),
            each.string("tag"),
            *(each.integer(name) for name in ("size", "alone")),
        )
        for each in document.objects("tags")
    ]
    assert [
        (row["repository"], row["tag"], int(row["size"]), int(row["alone"])) for row in rows
    ] == expected
    shown = run(*words, *DB, "--bytes").text().splitlines()[-len(rows) :]
    assert [(f"{repository}:{tag}", size, alone) for repository, tag, size, alone in expected] == [
        (line.split()[3], int(line.split()[1]), int(line.split()[0])) for line in shown
    ]
    assert f"frees {document.integer('freed_bytes')}" in run(*words, *DB, "--bytes").text()


@pytest.mark.parametrize("table", FREED_TABLES)
def test_every_csv_table_has_its_columns_and_rows(table: str, run: Run) -> None:
    rows = table_of(run, *FREED, "--tags", "*", "--table", table)
    assert rows
    assert tuple(rows[0]) == FREED_TABLES[table].header


def test_what_is_not_known_makes_it_an_upper_bound(run: Run) -> None:
    text = run(*FREED, *DB, "team/app:1.0").text()
    assert "may hold some of that: 1 tag never followed" in " ".join(text.split())
    assert not document_of(run, *FREED, "team/app:1.0").boolean("is_whole", default=True)


def test_what_was_not_named_to_the_crawl_may_hold_it_too(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "named.sqlite"
    with Catalogue(path) as catalogue:
        crawl = catalogue.start_run("named", now=1)
        catalogue.queue_repositories(crawl, HOST, ["team/app"])
        (where,) = catalogue.pending_repositories(crawl)
        catalogue.add_tags(crawl, where, ["1.0"], now=1)
        (tag,) = catalogue.pending_tags(crawl, where)
        catalogue.record_image(APP[0])
        catalogue.record_tag(crawl, tag, APP[0].digest, now=1)
        catalogue.finish_run(crawl, now=1)
    text = " ".join(run(*FREED, "--db", str(path), "team/app:1.0").text().split())
    assert "AT MOST" in text
    assert "repositories that were not named to the crawl, other tags of 1 repository." in text
    text = " ".join(run("audit", "report", "--db", str(path)).text().split())
    assert "The registry's list of repositories was not read" in text
    assert "1 of which only named tags are known" in text


def test_nothing_chosen_is_nothing_freed(run: Run) -> None:
    assert run(*FREED, *DB, "--tags", "none*").text().startswith("No tag is chosen")
    document = document_of(run, *FREED, "--tags", "none*")
    assert (document.integer("freed_bytes"), document.objects("tags")) == (0, ())


def test_the_registry_of_a_reference_finds_its_catalogue(run: Run, tmp_path: Path) -> None:
    for host in (HOST, "other.example.com"):
        write_demo(tmp_path / "data" / "layerlens" / "audit" / f"{host}.sqlite")
    text = run(*FREED, f"{HOST}/team/app:1.0").text()
    assert text == run(*FREED, "--registry", HOST, "team/app:1.0").text()
    ran = run(*FREED, "team/app:1.0")
    assert ran.status == 2
    assert "there are catalogues of several registries, name one" in ran.err
    ran = run(*FREED, f"{HOST}/team/app:1.0", "other.example.com/team/app:1.0")
    assert "these are of several registries" in ran.err


def test_the_registry_of_a_reference_is_found_in_a_catalogue_of_several(
    run: Run, tmp_path: Path
) -> None:
    with Catalogue(tmp_path / DB[1]) as catalogue:
        crawl = catalogue.start_run("other", now=1)
        catalogue.queue_repositories(crawl, "other.example.com", ["team/app"])
    text = run(*FREED, *DB, f"{HOST}/team/app:1.0").text()
    assert text == run(*FREED, *DB, "--registry", HOST, "team/app:1.0").text()
    assert "name one" in run(*FREED, *DB, "team/app:1.0").err
    assert (
        "these are of several registries"
        in run(*FREED, *DB, f"{HOST}/team/app:1.0", "other.example.com/team/app:1.0").err
    )


def test_a_tag_that_is_named_with_a_digest_must_lead_there(run: Run) -> None:
    digest = APP[0].digest
    named = document_of(run, *FREED, f"team/app:1.0@{digest}")
    assert [each.string("tag") for each in named.objects("tags")] == ["1.0"]
    ran = run(*FREED, *DB, f"team/app:1.1@{digest}")
    assert ran.status == 2
    assert "no such tag in the catalogue" in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name tags, or choose them"),
        (["team/app:1.0", "--tags", "*"], "either named, or chosen by rules"),
        (["--older-than", "soon"], "'soon' is no age"),
        (["--keep-newest", "-1"], "--keep-newest: the number must be 0 or more"),
        (["--tags", "*", "--table", "blobs"], "--table goes with --csv"),
        (["--tags", "*", "--top", "0"], "--top: the number must be 1 or more"),
        (["team/app"], "names no tag"),
        (["team/batch:broken"], "did not follow this tag"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(words: list[str], message: str, run: Run) -> None:
    ran = run(*FREED, *DB, *words)
    assert ran.status == 2
    assert ran.out == b""
    (line,) = ran.err.splitlines()
    assert line.startswith("layerlens: error: ")
    assert message in line


def test_a_layer_that_stays_is_told(run: Run) -> None:
    text = run(*FREED, *DB, "--repo", "team/app").text()
    assert "that the tags lead to stay" in text
    gone = {
        row["digest"] for row in table_of(run, *FREED, "--repo", "team/app", "--table", "blobs")
    }
    assert str(WHEELS.digest) in gone
