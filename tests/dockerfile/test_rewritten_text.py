"""Instructions in another order, and every other line as it was."""

from __future__ import annotations

import pytest

from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.rewritten_text import Unit, rewritten_text


def _rewritten(text: str, *units: int | str | tuple[int, str], stage: int = 0) -> str:
    """The text with a stage's instructions by their numbers, or put in, or changed."""
    made = []
    for unit in units:
        match unit:
            case int():
                made.append(Unit(origin=unit, text=None))
            case str():
                made.append(Unit(origin=None, text=unit))
            case (int(origin), str(new)):
                made.append(Unit(origin=origin, text=new))
    return rewritten_text(parse_dockerfile(text.encode()), {stage: made})


def test_comments_right_above_an_instruction_go_with_it() -> None:
    text = "FROM a\n\n# one\n# more\nRUN 1\n\n# apart\n\n# two\nRUN 2\n# end\n"
    assert _rewritten(text, 1, 0) == (
        "FROM a\n\n# two\nRUN 2\n\n# apart\n\n# one\n# more\nRUN 1\n# end\n"
    )


def test_the_same_order_is_the_same_text() -> None:
    text = "# syntax=x\n\nARG a\n# f\nFROM a\n\n\tRUN 1 \\\n# c\n 2\n# x\n\nCOPY <<E /\n# no\nE\n\n"
    assert _rewritten(text, 0, 1) == text
    assert rewritten_text(parse_dockerfile(text.encode()), {}) == text


def test_other_stages_stay() -> None:
    text = "FROM a AS x\nRUN 1\nRUN 2\n\n# b\nFROM b\nRUN 3\nRUN 4\n"
    assert _rewritten(text, 1, 0, stage=1) == (
        "FROM a AS x\nRUN 1\nRUN 2\n\n# b\nFROM b\nRUN 4\nRUN 3\n"
    )
    assert _rewritten(text, 1, 0) == "FROM a AS x\nRUN 2\nRUN 1\n\n# b\nFROM b\nRUN 3\nRUN 4\n"


def test_a_file_without_a_newline_at_its_end_keeps_having_none() -> None:
    assert _rewritten("FROM a\nRUN 1\nRUN 2", 1, 0) == "FROM a\nRUN 2\nRUN 1"
    assert _rewritten("FROM a\nRUN 1\nRUN 2", 0, 1, "RUN 3\n") == "FROM a\nRUN 1\nRUN 2\nRUN 3"
    assert _rewritten("FROM a\r\nRUN 1\r\nRUN 2", 1, 0) == "FROM a\r\nRUN 2\r\nRUN 1"


def test_what_is_put_in_stands_right_above_the_next_in_the_files_own_style() -> None:
    text = "FROM a\r\n\r\n# all\r\nCOPY . /\r\n\r\nRUN 1\r\n"
    assert _rewritten(text, "COPY x /\n", 1, 0) == (
        "FROM a\r\n\r\nCOPY x /\r\nRUN 1\r\n\r\n# all\r\nCOPY . /\r\n"
    )


def test_what_is_changed_keeps_its_comments() -> None:
    text = "FROM a\n# why\nCOPY x /\nRUN 1\n"
    linked = "FROM a\n# why\nCOPY --link x /\nRUN 1\n"
    assert _rewritten(text, (0, "COPY --link x /\n"), 1) == linked
    assert _rewritten(text, (0, "# why\nCOPY --link x /\n"), 1) == linked
    assert _rewritten(text, 1) == "FROM a\nRUN 1\n"


def test_here_documents_and_continued_lines_move_whole() -> None:
    text = "FROM a\nRUN <<E\n# a\nx\nE\nRUN a && \\\n# b\n\n  c\n"
    assert _rewritten(text, 1, 0) == "FROM a\nRUN a && \\\n# b\n\n  c\nRUN <<E\n# a\nx\nE\n"


def test_bytes_that_are_no_text_stay() -> None:
    dockerfile = parse_dockerfile(b"FROM a\nRUN \xff\nRUN 2\n")
    text = rewritten_text(dockerfile, {0: [Unit(origin=1, text=None), Unit(origin=0, text=None)]})
    assert text.encode("utf-8", "surrogateescape") == b"FROM a\nRUN 2\nRUN \xff\n"


@pytest.mark.parametrize(
    ("last", "moved"),
    [
        ("RUN b \\", "RUN b \n"),
        ("RUN b \\\n", "RUN b \n"),
        ("RUN b \\  \n\n  # why\n", "RUN b \n\n  # why\n"),
        ("RUN b \\\n # a \\\n", "RUN b \n # a \\\n"),
        ("RUN b \\\n c \\\n", "RUN b \\\n c \n"),
        ("RUN b \\\\\n", "RUN b \\\\\n"),
        ("RUN b \\\r\n", "RUN b \r\n"),
        ("RUN <<E\nb \\\nE\n", "RUN <<E\nb \\\nE\n"),
    ],
)
def test_a_last_instruction_that_is_left_open_is_closed_where_it_is_not_last(
    last: str, moved: str
) -> None:
    """It would take the instruction that comes to stand after it for its own."""
    newline = "\r\n" if "\r" in last else "\n"
    text = _rewritten(f"FROM x\nCOPY a /{newline}{last}", 1, 0)
    assert text.rstrip("\r\n") == f"FROM x\n{moved}COPY a /"
    before = parse_dockerfile(f"FROM x\n{last}".encode()).stages[0].instructions[0]
    after = parse_dockerfile(text.encode()).stages[0].instructions
    assert [each.line for each in after] == [before.line, "COPY a /"]
    assert _rewritten(f"FROM x\nCOPY a /{newline}{last}", 0, 1).endswith(last)
