"""The scripts are made for made-up commands, and run in the shells themselves."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from layerlens.cli.commands import COMMANDS
from layerlens.cli.completion import words_of_program
from layerlens.cli.completion_scripts import SCRIPTS
from layerlens.cli.exit_code import ExitCode
from layerlens.cli.main import main

from .made_up import use_command


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a script for each shell, called by the shell's name."""
    from layerlens.cli import commands

    use_command(monkeypatch, lambda arguments, output: ExitCode.DONE)
    words = words_of_program(commands.COMMANDS)
    directory = tmp_path / "scripts"
    directory.mkdir()
    for shell, script in SCRIPTS.items():
        (directory / shell).write_text(script(words))
    return directory


def _need(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_shell_accepts_the_script(shell: str, scripts: Path) -> None:
    ran = subprocess.run(
        [_need(shell), "-n", str(scripts / shell)], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_command_writes_a_script_that_knows_every_command_and_option(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for command in words_of_program(COMMANDS):
        assert command.name in script
        for option in command.options:
            for name in option.names:
                assert (name.lstrip("-") if shell == "fish" else name) in script


_BASH_ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_layerlens
printf '%s\\n' "${COMPREPLY[@]}"
"""

_CASES = [
    ([""], {"show", "completion", "--help", "-h", "--version", "--debug"}),
    (["sh"], {"show"}),
    (["--debug", "sh"], {"show"}),
    (["show", "--o"], {"--only", "--output"}),
    (["show", "--only", ""], {"A", "M"}),
    (["show", "image.tar", "--only", "M"], {"M"}),
    (["show", "-n", ""], set()),
    (["show", "--output", ""], set()),
    (["completion", ""], {"bash", "zsh", "fish"}),
    (["completion", "--", "f"], {"fish"}),
]


@pytest.mark.parametrize(
    ("words", "offered"),
    [*_CASES, (["show", "--only", "="], {"A", "M"}), (["show", "--only", "=", "A"], {"A"})],
)
def test_bash_is_offered(words: list[str], offered: set[str], scripts: Path) -> None:
    ran = subprocess.run(
        [_need("bash"), "-c", _BASH_ASK, "bash", str(scripts / "bash"), "layerlens", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(ran.stdout.split()) == offered
    assert ran.stderr == ""


_SHOW = "layerlens() { printf '<%s>' \"$@\"; echo; }"


def _completed(shell: list[str], setup: str, typed: str, directory: Path) -> str:
    """The arguments that `layerlens` gets when *typed* is typed to *shell* on a terminal."""
    process, terminal = pty.fork()
    if process == 0:  # the child: becomes the shell
        os.chdir(directory)
        os.execve(shell[0], shell, {**os.environ, "TERM": "dumb", "HOME": str(directory)})
    try:
        # the prompt comes when the shell reads keys itself; before that a tab is only a tab
        os.write(terminal, f"{setup}; {_SHOW}; PS1='rea''dy> '\n".encode())
        _read_until(terminal, r"ready> ")
        os.write(terminal, typed.encode())
        return _read_until(terminal, r"<[^\n]*>(?=\r?\n)")
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)


def _read_until(terminal: int, pattern: str) -> str:
    """What matches *pattern* on the terminal, or all there was after some seconds."""
    shown = ""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 65536).decode("utf-8", "replace")
        if found := re.search(pattern, shown):
            return found.group()
    return shown


def test_bash_completes_words_and_files_as_they_are_typed(scripts: Path, tmp_path: Path) -> None:
    (tmp_path / "an image.tar").touch()
    shell = [_need("bash"), "--norc", "--noprofile", "-i"]
    typed = "layerlens sh\tan\t--onl\tA -o an\t\n"
    shown = _completed(shell, f"source {scripts}/bash", typed, tmp_path)
    assert shown == "<show><an image.tar><--only><A><-o><an image.tar>"


def test_zsh_completes_words_and_files_as_they_are_typed(scripts: Path, tmp_path: Path) -> None:
    (tmp_path / "an image.tar").touch()
    setup = (
        f"autoload -Uz compinit; compinit -u -D; source {scripts}/zsh;"
        " zstyle ':completion:*' insert-tab false"  # though more keys are waiting
    )
    typed = "layerlens sh\tan\t--qu\t --only A -o an\t\n"
    shown = _completed([_need("zsh"), "-f", "-i"], setup, typed, tmp_path)
    assert shown == "<show><an image.tar><--quiet><--only><A><-o><an image.tar>"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("layerlens ", {"show", "completion"}),
        ("layerlens show --o", {"--only", "--output"}),
        ("layerlens show --only ", {"A", "M"}),
        ("layerlens show -n ", set()),
        ("layerlens show an", {"an image.tar"}),
        ("layerlens show --output an", {"an image.tar"}),
        ("layerlens completion ", {"bash", "zsh", "fish"}),
    ],
)
def test_fish_is_offered(line: str, offered: set[str], scripts: Path, tmp_path: Path) -> None:
    (tmp_path / "an image.tar").touch()
    ask = "source $argv[1]; complete -C $argv[2]"
    ran = subprocess.run(
        [_need("fish"), "--no-config", "-c", ask, str(scripts / "fish"), line],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    shown = {each.split("\t")[0].replace("\\ ", " ") for each in ran.stdout.splitlines()}
    assert shown == offered


def test_help_texts_are_quoted_for_each_shell(scripts: Path) -> None:
    assert "'*--only=[50% of \\[it\\]\\: x]:only:(A M)'" in (scripts / "zsh").read_text()
    assert "-l only -x -a 'A M' -d '50% of [it]: x'" in (scripts / "fish").read_text()
    assert "-d 'show what it\\'s made of'" in (scripts / "fish").read_text()
