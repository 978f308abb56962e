"""A Markdown document that stays under a number of characters, whatever is put into it.

What does not fit is left out from the end of the table it belongs to, and the document says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from layerlens.report.markdown_text import table

_RESERVE = 1500  # characters for headings, for closing what is open, and for the note at the end


class BoundedMarkdown:
    """A document in the making: `text` is called once, at the end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines: list[str] = []
        self._used = 0
        self._cut: list[str] = []

    def add(self, *lines: str) -> None:
        """Put lines that must be there: few and short ones."""
        for line in lines:
            self._lines.append(line)
            self._used += len(line) + 1

    def add_table(
        self,
        name: str,
        headings: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        right: Sequence[int] = (),
        most: int,
        total: int | None = None,
    ) -> None:
        """Put a table of at most *most* rows, and below it how many there are more.

        *total*: how many rows there are where *rows* are not all of them. A table of which no row
        fits is left out as a whole.
        """
        kept = list(rows)
        count = len(kept) if total is None else total
        lines = table(headings, kept[:most], right=right)
        fitting = self._fitting(lines)
        shown = fitting - 2  # less headings and rule
        if count and shown < 1:
            self._cut.append(f"all {count} rows of '{name}'")
            return
        self.add("", *lines[:fitting])
        if shown < min(count, most, len(kept)):
            self._cut.append(f"{count - shown} rows of '{name}'")
        if shown < count:
            self.add("", f"… and {count - shown} more.")

    def folded(self, summary: str) -> None:
        """Begin what is shown when a reader opens it; *summary* is safe in HTML."""
        self.add("", f"<details><summary>{summary}</summary>")

    def end_folded(self) -> None:
        """End it."""
        self.add("", "</details>")

    @property
    def is_full(self) -> bool:
        """Whether there is no point in going on."""
        return self._room() < 0

    def leave_out(self, what: str) -> None:
        """Note that something was not even begun."""
        self._cut.append(what)

    def text(self) -> str:
        """The whole document, with a note of what was cut."""
        if self._cut:
            shown = "; ".join(self._cut[:5])
            more = f"; and {len(self._cut) - 5} more" if len(self._cut) > 5 else ""
            note = f"Cut to stay under {self._limit:,} characters: {shown}{more}."
            self.add("", f"*{note}*")
        return "\n".join(self._lines) + "\n"

    def _room(self) -> int:
        return self._limit - self._used - _RESERVE

    def _fitting(self, lines: Sequence[str]) -> int:
        """How many of the lines fit."""
        room = self._room()
        for number, line in enumerate(lines):
            room -= len(line) + 1
            if room < 0:
                return number
        return len(lines)
