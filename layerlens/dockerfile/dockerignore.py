"""What ``.dockerignore`` keeps out of the build context, as BuildKit reads it.

The rules are those of moby's patternmatcher: the last pattern that matches a path or one of the
directories it is in decides; ``!`` lets in again; ``**`` is any number of directories. Globs here
are no ``filepath.Match``: ``**/x`` and ``[^a]`` go straight to a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from layerlens.dockerfile import go_paths
from layerlens.errors import MalformedInput

IGNORE_FILE = ".dockerignore"

_GO_SPACE = " \t\n\v\f\r\x85\xa0"
_ESCAPED = frozenset(".+()|{}$^")


@dataclass(frozen=True, slots=True)
class _Rule:
    """``lets_in``: written with ``!``."""

    pattern: re.Pattern[str]
    lets_in: bool


@dataclass(frozen=True, slots=True)
class PathRules:
    """Patterns in the order that decides. Of ``.dockerignore`` a match is what is left out."""

    rules: tuple[_Rule, ...] = ()

    def matches(self, path: str) -> bool:
        """Whether a path relative to the context (``src/a.c``) is matched."""
        matched = False
        prefixes: tuple[str, ...] | None = None
        for rule in self.rules:
            if rule.lets_in is not matched:
                continue  # it could change nothing
            if prefixes is None:
                prefixes = _prefixes(path)
            if any(rule.pattern.fullmatch(prefix) for prefix in prefixes):
                matched = not rule.lets_in
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
    return _Rule(_expression(pattern), lets_in)


def _expression(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        match character:
            case "*" if pattern.startswith("*", position):
                position += 1
                if pattern.startswith("/", position):
                    position += 1
                at_end = position == len(pattern)
                parts.append(go_paths.REST if at_end else go_paths.DIRECTORIES)
            case "*":
                parts.append(go_paths.STAR)
            case "?":
                parts.append("[^/]")
            case "\\" if position < len(pattern):
                parts.append(re.escape(pattern[position]))
                position += 1
            case "[":
                end = _class_end(pattern, position)
                parts.append(_class_text(pattern[position:end]))
                position = end + 1
            case _:
                parts.append(f"\\{character}" if character in _ESCAPED else re.escape(character))
    return re.compile(go_paths.joined(parts), re.DOTALL)


def _class_end(pattern: str, position: int) -> int:
    """Where the class that starts at *position* is closed; that it is has been checked."""
    position += pattern.startswith("^", position)
    position += pattern.startswith("]", position)
    while not pattern.startswith("]", position):
        position += 2 if pattern.startswith("\\", position) else 1
    return position


def _class_text(body: str) -> str:
    """A class in Python's words: the same, but for what only Python reads a meaning into."""
    for special, literal in (("[", r"\["), ("&&", r"&\&"), ("~~", r"~\~")):
        body = body.replace(special, literal)
    return f"[{body}]"


def _prefixes(path: str) -> tuple[str, ...]:
    """The path and every directory it is in."""
    ends = [position for position, character in enumerate(path) if character == "/"]
    return (path, *(path[:end] for end in ends))
