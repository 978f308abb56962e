"""What the README tells people to type and to put in files can be typed and put there."""

import re
import shlex
from pathlib import Path

import pytest

from layerlens.analysis.rules_toml import parse_toml_rules
from layerlens.cli.commands import find_command, is_command
from layerlens.cli.parser import command_parser

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Every command line in a block, variables in it left as they are."""
    found = []
    for language, block in BLOCKS:
        if language not in {"sh", "yaml"}:
            continue
        for line in block.splitlines():
            for part in re.split(r"&&|\|\||(?<!\|)\|(?!\|)", line):
                match = re.match(r"\s*(?:- run: |- )?(?:\.venv/bin/)?(layerlens [a-z].*)", part)
                if match is not None:
                    found.append(match[1])
    return found


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_readme_can_be_parsed(line: str) -> None:
    _, name, *words = shlex.split(line, comments=True)
    if not is_command(name):  # 'layerlens IMAGE'
        name, words = "browse", [name, *words]
    command = find_command(name)
    part = command.part(words[0]) if words else None
    if part is not None:
        command, words = part, words[1:]
    words = [word for word in words if word not in {">>", ">"}]
    command_parser(command).parse_intermixed_args(words)


def test_there_are_commands_to_parse() -> None:
    named = {line.split()[1] for line in commands()}
    assert {"check", "report", "diff", "shared", "waste"} <= named


def test_the_rules_of_the_readme_can_be_read() -> None:
    (block,) = (block for language, block in BLOCKS if language == "toml")
    settings = parse_toml_rules(block, "README.md")
    assert len(settings.rules) == 4
    assert settings.baseline is not None


def test_no_other_distribution_is_named() -> None:
    installs = re.findall(r"\b(?:pip|pipx|uv) (?:tool )?install ([^\n&;`]*)", README)
    assert len(installs) > 2
    for arguments in installs:
        assert not re.search(r"\blayerlens(?!-oci)\b", arguments), arguments
