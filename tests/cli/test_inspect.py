import json
from pathlib import Path

import pytest

from layerlens.cli.inspected_image import inspect_document
from layerlens.image import open_image
from layerlens.report.colour import PLAIN
from layerlens.report.inspect_table import inspect_lines
from layerlens.report.safe_text import cells
from layerlens.report.sizes import human_size

from .golden import ROOT, assert_golden
from .running import Run, runner
from .small_images import Json, docker_archive, file, oci_layout, tar


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("inspect-demo.txt", ["fixtures/demo.tar"]),
        ("inspect-demo.json", ["fixtures/demo.tar", "--json"]),
        ("inspect-demo-2.txt", ["fixtures/demo-2.tar", "--bytes"]),
        ("inspect-tour-docker.txt", ["fixtures/tour-docker.tar.gz"]),
        ("inspect-tour-docker.json", ["fixtures/tour-docker.tar", "--json"]),
        ("inspect-tour-zstd.txt", ["fixtures/tour-zstd.tar"]),
        ("inspect-odd.txt", ["fixtures/odd.tar"]),
        ("inspect-arm64.txt", ["fixtures/platforms.tar", "--platform", "linux/arm64"]),
        ("inspect-hej.txt", ["fixtures/two-images.tar:hej:1.0"]),
    ],
)
def test_it_says_what_it_said_before(golden: str, words: list[str], run: Run) -> None:
    ran = run("inspect", *words)
    assert ran.status == 0
    assert_golden(golden, ran.out)


@pytest.mark.parametrize("width", [80, 160])
def test_the_table_fits_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    with open_image("fixtures/demo.tar") as image:
        document = inspect_document(image, ())
    text = "".join(inspect_lines(document, format_size=human_size, width=width, palette=PLAIN))
    table = text[text.index("LAYER") :].splitlines()
    assert max(map(cells, table)) <= width
    assert ("…" in text) == (width == 80)
    assert_golden(f"inspect-demo-{width}.txt", text.encode())


