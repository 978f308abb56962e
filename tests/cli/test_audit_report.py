import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from audit.recorded import HOST, image, layer, list_tags, repository

from layerlens.analysis.sharing import Identity
from layerlens.audit.catalogue import Catalogue
from layerlens.audit.holdings import open_holdings
from layerlens.audit.repository_shares import ShareOrder
from layerlens.report.audit_report_csv import REPORT_TABLES
from layerlens.report.audit_report_text import report_lines
from layerlens.report.audit_sections import ReportRequest, Section
from layerlens.report.colour import PLAIN
from layerlens.report.safe_text import cells
from layerlens.report.sizes import human_size
from layerlens.report.table_style import TableStyle

from .audit_running import DB, audit_runner, demo_in, document_of, table_of
from .demo_registry import write_demo
from .golden import assert_golden
from .running import Run

TABLE = ["audit", "report", "--table"]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return audit_runner(monkeypatch, capfdbinary, tmp_path)


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    return demo_in(tmp_path)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("audit-report.txt", []),
        ("audit-report-bytes.txt", ["--bytes", "--top", "2", "--by", "diff-id"]),
        ("audit-report.json", ["--json", "--top", "2"]),
        ("audit-report-repositories.csv", ["--csv"]),
    ],
)
def test_it_says_what_it_said_before(golden: str, words: list[str], run: Run) -> None:
    ran = run("audit", "report", *DB, *words)
    assert ran.status == 0, ran.err
    assert_golden(golden, ran.out)


@pytest.mark.parametrize("width", [80, 160])
def test_it_fits_the_terminal(width: int, demo: Path) -> None:
    style = TableStyle(format_size=human_size, palette=PLAIN, width=width, top=5)
    request = ReportRequest(
        sections=frozenset(Section),
        identity=Identity.BLOB_DIGEST,
        order=ShareOrder.EXCLUSIVE,
        top=5,
    )
    with open_holdings(demo, HOST) as holdings:
        lines = "".join(report_lines(holdings, request, style)).splitlines()
    for line in lines:
        assert cells(line) <= width or line.startswith("Last crawled"), line


@pytest.mark.usefixtures("demo")
def test_the_table_csv_and_json_agree(run: Run) -> None:
    document = document_of(run, "audit", "report").object("repositories")
    shares = document.objects("repositories")
    rows = table_of(run, *TABLE, "repositories")
    columns = ("own", "exclusive", "shared", "amortised")
    expected = [
        [share.string("repository"), *(share.integer(c) for c in columns)] for share in shares
    ]
    assert [[row["repository"], *(int(row[c]) for c in columns)] for row in rows] == expected
    text = run("audit", "report", *DB, "--section", "repositories", "--bytes").text()
    shown = [line.split() for line in text.splitlines()[2 : 2 + len(rows)]]
    assert [[cells[0], *map(int, cells[3:])] for cells in shown] == expected
    (by_blob, *_) = document_of(run, "audit", "report").objects("sharing")
    assert sum(share.integer("amortised") for share in shares) == by_blob.integer("stored")


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("table", REPORT_TABLES)
def test_every_csv_table_has_its_columns_and_rows(table: str, run: Run) -> None:
    rows = table_of(run, *TABLE, table)
    assert rows
    assert tuple(rows[0]) == REPORT_TABLES[table].header


@pytest.mark.usefixtures("demo")
def test_only_the_sections_asked_for_are_shown(run: Run) -> None:
    text = run("audit", "report", *DB, "--section", "stale", "--section", "scope").text()
    assert text.startswith("Registry registry.example.com:5000\n")
    assert "images on a stale base" in text
    assert "Percentiles" not in text
    document = document_of(run, "audit", "report", "--section", "stale")
    assert document.optional_object("scope") is None
    assert document.object("stale_images").integer("images") == 4


@pytest.mark.usefixtures("demo")
def test_what_is_not_known_is_said(run: Run) -> None:
    text = run("audit", "report", *DB, "--section", "scope").text()
    assert "1 never followed: not chosen, or failed" in text
    assert "the true ones can only be higher" in text
    assert "/team/batch:broken: 500 Internal Server Error" in text
    assert "Gone since an earlier crawl: 1 tag, 1 repository." in text


@pytest.mark.parametrize("order", ["exclusive", "own", "amortised", "name"])
@pytest.mark.usefixtures("demo")
def test_repositories_are_listed_in_the_order_asked_for(order: str, run: Run) -> None:
    rows = table_of(run, *TABLE, "repositories", "--sort", order)
    if order == "name":
        assert [row["repository"] for row in rows] == sorted(row["repository"] for row in rows)
    else:
        values = [int(row[order]) for row in rows]
        assert values == sorted(values, reverse=True)


