"""Commands made up for tests, so that those of the program can change without these tests."""

import sys
import types
from argparse import ArgumentParser, Namespace
from collections.abc import Callable

import pytest

from layerlens.cli import commands
from layerlens.cli.commands import Command
from layerlens.cli.exit_code import ExitCode
from layerlens.cli.output import Output

Run = Callable[[Namespace, Output], ExitCode]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", help="it's an image")
    parser.add_argument("path", metavar="PATH", nargs="?")
    parser.add_argument("--only", choices=["A", "M"], help="50%% of [it]: x")
    parser.add_argument("-n", "--layer", metavar="N", type=int)
    parser.add_argument("--quiet", action="store_true")


def use_command(monkeypatch: pytest.MonkeyPatch, run: Run, name: str = "show") -> Command:
    """Make the program know a command *name* besides ``completion``, until the test ends."""
    module = types.ModuleType(f"layerlens.cli.{name}")
    vars(module).update(add_arguments=add_arguments, run=run)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    command = Command(name=name, help="show what it's made of")
    others = [each for each in commands.COMMANDS if each.name == "completion"]
    monkeypatch.setattr(commands, "COMMANDS", (command, *others))
    return command


def use_failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make ``show`` raise *error*."""

    def run(arguments: Namespace, output: Output) -> ExitCode:
        raise error

    use_command(monkeypatch, run)
