"""The entry point: finds the command, runs it, and returns the exit status.

Start-up is kept small: this module imports nothing that is not built in, ``--version`` needs no
argument parser, and of the commands only the one that runs is imported.
"""

from __future__ import annotations

import gc
import sys

from layerlens import __version__

TYPE_CHECKING = False  # importing typing for it would cost more than --version does
if TYPE_CHECKING:
    from layerlens.cli.commands import Command


def main(argv: list[str] | None = None) -> int:
    """Run the command line *argv* (default: the process's own); nothing is raised.

    Returns an exit status of `layerlens.cli.exit_code.ExitCode`.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    if argv is None:
        gc.disable()  # an image is a million objects, which would be gone through again and again
    try:
        if words == ["--version"]:
            return _print_version()
        return _dispatch(words)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - nothing ends in a traceback
        from layerlens.cli.failure import report_failure

        return report_failure(error, show_traceback=_asks_for_traceback(words))
    finally:
        if argv is None:
            gc.freeze()  # nor at the end: the process and all that it holds is gone in a moment


def _print_version() -> int:
    text = f"layerlens {__version__}\n"
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (AttributeError, OSError):  # closed, full or a broken pipe: say it as commands do
        from layerlens.cli.output import open_output

        with open_output(None) as output:
            output.write(text)
    return 0


def _dispatch(words: list[str]) -> int:
    from layerlens.cli.output import open_output
    from layerlens.cli.parser import HelpRequested, program_parser

    try:
        command, arguments = _split(words)
        if command is None:
            options = program_parser().parse_args(arguments)
            if options.version:
                return _print_version()
            raise HelpRequested(program_parser().format_help())
        return _run(command, arguments)
    except HelpRequested as help_requested:
        with open_output(None) as output:
            output.write(help_requested.text)
        return 0


def _split(words: list[str]) -> tuple[Command | None, list[str]]:
    """The command and its arguments; options before the command are the program's."""
    from layerlens.cli.commands import find_command, is_command

    for position, word in enumerate(words):
        if not word.startswith("-") or word == "-" or word.startswith("-:"):
            before = words[:position]
            if set(before) - {"--debug"}:
                return None, before
            if not is_command(word) and _looks_like_an_image(word):
                return find_command("browse"), before + words[position:]
            command, rest = find_command(word), words[position + 1 :]
            part = command.part(rest[0]) if rest else None
            return (command, before + rest) if part is None else (part, before + rest[1:])
    return None, words


def _looks_like_an_image(word: str) -> bool:
    """Whether a first word that is no command is meant as an image to browse.

    A bare word that names no file is more likely a command mistyped than an image of Docker Hub:
    ``layerlens browse python`` says that it is one.
    """
    import os

    return any(mark in word for mark in "/:@.") or word == "-" or os.path.lexists(word)


def _run(command: Command, words: list[str]) -> int:
    from layerlens.cli.output import open_output
    from layerlens.cli.parser import command_parser
    from layerlens.cli.termination import unwinding

    if command.long_lived:
        gc.enable()
    module = command.load()
    # Options and arguments in any order: argparse's own way gives an optional one nothing once
    # an option stands before it.
    parser = command_parser(command)
    arguments = parser.parse_args(words) if "--" in words else parser.parse_intermixed_args(words)
    with unwinding(), open_output(arguments.output) as output:
        return int(module.run(arguments, output))


def _asks_for_traceback(words: list[str]) -> bool:
    options = words[: words.index("--")] if "--" in words else words
    return "--debug" in options
