"""The verdicts of ``check`` as Markdown: a table, and below it where rules were broken."""

from __future__ import annotations

from collections.abc import Iterator

from layerlens.analysis.rules import Judgement, Place, Status, Verdict
from layerlens.report.check_text import limit_text, value_text, verdict_line
from layerlens.report.markdown_text import code, plain, table
from layerlens.report.sizes import FormatSize

PLACES = 20
"""Places told of one rule."""

_SIGNS = {Status.PASS: "✅", Status.FAIL: "❌", Status.SKIP: "⏭️"}  # beside the word itself


def check_markdown(judgement: Judgement, image: str, format_size: FormatSize) -> Iterator[str]:
    """The lines of a document, each with its newline."""
    yield f"## layerlens check: {code(image)}\n\n"
    for line in verdict_table(judgement, format_size):
        yield f"{line}\n"
    for verdict in judgement.verdicts:
        for line in broken_lines(verdict, format_size):
            yield f"{line}\n"


def verdict_table(judgement: Judgement, format_size: FormatSize) -> list[str]:
    """The verdict in a line, and a row for each rule."""
    lines = [f"**{verdict_line(judgement)}**", ""]
    rows = [
        (
            f"{_SIGNS[verdict.status]} {verdict.status.value}",
            f"`{verdict.rule.kind.name}`",
            value_text(verdict, format_size),
            limit_text(verdict.rule, format_size),
            plain(verdict.why) if verdict.why else "",
        )
        for verdict in judgement.verdicts
    ]
    return lines + table(("", "Rule", "Value", "Limit", "Why"), rows, right=(2, 3))


def broken_lines(verdict: Verdict, format_size: FormatSize) -> Iterator[str]:
    """Where a rule was broken, folded; nothing where it was not."""
    if verdict.status is not Status.FAIL or not verdict.places:
        return
    yield ""
    yield f"<details><summary>{verdict.rule.kind.name}</summary>"
    yield ""
    rows = [place_cells(place, format_size) for place in verdict.places[:PLACES]]
    yield from table(PLACE_HEADINGS, rows, right=PLACES_RIGHT)
    if len(verdict.places) > PLACES:
        yield ""
        yield f"… and {len(verdict.places) - PLACES} more."
    yield ""
    yield "</details>"


PLACE_HEADINGS = ("Path", "Layer", "Bytes", "")
PLACES_RIGHT = (1, 2)


def place_cells(place: Place, format_size: FormatSize) -> tuple[str, str, str, str]:
    """One place as a row under `PLACE_HEADINGS`."""
    instruction = place.path is None and place.note
    return (
        code(place.path) if place.path is not None else "",
        "" if place.layer is None or place.layer < 0 else str(place.layer),
        "" if place.bytes is None else format_size(place.bytes),
        code(place.note or "") if instruction else plain(place.note or ""),
    )
