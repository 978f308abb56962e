from layerlens.report.colour import ANSI, PLAIN
from layerlens.report.sizes import exact_size
from layerlens.report.table_style import TableStyle, prose_lines, short_digest


def style(top: int | None = None) -> TableStyle:
    return TableStyle(format_size=exact_size, palette=PLAIN, width=None, top=top)


def test_a_heading_is_escaped_before_it_is_coloured() -> None:
    assert style().heading("a\x1b[31mb\n") == "a\\x1b[31mb\\n\n"
    coloured = TableStyle(format_size=exact_size, palette=ANSI, width=None, top=None)
    assert "a\\x1b]b" in coloured.heading("a\x1b]b")


def test_what_is_not_shown_is_counted() -> None:
    assert list(style(3).rest(5)) == ["… and 2 more\n"]
    assert list(style(5).rest(5)) == list(style().rest(99)) == []


def test_sentences_fit_any_terminal_and_are_escaped() -> None:
    lines = list(prose_lines(["word " * 40, "\x1b[2Jhidden\u202e"]))
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "\\x1b[2Jhidden\\u202e\n"


def test_a_short_digest_is_what_docker_shows() -> None:
    assert short_digest(f"sha256:{'ab' * 32}") == "abababababab"
