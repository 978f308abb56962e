import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from archive_forms import archive, docker_skopeo, oci_layout
from image_builder import file, image, layer, whiteout
from report.judgements import ALL_SORTS
from report.junit_schema import checked_junit
from report.sarif_schema import checked_sarif

from layerlens.analysis.waste import Waste
from layerlens.analysis.written_layer import WrittenLayer
from layerlens.cli import checked_subject
from layerlens.oci.json_fields import JsonObject, parse_object
from layerlens.report.check_table import check_lines
from layerlens.report.colour import PLAIN
from layerlens.report.safe_text import cells
from layerlens.report.sizes import human_size

from .golden import ROOT, assert_golden
from .running import Run, runner
from .small_images import file as member
from .small_images import oci_layout as small_layout
from .small_images import tar

Save = Callable[[bytes], str]

DEMO, DEMO_2 = str(ROOT / "fixtures/demo.tar"), str(ROOT / "fixtures/demo-2.tar")
RULES = [
    "--max-image-size=9MB",
    "--max-compressed-size=1MB",
    "--max-layer-size=3.5MB",
    "--max-user-size=1MB",
    "--max-dead-bytes=5MB",
    "--min-live-share=90%",
    "--max-growth=1MB",
    "--max-growth-percent=1",
    "--max-pull-cost=50kB",
    "--forbidden-files=*.whl",
    "--allowed-setuid=/usr/bin/su",
    "--lowestEfficiency=0.72",
    "--highestWastedBytes=20MB",
    "--highestUserWastedPercent=off",
]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    """Runs in a directory of its own, where no file of rules is but the test's."""
    run = runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return run


def document_of(run: Run, *words: str) -> JsonObject:
    ran = run("check", *words, "--json")
    assert ran.status in (0, 1), ran.err
    assert ran.out.startswith(b'{\n  "schema_version": 1,\n')
    return parse_object(ran.out, "check --json", limit=1 << 24)


