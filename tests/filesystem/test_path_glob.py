import re
import time
from fnmatch import translate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.errors import UsageError
from layerlens.filesystem.path_glob import compile_glob, matches_any


def matches(pattern: str, path: str) -> bool:
    return matches_any([compile_glob(pattern)], path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.pyc", "/a.pyc"),
        ("*.pyc", "/usr/lib/a.pyc"),
        ("*.pyc", "/usr/.pyc"),
        ("node_modules", "/srv/node_modules"),
        ("node_modules", "/srv/node_modules/left-pad/index.js"),
        ("node_modules/", "/srv/node_modules/left-pad"),
        ("/etc", "/etc"),
        ("/etc", "/etc/ssl/certs"),
        ("/etc/*.conf", "/etc/host.conf"),
        ("etc/*.conf", "/etc/host.conf"),
        ("/etc//ssl/", "/etc/ssl/certs"),
        ("usr/**/bin", "/usr/bin"),
        ("usr/**/bin", "/usr/local/bin"),
        ("usr/**/bin", "/usr/a/b/c/bin/sh"),
        ("**/bin", "/bin"),
        ("**/bin", "/usr/local/bin/x"),
        ("**/a/**/b", "/x/a/b/a/c/b"),
        ("/usr/**", "/usr/bin"),
        ("/usr/**/**", "/usr/bin"),
        ("**", "/a"),
        ("a**c", "/x/abbbc"),
        ("*a*a*", "/banana"),
        ("*ana", "/banana"),
        ("a*b*b", "/abab/x"),
        ("?", "/é"),
        ("[a-c]x", "/bx"),
        ("[!a-c]x", "/dx"),
        ("[^a-c]x", "/dx"),
        ("[]-]", "/]"),
        ("[]-]", "/-"),
        ("[!]]", "/a"),
        (r"[\]a]", "/]"),
        (r"[a\-z]", "/-"),
        ("[[]", "/["),
        ("[&&~~||]", "/&"),
        (r"\*", "/*"),
        (r"\[x]", "/[x]"),
        ("a\\", "/a\\"),
        ("*(a|b)+$", "/x(a|b)+$"),
        ("a\nb*", "/a\nbc"),
        ("*\udcff", "/caf\udcff"),
        ("日*", "/x/日本語"),
        ("-rf", "/names/-rf"),
        ("/", "/"),
        ("/", "/any/thing"),
        ("//", "/a"),
    ],
)
def test_it_matches(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.pyc", "/a.pyc2"),
        ("*.pyc", "/pyc"),
        ("etc", "/etcetera"),
        ("etc", "/Etc"),
        ("/etc", "/usr/etc"),
        ("/etc/*.conf", "/etc/ssl/host.conf"),
        ("etc/*.conf", "/usr/etc/host.conf"),
        ("usr/**/bin", "/usrbin"),
        ("usr/**/bin", "/usr/xbin"),
        ("usr/**/bin", "/usr/bin2"),
        ("/usr/**", "/usr"),
        ("**/a/**/b", "/b/a"),
        ("*", "/"),
        ("/*", "/"),
        ("**", "/"),
        ("a**c", "/a/b/c"),
        ("a?c", "/a/c"),
        ("a[!x]c", "/a/c"),
        ("[!a-c]x", "/bx"),
        (r"[a\-z]", "/m"),
        (r"\*", "/a"),
        ("?", "/ab"),
        ("?", "/"),
        ("*(a|b)+$", "/xa"),
        (".", "/a"),
    ],
)
def test_it_does_not_match(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


@pytest.mark.parametrize("pattern", ["[a", "x[", "[!]", "[]", "a/[b/c]", "[\\]"])
def test_an_open_class_is_named(pattern: str) -> None:
    with pytest.raises(UsageError, match=r"^the pattern '.*': a '\[' that is not closed"):
        compile_glob(pattern)


def test_a_class_that_runs_backwards_is_named() -> None:
    with pytest.raises(UsageError, match=re.escape("the pattern 'x[z-a]': '[z-a]' is no class")):
        compile_glob("x[z-a]")


def test_an_empty_pattern_is_refused() -> None:
    with pytest.raises(UsageError, match="empty pattern"):
        compile_glob("")


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 40 + "b", "/" + "a" * 255),
        ("?*" * 60 + "b", "/" + "a" * 255),
        ("[a]*" * 60 + "b", "/" + "a" * 255),
        ("**" * 60 + "b", "/a" * 1000),
        ("**/a/" * 40 + "b", "/a" * 1000),
        ("**/*a*a*b/" * 20, ("/" + "a" * 250) * 16),
    ],
)
def test_no_pattern_takes_long_on_any_path(pattern: str, path: str) -> None:
    compiled = compile_glob(pattern)
    start = time.perf_counter()
    assert not matches_any([compiled], path)
    assert time.perf_counter() - start < 2  # milliseconds; without atomic groups, years


NAMES = st.text("ab", min_size=1, max_size=4)
NAME_PATTERNS = st.text("ab*?", min_size=1, max_size=6)


@given(
    patterns=st.lists(st.one_of(NAME_PATTERNS, st.just("**")), min_size=1, max_size=5),
    names=st.lists(NAMES, max_size=6),
)
def test_it_agrees_with_the_obvious_way_of_matching(patterns: list[str], names: list[str]) -> None:
    assert matches("/" + "/".join(patterns), "/" + "/".join(names)) == obvious(patterns, names)


def obvious(patterns: list[str], names: list[str]) -> bool:
    """Every way to share the names out, tried one by one."""
    if not patterns:
        return True
    first, *rest = patterns
    if first == "**":
        if not rest:
            return bool(names)
        return any(obvious(rest, names[skipped:]) for skipped in range(len(names) + 1))
    return bool(names) and bool(re.match(translate(first), names[0])) and obvious(rest, names[1:])
