import os
import subprocess
import sys
from argparse import Namespace

import pytest

from layerlens import __version__
from layerlens.cli.commands import COMMANDS, Command
from layerlens.cli.exit_code import ExitCode
from layerlens.cli.main import main
from layerlens.cli.output import Output
from layerlens.cli.parser import HelpRequested, command_parser
from layerlens.errors import MalformedInput

from .made_up import use_command, use_failing


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"layerlens {__version__}\n"


def test_the_module_runs_as_the_command_does() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "layerlens", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"layerlens {__version__}\n"


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["--debug"]])
def test_without_a_command_the_help_names_all_of_them(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    for command in COMMANDS:
        assert f"\n  {command.name} " in shown.out
        assert command.help in shown.out


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_every_command_has_help_of_at_most_80_columns(command: Command) -> None:
    with pytest.raises(HelpRequested) as request:
        command_parser(command).parse_args(["--help"])
    lines = request.value.text.splitlines()
    assert lines[0].startswith(f"usage: layerlens {command.name} ")
    assert "examples:" in lines
    assert [line for line in lines if len(line) > 80] == []


def test_program_help_is_of_at_most_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


def test_arguments_reach_the_command_and_its_status_is_the_programs(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(arguments: Namespace, output: Output) -> ExitCode:
        output.write(f"{arguments.image} {arguments.layer}\n")
        return ExitCode.DIFFERENT

    use_command(monkeypatch, run)
    assert main(["show", "a.tar", "-n", "3"]) == 1
    assert capsys.readouterr().out == "a.tar 3\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["shwo", "x"], "unknown command 'shwo': did you mean show?"),
        (["zzz"], "unknown command 'zzz': see layerlens --help"),
        (["\x1b[31m"], "unknown command '\\x1b[31m': see layerlens --help"),
        (["--nope"], "unrecognized arguments: --nope (see layerlens --help)"),
        (["--nope", "show", "x"], "unrecognized arguments: --nope (see layerlens --help)"),
        (
            ["show"],
            "the following arguments are required: IMAGE (see layerlens show --help)",
        ),
        (
            ["show", "x", "--quie"],
            "unrecognized arguments: --quie (see layerlens show --help)",
        ),
        (
            ["show", "x", "-n", "many"],
            "argument -n/--layer: invalid int value: 'many' (see layerlens show --help)",
        ),
        (["show", "x", "-o", ""], "--output: the name of the file is empty"),
    ],
)
def test_a_mistake_in_the_words_is_one_line(
    words: list[str],
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_failing(monkeypatch, AssertionError("ran"))
    assert main(words) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"layerlens: error: {line}\n")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MalformedInput("a.tar: \x1b[2Jbad\nname"), "a.tar: \\x1b[2Jbad\\nname"),
        (MalformedInput("'\\x1b é' is quoted"), "'\\x1b é' is quoted"),
        (FileNotFoundError(2, "No such file", "a\n.tar"), "a\\n.tar: No such file"),
        (FileNotFoundError(2, "No such file", b"a\xff"), "a\\xff: No such file"),
        (OSError("odd"), "odd"),
        (OSError(), "OSError"),
        (BrokenPipeError(32, "Broken pipe"), "Broken pipe"),
        (MemoryError(), "out of memory"),
        (RecursionError(), "the input is nested too deeply to be read"),
    ],
)
def test_an_error_is_one_escaped_line_and_status_2(
    error: Exception,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_failing(monkeypatch, error)
    assert main(["show", "x"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"layerlens: error: {line}\n")


def test_an_unforeseen_exception_is_called_a_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_failing(monkeypatch, KeyError("layers"))
    assert main(["show", "x"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "bug" in line
    assert "KeyError: 'layers'" in line
    assert "--debug" in line


@pytest.mark.parametrize("words", [["--debug", "show", "x"], ["show", "x", "--debug"]])
def test_debug_shows_the_traceback_escaped_before_the_line(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_failing(monkeypatch, MalformedInput("\x1b[2J"))
    assert main(words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "layerlens: error: \\x1b[2J"
    assert not any("\x1b" in line for line in lines)


def test_an_operand_called_debug_asks_for_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_failing(monkeypatch, MalformedInput("bad"))
    assert main(["show", "--", "--debug"]) == 2
    assert capsys.readouterr().err == "layerlens: error: bad\n"


def test_an_interrupt_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_failing(monkeypatch, KeyboardInterrupt())
    assert main(["show", "x"]) == 130
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


_TALKER = """
import sys, types
from layerlens.cli import commands, main
module = types.ModuleType("layerlens.cli.talk")
def run(arguments, output):
    for number in range(300_000):
        output.write(f"line {number}\\n")
    return 0
vars(module).update(add_arguments=lambda parser: None, run=run)
sys.modules[module.__name__] = module
commands.COMMANDS = (commands.Command(name="talk", help="talk"),)
sys.exit(main.main(sys.argv[1:]))
"""


def _talk(redirection: str, words: str = "talk") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": sys.executable, "TALKER": _TALKER}
    script = f'set -o pipefail; "$PYTHON" -c "$TALKER" {words} {redirection}'
    return subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("words", ["talk", "--version", "--help"])
def test_a_reader_that_stops_ends_the_command_quietly(words: str) -> None:
    ran = _talk("| (exec <&-; sleep 0.3)", words)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_head_gets_its_line() -> None:
    ran = _talk("| head -n 1")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "line 0\n", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", ["talk", "--version", "--help"])
def test_a_full_disk_behind_stdout_is_one_line(words: str) -> None:
    ran = _talk("> /dev/full", words)
    assert ran.returncode == 2
    assert ran.stderr == "layerlens: error: standard output: No space left on device\n"


@pytest.mark.parametrize("words", ["talk", "--version", "--help"])
def test_a_closed_stdout_is_one_line(words: str) -> None:
    ran = _talk(">&-", words)
    assert ran.returncode == 2
    assert ran.stderr == "layerlens: error: standard output: Bad file descriptor\n"


def test_a_closed_stderr_changes_only_what_is_said() -> None:
    ran = _talk("2>&-", "nonsense")
    assert (ran.returncode, ran.stdout) == (2, "")
