"""Which rules ``check`` and ``report`` go by: from a file, from options, or dive's defaults."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerlens.analysis.rules import DIVE_NAMES, RULE_KINDS, RuleKind
from layerlens.analysis.rules_settings import RuleSettings
from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _ArgumentGroup

    from layerlens.analysis.rules import Rule

RULES_FILE = "layerlens.toml"
DIVE_FILE = ".dive-ci"

_LONGEST_FILE = 1 << 20
_NOTHING_ALLOWED = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenRules:
    """``file``: where rules were read, None if in no file. ``set_by_hand``: whether anybody set
    any; else they are dive's defaults."""

    settings: RuleSettings
    file: str | None
    set_by_hand: bool


def add_rule_options(parser: ArgumentParser) -> _ArgumentGroup:
    """Declare the options that set rules, one a kind, and those that name files of rules.

    Returns the group of the latter, to which what images are compared with belongs too.
    """
    group = parser.add_argument_group(
        "rules", "A LIMIT is a size (20MB, 1.5GiB), a share (0.95, 95%) or off."
    )
    dive = {kind: name for name, kind in DIVE_NAMES.items()}
    for kind in RULE_KINDS.values():
        if kind.takes_list:
            _add_list_option(group, kind)
        else:
            names = [f"--{kind.name}", *([f"--{dive[kind]}"] if kind in dive else [])]
            group.add_argument(*names, dest=_name(kind), metavar="LIMIT", help=_help(kind))
    group.add_argument(
        "--exclude",
        metavar="RULE=PATTERN",
        action="append",
        default=[],
        help="paths that don't count for a rule; repeatable",
    )
    group.add_argument(
        "--look",
        choices=("never", "local", "always"),
        default="local",
        help="whose files to read where a name alone does not tell a secret: local ones (the "
        "default), or a registry's too, for which its layers are downloaded again",
    )
    files = parser.add_argument_group("where rules come from, and what IMAGE is compared with")
    exclusive = files.add_mutually_exclusive_group()
    exclusive.add_argument(
        "--config",
        metavar="FILE",
        help=f"read rules from FILE instead of {RULES_FILE} or {DIVE_FILE} in this directory",
    )
    exclusive.add_argument(
        "--ci-config", metavar="FILE", help="read rules from FILE, written as dive's .dive-ci"
    )
    exclusive.add_argument("--no-config", action="store_true", help="read rules from no file")
    files.add_argument(
        "--base", metavar="IMAGE", help="what IMAGE was built on; none of its layers is read"
    )
    return files


def _add_list_option(group: _ArgumentGroup, kind: RuleKind) -> None:
    group.add_argument(
        f"--{kind.name}",
        dest=_name(kind),
        metavar="KIND" if kind.unit.value == "findings" else "PATTERN",
        action="append",
        help=f"{kind.meaning}; repeatable",
    )


def _help(kind: RuleKind) -> str:
    return f"{'at least' if kind.lowest else 'at most'}: {kind.meaning}".replace("%", "%%")


def _name(kind: RuleKind) -> str:
    return kind.name.replace("-", "_")


def chosen_rules(arguments: Namespace) -> ChosenRules:
    """The rules of the file, those of the options over them; dive's defaults if there are none.

    Raises UsageError for what makes no sense, and OSError where a file can't be read.
    """
    from layerlens.analysis.rules_settings import dive_defaults

    file, settings = _file_settings(arguments)
    options = RuleSettings(rules=tuple(_option_rules(arguments)), base=arguments.base)
    settings = options.over(settings)
    by_hand = bool(settings.rules)
    if not by_hand:
        defaults = RuleSettings(rules=dive_defaults("dive's default"))
        settings = settings.over(defaults)
    settings = settings.excluding(_exclusions(arguments))
    return ChosenRules(settings=settings, file=file, set_by_hand=by_hand)


def _file_settings(arguments: Namespace) -> tuple[str | None, RuleSettings]:
    from layerlens.analysis.rules_dive_ci import parse_dive_rules
    from layerlens.analysis.rules_toml import parse_toml_rules

    if arguments.ci_config is not None:
        return arguments.ci_config, parse_dive_rules(
            _read(arguments.ci_config), arguments.ci_config
        )
    path: str | None = arguments.config
    if path is None and not arguments.no_config:
        path = next((name for name in (RULES_FILE, DIVE_FILE) if os.path.lexists(name)), None)
    if path is None:
        return None, RuleSettings()
    text = _read(path)
    if os.path.basename(path) == DIVE_FILE or path.endswith((".yml", ".yaml")):
        return path, parse_dive_rules(text, path)
    return path, parse_toml_rules(text, path)


def _read(path: str) -> str:
    with open(path, "rb") as file:
        data = file.read(_LONGEST_FILE + 1)
    if len(data) > _LONGEST_FILE:
        raise UsageError(f"{path}: is larger than 1 MiB, and no file of rules")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 at byte {error.start}") from error


def _option_rules(arguments: Namespace) -> Iterator[Rule]:
    from layerlens.analysis.rules_limits import is_off, parse_limit
    from layerlens.analysis.rules_settings import made_rule

    for kind in RULE_KINDS.values():
        option = f"--{kind.name}"
        given: str | list[str] | None = getattr(arguments, _name(kind))
        if given is None:
            continue
        try:
            if isinstance(given, str):
                yield made_rule(kind, parse_limit(kind, given), source=option)
            elif len(given) == 1 and is_off(given[0]):
                yield made_rule(kind, None, source=option)
            else:
                listed = [item for item in given if item != _NOTHING_ALLOWED]
                yield made_rule(kind, listed, source=option)
        except UsageError as error:
            raise UsageError(f"{option}: {error}") from error


def _exclusions(arguments: Namespace) -> Mapping[RuleKind, list[str]]:
    from layerlens.analysis.rules_limits import unknown_name

    found: dict[RuleKind, list[str]] = {}
    for text in arguments.exclude:
        name, equals, pattern = text.partition("=")
        if not equals or not pattern:
            raise UsageError(f"--exclude {text}: write RULE=PATTERN, such as max-image-size=/srv")
        if name not in RULE_KINDS:
            raise UsageError(f"--exclude: {unknown_name('rule', name, RULE_KINDS)}")
        found.setdefault(RULE_KINDS[name], []).append(pattern)
    return found
