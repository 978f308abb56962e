"""Which of a Dockerfile's instructions each older version of it changed."""

from __future__ import annotations

from layerlens.dockerfile.dockerfile_changes import changed_instructions
from layerlens.dockerfile.instructions import Dockerfile
from layerlens.dockerfile.parser import parse_dockerfile


def _changed(*texts: str) -> list[set[tuple[int, int]]]:
    versions = [parse_dockerfile(text.encode()) for text in texts]
    return [
        {(place.stage, place.index) for place in places}
        for places in changed_instructions(versions)
    ]


def test_a_text_that_took_anothers_place_changed() -> None:
    assert _changed(
        "FROM a\nRUN x=1\nCOPY b /\n", "FROM a\nRUN x=2\nCOPY b /\n", "FROM a\nRUN x=3\nCOPY b /\n"
    ) == [{(0, 0)}, {(0, 0)}]


def test_a_from_is_at_minus_one() -> None:
    assert _changed("FROM a:1\nRUN x\n", "FROM a:2\nRUN x\n") == [{(0, -1)}]


def test_comments_blank_lines_and_line_breaks_change_nothing() -> None:
    assert _changed(
        "FROM a\nRUN x && y\n",
        "# new\n\nFROM a\nRUN x && \\\n# between\ny\n",
        "from a\nrun x && y\n",
    ) == [set(), set()]


def test_an_instruction_that_is_new_was_changed_by_the_version_that_brought_it() -> None:
    assert _changed(
        "FROM a\nRUN x\n", "FROM a\nCOPY b /\nRUN x\n", "FROM a\nCOPY b /\nRUN x\nRUN y\n"
    ) == [{(0, 0)}, {(0, 2)}]


def test_what_the_last_version_has_no_more_is_not_told() -> None:
    assert _changed("FROM a\nRUN x\n", "FROM a\nRUN x\nRUN y\n", "FROM a\nRUN x\n") == [
        set(),
        set(),
    ]


def test_an_instruction_that_was_moved_is_followed_and_did_not_change() -> None:
    assert _changed(
        "FROM a\nRUN x=1\nCOPY b /\nCOPY c /\n",
        "FROM a\nRUN x=2\nCOPY b /\nCOPY c /\n",
        "FROM a\nCOPY b /\nCOPY c /\nRUN x=2\n",
    ) == [{(0, 2)}, set()]


def test_stages_are_known_by_their_names() -> None:
    assert _changed(
        "FROM a AS one\nRUN x\nFROM a AS two\nRUN x\n",
        "FROM b AS zero\nRUN z\nFROM a AS one\nRUN x\nFROM a AS two\nRUN x=2\n",
    ) == [{(0, -1), (0, 0), (2, 0)}]


def test_a_here_documents_text_counts() -> None:
    assert _changed("FROM a\nRUN <<E\nx\nE\n", "FROM a\nRUN <<E\ny\nE\n") == [{(0, 0)}]


def test_an_argument_before_the_first_stage() -> None:
    assert _changed("ARG V=1\nFROM a:$V\n", "ARG V=2\nFROM a:$V\n") == [{(-1, 0)}]


def test_without_an_older_version_nothing_is_told() -> None:
    assert _changed("FROM a\n") == []
    no_versions: tuple[Dockerfile, ...] = ()
    assert changed_instructions(no_versions) == ()
