import json
from pathlib import Path

import pytest
from image_builder import file as built_file
from image_builder import image, layer
from registry_content import RegistryContent
from registry_server import serve

from layerlens.analysis.findings import FindingKind
from layerlens.image import open_image
from layerlens.report.colour import ANSI, PLAIN
from layerlens.report.safe_text import cells
from layerlens.report.sizes import human_size
from layerlens.report.waste_table import instructions_lines, layers_lines, paths_lines
from layerlens.report.waste_text import WasteStyle, dive_line, findings_lines, sums_lines
from layerlens.source.registry.clients import forget_clients
from layerlens.surveying import survey_image

from .golden import ROOT, assert_golden
from .running import Ran, Run, runner
from .small_images import docker_archive, file, oci_layout, special, tar


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("waste-demo.txt", ["fixtures/demo.tar"]),
        ("waste-demo.json", ["fixtures/demo.tar", "--json"]),
        ("waste-demo-path.txt", ["fixtures/demo.tar", "--by", "path", "--top", "4"]),
        ("waste-demo-layer.txt", ["fixtures/demo.tar", "--by", "layer", "--bytes"]),
        ("waste-demo-2-instruction.txt", ["fixtures/demo-2.tar", "--by", "instruction"]),
        ("waste-tour.txt", ["fixtures/tour-docker.tar.gz", "--top", "3"]),
        ("waste-odd.json", ["fixtures/odd.tar", "--json"]),
        ("waste-rootfs.txt", ["fixtures/rootfs.tar"]),
    ],
)
def test_it_says_what_it_said_before(golden: str, words: list[str], run: Run) -> None:
    assert_golden(golden, run("waste", *words).text().encode())


@pytest.mark.parametrize("width", [40, 80, 160])
def test_it_fits_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with open_image("fixtures/demo.tar") as opened:
        survey = survey_image(opened)
    style = WasteStyle(format_size=human_size, palette=PLAIN, width=width, top=3)
    shown = [
        *findings_lines(survey.findings, style),
        *paths_lines(survey.waste, style),
        *layers_lines(survey.waste, style),
        *instructions_lines(survey.waste, style),
    ]
    if width >= 80:
        shown += [*sums_lines("fixtures/demo.tar", survey, style)]
        shown += [dive_line(survey.dive, style)]
        assert max(cells(line.rstrip("\n")) for line in shown) <= width
        assert_golden(f"waste-demo-{width}.txt", "".join(shown).encode())
    coloured = WasteStyle(format_size=human_size, palette=ANSI, width=width, top=3)
    painted = "".join(findings_lines(survey.findings, coloured))
    assert "\x1b[33mmetadata-copies\x1b[0m" in painted


def test_sums_agree_with_each_other(run: Run) -> None:
    document = json.loads(run("waste", "--json", "fixtures/tour-layout").text())
    totals = document["totals"]
    assert totals["bytes"] == totals["live_bytes"] + totals["dead"]["bytes"]
    for part in ("layers", "instructions"):
        assert sum(each["bytes"] for each in document[part]) == totals["bytes"]
        for sums in ("dead", "killed"):
            for field, total in totals["dead"].items():
                assert sum(each[sums][field] for each in document[part]) == total
    for field, total in totals["dead"].items():
        assert sum(each["dead"][field] for each in document["paths"]) == total


def test_top_shortens_lists_and_not_sums(run: Run) -> None:
    whole = json.loads(run("waste", "--json", "fixtures/demo.tar").text())
    short = json.loads(run("waste", "--json", "--top", "2", "fixtures/demo.tar").text())
    assert short["findings"] == whole["findings"][:2]
    assert short["paths"] == whole["paths"][:2]
    assert (short["totals"], short["layers"]) == (whole["totals"], whole["layers"])
    all_of_it = run("waste", "--top", "0", "--by", "path", "fixtures/demo.tar").text()
    assert len(all_of_it.splitlines()) == 5 + 1 + len(whole["paths"]) + 2
    assert "--top 0 shows all" not in all_of_it


def test_an_image_that_wastes_nothing(run: Run, tmp_path: Path) -> None:
    name = str(docker_archive(tmp_path / "image.tar", tar(file("a", b"x"))))
    text = run("waste", name).text()
    assert text.splitlines()[1:] == [
        "files   1 B in 1 layer, 1 B live (100.0 %)",
        "dead    nothing",
        "",
        "dive    efficiency 100.0000 %, wastedBytes 0 B, userWastedPercent -",
    ]
    for by in ("path", "layer", "instruction"):
        assert "dive" in run("waste", "--by", by, name).text()
    document = json.loads(run("waste", "--json", name).text())
    assert document["dive"]["user_wasted_percent"] is None
    empty = str(docker_archive(tmp_path / "empty.tar"))
    assert "files   0 B in 0 layers, 0 B live\n" in run("waste", empty).text()


