"""The verdicts of ``check`` as annotations of GitHub Actions: workflow commands, a line each.

Source: GitHub's documentation of workflow commands; what is escaped follows the toolkit's
core/src/command.ts (``%``, CR and LF in messages; commas and colons in properties too). Commands
in the runner's older form (its ActionCommand.cs) may stand anywhere in a line.
"""

from __future__ import annotations

from collections.abc import Iterator

from layerlens.analysis.rules import Judgement, Status, Verdict
from layerlens.report.check_text import bound_text, place_text, value_text
from layerlens.report.safe_text import escape
from layerlens.report.sizes import human_size

_OLD_COMMAND = "##["

PLACES = 10
"""Places told in one annotation."""


def annotation_lines(judgement: Judgement) -> Iterator[str]:
    """``::error`` for each rule that failed, ``::notice`` for each that could not be checked."""
    for verdict in judgement.verdicts:
        if verdict.status is Status.FAIL:
            yield _command("error", verdict, "\n".join(_failure(verdict)))
        elif verdict.status is Status.SKIP and verdict.rule.limit is not None:
            yield _command("notice", verdict, escape(f"skipped: {verdict.why}"))


def without_commands(line: str) -> str:
    """A line of any other output, such as has names from an image, in which the runner finds no
    command: it looks for those at the beginning, where we write, and for older ones all over."""
    return line.replace(_OLD_COMMAND, f"#\\x{ord('#'):02x}[")


def _failure(verdict: Verdict) -> Iterator[str]:
    value, limit = value_text(verdict, human_size), bound_text(verdict.rule, human_size)
    yield f"{value}, where the limit is {limit}"
    if verdict.why is not None:
        yield escape(verdict.why)
    for place in verdict.places[:PLACES]:
        yield escape(place_text(place, human_size))
    if len(verdict.places) > PLACES:
        yield f"and {len(verdict.places) - PLACES} more"


def _command(name: str, verdict: Verdict, message: str) -> str:
    title = _property(f"layerlens {verdict.rule.kind.name}")
    return f"::{name} title={title}::{_data(message)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