def test_the_second_look_decodes_no_index(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("inspect", "fixtures/demo.tar").text()
    run("inspect", "fixtures/demo.tar")

    def unwanted(*_: object) -> None:
        raise AssertionError("a layer was listed again")

    monkeypatch.setattr("layerlens.index_cache.decode_reading", unwanted)
    monkeypatch.setattr("layerlens.layer.tar_entries.EntryReader.__iter__", unwanted)
    assert run("inspect", "fixtures/demo.tar").text() == first


def test_without_the_cache_nothing_is_kept(run: Run, tmp_path: Path) -> None:
    plain = run("inspect", "fixtures/demo.tar", "--no-cache").text()
    assert not (tmp_path / "cache").exists()
    assert run("inspect", "fixtures/demo.tar").text() == plain
    assert (tmp_path / "cache" / "layerlens").is_dir()


def test_without_a_home_it_reads_without_a_cache(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    assert "weather:1.0" in run("inspect", "fixtures/demo.tar").text()


def test_totals_are_the_sums_of_the_rows(run: Run) -> None:
    document = json.loads(run("inspect", "fixtures/demo-2.tar", "--json").text())
    for key in ("stored_size", "uncompressed_size", "entries", "added", "changed", "removed"):
        assert document["totals"][key] == sum(layer[key] for layer in document["layers"])
    assert document["totals"]["layers"] == len(document["layers"]) == 10


def test_a_plain_layer_without_a_blob_has_no_stored_size(run: Run, tmp_path: Path) -> None:
    image = str(docker_archive(tmp_path / "a.tar", tar(file("a", b"x"))))
    document = json.loads(run("inspect", image, "--json").text())
    (layer,) = document["layers"]
    assert (layer["blob_digest"], layer["stored_size"]) == (None, None)
    assert (layer["compression"], layer["uncompressed_size"]) == ("none", 10240)
    assert document["totals"]["stored_size"] is None
    row, total = run("inspect", image).text().splitlines()[-2:]
    assert row.split() == ["0", "-", "10.2", "kB", "1", "1", "0", "0", "none", "-"]
    assert total.split()[:2] == ["total", "-"]


def test_history_names_the_layer_each_entry_made(run: Run, tmp_path: Path) -> None:
    history = [
        {"created_by": "ADD base.tar / # buildkit"},
        {"created_by": 'CMD ["sh"]', "empty_layer": True},
        {
            "created_by": "RUN |1 A=b /bin/sh -c make # buildkit",
            "comment": "buildkit.dockerfile.v0",
        },
    ]
    layers = tar(file("a")), tar(file("b"))
    image = str(docker_archive(tmp_path / "a.tar", *layers, config={"history": history}))
    document = json.loads(run("inspect", image, "--json").text())
    assert [entry["layer"] for entry in document["history"]] == [0, None, 1]
    assert [layer["history"] for layer in document["layers"]] == [0, 2]
    assert document["layers"][1]["instruction"]["text"] == "RUN make"
    assert document["layers"][1]["instruction"]["arguments"] == ["A=b"]
    assert document["history"][1]["created_by"] == 'CMD ["sh"]'


def test_a_healthcheck_is_shown_with_how_it_is_made(run: Run, tmp_path: Path) -> None:
    healthcheck = {"Test": ["CMD", "x"], "Interval": 30_000_000_000, "Retries": 2}
    config: Json = {"config": {"Healthcheck": healthcheck}}
    image = str(docker_archive(tmp_path / "a.tar", config=config))
    shown = json.loads(run("inspect", image, "--json").text())["config"]
    assert shown["healthcheck"] == ["CMD", "x"]
    assert shown["healthcheck_flags"] == ["--interval=30s", "--retries=2"]
    lines = run("inspect", image).text().splitlines()
    start = lines.index('healthcheck ["CMD", "x"]')
    assert [line.strip() for line in lines[start + 1 : start + 3]] == shown["healthcheck_flags"]


def test_a_history_that_does_not_fit_is_warned_of(run: Run, tmp_path: Path) -> None:
    config: dict[str, object] = {"history": [{"created_by": "a"}, {"created_by": "b"}]}
    image = str(docker_archive(tmp_path / "a.tar", tar(file("a")), config=config))
    ran = run("inspect", image, "--json")
    document = json.loads(ran.text())
    assert [entry["layer"] for entry in document["history"]] == [0, None]
    assert "instructions may stand beside the wrong layers" in ran.err
    assert document["notes"]


def test_warnings_stand_with_their_layer(run: Run, tmp_path: Path) -> None:
    twice = tar(file("a", b"1"), file("a", b"2"))
    image = str(docker_archive(tmp_path / "a.tar", tar(file("b")), twice))
    ran = run("inspect", image, "--json")
    below, above = json.loads(ran.text())["layers"]
    assert below["warnings"] == []
    assert above["warnings"] == ["listed twice, the last counts: the path '/a'"]
    assert f"layerlens: warning: {image}: layer 1: listed twice, the last counts" in ran.err


def test_attestations_of_this_image_are_listed_apart(run: Run, tmp_path: Path) -> None:
    def attestation(letter: str, about: str) -> dict[str, object]:
        return {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": f"sha256:{letter * 64}",
            "size": 7,
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": about,
            },
        }

    beside = [attestation("a", "{manifest}"), attestation("b", f"sha256:{'c' * 64}")]
    image = str(oci_layout(tmp_path / "layout", tar(file("a")), beside=beside))
    document = json.loads(run("inspect", image, "--json").text())
    assert [each["digest"] for each in document["attestations"]] == [f"sha256:{'a' * 64}"]
    assert document["attestations"][0]["subject"] == document["manifest_digest"]
    assert document["index_digest"] is not None
    text = run("inspect", image).text()
    assert f"attestations sha256:{'a' * 64} (application/vnd.oci.image.manifest.v1+json)" in text


def test_the_base_image_is_told_where_it_is_named(run: Run, tmp_path: Path) -> None:
    base = {"name": "docker.io/library/debian:12", "digest": f"sha256:{'d' * 64}"}
    annotations = {f"org.opencontainers.image.base.{key}": value for key, value in base.items()}
    image = str(oci_layout(tmp_path / "layout", tar(file("a")), annotations=annotations))
    assert json.loads(run("inspect", image, "--json").text())["base_image"] == base
    assert f"base     {base['name']}\n         {base['digest']}\n" in run("inspect", image).text()


def test_a_layer_that_is_no_tar_is_shown_with_its_size_alone(run: Run, tmp_path: Path) -> None:
    encrypted = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"
    image = str(oci_layout(tmp_path / "layout", tar(file("a")), media_type=encrypted))
    (layer,) = json.loads(run("inspect", image, "--json").text())["layers"]
    assert layer["media_type"] == encrypted
    assert layer["stored_size"] > 0
    unknown = ("compression", "uncompressed_size", "entries", "added", "changed", "removed")
    assert [layer[key] for key in unknown] == [None] * len(unknown)
    assert "what it holds is not known" in layer["warnings"][0]
    assert " -        -  -  -  -  no tar" in run("inspect", image).text()


def test_hostile_text_reaches_no_terminal(run: Run, tmp_path: Path) -> None:
    evil = "\x1b[2J\x9b31m\u202e[red]\n"
    config: dict[str, object] = {
        "created": evil,
        "author": evil,
        "config": {
            "User": evil,
            "Env": [evil],
            "Cmd": [evil],
            "Labels": {evil: evil},
            "Volumes": {evil: {}},
        },
        "history": [{"created_by": evil}],
    }
    image = str(docker_archive(tmp_path / "a.tar", tar(file("a")), config=config))
    shown = run("inspect", image).text()
    assert [char for char in shown if not char.isprintable() and char != "\n"] == []
    assert "user    \\x1b[2J\\u009b31m\\u202e[red]\\n\n" in shown
    document = run("inspect", image, "--json")
    assert document.out.isascii()
    assert b"\x1b" not in document.out
    assert json.loads(document.text())["config"]["user"] == evil


def test_a_damaged_layer_is_an_error_and_nothing_else(run: Run, tmp_path: Path) -> None:
    image = docker_archive(tmp_path / "a.tar", tar(file("a", b"good")), tar(file("b", b"fine")))
    image.write_bytes(image.read_bytes().replace(b"fine", b"evil"))
    ran = run("inspect", str(image))
    assert (ran.status, ran.out) == (2, b"")
    assert ran.err.startswith(f"layerlens: error: {image}: layer 1 (1/layer.tar): ")
    assert "the config's diff_id is" in ran.err
    assert ran.err.count("\n") == 1


def test_an_unknown_limit_is_a_usage_error(run: Run) -> None:
    ran = run("inspect", "fixtures/demo.tar", "--limit", "entrys=5")
    assert ran.status == 2
    assert "no such limit" in ran.err


def test_a_limit_is_obeyed(run: Run) -> None:
    ran = run("inspect", "fixtures/demo.tar", "--limit", "path-bytes=8")
    assert ran.status == 2
    assert "--limit path-bytes=N" in ran.err
