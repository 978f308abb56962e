"""``layerlens completion``: a script with which a shell completes this command's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.cli.output import Output


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell to complete in")


def run(arguments: Namespace, output: Output) -> ExitCode:
    return ExitCode.DONE
