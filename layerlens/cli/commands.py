"""The table of commands: a name, a line of help, and the module that is imported when it is run.

A command ``NAME`` lives in ``layerlens.cli.NAME``, which defines the two functions of
`CommandModule`. To add a command, write that module and add its line to `COMMANDS`. What may stand
right after a command, ``audit report``, is a command of its own, in ``layerlens.cli.audit_report``.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.cli.exit_code import ExitCode
    from layerlens.cli.output import Output


class AddArguments(Protocol):
    """Declare a command's arguments; may set ``parser.description`` and ``parser.epilog``.

    ``-h``, ``--debug`` and ``-o``/``--output`` are there already. A value whose metavar is one
    of `layerlens.cli.parser.FILE_METAVARS` is completed with file names.
    """

    def __call__(self, parser: ArgumentParser) -> None: ...


class Run(Protocol):
    """Do what a command is for; what goes wrong is raised as a LayerlensError, never printed."""

    def __call__(self, arguments: Namespace, output: Output) -> ExitCode: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandModule:
    """What the module of a command defines; it imports anything heavy inside ``run``."""

    add_arguments: AddArguments
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command, not yet imported; ``parts`` are the commands that start with its name.

    ``long_lived``: runs until it is left, or goes through any number of images; rubbish is then
    collected meanwhile, which costs a command that reads an image or two a third of its time.
    """

    name: str
    help: str
    parts: tuple[Command, ...] = ()
    long_lived: bool = False

    def load(self) -> CommandModule:
        """The functions of the command's module, imported now."""
        module = importlib.import_module(f"layerlens.cli.{self.name.replace(' ', '_')}")
        return CommandModule(add_arguments=module.add_arguments, run=module.run)

    def part(self, word: str) -> Command | None:
        """The command that *word* makes of this one, standing right after it."""
        whole = f"{self.name} {word}"
        return next((part for part in self.parts if part.name == whole), None)


COMMANDS: tuple[Command, ...] = (
    Command(
        name="browse",
        help="look around in images in the terminal; so does layerlens IMAGE",
        long_lived=True,
    ),
    Command(name="inspect", help="show an image's config and a row for each layer"),
    Command(name="diff", help="show what each layer changed, or how two images differ"),
    Command(name="ls", help="list the files of an image or of one layer"),
    Command(name="cat", help="write the bytes of a file in an image to stdout"),
    Command(name="log", help="show which layers wrote, changed and removed a path"),
    Command(
        name="shared",
        help="show the layers and files that images have in common",
        long_lived=True,
    ),
    Command(name="waste", help="show dead bytes, caches, leftovers and secrets, with their fix"),
    Command(name="dockerfile", help="read an image's Dockerfile back from its history"),
    Command(
        name="audit",
        help="read a registry as a whole into a catalogue to ask",
        long_lived=True,
        parts=(
            Command(name="audit report", help="say what a registry holds, shares and duplicates"),
            Command(name="audit freed", help="say what deleting tags would free"),
            Command(
                name="audit browse",
                help="look through a registry's layers in the terminal",
                long_lived=True,
            ),
            Command(name="audit holders", help="say which images have a layer"),
            Command(name="audit dump", help="write a catalogue as NDJSON for other engines"),
        ),
    ),
    Command(name="check", help="hold an image to rules, for CI"),
    Command(name="export", help="write an image's entries as CSV, or as dive's JSON"),
    Command(name="report", help="report on an image, for a pull request or as a page"),
    Command(name="suggest", help="suggest a better order for a Dockerfile, and prove it"),
    Command(name="completion", help="write a completion script for bash, zsh or fish"),
)


def is_command(name: str) -> bool:
    """Whether there is a command called *name*."""
    return any(command.name == name for command in COMMANDS)


def find_command(name: str) -> Command:
    """The command called *name*; UsageError, with the nearest names, where there is none."""
    for command in COMMANDS:
        if command.name == name:
            return command
    from difflib import get_close_matches

    near = get_close_matches(name, [command.name for command in COMMANDS], n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "see layerlens --help"
    raise UsageError(f"unknown command '{name}': {hint}")
