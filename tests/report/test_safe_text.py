import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from layerlens.report.safe_text import cells, escape, escape_message, shorten, shorten_middle


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("/usr/bin/env", "/usr/bin/env"),
        ("/home/é/日本/файл", "/home/é/日本/файл"),
        ("two words", "two words"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x00\x1b[2J\x7f", "\\x00\\x1b[2J\\x7f"),
        ("\x9b31m", "\\u009b31m"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066\u2069\u200e\u200f\u061c", "\\u2066\\u2069\\u200e\\u200f\\u061c"),
        ("\u200b\u2060\ufeff\u00ad", "\\u200b\\u2060\\ufeff\\u00ad"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\U000e0041", "\\U000e0041"),
        ("क्\u200dष", "क्\u200dष"),
        ("क्\u200cष", "क्\u200cष"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("dev-disk\\x2dby", "dev-disk\\x2dby"),
        ("C:\\Users", "C:\\Users"),
        ("ends in \\", "ends in \\"),
        ("\\n", "\\\\n"),
        ("\\x1b", "\\\\x1b"),
        ("\\\\", "\\\\\\"),
        ("\\\n", "\\\\\\n"),
    ],
)
def test_escape(text: str, shown: str) -> None:
    assert escape(text) == shown


_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_TRICKY = st.text(
    st.sampled_from("\\\\\\nrtxuU0189abdef\n\x1b\x7f\x85\u202e\ud800\udc80\udcff\U000e0041é日 ")
)


def _unescape(shown: str) -> str:
    """The inverse, as a reader of the documented rule would write it."""
    pattern = r"\\(\\|n|r|t|x(?:[0189a-f][0-9a-f]|7f)|u[0-9a-f]{4}|U[0-9a-f]{8})"

    def meaning(match: re.Match[str]) -> str:
        word = match.group(1)
        if word in "\\nrt":
            return {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}[word]
        code = int(word[1:], 16)
        return chr(code + 0xDC00 if word[0] == "x" and code >= 0x80 else code)

    return re.sub(pattern, meaning, shown)


@given(st.one_of(st.text(), st.text(st.characters()), _TRICKY))
@example("\\\\x1b\x1b")
def test_what_is_shown_is_safe_and_says_exactly_what_was_there(text: str) -> None:
    shown = escape(text)
    assert _UNSAFE.search(shown) is None
    assert _unescape(shown) == text


@given(st.binary())
def test_names_of_any_bytes_are_told_apart(name: bytes) -> None:
    shown = escape(name.decode("utf-8", "surrogateescape"))
    assert _unescape(shown).encode("utf-8", "surrogateescape") == name


@given(st.one_of(st.text(), st.text(st.characters()), _TRICKY))
@example(escape("\x1b"))
def test_a_message_is_safe_and_escaped_once_however_often_it_is_asked_for(text: str) -> None:
    shown = escape_message(text)
    assert _UNSAFE.search(shown) is None
    assert escape_message(shown) == shown
    assert escape_message(escape(text)) == escape(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("abc", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("日本", 4),
        ("\uff46", 2),
        ("…", 1),
        ("\u200c", 0),
    ],
)
def test_cells(text: str, count: int) -> None:
    assert cells(text) == count


@pytest.mark.parametrize(
    ("text", "width", "end_cut", "middle_cut"),
    [
        ("abcdef", 6, "abcdef", "abcdef"),
        ("abcdef", 5, "abcd…", "ab…ef"),
        ("abcdef", 1, "…", "…"),
        ("日本語", 6, "日本語", "日本語"),
        ("日本語", 5, "日本…", "日…語"),
        ("日本語", 4, "日…", "…語"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…", "e\u0301…"),
        ("/usr/lib/python3/os.py", 13, "/usr/lib/pyt…", "/usr…n3/os.py"),
    ],
)
def test_shortening(text: str, width: int, end_cut: str, middle_cut: str) -> None:
    assert shorten(text, width) == end_cut
    assert shorten_middle(text, width) == middle_cut


@given(st.text(), st.integers(1, 30))
def test_shortened_text_fits(text: str, width: int) -> None:
    shown = escape(text)
    for cut in (shorten(shown, width), shorten_middle(shown, width)):
        assert cells(cut) <= width
        assert (cut == shown) == (cells(shown) <= width)
