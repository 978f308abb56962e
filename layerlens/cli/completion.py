"""``layerlens completion``: writes the script with which a shell completes this command's words.

The words are read off the argument parsers, so that the scripts know every command and option
without a second list of them; `completion_scripts` writes them as each shell wants it.
"""

from __future__ import annotations

from argparse import Action, ArgumentParser, Namespace
from collections.abc import Iterable
from dataclasses import replace

from layerlens.cli.commands import COMMANDS, Command
from layerlens.cli.completion_scripts import SCRIPTS, CommandWords, Option, Value
from layerlens.cli.exit_code import ExitCode
from layerlens.cli.output import Output
from layerlens.cli.parser import FILE_METAVARS, command_parser, program_parser

_EPILOG = """\
examples:
  source <(layerlens completion bash)           for this bash session only
  layerlens completion zsh -o ~/zsh/_layerlens  in a directory of your $fpath
  layerlens completion fish -o ~/.config/fish/completions/layerlens.fish
  layerlens completion bash \\
    -o ~/.local/share/bash-completion/completions/layerlens
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare which shell is asked for."""
    parser.epilog = _EPILOG
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell to complete in")


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Write the script of one shell."""
    output.write(SCRIPTS[arguments.shell](words_of_program(COMMANDS)))
    return ExitCode.DONE


def words_of_program(commands: Iterable[Command]) -> tuple[CommandWords, ...]:
    """What can be completed: first the program's own options, then each of *commands*."""
    return (
        _words_of("", "", program_parser()),
        *(_words_of_command(each) for each in commands),
    )


def _words_of_command(command: Command) -> CommandWords:
    """What can follow a command; its parts are offered with it, and their options with its own."""
    words = _words_of(command.name, command.help, command_parser(command))
    if not command.parts:
        return words
    options = {option.names: option for option in words.options}
    for part in command.parts:
        for option in _words_of(part.name, part.help, command_parser(part)).options:
            options.setdefault(option.names, option)
    parts = Value(
        name="COMMAND",
        choices=tuple(part.name.rpartition(" ")[2] for part in command.parts),
        is_file=False,
        is_optional=True,
        is_repeated=False,
    )
    return replace(words, options=tuple(options.values()), operands=(parts, *words.operands))


def _words_of(name: str, summary: str, parser: ArgumentParser) -> CommandWords:
    actions = parser._actions  # argparse has no public way to list what was added to it
    return CommandWords(
        name=name,
        help=summary,
        options=tuple(_option(action) for action in actions if action.option_strings),
        operands=tuple(_value(action) for action in actions if not action.option_strings),
    )


def _option(action: Action) -> Option:
    return Option(
        names=tuple(action.option_strings),
        help=(action.help or "") % vars(action),
        value=None if action.nargs == 0 else _value(action),
    )


def _value(action: Action) -> Value:
    name = action.metavar if isinstance(action.metavar, str) else action.dest
    return Value(
        name=name,
        choices=tuple(str(choice) for choice in action.choices or ()),
        is_file=name in FILE_METAVARS,
        is_optional=action.nargs in {"?", "*"},
        is_repeated=action.nargs in {"*", "+"},
    )
