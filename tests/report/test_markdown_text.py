import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.report.markdown_text import LONGEST_NAME, advice, code, plain, table
from layerlens.report.safe_text import cells, escape

from .judgements import HOSTILE

MARKUP = re.compile(r"[`|*_<>\[\]#~!\\@]|www\.|://|\n")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/etc/passwd", "`/etc/passwd`"),
        ("/a b/*_x_*<b>&amp;@you#1", "`/a b/*_x_*<b>&amp;@you#1`"),  # literal within a code span
        ("a`b", "<code>a&#96;b</code>"),
        ("a|b", "<code>a&#124;b</code>"),
        ("a\\|b", "<code>a&#92;&#124;b</code>"),
        (" a", "<code> a</code>"),
        ("a\nb", "<code>a&#92;nb</code>"),
        ("me@x.org|", "<code>me<!-- -->&#64;x&#46;org&#124;</code>"),
        ("www.x.org|", "<code>www&#46;x&#46;org&#124;</code>"),
        ("", "<code></code>"),
        ("日本語", "`日本語`"),
    ],
)
def test_names(text: str, written: str) -> None:
    assert code(text) == written


@given(
    st.text(alphabet=st.characters(codec=None), max_size=30) | st.text("`|\\*<@.w \n", max_size=9)
)
def test_a_name_never_ends_its_own_code(text: str) -> None:
    shown = escape(text)
    written = code(text)
    if written.startswith("`"):
        assert written == f"`{shown}`"
        assert not set(shown) & set("`|\\\n")
    else:
        inner = written.removeprefix("<code>").removesuffix("</code>").replace("<!-- -->", "")
        assert html.unescape(inner) == shown
        assert not MARKUP.search(re.sub(r"&#[0-9]+;", "?", inner))


@given(
    st.text(alphabet=st.characters(codec=None), max_size=30) | st.text("`|\\*<@:/.w \n", max_size=9)
)
def test_words_hold_no_markup(text: str) -> None:
    written = re.sub(r"<code>(&#(?:64|35);)</code>", r"\1", plain(text))
    assert html.unescape(written) == escape(text)
    assert not MARKUP.search(re.sub(r"&#[0-9]+;", "?", written))


@pytest.mark.parametrize("text", ["www.", "a www.1", "WWW. b"])
def test_no_word_begins_an_address(text: str) -> None:
    assert "." not in plain(text)


def test_words_read_as_they_are_written() -> None:
    sentence = "layer 3: 1.5 MB (57.3 %), deleted by layer 4; none."
    assert plain(sentence) == sentence


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("end the RUN with `rm -rf /x/*`, or not", "end the RUN with `rm -rf /x/*`, or not"),
        ("`a|b` first", "<code>a&#124;b</code> first"),
        ("a name with ` in it", "a name with &#96; in it"),
        ("<b> and `<b>`", "&#60;b&#62; and `<b>`"),
        ("", ""),
    ],
)
def test_commands_in_advice_are_code(text: str, written: str) -> None:
    assert advice(text) == written


def test_a_long_name_is_cut() -> None:
    written = code("/" + "x" * 5000)
    assert cells(written) == LONGEST_NAME + 2
    assert "…" in written


def test_a_row_has_as_many_cells_as_the_headings() -> None:
    lines = table(("A", "B"), [(code(HOSTILE), plain(HOSTILE)), ("1", "2")], right=(1,))
    assert lines[:2] == ["| A | B |", "| --- | --: |"]
    assert all(line.count("|") == 3 for line in lines)
