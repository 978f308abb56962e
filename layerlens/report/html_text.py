"""HTML with text from images in it that can't become markup, and the tables that pages are of."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence

from layerlens.report.safe_text import ELLIPSIS, escape, shorten, shorten_middle

LONGEST = 300
"""Cells that a name may take: longer ones lose their middle."""

_MOST_CHARACTERS = 4 * LONGEST


def text(value: str) -> str:
    """*value* as text of a page or of a quoted attribute, escaped for a terminal first: what is
    invisible or reorders text is shown as an escape here too."""
    return html.escape(escape(_bounded(value)))


def code(value: str, longest: int = LONGEST) -> str:
    """A name in the type of code, kept from ordering what stands around it."""
    return f"<code><bdi>{html.escape(short_name(value, longest))}</bdi></code>"


def advice(value: str) -> str:
    """Words of our own in which commands stand between backticks."""
    parts = value.split("`")
    if not len(parts) % 2:  # one that is not closed: a name's own
        return text(value)
    return "".join(
        (f"<code>{text(part)}</code>" if number % 2 else text(part))
        for number, part in enumerate(parts)
        if part
    )


def short_name(value: str, longest: int = LONGEST) -> str:
    """*value* escaped for a terminal, without its middle where it is long; not yet for HTML."""
    return shorten_middle(escape(_bounded(value)), longest)


def beginning(value: str, longest: int) -> str:
    """What *value* begins with, escaped for a terminal; not yet for HTML."""
    return shorten(escape(_bounded(value)), longest)


def _bounded(value: str) -> str:
    """Not so long that marks without a width of their own could make any cell endless."""
    if len(value) <= _MOST_CHARACTERS:
        return value
    return f"{value[:_MOST_CHARACTERS]}{ELLIPSIS}"


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
    more: int = 0,
) -> Iterator[str]:
    """A table of cells that are HTML already; *numbers*: columns of numbers. *more*: how many
    rows there are that are not shown."""
    yield '<div class="scroll"><table><thead><tr>'
    for column, heading in enumerate(headings):
        kind = ' class="number"' if column in numbers else ""
        yield f'<th scope="col"{kind}>{heading}</th>'
    yield "</tr></thead><tbody>\n"
    for row in rows:
        cells = (
            f'<td class="number">{cell}</td>' if column in numbers else f"<td>{cell}</td>"
            for column, cell in enumerate(row)
        )
        yield f"<tr>{''.join(cells)}</tr>\n"
    yield "</tbody></table></div>\n"
    if more > 0:
        yield f'<p class="faint">… and {more:,} more.</p>\n'
