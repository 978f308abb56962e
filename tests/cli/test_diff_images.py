"""``layerlens diff A B``."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_forms import archive, docker_skopeo, multi_platform
from image_builder import BuiltImage, file, hard_link, image, layer, tar_of

from .golden import assert_golden
from .running import Run, runner
from .small_images import oci_layout

Stored = Callable[[BuiltImage], str]

DEMOS = ("fixtures/demo.tar", "fixtures/demo-2.tar")


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def stored(save: Callable[[bytes], str]) -> Stored:
    return lambda built: save(archive(docker_skopeo(built)))


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("diff-demo-2.txt", [*DEMOS]),
        ("diff-demo-2-stat.txt", [*DEMOS, "--stat", "--bytes"]),
        ("diff-demo-2-stat.json", [*DEMOS, "--stat", "--json"]),
        ("diff-demo-2-etc.json", [*DEMOS, "--json", "--path", "/etc"]),
        ("diff-demo-tour.txt", ["fixtures/demo.tar", "fixtures/tour-oci.tar", "--stat"]),
    ],
)
def test_it_says_what_it_said_before(golden: str, words: list[str], run: Run) -> None:
    ran = run("diff", *words)
    assert ran.status == 0
    assert_golden(golden, ran.out)


A = image(
    layer(file("/same", b"1"), file("/changed", b"1"), created_by="ADD base"),
    layer(file("/gone", b"123"), file("/touched"), created_by="RUN make"),
    config={"Env": ["X=1"]},
)
B = image(
    layer(file("/same", b"1"), file("/changed", b"1"), created_by="ADD base"),
    layer(file("/new"), created_by="COPY new"),
    layer(file("/changed", b"22"), file("/touched", mtime=9), created_by="RUN make"),
    config={"Env": ["X=2"]},
)


def test_two_images_differ_in_config_layers_and_files(run: Run, stored: Stored) -> None:
    a, b = stored(A), stored(B)
    assert run("diff", a, b).text() == (
        f"a: {a}  example.com/test:1  linux/amd64\n"
        f"b: {b}  example.com/test:1  linux/amd64\n"
        "\n"
        "config\n"
        "  M env X: 1 -> 2\n"
        "\n"
        "layers\n"
        "  A  B  RELATION     SIZE  INSTRUCTION\n"
        "  0  0  same      10.2 kB  ADD base\n"
        "  -  1  only-b    10.2 kB  COPY new\n"
        "  1  2  rebuilt   10.2 kB  RUN make\n"
        "\n"
        "files\n"
        "  M        2 B  /changed  (content 1 B -> 2 B)\n"
        "  D       -3 B  /gone\n"
        "  A        0 B  /new\n"
        "  1 added (0 B), 1 changed (1 B -> 2 B), 1 removed (3 B)\n"
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["M /changed", "D /gone", "A /new"]),
        (["--mtime"], ["M /changed", "D /gone", "A /new", "M /touched"]),
        (["--rewritten"], ["M /changed", "D /gone", "A /new", "R /touched"]),
        (["--only", "D"], ["D /gone"]),
        (["--path", "/n*"], ["A /new"]),
        (["--exclude", "/n*"], ["M /changed", "D /gone"]),
        (["--sort", "bytes"], ["D /gone", "M /changed", "A /new"]),
        (["--top", "1"], ["D /gone"]),
    ],
)
def test_what_is_shown_can_be_chosen(
    words: list[str], expected: list[str], run: Run, stored: Stored
) -> None:
    a, b = stored(A), stored(B)
    names = run("diff", a, b, *words, "--name-status").text()
    assert names.replace("\t", " ").splitlines() == expected
    raw = run("diff", a, b, *words, "--name-status", "-z").out.decode().split("\0")
    assert raw == [*" ".join(expected).split(" "), ""]
    only = run("diff", a, b, *words, "--name-only").text().splitlines()
    assert only == [each[2:] for each in expected]


def test_letters_choose_among_the_config_too(run: Run) -> None:
    def config(*words: str) -> list[str]:
        document = json.loads(run("diff", *DEMOS, "--json", *words).text())
        return [f"{each['field']} {each['key']}" for each in document["config"]]

    label = "label org.opencontainers.image.version"
    assert config() == ["env WEATHER_CACHE", "env WEATHER_UNITS", label]
    assert config("--only", "A") == ["env WEATHER_CACHE"]
    assert config("--only", "M") == ["env WEATHER_UNITS", label]
    assert config("--only", "D") == config("--path", "/") == []


def test_the_whole_config_is_compared(run: Run, stored: Stored) -> None:
    before = image(
        layer(file("/f")),
        config={
            "Env": ["PATH=/bin", "GONE=1", "EMPTY="],
            "Entrypoint": ["sh", "-c"],
            "Labels": {"\x1b[31m": "x\ny"},
            "User": "app",
        },
    )
    after = image(
        layer(file("/f")),
        platform="linux/arm64",
        config={
            "Env": ["EMPTY=2", "PATH=/usr/bin"],
            "Entrypoint": ["sh -c"],
            "Volumes": {"/data": {}},
            "WorkingDir": "/srv",
        },
    )
    text = run("diff", stored(before), stored(after)).text()
    config = text[text.index("config\n") : text.index("\nlayers\n")]
    assert config.splitlines() == [
        "config",
        "  M platform: linux/amd64 -> linux/arm64",
        "  D user: app",
        "  A workdir: /srv",
        '  M entrypoint: ["sh", "-c"] -> ["sh -c"]',
        '  M env EMPTY: "" -> 2',
        "  D env GONE: 1",
        "  M env PATH: /bin -> /usr/bin",
        "  D label \\x1b[31m: x\\ny",
        "  A volume /data",
    ]


def test_the_time_of_creation_counts_only_with_mtime(run: Run, stored: Stored) -> None:
    a = stored(image(layer(file("/f"))))
    b = stored(image(layer(file("/f")), overrides={"created": "2024-01-01T00:00:00Z"}))
    assert run("diff", a, b, "--exit-code").status == 0
    ran = run("diff", a, b, "--mtime", "--exit-code")
    assert ran.status == 1
    assert b"  M created: 2023-11-14T22:13:20Z -> 2024-01-01T00:00:00Z\n" in ran.out


def test_platforms_of_one_index_can_be_told_apart(run: Run, save: Callable[[bytes], str]) -> None:
    built = [
        image(layer(file("/f", name.encode())), platform=name)
        for name in ("linux/amd64", "linux/arm64")
    ]
    name = save(archive(multi_platform(*built)))
    words = ("diff", name, name, "--exit-code", "--platform")
    assert run(*words, "linux/arm64").status == 0
    ran = run(*words, "linux/amd64", "--platform-b", "linux/arm64")
    assert (ran.status, ran.err) == (1, "")
    assert b"M platform: linux/amd64 -> linux/arm64" in ran.out


@pytest.mark.parametrize("form", [[], ["--stat"], ["--json"], ["--name-status"], ["--quiet"]])
@pytest.mark.parametrize("name", ["demo.tar", "tour-layout", "odd.tar", "rootfs.tar"])
def test_an_image_does_not_differ_from_itself(form: list[str], name: str, run: Run) -> None:
    path = f"fixtures/{name}"
    ran = run("diff", path, path, *form, "--exit-code", "--mtime", "--rewritten")
    assert ran.status == 0
    if form == []:
        assert ran.out.decode().endswith("\nfiles\n  no changes\n")
    if form == ["--json"]:
        document = json.loads(ran.out)
        assert (document["config"], document["changes"]) == ([], [])
        assert {pair["relation"] for pair in document["layers"]} <= {"same"}


def test_one_image_stored_by_several_tools_does_not_differ(run: Run) -> None:
    tour = "fixtures/tour-layout"
    for name in ("tour-oci.tar", "tour-docker.tar", "tour-podman.tar", "tour-docker.tar.xz"):
        assert run("diff", tour, f"fixtures/{name}", "--quiet", "--mtime").status == 0, name


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ([], 1),
        (["--stat"], 1),
        (["--json"], 1),
        (["--quiet"], 1),
        (["--quiet", "--name-only"], 1),
        # Files alone are listed or asked for, and they are the same.
        (["--name-only"], 0),
        (["--name-status", "-z"], 0),
        (["--path", "/"], 0),
        (["--path", "/", "--quiet"], 0),
        (["--only", "D"], 0),
    ],
)
def test_the_exit_status_speaks_of_what_was_asked_for(
    words: list[str], status: int, run: Run, stored: Stored
) -> None:
    a = stored(image(layer(file("/f")), config={"Env": ["X=1"]}))
    b = stored(image(layer(file("/f")), config={"Env": ["X=2"]}))
    assert run("diff", a, b, *words, "--exit-code").status == status


def test_a_layer_that_cannot_be_read_is_no_proof_of_equality(run: Run, tmp_path: Path) -> None:
    encrypted = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"
    a = str(oci_layout(tmp_path / "a", tar_of(file("/f", b"1")), media_type=encrypted))
    b = str(oci_layout(tmp_path / "b", tar_of(file("/f", b"2")), media_type=encrypted))
    for words in (["--quiet"], ["--exit-code"], ["--exit-code", "--json"]):
        assert run("diff", a, b, *words).status == 1
        assert run("diff", a, a, *words).status == 0
        assert run("diff", a, *words).status == 1
    assert "files\n  layer 0 is no tar: what it holds is not known\n" in run("diff", a, b).text()
    alone = run("diff", a).text()
    assert alone == (
        "layer 0  no tar  (instruction not known)\n  layer 0 is no tar: what it did is not known\n"
    )
    (section,) = json.loads(run("diff", a, "--json").text())["layers"]
    assert (section["unreadable_layers"], section["size"]) == ([0], None)


def test_hard_links_under_another_first_name_are_no_difference(run: Run, stored: Stored) -> None:
    a = stored(image(layer(file("/x", b"1"), hard_link("/y", "/x"))))
    b = stored(image(layer(file("/y", b"1"), hard_link("/x", "/y"))))
    assert run("diff", a, b, "--name-status", "--exit-code").status == 0


def test_one_of_two_images_can_come_from_a_pipe(
    run: Run, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (("-", stored(B)), (stored(A), "-")):
        with open(stored(A if words[0] == "-" else B), "rb") as stream:
            monkeypatch.setattr(sys, "stdin", stream)
            text = run("diff", *words, "--name-status").text()
        assert text == "M\t/changed\nD\t/gone\nA\t/new\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([DEMOS[0], "--platform-b", "linux/arm64"], "--platform-b goes with two images"),
        (["-", "-"], "only one of the two images can come from stdin"),
        ([*DEMOS, "--layer", "1"], "--layer and --layers go with one image, not with two"),
        ([*DEMOS, "--layers", ""], "--layer and --layers go with one image, not with two"),
        ([DEMOS[0], "nowhere.tar"], "nowhere.tar"),
        ([*DEMOS, "third.tar"], "unrecognized arguments: third.tar"),
    ],
)
def test_what_makes_no_sense_is_one_line_of_error(words: list[str], message: str, run: Run) -> None:
    ran = run("diff", *words)
    assert (ran.status, ran.out) == (2, b"")
    assert message in ran.err
    assert ran.err.count("\n") == 1
