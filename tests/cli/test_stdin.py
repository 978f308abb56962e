"""Images that come through stdin: named, chosen from, read once, and not there at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .golden import ROOT
from .running import Ran, Run, runner


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


@pytest.mark.parametrize("words", [["inspect"], ["inspect", "--bytes"], ["inspect", "--"]])
def test_one_of_several_images_of_stdin_is_chosen(
    words: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (ROOT / "fixtures/two-images.tar").open() as archive:
        monkeypatch.setattr("sys.stdin", archive)
        text = run(*words, "-:@1").text()
    assert text.startswith("image    -:@1\nnames    localhost/hej:1.0\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["diff", "-", "-"], "only one of the two images can come from stdin"),
        (["diff", "-:@0", "-:@1"], "only one of the two images can come from stdin"),
        (["check", "-:@0", "--baseline=-:@1", "--max-growth=1"], "stdin can be read once"),
    ],
)
def test_stdin_is_read_once(words: list[str], message: str, run: Run) -> None:
    ran = run(*words)
    assert (ran.status, ran.out) == (2, b"")
    assert message in ran.err


def test_an_option_that_there_is_not_is_none_of_stdins_images(run: Run) -> None:
    assert "unrecognized arguments: -x:y" in run("inspect", "-x:y", "-").err


def _in_a_shell(script: str) -> Ran:
    words = ["bash", "-c", script, sys.executable]
    environment = {**os.environ, "XDG_CACHE_HOME": os.devnull}
    ran = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, check=False)
    return Ran(status=ran.returncode, out=ran.stdout, err=ran.stderr.decode())


def test_a_closed_stdin_is_an_error_of_its_own() -> None:
    ran = _in_a_shell('"$0" -m layerlens inspect - <&-')
    assert (ran.status, ran.out) == (2, b"")
    assert ran.err == "layerlens: error: standard input: is closed\n"


def test_a_temporary_file_that_cannot_be_written_is_named() -> None:
    ran = _in_a_shell('ulimit -f 20; "$0" -m layerlens cat fixtures/tour-docker.tar.gz /etc/passwd')
    assert (ran.status, ran.out) == (2, b"")
    assert ran.err.startswith("layerlens: error: /")
    assert ".tar: File too large (TMPDIR names the directory for temporary files)\n" in ran.err
    assert ran.err.count("\n") == 1
