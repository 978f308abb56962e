"""What opens the terminal UI, and what is told before the screen is taken."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from layerlens.cli.main import main
from layerlens.cli.terminal import terminal_for
from layerlens.errors import UsageError

from .golden import ROOT
from .running import Run, runner

NO_TERMINAL = (
    "layerlens: error: browse needs a terminal to show images on; inspect, diff and ls write text\n"
)


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


@pytest.mark.parametrize(
    "words",
    [
        ["fixtures/demo.tar"],
        ["--debug", "fixtures/demo.tar"],
        ["fixtures/demo.tar", "--platform", "linux/amd64"],
        ["fixtures/tour-layout"],
        ["browse", "fixtures/demo.tar", "fixtures/odd.tar"],
        ["docker-archive:fixtures/tour-docker.tar"],
        ["oci:fixtures/tour-layout:latest"],
        ["python:3.12-slim"],
        ["ghcr.io/org/name"],
        ["docker://python"],
        ["-"],
    ],
)
def test_an_image_without_a_command_is_browsed(words: list[str], run: Run) -> None:
    ran = run(*words)
    assert (ran.status, ran.out) == (2, b"")
    assert ran.err.splitlines()[-1] + "\n" == NO_TERMINAL


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["inspct"], "unknown command 'inspct': did you mean inspect?"),
        (["inspct", "fixtures/demo.tar"], "unknown command 'inspct': did you mean inspect?"),
        (["zzz"], "unknown command 'zzz': see layerlens --help"),
        (["nothing.tar"], "nothing.tar: no such file or directory"),
        (["./nothing"], "./nothing: no such file or directory"),
        (["fixtures/demo.tar", "--nope"], "unrecognized arguments: --nope (see layerlens browse"),
        (["browse"], "the following arguments are required: IMAGE (see layerlens browse --help)"),
        (
            ["browse", "fixtures/demo.tar", "-o", "x"],
            "browse shows images on the terminal: there is nothing for --output",
        ),
        (["browse", "-", "-"], "only one of the images can come from stdin"),
    ],
)
def test_a_mistake_is_told_on_one_line(words: list[str], line: str, run: Run) -> None:
    ran = run(*words)
    assert (ran.status, ran.out) == (2, b"")
    assert ran.err.startswith(f"layerlens: error: {line}")
    assert ran.err.count("\n") == 1


def test_a_file_that_is_called_as_a_command_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "diff").mkdir()
    (tmp_path / "image").write_bytes((ROOT / "fixtures" / "demo.tar").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert main(["diff", "image", "--name-only"]) == 0
    assert "/etc" in capsys.readouterr().out
    assert main(["image"]) == 2
    assert capsys.readouterr().err == NO_TERMINAL


def test_a_mistake_in_the_settings_is_told_before_the_screen_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "layerlens").mkdir()
    (tmp_path / "layerlens" / "config.toml").write_text("theme = 'x'")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(
        "layerlens.cli.terminal.terminal_for", lambda names, stop: _NoTerminal(names)
    )
    assert main([str(ROOT / "fixtures" / "demo.tar")]) == 2
    assert "config.toml: theme: no theme is called 'x'" in capsys.readouterr().err


class _NoTerminal:
    """Stands for a terminal where there is none."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def __enter__(self) -> list[str]:
        return self._names

    def __exit__(self, *failure: object) -> None:
        pass


def test_stdin_is_handed_on_while_the_terminal_takes_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As `docker save | layerlens -` has it, with a pseudo-terminal as the terminal."""
    if not hasattr(os, "openpty"):
        pytest.skip("this system has no pseudo-terminals")
    controller, terminal = os.openpty()
    read_end, write_end = os.pipe()
    stdin = os.dup(0)
    os.dup2(read_end, 0)
    os.close(read_end)
    monkeypatch.setattr("layerlens.cli.terminal._is_terminal", lambda stream: True)
    monkeypatch.setattr("layerlens.cli.terminal._TERMINAL", os.ttyname(terminal))
    stop = threading.Event()
    try:
        with terminal_for(["-:web", "x.tar"], stop) as names:
            piped, other = names
            assert other == "x.tar"
            assert os.isatty(0)
            path, _, choice = piped.partition(":")
            assert choice == "web"
            os.write(write_end, b"image")
            with open(path, "rb") as file:
                assert file.read(5) == b"image"
                os.close(write_end)
                assert file.read() == b""
        assert stop.is_set()
    finally:
        os.dup2(stdin, 0)
        for descriptor in (stdin, controller, terminal):
            os.close(descriptor)


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("stdin", "a terminal for its keys"),
        ("stdout", "a terminal to show images on"),
        ("stderr", "draws on stderr, which is no terminal"),
    ],
)
def test_all_streams_must_be_a_terminal(
    missing: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "layerlens.cli.terminal._is_terminal", lambda stream: stream is not getattr(sys, missing)
    )
    with (
        pytest.raises(UsageError, match=told),
        terminal_for(["x.tar"], threading.Event()),
    ):
        pass