@pytest.mark.usefixtures("demo")
def test_recompressed_content_is_one_layer_by_diff_id(run: Run) -> None:
    totals = {
        each.string("by"): each for each in document_of(run, "audit", "report").objects("sharing")
    }
    by_blob, by_diff_id = totals["blob_digest"], totals["diff_id"]
    assert by_blob.integer("layers") - by_diff_id.integer("layers") == 1
    assert by_blob.integer("stored") - by_diff_id.integer("stored") == 55_000_000


def test_hostile_text_reaches_no_terminal(run: Run, tmp_path: Path) -> None:
    evil = "RUN \x1b[31mred\u202e\udcff"
    with Catalogue(tmp_path / "audit.sqlite") as catalogue:
        made = catalogue.start_run("x", now=1)
        where = repository(catalogue, made, "evil\x1b]0;x\x07")
        list_tags(catalogue, made, where, ["\x1b[2J", "b"], now=1)
        one = layer("a", 10, instruction=evil)
        other = layer("b", 10, instruction=evil)
        for tag, name in zip(catalogue.pending_tags(made, where), "xy", strict=True):
            built = replace(image(name, one, other), base_name="\x1b[1mbold")
            catalogue.record_image(built)
            catalogue.record_tag(made, tag, built.digest, now=1)
        catalogue.record_failure(made, HOST, reason="\x1b[5m", now=1, repository=where)
    for form in ([], ["--json"], *(["--csv", "--table", name] for name in REPORT_TABLES)):
        ran = run("audit", "report", *DB, *form)
        assert ran.status == 0, ran.err
        for bad in (b"\x1b", b"\x07", "\u202e".encode()):
            assert bad not in ran.out


def test_an_empty_repository_and_an_empty_image(run: Run, tmp_path: Path) -> None:
    with Catalogue(tmp_path / "audit.sqlite") as catalogue:
        crawl = catalogue.start_run("x", now=1)
        catalogue.queue_repositories(crawl, HOST, ["empty"])
        where = repository(catalogue, crawl, "scratch")
        list_tags(catalogue, crawl, where, ["1"], now=1)
        catalogue.record_image(image("nothing"))
        (tag,) = catalogue.pending_tags(crawl, where)
        catalogue.record_tag(crawl, tag, image("nothing").digest, now=1)
    text = run("audit", "report", *DB).text()
    assert "is not finished" in text
    assert "No layer is held by more than one image" in text
    assert [row["own"] for row in table_of(run, *TABLE, "repositories")] == ["0", "0"]
    (by_blob, *_) = document_of(run, "audit", "report").objects("sharing")
    assert by_blob.optional_string("ratio") is None


def test_the_catalogue_of_a_registry_is_found_by_its_name(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "data" / "layerlens" / "audit" / f"{HOST}.sqlite"
    write_demo(place)
    words = ["audit", "report", "--section", "sharing"]
    assert run(*words).text() == run(*words, HOST).text()


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--table", "stale", *DB], "--table goes with --csv"),
        (["--csv", "--section", "stale", *DB], "--table chooses what is written"),
        (["--top", "0", *DB], "--top: the number must be 1 or more"),
        (["--db", "nowhere"], "nowhere: there is no such catalogue"),
        (["--db", ""], "--db: the name of the file is empty"),
        (["other.example.com", *DB], "nothing of other.example.com is in this catalogue"),
        (["other.example.com"], "other.example.com.sqlite: there is no such catalogue"),
        (["a/b", *DB], "'a/b' is not a registry"),
        ([], "there is no catalogue yet"),
        (["--by", "name", *DB], "invalid choice: 'name'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(words: list[str], message: str, run: Run) -> None:
    ran = run("audit", "report", *words)
    assert ran.status == 2
    assert ran.out == b""
    (line,) = ran.err.splitlines()
    assert line.startswith("layerlens: error: ")
    assert message in line


@pytest.mark.parametrize("part", ["report", "freed", "holders", "dump"])
def test_a_catalogue_of_another_version_is_refused_in_a_line(
    part: str, demo: Path, run: Run
) -> None:
    with closing(sqlite3.connect(demo)) as connection:
        connection.execute("ALTER TABLE registry DROP COLUMN listed")
    named = {"freed": ["a:1"], "holders": ["sha256:" + "0" * 64]}.get(part, [])
    ran = run("audit", part, *named, *DB)
    assert (ran.status, ran.out) == (2, b"")
    assert ran.err.startswith("layerlens: error: audit.sqlite: a catalogue with other tables")
    assert ran.err.count("\n") == 1


def test_a_catalogue_of_several_registries_wants_one_named(run: Run, tmp_path: Path) -> None:
    with Catalogue(tmp_path / "audit.sqlite") as catalogue:
        crawl = catalogue.start_run("x", now=1)
        for host in ("a.example.com", "b.example.com"):
            catalogue.queue_repositories(crawl, host, ["team/app"])
    ran = run("audit", "report", *DB)
    assert ran.status == 2
    assert "name one: a.example.com, b.example.com" in ran.err
    assert run("audit", "report", *DB, "b.example.com").status == 0
