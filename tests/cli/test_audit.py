"""``layerlens audit``: what it takes, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from image_builder import file, image, layer
from registry_content import RegistryContent
from registry_faults import Delayed, Failure, OtherBody, RateLimit
from registry_rules import Rule
from registry_server import RegistryServer, serve
from source.registry.asking import isolated

from layerlens.audit.catalogue import Catalogue
from layerlens.source.registry.clients import forget_clients

from .running import Run, runner

TAGS = ("1", "2", "3")


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Iterator[Run]:
    isolated(tmp_path / "home", monkeypatch)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    forget_clients()
    yield runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))
    forget_clients()


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    """team/app and team/tool, with three tags each."""
    content = RegistryContent()
    base = layer(file("/base", b"b"))
    for name in ("team/app", "team/tool"):
        for tag in TAGS:
            content.add_image(name, image(base, layer(file("/x", f"{name}{tag}".encode()))), tag)
    with serve(content) as served:
        yield served


def catalogue_of(tmp_path: Path, registry: RegistryServer) -> Path:
    return tmp_path / "data" / "layerlens" / "audit" / f"{registry.host}.sqlite"


def test_a_registry_is_summed_up(run: Run, registry: RegistryServer, tmp_path: Path) -> None:
    text = run("audit", registry.host).text()
    assert text == (
        f"{registry.host}\n"
        "  looked at  2 repositories, 6 tags\n"
        "  asked      2 lists of tags, 6 tags, 0 further manifests, 6 configs\n"
        f"  catalogue  {catalogue_of(tmp_path, registry)}\n"
        "\nNext\n"
        f"  layerlens audit report {registry.host}\n"
    )
    del registry.content.repositories["team/app"].tags["1"]
    lines = run("audit", registry.host).text().splitlines()
    assert lines[2:6] == [
        "  new        0 tags since the last crawl",
        "  moved      0 tags",
        "  gone       1 tag",
        "  asked      2 lists of tags, 5 tags, 0 further manifests, 0 configs",
    ]


def test_what_it_says_to_ask_next_works(run: Run, registry: RegistryServer, tmp_path: Path) -> None:
    for words in ([registry.host], [registry.host, "--db", str(tmp_path / "it's here.sqlite")]):
        *_, said = run("audit", *words).text().splitlines()
        asked = subprocess.run(
            ["sh", "-c", said.replace("layerlens", f"{sys.executable} -m layerlens", 1)],
            capture_output=True,
            check=False,
        )
        assert asked.returncode == 0, asked.stderr
        assert registry.host in asked.stdout.decode()


def test_failures_are_listed_and_the_exit_status_says_so(
    run: Run, registry: RegistryServer
) -> None:
    hostile = OtherBody(b'{"errors": [{"code": "X", "message": "\\u001b[31m\\u202e"}]}')
    bad = "/v2/team/app/manifests/2"
    registry.declare(
        Rule(fault=Failure(404), method="*", path=bad),
        Rule(fault=hostile, path=bad),
        Rule(fault=Failure(500), path="/v2/team/tool/tags/list"),
    )
    ran = run("audit", registry.host)
    assert ran.status == 1
    text = ran.out.decode()
    assert "  failures   2\n" in text
    assert f"  {registry.host}/team/app:2: is not there" in text
    assert f"  {registry.host}/team/tool: answers 500" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    registry.withdraw_rules()
    assert run("audit", registry.host).status == 0


def test_json_says_the_same(run: Run, registry: RegistryServer, tmp_path: Path) -> None:
    run("audit", registry.host)
    registry.declare(
        Rule(fault=Failure(404), method="*", path="/v2/team/app/manifests/2"),
        Rule(fault=RateLimit(limit=50), method="*", path="*/manifests/*"),
    )
    registry.log.clear()
    ran = run("audit", registry.host, "--json", "--files", "--jobs", "1")
    asked = sum("/manifests/" in request.target for request in registry.log.requests)
    assert ran.status == 1
    document = json.loads(ran.out)
    assert list(document)[:3] == ["schema_version", "title", "catalogue"]
    assert document["catalogue"] == str(catalogue_of(tmp_path, registry))
    assert document["read"] == {"repositories": 2, "tags": 6}
    assert document["changes"]["tags_added"] == 0
    assert asked >= 6
    assert document["rate_limit"] == {"remaining": 50 - asked, "window_seconds": 21600}
    assert document["files"]["layers"] == 7
    assert document["finished"] >= document["started"]
    (failure,) = document["failures"]
    assert (failure["repository"], failure["tag"]) == ("team/app", "2")


def test_without_a_name_the_last_crawl_is_summed_up_and_nothing_asked(
    run: Run, registry: RegistryServer, tmp_path: Path
) -> None:
    registry.declare(Rule(fault=Failure(404), method="*", path="/v2/team/app/manifests/2"))
    run("audit", registry.host)
    registry.log.clear()
    text = run("audit").text()
    assert registry.log.requests == ()
    lines = text.splitlines()
    assert lines[0] == registry.host
    assert lines[1].startswith("  crawled    from 20")
    assert lines[2:4] == ["  looked at  2 repositories, 6 tags", "  failures   1"]
    assert f"  {registry.host}/team/app:2: is not there" in text
    assert text.endswith(f"  layerlens audit report {registry.host}\n")
    document = json.loads(run("audit", "--json").text())
    assert document["asked"] is None
    assert len(document["failures"]) == 1

    with Catalogue(catalogue_of(tmp_path, registry)) as catalogue:
        catalogue.start_run("another", now=0)
    assert "and not over: the same command goes on with it" in run("audit").text()
    other = catalogue_of(tmp_path, registry).with_name("x.io.sqlite")
    other.write_bytes(catalogue_of(tmp_path, registry).read_bytes())
    ran = run("audit")
    assert ran.status == 2
    assert "of several registries, name one: " in ran.err


def test_repositories_tags_and_lists(run: Run, registry: RegistryServer, tmp_path: Path) -> None:
    digest = registry.content.repositories["team/app"].tags["3"]
    names = tmp_path / "names.txt"
    names.write_text(f"# ours\n{registry.host}/team/app:1\n\n{registry.host}/team/app@{digest}\n")
    text = run("audit", "--from", str(names)).text()
    assert text.startswith(f"{registry.host}/team/app:1, {registry.host}/team/app@{digest}\n")
    assert "1 repository, 2 tags" in text
    text = run("audit", f"{registry.host}/team/tool", "--tags", "[12]").text()
    assert "1 repository, 2 tags" in text
    text = run("audit", f"{registry.host}/team/tool", "--newest", "1").text()
    assert "1 repository, 1 tag\n" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name a registry, repositories or --from FILE; "),
        (["--tags", "v*"], "--tags: of what? name a registry"),
        (["--db", "/does/not/exist"], "there is no such catalogue"),
        (["docker.io"], "does not list its repositories (no _catalog): name them"),
        (["a b"], "is not an image reference"),
        (["localhost:5000", "--jobs", "0"], "--jobs: expected a number from 1 to 64"),
        (["localhost:5000", "--newest", "0"], "--newest: the number must be 1 or more"),
        (["localhost:5000", "--limit", "entries=5"], "they go with --files"),
        (["localhost:5000", "--platform", "arm"], "is not a platform"),
        (["localhost:5000", "x.io"], "name the catalogue with --db FILE"),
        (["localhost:5000", "--db", ""], "the name of the file is empty"),
        (["--from", "/does/not/exist"], "No such file"),
        (["--from", "pyproject.toml"], "pyproject.toml: line 1: '[build-system]' is not"),
        (["--from", "fixtures/demo.tar"], "it is not UTF-8"),
        (["localhost:5000", "--db", "README.md"], "README.md: file is not a database"),
    ],
)
def test_mistakes_are_one_line(run: Run, words: list[str], message: str, tmp_path: Path) -> None:
    ran = run("audit", *words)
    assert (ran.status, ran.out) == (2, b"")
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").rglob("*.sqlite"))


def test_a_registry_without_a_catalog_is_told_clearly_and_leaves_nothing_behind(
    run: Run, registry: RegistryServer, tmp_path: Path
) -> None:
    registry.declare(Rule(fault=Failure(404), path="/v2/_catalog"))
    ran = run("audit", registry.host)
    assert ran.status == 2
    assert ran.err == (
        f"layerlens: error: {registry.host}: does not list its repositories (no _catalog); "
        "name them\n"
    )
    assert list(catalogue_of(tmp_path, registry).parent.iterdir()) == []


def test_a_registry_that_is_not_there_is_an_error_and_leaves_nothing_behind(
    run: Run, tmp_path: Path
) -> None:
    for name in ("127.0.0.1:1", "127.0.0.1:1/team/app"):
        ran = run("audit", name)
        assert ran.status == 2
        assert "can't be reached" in ran.err
    assert list((tmp_path / "data" / "layerlens" / "audit").iterdir()) == []


def test_progress_is_shown_on_a_terminal(registry: RegistryServer, tmp_path: Path) -> None:
    registry.declare(
        Rule(fault=Delayed(0.06), method="*", path="/v2/team/*"),
        Rule(fault=RateLimit(limit=100), method="*", path="*/manifests/*"),
    )
    terminal, theirs = pty.openpty()
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(
        [sys.executable, "-m", "layerlens", "audit", registry.host, "--jobs", "1"],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(terminal, 1 << 16):
            shown += data
    except OSError:  # what Linux says at the end
        pass
    os.close(terminal)
    assert process.wait() == 0
    line = shown.decode().split("\x1b[K")[-2]
    assert line.startswith(f"auditing {registry.host}: ")
    assert " of 6 tags, " in line
    assert "/s, " in line
    assert "requests left of the rate limit" in line
