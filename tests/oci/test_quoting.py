from hypothesis import given
from hypothesis import strategies as st

from layerlens.oci.quoting import printable, quoted, quoted_bytes

any_text = st.text(st.characters())


@given(any_text)
def test_text_becomes_printable_and_stays_so(text: str) -> None:
    once = printable(text)
    assert once.isprintable()
    assert printable(once) == once


@given(any_text)
def test_quoted_text_is_short_and_printable(text: str) -> None:
    assert quoted(text).isprintable()
    assert len(quoted(text)) <= 80


def test_printable_text_is_left_alone() -> None:
    assert printable("naïve 日本 \\n") == "naïve 日本 \\n"


def test_control_and_bidi_characters_are_escaped() -> None:
    assert printable("a\n\x1b\x7f\x9b\u202e\u2028\ud800") == r"a\n\x1b\x7f\x9b\u202e\u2028\ud800"


def test_short_text_is_quoted_whole_and_long_text_is_seen_to_be_cut() -> None:
    assert quoted("it's") == '"it\'s"'
    assert quoted("x" * 81).endswith("x...")
    assert quoted("\n" * 79).endswith("...")
    assert quoted("naïve 日本") == "'naïve 日本'"


def test_bytes_are_quoted_as_text_is() -> None:
    assert quoted_bytes(b"0000644\0") == r"'0000644\x00'"
    assert quoted_bytes(b"\x1b[2J\xff'") == '"\\x1b[2J\\xff\'"'
    assert quoted_bytes(b"9" * 99) == "'" + "9" * 40 + "'"
