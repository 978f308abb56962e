"""The argument parsers: one for each command, and one over them all for ``--help``.

Only the parser of the command that runs is filled in: the others would cost their imports.
"""

from __future__ import annotations

import re
import shutil
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, NoReturn

from layerlens.cli.commands import COMMANDS, Command
from layerlens.cli.image_options import is_stdin
from layerlens.errors import UsageError

if TYPE_CHECKING:
    import sys
    from argparse import Action
    from collections.abc import Iterable
    from typing import TypeAlias

    if sys.version_info >= (3, 12):
        _Option: TypeAlias = list[tuple[Action | None, str, str | None, str | None]] | None
    else:
        _Option: TypeAlias = tuple[Action | None, str, str | None] | None

PROGRAM = "layerlens"

FILE_METAVARS = frozenset({"FILE", "DIRECTORY", "IMAGE", "IMAGE_A", "IMAGE_B", "BASELINE"})
"""The metavars whose values shells complete with file names (images are mostly files)."""

_HELP_WIDTH = 80

_FROM_THE_END = re.compile(r"-[0-9]+\.\.(?:-?[0-9]+)?")

_DESCRIPTION = "Look inside container images: what each layer added, changed and removed."

_EPILOG = """\
an IMAGE is a file or directory (its format is found by looking inside), - for
stdin, docker-archive:PATH[:REF], oci-archive:PATH[:REF], oci:DIR[:REF], or a
registry's [docker://]REF

examples:
  layerlens image.tar                  look around in the image
  layerlens inspect image.tar          what the image is, layer by layer
  layerlens diff image.tar             what each layer added, changed, removed
  layerlens diff old.tar new.tar       what differs between two images
  layerlens cat image.tar /etc/passwd  one file's bytes
  layerlens check image.tar            does it keep to layerlens.toml
  layerlens suggest a.tar -f FILE      a better order for a Dockerfile

exit status: 0 done, 1 what was asked to fail did (a rule of check, a suggestion
with --check, a difference with --exit-code), 2 an error, 130 interrupted
"""


class HelpRequested(Exception):
    """``--help`` was among the arguments; `text` is what to write to stdout."""

    def __init__(self, text: str) -> None:
        super().__init__("help requested")
        self.text = text


class _HelpFormatter(RawDescriptionHelpFormatter):
    """Descriptions and examples as they were written; options wrapped, never over 80 columns."""

    def __init__(self, prog: str) -> None:
        width = min(shutil.get_terminal_size().columns, _HELP_WIDTH) - 1
        super().__init__(prog, max_help_position=28, width=width)


class _Parser(ArgumentParser):
    """A parser that raises UsageError or HelpRequested where argparse would write and exit."""

    def __init__(self, *, prog: str, description: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            formatter_class=_HelpFormatter,
            allow_abbrev=False,
            add_help=False,
        )

    def add_general_options(self) -> None:
        """Add the options that every parser has, after its own in the help."""
        general = self.add_argument_group("general")
        general.add_argument("-h", "--help", action="help", help="show this help and exit")
        general.add_argument(
            "--debug", action="store_true", help="show the traceback of an error as well"
        )

    def print_help(self, file: object = None) -> NoReturn:
        raise HelpRequested(self.format_help())

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")

    # argparse has no other way to say that a word is none of the options it looks like.
    def _parse_optional(self, arg_string: str) -> _Option:
        """An image on stdin (``-:REF``) is no option, nor are layers from the end (``-3..``)."""
        is_none = is_stdin(arg_string) or _FROM_THE_END.fullmatch(arg_string)
        return None if is_none else super()._parse_optional(arg_string)


def command_parser(command: Command) -> ArgumentParser:
    """The parser of one command, its own arguments included; imports the command's module.

    ``parse_args`` raises UsageError for a mistake in the arguments, HelpRequested for ``--help``.
    """
    parser = _Parser(prog=f"{PROGRAM} {command.name}", description=_sentence(command.help))
    command.load().add_arguments(parser)
    parser.add_argument_group("where it goes").add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write to FILE instead of stdout, whole or not at all",
    )
    parser.add_general_options()
    return parser


def program_parser(commands: Iterable[Command] = COMMANDS) -> ArgumentParser:
    """The parser of the options before a command; its help names *commands* without importing them.

    It never parses a command: that is what `command_parser` is for.
    """
    listed = "\n".join(f"  {command.name:<12}{command.help}" for command in commands)
    parser = _Parser(prog=PROGRAM, description=f"{_DESCRIPTION}\n\ncommands:\n{listed}")
    parser.usage = f"{PROGRAM} [--version] [--debug] IMAGE | COMMAND [ARGUMENT ...]"
    parser.epilog = _EPILOG
    parser.add_general_options()
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    return parser


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
