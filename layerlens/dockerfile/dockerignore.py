"""What ``.dockerignore`` keeps out of the build context, as BuildKit reads it.

The rules are those of moby's patternmatcher: the last pattern that matches a path or one of the
directories it is in decides; ``!`` lets in again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from layerlens.dockerfile import go_paths
from layerlens.dockerfile.ignore_pattern import ignore_pattern
from layerlens.errors import MalformedInput

IGNORE_FILE = ".dockerignore"

_GO_SPACE = " \t\n\v\f\r\x85\xa0"


@dataclass(frozen=True, slots=True)
class _Rule:
    """``matches``: the path, or a directory it is in. ``lets_in``: written with ``!``."""

    matches: Callable[[str], object]
    lets_in: bool


@dataclass(frozen=True, slots=True)
class PathRules:
    """Patterns in the order that decides. Of ``.dockerignore`` a match is what is left out."""

    rules: tuple[_Rule, ...] = ()

    def matches(self, path: str) -> bool:
        """Whether a path relative to the context (``src/a.c``) is matched."""
        matched = False
        for rule in self.rules:
            if rule.lets_in is matched and rule.matches(path):  # else it could change nothing
                matched = not matched
        return matched

    def may_let_in_below(self, directory: str) -> bool:
        """Whether a file in ``directory``, or further down, may not be matched."""
        return not self.matches(directory) or any(rule.lets_in for rule in self.rules)


NO_RULES = PathRules()


def parse_dockerignore(text: str, where: str) -> PathRules:
    """The rules of an ignore file. Raises MalformedInput, naming the file and the line."""
    rules: list[_Rule] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if line.startswith("#"):
            continue
        try:
            rule = _rule(line, is_line=True)
        except MalformedInput as error:
            raise MalformedInput(f"{where}:{number}: {error}") from error
        if rule is not None:
            rules.append(rule)
    return PathRules(tuple(rules))


def path_rules(patterns: Iterable[str]) -> PathRules:
    """The rules that patterns of ``--exclude`` make. Raises MalformedInput."""
    rules = (_rule(pattern, is_line=False) for pattern in patterns)
    return PathRules(tuple(rule for rule in rules if rule is not None))


def specific_ignore_file(dockerfile: str) -> str:
    """The ignore file that a Dockerfile may have of its own, which then replaces the common one."""
    return f"{dockerfile}{IGNORE_FILE}"


def _rule(line: str, *, is_line: bool) -> _Rule | None:
    pattern = line.strip(_GO_SPACE)
    if not pattern:
        return None
    lets_in = pattern.startswith("!")
    if lets_in:
        pattern = pattern[1:].strip(_GO_SPACE) if is_line else pattern[1:]
        if not pattern:
            raise MalformedInput("'!' lets in nothing: a pattern must follow it")
    pattern = go_paths.clean(pattern)
    if is_line and len(pattern) > 1:
        pattern = pattern.removeprefix("/")
    go_paths.match_pattern(pattern)  # builders refuse what filepath.Match refuses
    return _Rule(ignore_pattern(pattern), lets_in)