def statuses(document: JsonObject) -> dict[str, str]:
    return {rule.string("rule"): rule.string("status") for rule in document.objects("rules")}


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("check-demo.txt", [*RULES, "--baseline", DEMO]),
        ("check-demo.json", [*RULES, "--baseline", DEMO, "--json"]),
        ("check-demo.md", [*RULES, "--baseline", DEMO, "--markdown"]),
        ("check-demo-github.txt", [*RULES, "--baseline", DEMO, "--github"]),
        ("check-demo-bytes.txt", [*RULES, "--bytes"]),
        ("check-demo-defaults.txt", []),
    ],
)
def test_it_says_what_it_said_before(
    golden: str, words: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    relative = [word.replace(f"{ROOT}/", "") for word in words]
    ran = run("check", "fixtures/demo-2.tar", *relative)
    assert ran.status == 1, ran.err
    assert_golden(golden, ran.out)


def test_a_line_a_rule_then_the_verdict(run: Run) -> None:
    ran = run("check", DEMO_2, *RULES, "--baseline", DEMO)
    heading, *lines, last = ran.out.decode().splitlines()
    assert heading.split() == ["RULE", "VALUE", "LIMIT", "WHERE", "OR", "WHY"]
    words = [line.split()[:2] for line in lines]
    assert [name for _, name in words] == [rule[2:].split("=")[0] for rule in RULES[:11]] + [
        "lowest-efficiency",
        "highest-wasted-bytes",
        "highest-user-wasted-percent",
    ]
    assert {status for status, _ in words} == {"PASS", "FAIL", "SKIP"}
    failed = sum(status == "FAIL" for status, _ in words)
    assert last == f"FAIL: {failed} of 14 rules failed, 2 skipped"


def test_exit_statuses(run: Run) -> None:
    assert run("check", DEMO, "--max-image-size", "20MB").status == 0
    assert run("check", DEMO, "--max-image-size", "1MB").status == 1
    assert run("check", DEMO, "--max-image-size", "off").status == 0
    assert run("check", DEMO, "--max-growth", "1MB").status == 0  # skipped
    assert run("check", DEMO, "--max-image-size", "much").status == 2
    assert run("check", "nowhere.tar", "--max-image-size", "1").status == 2


def test_dives_defaults_where_nobody_sets_a_rule(run: Run) -> None:
    ran = run("check", DEMO, "--json")
    document = parse_object(ran.out, "check")
    assert list(statuses(document).values()) == ["FAIL", "SKIP", "FAIL"]
    assert {rule.string("source") for rule in document.objects("rules")} == {"dive's default"}
    assert "dive's default rules are checked" in ran.err


def test_a_file_of_rules_is_found(run: Run) -> None:
    Path(".dive-ci").write_text("rules:\n  lowestEfficiency: 0.5\n  typo: 1\n")
    dive = document_of(run, DEMO)
    assert dive.string("rules_file") == ".dive-ci"
    assert list(statuses(dive).values()) == ["PASS", "SKIP", "FAIL"]
    assert "line 3: unknown rule 'typo'" in run("check", DEMO).err
    Path("layerlens.toml").write_text("[check]\nmax-image-size = '1MB'\n")
    ours = document_of(run, DEMO)
    assert ours.string("rules_file") == "layerlens.toml"
    assert statuses(ours) == {"max-image-size": "FAIL"}
    assert statuses(document_of(run, DEMO, "--ci-config", ".dive-ci")) == statuses(dive)
    assert statuses(document_of(run, DEMO, "--config", ".dive-ci")) == statuses(dive)
    none = document_of(run, DEMO, "--no-config", "--max-layer-size", "1MB")
    assert statuses(none) == {"max-layer-size": "FAIL"}
    assert none.optional_string("rules_file") is None


def test_options_replace_single_rules_of_a_file(run: Run) -> None:
    Path("layerlens.toml").write_text(
        "[check]\nmax-dead-bytes = {limit = 1, exclude = ['/srv']}\nmax-image-size = 1\n"
    )
    document = document_of(run, DEMO, "--max-dead-bytes", "2MB", "--exclude", "max-image-size=/usr")
    dead, size = sorted(document.objects("rules"), key=lambda rule: rule.string("rule"))
    assert dead.strings("exclude") == ("/srv",)
    assert (dead.string("status"), dead.string("source")) == ("PASS", "--max-dead-bytes")
    assert size.strings("exclude") == ("/usr",)
    assert (size.string("status"), size.string("source")) == ("FAIL", "layerlens.toml")


def test_the_starter_file_is_written_once(run: Run) -> None:
    assert run("check", "--init").status == 0
    written = Path("layerlens.toml").read_text()
    assert list(statuses(document_of(run, DEMO))) == [
        "max-dead-bytes",
        "min-live-share",
        "forbidden-files",
        "forbidden-findings",
    ]
    Path("layerlens.toml").write_text("[check]\n# mine\n")
    again = run("check", "--init")
    assert (again.status, "exists already" in again.err) == (2, True)
    assert Path("layerlens.toml").read_text() == "[check]\n# mine\n"
    assert run("check", "--init", "--config", "other.toml").status == 0
    assert Path("other.toml").read_text() == written
    os.symlink("nowhere", "dangling.toml")
    assert run("check", "--init", "--config", "dangling.toml").status == 2
    assert not Path("nowhere").exists()


def test_baseline_and_base_come_from_the_file_or_from_options(run: Run, save: Save) -> None:
    lower, upper = layer(file("/a", b"x" * 100)), layer(file("/b", b"y" * 7))
    base = save(archive(docker_skopeo(image(lower))))
    app = save(archive(docker_skopeo(image(lower, upper))))
    Path("layerlens.toml").write_text(
        f"[check]\nbaseline = '{base}'\nbase = '{base}'\n"
        "max-growth = 7\nmax-user-size = 7\nmax-pull-cost = 20000\n"
    )
    document = document_of(run, app)
    assert set(statuses(document).values()) == {"PASS"}
    assert document.object("baseline").string("image") == base
    assert document.string("base") == base
    values = {r.string("rule"): r.integer("value") for r in document.objects("rules")}
    assert (values["max-growth"], values["max-user-size"]) == (7, 7)
    itself = document_of(run, app, "--baseline", app, "--base", app)
    assert [rule.integer("value") for rule in itself.objects("rules")] == [0, 0, 0]
    other = document_of(run, app, "--base", DEMO)
    assert statuses(other)["max-user-size"] == "SKIP"
    line = next(
        line for line in run("check", app, "--base", DEMO).text().splitlines() if "user" in line
    )
    assert "the image does not stand on" in line


def test_a_baseline_for_the_pull_cost_alone_is_not_read(
    run: Run, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = layer(file("/a", b"x" * 100)), layer(file("/b", b"y"))
    old, new = save(archive(oci_layout(image(one)))), save(archive(oci_layout(image(one, two))))
    run("check", new, "--max-image-size", "1")  # into the cache

    def unwanted(*_: object, **__: object) -> None:
        raise AssertionError("a layer of the baseline was read")

    monkeypatch.setattr("layerlens.layer_jobs.read_layer", unwanted)
    words = ["check", new, "--baseline", old, "--max-pull-cost", "2kB"]
    document = document_of(run, *words[1:])
    (rule,) = document.objects("rules")
    assert 0 < rule.integer("value") < 500
    assert rule.string("status") == "PASS"


def test_compressed_bytes_need_no_layer_where_documents_name_them(
    run: Run, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = layer(file("/a", b"x" * 100)), layer(file("/b", b"y"), created_by="RUN two")
    old, new = save(archive(oci_layout(image(one)))), save(archive(oci_layout(image(one, two))))
    words = ["--max-compressed-size=100", "--max-pull-cost=1", "--baseline", old, "--no-cache"]
    whole = document_of(run, new, *words, "--max-image-size=1GB")

    def unwanted(*_: object, **__: object) -> None:
        raise AssertionError("a layer was read")

    monkeypatch.setattr("layerlens.layer_jobs.read_layer", unwanted)
    document = document_of(run, new, *words)
    expected = [r for r in whole.objects("rules") if r.string("rule") != "max-image-size"]
    for rule, read in zip(document.objects("rules"), expected, strict=True):
        assert rule.integer("value") == read.integer("value")
        assert rule.string("status") == read.string("status") == "FAIL"
        assert [p.integer("layer") for p in rule.objects("places")] == [
            p.integer("layer") for p in read.objects("places")
        ]
    assert document.objects("rules")[1].objects("places")[0].string("note") == "RUN two"


def test_an_archive_that_names_no_blobs_is_read_for_compressed_bytes(run: Run, save: Save) -> None:
    saved = save(archive(docker_skopeo(image(layer(file("/a", b"x" * 100))))))
    text = run("check", saved, "--max-compressed-size", "1MB").text()
    assert "PASS  max-compressed-size" in text
    assert "counted uncompressed" in text


def test_an_annotated_base_is_mentioned(run: Run, tmp_path: Path) -> None:
    annotations = {"org.opencontainers.image.base.name": "debian:12"}
    name = str(small_layout(tmp_path / "annotated", tar(member("a")), annotations=annotations))
    words = run("check", name, "--max-user-size", "1").text().split("--base, ")[1]
    assert words.startswith("perhaps debian:12, as its annotation says")


def test_side_files_hold_to_their_schemas(run: Run) -> None:
    words = ["check", DEMO_2, *RULES, "--baseline", DEMO]
    ran = run(*words, "--junit", "check.xml", "--sarif", "check.sarif")
    assert ran.status == 1
    suite = checked_junit(Path("check.xml").read_text()).find("testsuite")
    assert suite is not None
    assert (suite.attrib["tests"], suite.attrib["skipped"]) == ("14", "2")
    checked = checked_sarif(Path("check.sarif").read_text())
    assert len(checked.objects("results")) == 3 + 3
    assert sorted(os.listdir()) == ["check.sarif", "check.xml"]


def test_nothing_is_half_written(run: Run) -> None:
    Path("check.xml").write_text("old")
    words = ["--junit", "check.xml", "--sarif", "check.sarif"]
    assert run("check", "nowhere.tar", *words).status == 2
    assert Path("check.xml").read_text() == "old"
    assert os.listdir() == ["check.xml"]
    ran = run("check", DEMO, "--junit", "no/such/directory.xml")
    assert (ran.status, ran.out) == (2, b"")
    assert "no/such/directory.xml" in ran.err


def test_hostile_names_reach_no_terminal_and_no_markup(run: Run, save: Save) -> None:
    names = ["/\x1b]0;x\x07.pem", "/a|b`c.pem", "/<script>.pem", "/\n::error::x.pem", "/@you.pem"]
    names.append("/##[stop-commands]x.pem")
    hostile = image(layer(*(file(name, b"k") for name in names), created_by="RUN \x1b[31m|`"))
    path = save(archive(docker_skopeo(hostile)))
    for form in ([], ["--markdown"], ["--github"], ["--json"]):
        ran = run("check", path, "--forbidden-files", "*.pem", "--max-layer-size", "1", *form)
        assert ran.status == 1
        assert not set(ran.out.decode()) & {"\x1b", "\x07", "\r"}
    words = ["check", path, "--forbidden-files", "*.pem", "--github", "--details"]
    github = run(*words).out.decode()
    assert [line for line in github.splitlines() if line.startswith("::")] == [
        line for line in github.splitlines() if line.startswith("::error title=layerlens ")
    ]
    assert "##[" not in "".join(
        line for line in github.splitlines() if not line.startswith("::error ")
    )
    assert "/#\\x23[stop-commands]x.pem" in github  # which the runner would obey
    markdown = run("check", path, "--forbidden-files", "*.pem", "--markdown").out.decode()
    assert "<script>" not in markdown.replace("`/<script>.pem`", "")
    rows = [line for line in markdown.splitlines() if ".pem" in line or "pem" in line]
    assert all(line.count(" | ") == 3 for line in rows if line.startswith("| ") and "B" in line)


def test_a_deleted_file_is_still_forbidden(run: Run, save: Save) -> None:
    leaked = image(layer(file("/root/.env", b"SECRET")), layer(whiteout("/root/.env")))
    ran = run("check", save(archive(docker_skopeo(leaked))), "--forbidden-files", ".env")
    assert ran.status == 1
    assert b"/root/.env (layer 0, 6 B, deleted later, and still in the image)" in ran.out
    assert b"SECRET" not in ran.out


def test_details_are_every_place(run: Run) -> None:
    words = ["check", DEMO_2, *RULES, "--baseline", DEMO]
    short, long = run(*words).out.decode(), run(*words, "--details").out.decode()
    *table, verdict = short.splitlines()
    lines = long.splitlines()
    assert (lines[: len(table)], lines[-1]) == (table, verdict)
    start = lines.index("forbidden-files:")
    assert [line.split()[0] for line in lines[start + 1 : start + 4]] == [
        f"/root/.cache/pip/wheels/{name}-py3-none-any.whl"
        for name in ("numpy-1.26.4", "requests-2.32.4", "uvicorn-0.30.1")
    ]
    start = lines.index("max-user-size:")
    assert lines[start + 1] == "  the base image is not known: name it with --base"
    assert "max-layer-size:" not in lines


def test_lines_fit_the_terminal() -> None:
    lines = list(check_lines(ALL_SORTS, human_size, width=80, palette=PLAIN))
    assert max(cells(line.rstrip("\n")) for line in lines) <= 80
    assert len(lines) == len(ALL_SORTS.verdicts) + 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "check: name an image"),
        ([DEMO, "--init"], "--init checks no image"),
        ([DEMO, "--max-image-size", "much"], "--max-image-size: 'much' is no size"),
        ([DEMO, "--min-live-share", "95"], "--min-live-share: '95' is no part of a whole"),
        ([DEMO, "--forbidden-files", "["], "--forbidden-files: the pattern '[': a '['"),
        ([DEMO, "--exclude", "x"], "--exclude x: write RULE=PATTERN"),
        ([DEMO, "--exclude", "max-layer-sise=x"], "did you mean max-layer-size?"),
        ([DEMO, "--exclude", "max-layer-size=x"], "max-layer-size=...: no such rule is set"),
        (
            [DEMO, "--max-pull-cost", "1", "--exclude", "max-pull-cost=x"],
            "max-pull-cost can't exclude paths",
        ),
        ([DEMO, "--config", "nowhere.toml"], "nowhere.toml: No such file or directory"),
        ([DEMO, "--config", "."], ".: Is a directory"),
        ([DEMO, "--json", "--github"], "not allowed with"),
        ([DEMO, "--junit", "-"], "--junit: name a file"),
        ([DEMO, "--junit", "a", "--sarif", "./a"], "--junit and --sarif name one file: ./a"),
        ([DEMO, "--json", "-o", "a", "--junit", "a"], "-o and --junit name one file: a"),
        ([DEMO, "--details", "--json"], "--details: --json and --markdown have the places"),
        ([DEMO, "--github", "-o", "check.txt"], "--github writes to stdout"),
        (["-", "--baseline", "-", "--max-growth", "1"], "stdin can be read once"),
        ([DEMO, "--baseline", "nowhere.tar", "--max-growth", "1"], "nowhere.tar"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(words: list[str], message: str, run: Run) -> None:
    ran = run("check", *words)
    assert (ran.status, ran.out) == (2, b"")
    (line,) = ran.err.splitlines()
    assert line.startswith("layerlens: error: ")
    assert message in line


def test_a_file_that_cannot_be_read_is_told(run: Run) -> None:
    Path("layerlens.toml").write_bytes(b"\xff[check]")
    assert "layerlens.toml: is not UTF-8 at byte 0" in run("check", DEMO).err
    Path("layerlens.toml").write_bytes(b"#" * ((1 << 20) + 1))
    assert "is larger than 1 MiB" in run("check", DEMO).err
    Path("layerlens.toml").write_text("[check]\nmax-growht = 1\n")
    assert "unknown rule 'max-growht': did you mean max-growth?" in run("check", DEMO).err


def test_json_is_ascii_and_names_exact_bytes(run: Run, save: Save) -> None:
    odd = image(layer(file("/caf\udce9.pem", b"k")))
    ran = run("check", save(archive(docker_skopeo(odd))), "--forbidden-files", "*.pem", "--json")
    assert ran.out.isascii()
    (place,) = json.loads(ran.out)["rules"][0]["places"]
    assert place["path"] == "/caf\\xe9.pem"
    assert place["path_base64"] == "L2NhZukucGVt"


def test_dead_bytes_are_measured_once_where_findings_are_asked_for_too(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(layers: Sequence[WrittenLayer]) -> Waste:
        raise AssertionError("the survey has measured them")

    words = ("check", DEMO, "--no-config", "--max-dead-bytes", "0")
    alone = run(*words).out.split()[6:10]
    monkeypatch.setattr(checked_subject, "measure_waste", again)
    both = run(*words, "--forbidden-findings", "secret")
    assert (both.status, both.out.split()[6:10]) == (1, alone)
