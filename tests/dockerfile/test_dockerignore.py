"""``.dockerignore`` as BuildKit reads it, case by case."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerlens.dockerfile import go_paths
from layerlens.dockerfile.dockerignore import (
    NO_RULES,
    parse_dockerignore,
    path_rules,
    specific_ignore_file,
)
from layerlens.dockerfile.ignore_pattern import ignore_pattern
from layerlens.errors import MalformedInput


def _left_out(text: str, *paths: str) -> list[str]:
    rules = parse_dockerignore(text, ".dockerignore")
    return [path for path in paths if rules.matches(path)]


@pytest.mark.parametrize(
    ("text", "left_out", "kept"),
    [
        ("node_modules", ["node_modules", "node_modules/a/b.js"], ["sub/node_modules/a", "node"]),
        ("**/node_modules", ["node_modules/a", "x/y/node_modules/a"], ["x/node_modules2/a"]),
        ("*.md", ["README.md"], ["docs/README.md", "README.mdx"]),
        ("**/*.md", ["README.md", "docs/a/README.md"], ["README.txt"]),
        ("*/temp*", ["a/temp", "a/temperature/x"], ["temp", "a/b/temp"]),
        ("temp?", ["tempa"], ["temp", "tempab", "temp/"]),
        ("docs/**", ["docs/a", "docs/a/b"], ["docs", "other/docs/a"]),
        ("docs/**/private", ["docs/private", "docs/a/b/private/x"], ["docs/a/privates"]),
        ("**", ["a", "a/b"], []),
        ("*", ["a", "a/b", ".git/HEAD"], []),
        ("/build/", ["build", "build/x"], ["src/build"]),
        ("./build", ["build/x"], []),
        ("a/../build", ["build/x"], ["a"]),
        ("../outside", [], ["outside"]),
        ("/", [], ["a"]),
        ("*\n!src", ["a", "setup.py"], ["src/a", "src/b/c"]),
        ("*\n!src/*.py", ["src/a.c", "src/b/c.py"], ["src/a.py"]),
        ("!src\n*", ["src/a"], []),
        ("*.log\n!keep.log\nkeep.log", ["keep.log"], []),
        ("a/b\n!a", [], ["a/b", "a/b/c"]),
        ("a\n!a/b\n!a/c\na/c/d", ["a/x", "a/c/d"], ["a/b", "a/c", "a/c/e"]),
        ("# comment\n #no comment", ["#no comment"], ["# comment", "comment"]),
        ("  spaced  \n\n\t", ["spaced"], []),
        ("!  spaced", [], ["spaced"]),
        ("a b", ["a b"], ["a"]),
        ("[ab].c", ["a.c", "b.c"], ["c.c", "[ab].c"]),
        ("[^ab].c", ["c.c"], ["a.c"]),
        ("[a-c]x", ["bx"], ["dx", "-x"]),
        (r"\#file", ["#file"], []),
        (r"\*", ["*"], ["a"]),
        ("a.b+c(d)|{e}$", ["a.b+c(d)|{e}$"], ["axb+c(d)|{e}$", "a.bbc(d)|{e}$"]),
        ("^a", ["^a"], ["a"]),
        ("\ufeffa", ["a"], []),
        ("a\r\nb\r\n", ["a", "b"], []),
        ("caf\udce9", ["caf\udce9/x"], ["café"]),
        ("[[a]b", ["[b", "ab"], ["b"]),
        ("[a&&b]", ["a", "&", "b"], ["[a&&b]"]),
        ("*[^a]*b*c", ["xx/bc", "xxbxbc"], ["aabac"]),
        ("x/**/a*b*c/d", ["x/abc/d", "x/y/z/a1b2bc/d"], ["x/ab/c/d"]),
        ("a*" * 30 + "b", ["a" * 3000 + "b"], ["a" * 3000]),
    ],
)
def test_a_pattern_leaves_out(text: str, left_out: list[str], kept: list[str]) -> None:
    assert _left_out(text, *left_out, *kept) == left_out


@pytest.mark.parametrize("line", ["a[", "[]", "[a", "a\\", "!", "! ", "[a-]", "[-a]"])
def test_a_pattern_that_builders_refuse_is_an_error_with_its_line(line: str) -> None:
    with pytest.raises(MalformedInput, match=r"^ignored:2: "):
        parse_dockerignore(f"fine\n{line}\n", "ignored")


def test_nothing_leaves_out_nothing() -> None:
    assert not NO_RULES.matches("a")
    assert not _left_out("", "a")


def test_excludes_are_no_lines_of_a_file() -> None:
    assert path_rules(["# x"]).matches("# x")
    assert path_rules(["*", "!b"]).matches("a")
    assert not path_rules(["*", "!b"]).matches("b")


def test_a_dockerfile_may_have_an_ignore_file_of_its_own() -> None:
    assert specific_ignore_file("build/app.Dockerfile") == "build/app.Dockerfile.dockerignore"


_NAMES = st.sampled_from(["a", "b", "ab"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)
_PATTERNS = st.lists(
    st.tuples(st.sampled_from(["", "!"]), _PATHS).map("".join), min_size=1, max_size=4
)


@given(_PATTERNS, _PATHS)
def test_the_last_pattern_that_matches_a_path_or_its_directory_decides(
    patterns: list[str], path: str
) -> None:
    """Plain paths, told without skipping anything and without regular expressions."""
    expected = False
    for pattern in patterns:
        name = pattern.removeprefix("!")
        if path == name or path.startswith(f"{name}/"):
            expected = not pattern.startswith("!")
    assert path_rules(patterns).matches(path) == expected


_PIECES = st.sampled_from(["a", "b", "/", "/", "*", "**", "**/", "/**/", "?", "[^a]", "[ab]"])


def _as_moby_writes_it(pattern: str) -> str:
    """The regular expression that moby makes of a pattern, word for word."""
    written = ""
    rest = pattern
    while rest:
        if rest.startswith("**"):
            rest = rest[2:].removeprefix("/")
            written += "(.*/)?" if rest else ".*"
        elif rest.startswith("["):
            end = rest.index("]") + 1
            written, rest = written + rest[:end], rest[end:]
        else:
            written += {"*": "[^/]*", "?": "[^/]"}.get(rest[0], rest[0])
            rest = rest[1:]
    return written


@given(
    st.lists(_PIECES, min_size=1, max_size=8).map("".join),
    st.text(alphabet="ab/", min_size=1, max_size=10),
)
@settings(max_examples=500)
def test_any_glob_matches_what_its_expression_does(pattern: str, path: str) -> None:
    path = go_paths.clean(path)
    prefixes = [path[:end] for end in range(len(path) + 1) if path[end : end + 1] in {"/", ""}]
    cleaned = go_paths.clean(pattern)
    expression = re.compile(_as_moby_writes_it(cleaned), re.DOTALL)
    expected = any(expression.fullmatch(prefix) for prefix in prefixes)
    assert bool(ignore_pattern(cleaned)(path)) == expected


_DEEP = "a/" * 2000


@pytest.mark.parametrize(
    ("pattern", "path", "end"),
    [
        ("**/" * 500 + "x", _DEEP, "x"),
        ("**/a/" * 200 + "**/x", _DEEP, "x"),
        ("**/*/" * 200 + "x", _DEEP, "x"),
        ("**/a*a*/" * 100 + "x", "aaaaaaaa/" * 500, "x"),
        ("**a" * 100 + "x", _DEEP, "ax"),
        ("*[^b]" * 100 + "x", "a/" * 90, "x"),
        ("a**" * 50 + "b", "a/" * 2000 + "c", "/b"),
    ],
)
def test_no_pattern_takes_long(pattern: str, path: str, end: str) -> None:
    """Each takes well under a second, and would take years if every way were tried."""
    rules = path_rules([pattern])
    started = time.process_time()
    assert not rules.matches(path)
    assert rules.matches(path + end)
    assert time.process_time() - started < 10
