import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from layerlens.analysis import path_history
from layerlens.filesystem.file_tree import FileTree

from .golden import assert_golden
from .running import Run, runner
from .small_images import docker_archive, file, tar


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("log-demo-settings.txt", ["fixtures/demo.tar", "/srv/weather/settings.ini"]),
        ("log-demo-deb.json", ["fixtures/demo.tar", "*.deb", "--json"]),
        ("log-tour.txt", ["fixtures/tour-oci.tar", "/metadata/*", "--bytes"]),
    ],
)
def test_it_says_what_it_said_before(golden: str, words: list[str], run: Run) -> None:
    ran = run("log", *words)
    assert ran.status == 0, ran.err
    assert_golden(golden, ran.out)


@pytest.mark.parametrize("path", ["etc", "/etc", "/etc/", "./etc", "//etc"])
def test_a_path_may_be_written_in_many_ways(path: str, run: Run) -> None:
    assert run("log", "fixtures/demo.tar", path).text().startswith("/etc\n")


def test_a_path_that_never_was_is_an_error(run: Run) -> None:
    ran = run("log", "fixtures/demo.tar", "/nowhere")
    assert (ran.status, ran.out) == (2, b"")
    assert ran.err == "layerlens: error: fixtures/demo.tar: no layer ever held /nowhere\n"


def test_the_root_is_nobodys_work(run: Run) -> None:
    assert run("log", "fixtures/demo.tar", "/").text() == "/\nno layer changed it\n"
    ran = run("log", "fixtures/demo.tar", "")
    assert (ran.status, ran.err) == (2, "layerlens: error: log: the path is empty; / is the root\n")


def test_a_name_with_the_letters_of_a_glob_is_first_taken_as_it_is(
    run: Run, tmp_path: Path
) -> None:
    image = docker_archive(tmp_path / "a.tar", tar(file("a[1]", b"x"), file("a1", b"x")))
    document = json.loads(run("log", str(image), "/a[1]", "--json").text())
    assert [path["path"] for path in document["paths"]] == ["/a[1]"]
    assert document["paths"][0]["there"] is True
    document = json.loads(run("log", str(image), "a[12]", "--json").text())
    assert [path["path"] for path in document["paths"]] == ["/a1"]


def test_hostile_names_are_escaped(run: Run, tmp_path: Path) -> None:
    image = docker_archive(tmp_path / "a.tar", tar(file("a\x1b[31m\n", b"x")))
    assert run("log", str(image), "a*").text().splitlines()[0] == "/a\\x1b[31m\\n"


def test_a_path_that_was_there_is_found_without_laying_all_trees_together(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def costly(trees: Sequence[FileTree]) -> FileTree:
        raise AssertionError("takes every directory of every layer")

    monkeypatch.setattr(path_history, "ever_held", costly)
    assert run("log", "fixtures/demo.tar", "/etc").status == 0
