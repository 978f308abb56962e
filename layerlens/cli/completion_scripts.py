"""Completion scripts for bash, zsh and fish, written from the words that can be completed.

Only text is made here; where the words come from is `completion`'s matter.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from layerlens.cli.parser import PROGRAM


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What follows an option, or stands for itself: one of `choices`, a file, or anything."""

    name: str
    choices: tuple[str, ...]
    is_file: bool
    is_optional: bool
    is_repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option under all its names; `value` is None where it takes none."""

    names: tuple[str, ...]
    help: str
    value: Value | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandWords:
    """What can follow a command; the program itself is the one without a name."""

    name: str
    help: str
    options: tuple[Option, ...]
    operands: tuple[Value, ...]


Script = Callable[[Sequence[CommandWords]], str]


def bash_script(words: Sequence[CommandWords]) -> str:
    """For bash 3.2 and newer; file names are left to readline, which quotes them rightly."""
    program, *commands = words
    first = [*(command.name for command in commands), *_names(program.options)]
    cases = "".join(_bash_case(command) for command in commands)
    return _BASH.format(program=PROGRAM, first=shlex.quote(" ".join(first)), cases=cases)


_BASH = """\
# bash completion for {program}
_{program}_words() {{
    local word
    compopt +o default 2>/dev/null
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(compgen -W "$1" -- "$current")
}}

_{program}() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
    local command='' word
    COMPREPLY=()
    # bash splits words at = and :
    if [[ $current == [=:] ]]; then
        current=''
    elif [[ $previous == = ]]; then
        previous=${{COMP_WORDS[COMP_CWORD-2]}}
    fi
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        if [[ $word != -* ]]; then
            command=$word
            break
        fi
    done
    case $command in
    '')
        _{program}_words {first}
        ;;
{cases}    esac
}}

complete -o default -F _{program} {program}
"""


def _bash_case(command: CommandWords) -> str:
    lines = [f"    {command.name})", "        case $previous in"]
    lines += [
        f"        {'|'.join(option.names)}) {_bash_action(option.value)} ;;"
        for option in command.options
        if option.value is not None
    ]
    options = shlex.quote(" ".join(_names(command.options)))
    choices = [choice for operand in command.operands for choice in operand.choices]
    if any(operand.is_file for operand in command.operands):
        otherwise = ":"
    else:
        otherwise = f"_{PROGRAM}_words {shlex.quote(' '.join(choices))}"
    lines += [
        "        *)",
        "            if [[ $current == -* ]]; then",
        f"                _{PROGRAM}_words {options}",
        "            else",
        f"                {otherwise}",
        "            fi",
        "            ;;",
        "        esac",
        "        ;;",
    ]
    return "".join(f"{line}\n" for line in lines)


def _bash_action(value: Value) -> str:
    """What offers a value: nothing to do for files, which are the default."""
    if value.is_file:
        return ":"
    return f"_{PROGRAM}_words {shlex.quote(' '.join(value.choices))}"


def zsh_script(words: Sequence[CommandWords]) -> str:
    """For zsh: a file ``_layerlens`` in ``$fpath``, or sourced after compinit."""
    program, *commands = words
    described = "".join(
        f"        {shlex.quote(f'{command.name}:{command.help}')}\n" for command in commands
    )
    cases = "".join(
        f"        {command.name})\n            _arguments -s{_zsh_specs(command)}\n            ;;\n"
        for command in commands
    )
    return _ZSH.format(
        program=PROGRAM, options=_zsh_specs(program), described=described, cases=cases
    )


_ZSH = """\
#compdef {program}

_{program}() {{
    local curcontext=$curcontext state line
    local -a commands
    typeset -A opt_args
    commands=(
{described}    )
    _arguments -C{options} \\
                '1: :->command' \\
                '*:: :->arguments' && return
    case $state in
    command)
        _describe -t commands command commands
        ;;
    arguments)
        case $line[1] in
{cases}        esac
        ;;
    esac
}}

if [[ $funcstack[1] == _{program} ]]; then
    _{program} "$@"
else
    compdef _{program} {program}
fi
"""


def _zsh_specs(command: CommandWords) -> str:
    specs = [spec for option in command.options for spec in _zsh_option(option)]
    for position, operand in enumerate(command.operands, start=1):
        number = "*" if operand.is_repeated else str(position)
        colons = "::" if operand.is_optional and not operand.is_repeated else ":"
        specs.append(f"{number}{colons}{_zsh_value(operand)}")
    return "".join(f" \\\n                {shlex.quote(spec)}" for spec in specs)


def _zsh_option(option: Option) -> Iterable[str]:
    text = f"[{_zsh_text(option.help)}]"
    if option.value is None:
        excluded = f"({' '.join(option.names)})" if len(option.names) > 1 else ""
        return [f"{excluded}{name}{text}" for name in option.names]
    value = _zsh_value(option.value)
    return [
        f"*{name}{'=' if name.startswith('--') else '+'}{text}:{value}" for name in option.names
    ]


def _zsh_value(value: Value) -> str:
    offered = "_files" if value.is_file else f"({' '.join(value.choices)})"
    return f"{_zsh_text(value.name)}:{offered}"


def _zsh_text(text: str) -> str:
    for special in "\\[]:":
        text = text.replace(special, f"\\{special}")
    return text


def fish_script(words: Sequence[CommandWords]) -> str:
    """For fish: a file ``layerlens.fish`` among its completions."""
    program, *commands = words
    lines = [f"# fish completion for {PROGRAM}", f"complete -c {PROGRAM} -f"]
    at_first = f"complete -c {PROGRAM} -n __fish_use_subcommand"
    lines += [
        f"{at_first} -a {command.name} -d {_fish_quote(command.help)}" for command in commands
    ]
    lines += [f"{at_first}{_fish_option(option)}" for option in program.options]
    for command in commands:
        condition = _fish_quote(f"__fish_seen_subcommand_from {command.name}")
        after = f"complete -c {PROGRAM} -n {condition}"
        lines += [f"{after}{_fish_option(option)}" for option in command.options]
        if any(operand.is_file for operand in command.operands):
            lines.append(f"{after} -F")
        choices = [choice for operand in command.operands for choice in operand.choices]
        if choices:
            lines.append(f"{after} -a {_fish_quote(' '.join(choices))}")
    return "".join(f"{line}\n" for line in lines)


def _fish_option(option: Option) -> str:
    names = "".join(
        f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names
    )
    value = "" if option.value is None else _fish_value(option.value)
    return f"{names}{value} -d {_fish_quote(option.help)}"


def _fish_value(value: Value) -> str:
    if value.choices:
        return f" -x -a {_fish_quote(' '.join(value.choices))}"
    return " -r -F" if value.is_file else " -x"


def _fish_quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _names(options: Iterable[Option]) -> list[str]:
    return [name for option in options for name in option.names]


SCRIPTS: Mapping[str, Script] = {"bash": bash_script, "zsh": zsh_script, "fish": fish_script}
