"""Variables and quotes: the reference's forms, one case each."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.dockerfile.expansion import BadSubstitution, expand, raw_words, variable_names

VALUES = {"foo": "/bar", "empty": "", "str": "foobarbaz", "list": "a b", "p": "a.b.c", "Ø": "ok"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$foo", "/bar"),
        ("${foo}x", "/barx"),
        ("$foox", ""),
        ("\\$foo", "$foo"),
        ("\\${foo}", "${foo}"),
        ("$", "$"),
        ("a$ b", "a$ b"),
        ("${unset:-word}", "word"),
        ("${empty:-word}", "word"),
        ("${empty-word}", ""),
        ("${unset-word}", "word"),
        ("${foo:-word}", "/bar"),
        ("${foo:+word}", "word"),
        ("${empty:+word}", ""),
        ("${empty+word}", "word"),
        ("${unset+word}", ""),
        ("${foo:?no}", "/bar"),
        ("${unset:-${foo}/x}", "/bar/x"),
        ("${unset:-a b}", "a b"),
        ("${str#f*b}", "arbaz"),
        ("${str##f*b}", "az"),
        ("${str%b*}", "foobar"),
        ("${str%%b*}", "foo"),
        ("${str#x}", "foobarbaz"),
        ("${p%.*}", "a.b"),
        ("${p#*.}", "b.c"),
        ("${str/ba/X}", "fooXrbaz"),
        ("${str//ba/X}", "fooXrXz"),
        ("${foo/\\/b/c}", "car"),
        ("${str/b?r/\\1}", "foo\\1baz"),
        ("'$foo'", "$foo"),
        ('"$foo \\" \\a"', '/bar " \\a'),
        ("a\\ b", "a b"),
        ("$Ø", "ok"),
        ("$1", ""),
        ("\\", ""),
    ],
)
def test_expansion(text: str, expected: str) -> None:
    assert expand(text, VALUES).text == expected


@pytest.mark.parametrize(
    "text",
    ["${", "${}", "${:x}", "${foo", "${foo!x}", "'a", '"a', "${foo:-'}", "${unset:?}", "${str/a}"],
)
def test_what_can_not_be_expanded(text: str) -> None:
    with pytest.raises(BadSubstitution):
        expand(text, VALUES)


def test_words_split_at_spaces_of_values_but_not_of_quotes() -> None:
    assert expand('$list "$list" c\\ d', VALUES).words == ("a", "b", "a b", "c d")


def test_the_escape_character_can_be_a_backtick() -> None:
    assert expand("c:\\$foo`$foo", VALUES, "`").text == "c:\\/bar$foo"


def test_raw_words_keep_what_they_are_written_with() -> None:
    assert raw_words("a \"b c\" 'd e' f\\ g ${h:-i j} k") == (
        *("a", '"b c"', "'d e'", "f\\ g"),
        *("${h:-i", "j}", "k"),
    )


def test_names_are_found_where_they_are_expanded_and_only_there() -> None:
    text = "$a '$b' \"$c ${d:-$e}\" \\$f ${g/h/i}"
    assert variable_names(text) == {"a", "c", "d", "e", "g"}
    assert expand(text, {}).names == {"a", "c", "d", "e", "g"}


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(BadSubstitution, match="too deep"):
        expand("${a:-" * 5000 + "}" * 5000, {})


def test_no_pattern_is_tried_in_every_way_to_share_a_text_out_among_its_stars() -> None:
    stars = "*a" * 20
    for text in (f"${{v//{stars}b/x}}", f"${{v##{stars}b}}", f"${{v#{stars}b}}"):
        assert expand(text, {"v": "a" * 400}).text == "a" * 400
    for text in (f"${{v%%{stars}b}}", f"${{v%{stars}b}}"):
        assert expand(text, {"v": "a" * 400}).text == "a" * 400


@given(
    value=st.text(alphabet="ab/", max_size=12),
    pattern=st.text(alphabet="ab*?", min_size=1, max_size=6).filter(lambda each: each[0] != "*"),
    form=st.sampled_from(["#", "##", "%", "%%"]),
)
def test_a_pattern_takes_off_what_a_shell_would(value: str, pattern: str, form: str) -> None:
    cuts = range(len(value) + 1)
    if form[0] == "#":
        fitting = [value[at:] for at in cuts if fnmatchcase(value[:at], pattern)]
    else:
        fitting = [value[:at] for at in cuts if fnmatchcase(value[at:], pattern)]
    expected = (min if len(form) == 2 else max)(fitting, key=len, default=value)
    assert expand(f"${{v{form}{pattern}}}", {"v": value}).text == expected


def test_variables_that_double_each_other_are_refused() -> None:
    known = {"a": "x" * 1000}
    for _ in range(5):
        known["a"] = expand("$a${a}", known).text
    for text in ("$a${a}$a", "${a//x/$a}", "${a:-}${a:-}${a:-}"):
        with pytest.raises(BadSubstitution, match="expands to over"):
            expand(text, known)


@given(st.text(alphabet="ab ${}:-+?#%/\\'\"*", max_size=25))
def test_any_text_expands_or_is_refused(text: str) -> None:
    try:
        found = expand(text, {"a": "x y"})
    except BadSubstitution:
        return
    assert variable_names(text) == found.names
    assert "".join(raw_words(text)).replace(" ", "") == text.replace(" ", "")
