from collections.abc import Callable
from pathlib import Path

import pytest
from archive_forms import archive, docker_skopeo
from image_builder import file, image, layer

from layerlens.oci.json_fields import JsonObject, parse_object

from .golden import ROOT, assert_golden
from .running import Run, runner

DEMO, DEMO_2 = str(ROOT / "fixtures/demo.tar"), str(ROOT / "fixtures/demo-2.tar")
Save = Callable[[bytes], str]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    """Runs in a directory of its own, where no file of rules is but the test's."""
    run = runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return run


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("report-demo-2.md", ["demo-2.tar", "demo.tar", "--max-image-size", "9MB"]),
        ("report-demo.md", ["demo.tar"]),
        ("report-tour.md", ["tour-docker.tar", "odd.tar"]),
    ],
)
def test_it_says_what_it_said_before(
    golden: str, words: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT / "fixtures")
    text = run("report", *words, "--markdown").text()
    before, _, after = text.partition("### Findings\n")  # the advice is held to by its own tests
    assert after.startswith("\n|  | Bytes | Layer | Where | What to do |\n")
    assert_golden(golden, (before + after[after.index("\n\n", 2) :]).encode())


def test_rules_of_the_file_are_judged_and_do_not_change_the_exit_status(run: Run) -> None:
    Path("layerlens.toml").write_text(
        f"[check]\nbaseline = '{DEMO}'\nmax-image-size = 1\nmax-pull-cost = '1MB'\n"
    )
    text = run("report", DEMO_2, "--markdown").text()
    assert "**FAIL: 1 of 2 rules failed**" in text
    assert f"Compared with `{DEMO}`." in text
    assert "### Rules" not in run("report", DEMO_2, "--markdown", "--no-config").text()


def document_of(run: Run, *words: str) -> JsonObject:
    text = run("report", *words, "--json").text()
    assert text.startswith('{\n  "schema_version": 1,\n')
    assert text.isascii()
    return parse_object(text.encode(), "report --json", limit=1 << 24)


def test_the_document_agrees_with_other_commands(run: Run) -> None:
    document = document_of(run, DEMO_2, DEMO, "--max-image-size", "1MB")
    waste = parse_object(run("waste", DEMO_2, "--json").text().encode(), "waste", limit=1 << 24)
    sizes, totals = document.object("sizes"), waste.object("totals")
    assert sizes.integer("files") == totals.integer("bytes")
    assert sizes.integer("dead") == totals.object("dead").integer("bytes")
    assert sizes.integer("live") == sum(
        row.integer("after") for row in document.objects("directories")
    )
    assert sizes.integer("files") == sum(
        layer.integer("bytes") for layer in document.objects("layers")
    )
    shared = parse_object(run("shared", DEMO, DEMO_2, "--json").text().encode(), "shared")
    (pull,) = (
        each
        for each in shared.objects("pulls")
        if (each.optional_integer("source"), each.integer("target")) == (0, 1)
    )
    comparison = document.object("comparison")
    assert comparison.object("pull").integer("bytes") == pull.integer("bytes")
    stat = run("diff", DEMO, DEMO_2, "--stat", "--json").text().encode()
    totals = parse_object(stat, "diff --stat").object("totals")
    changes = comparison.object("changes")
    for key in ("added", "changed", "removed", "added_bytes", "removed_bytes"):
        assert changes.integer(key) == totals.integer(key)
    check = parse_object(run("check", DEMO_2, "--max-image-size=1MB", "--json").out, "check")
    assert document.object("rules").string("verdict") == check.string("verdict") == "FAIL"


def test_the_document_of_one_image_compares_nothing(run: Run) -> None:
    document = document_of(run, DEMO, "--no-config")
    assert not document.has("comparison")
    assert not document.has("rules")
    relations = {layer.optional_string("relation") for layer in document.objects("layers")}
    assert relations == {None}


def test_secrets_are_named_and_never_shown(run: Run, save: Save) -> None:
    leaking = image(
        layer(file("/a", b"x"), created_by="RUN API_TOKEN=hunter2hunter2 ./install"),
        config={"Env": ["DB_PASSWORD=correct-horse-battery"]},
    )
    text = run("report", save(archive(docker_skopeo(leaking))), DEMO, "--markdown").text()
    assert "hunter2" not in text
    assert "correct-horse" not in text
    assert "API_TOKEN" in text
    assert "DB_PASSWORD" in text


def test_a_page_is_written_to_its_file(run: Run) -> None:
    ran = run("report", DEMO_2, DEMO, "--html", "report.html", "--max-image-size", "1MB")
    assert (ran.status, ran.out) == (0, b"")
    page = Path("report.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    assert "FAIL: 1 of 1 rule failed" in page
    both = run("report", DEMO_2, DEMO, "--html", "again.html", "--markdown", "--no-config")
    assert both.text().startswith("## ")
    assert "FAIL" not in Path("again.html").read_text("utf-8")


def test_a_page_is_written_whole_or_not_at_all(run: Run) -> None:
    Path("report.html").write_text("old")
    assert run("report", DEMO, "nowhere.tar", "--html", "report.html").status == 2
    assert Path("report.html").read_text() == "old"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([DEMO], "report: say in which form: --markdown, --json or --html FILE"),
        ([DEMO, "--html", "-"], "--html: name a file"),
        ([DEMO, "--html", "no/such/directory.html"], "no/such/directory.html"),
        ([DEMO, "--html", "a.html", "-o", "b.txt"], "-o takes what --markdown or --json"),
        ([DEMO, "--json", "--html", "a", "-o", "./a"], "-o and --html name one file: a"),
        ([DEMO, "nowhere.tar", "--markdown"], "nowhere.tar"),
        (["-", "-", "--markdown"], "stdin can be read once"),
        ([DEMO, "--markdown", "--max-image-size", "x"], "--max-image-size: 'x' is no size"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(words: list[str], message: str, run: Run) -> None:
    ran = run("report", *words)
    assert (ran.status, ran.out) == (2, b"")
    (line,) = ran.err.splitlines()
    assert line.startswith("layerlens: error: ")
    assert message in line
