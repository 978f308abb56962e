"""Markdown (GitHub's and GitLab's) with text from images in it that can't become markup.

A name becomes a code span where nothing in it could end the span or a table's cell; otherwise
every character that could mean something is written as a character reference inside ``<code>``.
Mentions, links and references are not made in either. Text is escaped for a terminal first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from layerlens.report.safe_text import ELLIPSIS, escape, shorten, shorten_middle

LONGEST_NAME = 160
"""Cells that a name may take in a document: longer ones lose their middle."""

_MOST_CHARACTERS = 4 * LONGEST_NAME

_UNSAFE_IN_SPAN = re.compile(r"[`|\\\n]|^\s|\s$|\s\s")
_NOT_HARMLESS = re.compile(r"[^A-Za-z0-9 /,-]")
_NOT_HARMLESS_IN_WORDS = re.compile(r"[^A-Za-z0-9 ,;()'%+-]")


def code(text: str) -> str:
    """A name from an image in the type of code, without its middle where it is long."""
    return _code(shorten_middle(escape(_bounded(text)), LONGEST_NAME))


def code_beginning(text: str, longest: int) -> str:
    """What *text* begins with, in the type of code and in at most *longest* cells."""
    return _code(shorten(escape(_bounded(text)), longest))


def html_beginning(text: str, longest: int) -> str:
    """The same where HTML alone is read, as on the line of a ``<summary>``."""
    return f"<code>{references(shorten(escape(_bounded(text)), longest))}</code>"


def _bounded(text: str) -> str:
    """Not so long that marks without a width of their own could make any cell endless."""
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}{ELLIPSIS}"


def _code(shown: str) -> str:
    if shown and not _UNSAFE_IN_SPAN.search(shown):
        return f"`{shown}`"
    return f"<code>{references(shown)}</code>"


def references(text: str) -> str:
    """*text*, escaped already, with all that Markdown or HTML could act on as references."""
    return _NOT_HARMLESS.sub(_reference, text)


def plain(text: str) -> str:
    """Words of our own, with what an image may have put among them, as they stand."""
    return _NOT_HARMLESS_IN_WORDS.sub(_reference_in_words, escape(_bounded(text)))


def advice(text: str) -> str:
    """Words of our own in which commands stand between backticks."""
    parts = text.split("`")
    if not len(parts) % 2:  # one that is not closed: a name's own
        return plain(text)
    return "".join(
        (code(part) if number % 2 else plain(part)) for number, part in enumerate(parts) if part
    )


def _reference(match: re.Match[str]) -> str:
    character = match.group()
    if not character.isascii():
        return character
    if character == "@":  # a comment before it, or an address would become a link
        return "<!-- -->&#64;"
    return f"&#{ord(character)};"


def _reference_in_words(match: re.Match[str]) -> str:
    """Dots and colons stay where a sentence has them, or a number: they begin no address there."""
    character, after = match.group(), match.string[match.end() : match.end() + 1]
    if character in "@#":  # no mention and no reference to an issue begins in code
        return f"<code>&#{ord(character)};</code>"
    if character in ".:/" and (after in ("", " ") or after.isdigit()):
        before = match.string[max(match.start() - 3, 0) : match.start()]
        return _reference(match) if before.lower() == "www" else character
    return _reference(match)


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()
) -> list[str]:
    """The lines of a table of cells that are Markdown already; columns of *right* on that side."""
    rule = ["--:" if column in right else "---" for column in range(len(headings))]
    return [_row(headings), _row(rule), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