ENCRYPTED = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"


def test_a_layer_that_is_no_tar_is_told_and_not_counted(run: Run, tmp_path: Path) -> None:
    name = str(oci_layout(tmp_path / "image", tar(file("a", b"x")), media_type=ENCRYPTED))
    assert "unread  no tar, not counted: layer 0\n" in run("waste", name).text()
    assert json.loads(run("waste", "--json", name).text())["unreadable_layers"] == [0]


SECRET = b"-----BEGIN " + b"PRIVATE KEY-----\nnever-shown\n"


def test_secrets_are_named_and_never_shown(run: Run, tmp_path: Path) -> None:
    layers = [
        tar(file("app/.env", b"X=never-shown"), file("app/site.key", SECRET)),
        tar(file("app/.wh.site.key")),
    ]
    config: dict[str, object] = {
        "config": {"Env": ["API_TOKEN=never-shown"]},
        "history": [{"created_by": "COPY . /app"}, {"created_by": "RUN X_TOKEN=never-shown make"}],
    }
    name = str(docker_archive(tmp_path / "image.tar", *layers, config=config))
    for words in ([], ["--json"], ["--by", "instruction"]):
        ran = run("waste", *words, name)
        assert "never-shown" not in ran.text() + ran.err
    text = run("waste", "--top", "1", name).text()
    assert "secret-file      /app (2 files)" in text
    assert "/app/site.key" in text
    assert "secret-variable  API_TOKEN" in text
    assert "secret-variable  X_TOKEN" in text
    ran = run("waste", "--look", "never", name)
    assert "site.key in layer 0 (--look always reads them)" in ran.err
    assert "secret-file      /app/.env\n" in ran.text()


def test_a_registry_s_layers_are_downloaded_again_only_when_asked_for(run: Run) -> None:
    content = RegistryContent()
    npmrc = built_file("/root/.npmrc", b"//r/:_authToken=word")
    content.add_image("team/app", image(layer(npmrc)), "1")
    forget_clients()
    with serve(content) as registry:
        name = f"docker://{registry.host}/team/app:1"
        blobs: list[int] = []  # downloaded so far, of which each run has the config again

        def ran(*words: str) -> Ran:
            found = run("waste", *words, name)
            blobs.append(len(registry.log.matching("GET", "*/blobs/*")))
            return found

        by_name = ran()
        assert "secret-file" not in by_name.text()
        assert "1 file may be a secret and could not be looked into" in by_name.err
        assert "secret-file  /root/.npmrc" in ran("--look", "always").text()
        assert "secret-file  /root/.npmrc" in ran().text()  # it was looked at before
    assert blobs == [2, 4, 5]
    forget_clients()


def test_hostile_names_reach_no_terminal(run: Run, tmp_path: Path) -> None:
    evil = "tmp/\x1b[31m\n\u202e"
    duplicate = bytes(5000)
    layers = [
        tar(file(evil, b"x"), file("a\x1b", duplicate), file("b", duplicate)),
        tar(file("tmp/.wh." + evil[4:])),
        tar(special("dev", b"1", "a\x1b")),
    ]
    history: dict[str, object] = {"history": [{"created_by": "RUN \x1b]0;x\x07"}] * 3}
    name = str(docker_archive(tmp_path / "image.tar", *layers, config=history))
    for words in ([], ["--by", "path"], ["--by", "layer"], ["--by", "instruction"], ["--json"]):
        text = run("waste", *words, name).text()
        assert not {"\x1b", "\u202e", "\x07"} & set(text)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--json", "--by", "path"], "--json holds all three sums: leave out --by"),
        (["--top", "-1"], "--top: the number must be 0 (for all) or more"),
        (["--top", "9" * 30, "--json"], "--top: too large"),
        (["--top", "9" * 5000], "--top: expected a whole number, not '999"),
        (["--limit", f"entries={'9' * 5000}"], "the value must be a positive integer"),
        (["--plain-http", "http://host/"], "--plain-http 'http://host/': write HOST[:PORT]"),
        (["--insecure", ""], "--insecure '': write HOST[:PORT]"),
        (["--by", "owner"], "invalid choice: 'owner'"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], error: str, run: Run) -> None:
    ran = run("waste", *words, "fixtures/demo.tar")
    assert ran.status == 2
    assert error in ran.err
    assert ran.err.count("\n") == 1
    assert ran.out == b""


def test_its_help_names_every_kind_of_finding(run: Run) -> None:
    words = run("waste", "--help").text().replace(",", " ").split()
    assert {kind.value for kind in FindingKind} <= {*words}
