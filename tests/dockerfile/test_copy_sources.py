"""Which files of a context COPY and ADD take."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.dockerfile import go_paths
from layerlens.dockerfile.copy_sources import copy_sources, mount_sources
from layerlens.dockerfile.instructions import Add, Copy, Run
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.errors import MalformedInput

_FILES = (
    ".git/HEAD",
    "Makefile",
    "docs/a.md",
    "docs/deep/b.md",
    "package.json",
    "package-lock.json",
    "src/app.py",
    "src/lib/x.py",
    "src/lib/y.c",
    "src.py",
)


def _taken(line: str) -> list[str]:
    dockerfile = parse_dockerfile(f"FROM scratch\n{line}\n".encode(), "Dockerfile")
    (instruction,) = dockerfile.stages[0].instructions
    if isinstance(instruction, Run):
        sources = mount_sources(instruction.mounts)
    else:
        assert isinstance(instruction, Copy | Add)
        sources = copy_sources(instruction)
    return [path for path in _FILES if sources.matches(path)]


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        ("COPY . /", list(_FILES)),
        ("COPY / /", list(_FILES)),
        ("COPY ./ /", list(_FILES)),
        ("COPY ../../. /", list(_FILES)),
        ("COPY src /", ["src/app.py", "src/lib/x.py", "src/lib/y.c"]),
        ("COPY src/ /", ["src/app.py", "src/lib/x.py", "src/lib/y.c"]),
        ("COPY /src/lib /", ["src/lib/x.py", "src/lib/y.c"]),
        ("COPY docs/../src/lib /", ["src/lib/x.py", "src/lib/y.c"]),
        ("COPY package*.json /", ["package.json", "package-lock.json"]),
        ("COPY package.json Makefile /", ["Makefile", "package.json"]),
        ("COPY *.py /", ["src.py"]),
        ("COPY s* /", ["src/app.py", "src/lib/x.py", "src/lib/y.c", "src.py"]),
        ("COPY */*.py /", ["src/app.py"]),
        ("COPY src/* /", ["src/app.py", "src/lib/x.py", "src/lib/y.c"]),
        ("COPY src/*/*.py /", ["src/lib/x.py"]),
        ("COPY [^s]*.json /", ["package.json", "package-lock.json"]),
        ("COPY src/lib/?.c /", ["src/lib/y.c"]),
        (r"COPY src\.py /", ["src.py"]),
        ('COPY ["src/lib", "/"]', ["src/lib/x.py", "src/lib/y.c"]),
        ("COPY --from=build src /", []),
        ("COPY --exclude=*.py src /", ["src/lib/x.py", "src/lib/y.c"]),
        ("COPY --exclude=**/*.py src /", ["src/lib/y.c"]),
        ("COPY --exclude=*-lock.json package*.json /", ["package.json"]),
        ("COPY --exclude=lib --exclude=.git . /", [path for path in _FILES if ".git" not in path]),
        ("COPY --parents src/**/*.py /", ["src/app.py", "src/lib/x.py"]),
        ("COPY --parents src/./lib /", ["src/lib/x.py", "src/lib/y.c"]),
        ("COPY --parents docs/*.md /", ["docs/a.md"]),
        ("ADD https://example.com/src.py src.py /", ["src.py"]),
        ("ADD git@example.com:a/b.git /", []),
        ("RUN --mount=target=/x make", list(_FILES)),
        ("RUN --mount=type=bind,source=package.json,target=package.json npm ci", ["package.json"]),
        ("RUN --mount=type=cache,target=/x --mount=type=bind,from=b,target=/y make", []),
    ],
)
def test_an_instruction_takes(line: str, taken: list[str]) -> None:
    assert _taken(line) == taken


def test_a_pattern_that_builders_refuse_is_an_error() -> None:
    with pytest.raises(MalformedInput, match="nothing closes"):
        _taken("COPY src/[ab /")


@pytest.mark.parametrize(
    ("line", "reached"),
    [("COPY a/b /", True), ("COPY a /", True), ("COPY c /", False), ("COPY */x /", True)],
)
def test_of_a_directory_whose_files_are_not_known_something_may_be_taken(
    line: str, reached: bool
) -> None:
    dockerfile = parse_dockerfile(f"FROM scratch\n{line}\n".encode(), "Dockerfile")
    (instruction,) = dockerfile.stages[0].instructions
    assert isinstance(instruction, Copy)
    assert copy_sources(instruction).reaches_into("a") == reached


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a*c", "abbc", True),
        ("a*c", "ab/c", False),
        ("a?c", "a/c", False),
        ("[a-]", "a", None),
        ("[z-a]", "b", False),
        ("[^z-a]", "b", True),
        (r"[\]]", "]", True),
        (r"[\-x]", "-", True),
        ("[a^]", "^", True),
        ("[^^]", "^", False),
        ("[^a]", "/", False),
        ("x]", "x]", True),
        ("[", "", None),
        ("[]a]", "]", None),
    ],
)
def test_patterns_match_as_in_go(pattern: str, path: str, matches: bool | None) -> None:
    if matches is None:
        with pytest.raises(MalformedInput):
            go_paths.match_pattern(pattern)
    else:
        assert bool(go_paths.match_pattern(pattern).fullmatch(path)) == matches


@given(st.text("ab*?/", max_size=10), st.text("ab/", max_size=10))
def test_stars_take_what_they_would_if_all_was_tried(pattern: str, path: str) -> None:
    plain = {"*": "[^/]*", "?": "[^/]"}
    tried = re.compile("".join(plain.get(character, character) for character in pattern))
    matches = go_paths.match_pattern(pattern).fullmatch(path) is not None
    assert matches == (tried.fullmatch(path) is not None)


def test_no_pattern_takes_for_ever() -> None:
    assert go_paths.match_pattern("a*" * 30 + "b").fullmatch("a" * 3000) is None
    assert go_paths.match_pattern("a*" * 30 + "b").fullmatch("a" * 3000 + "b") is not None
