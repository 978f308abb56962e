"""A Dockerfile's text with the instructions of some stages in another order.

Every line that does not move stays as it is. A comment right above an instruction goes with it;
blank lines, and comments apart from any instruction, stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layerlens.dockerfile.instructions import Dockerfile, From, Stage, Trivia

_LAST_COMMENTS = re.compile(r"(?:^[ \t]*#[^\n]*\n)+\Z", re.MULTILINE)
_FIRST_COMMENTS = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\n)*")
_COMMENTS = r"((?>(?:\r?\n[ \t]*(?:#[^\n]*)?)*))\Z"
_OPEN_END = {
    "\\": re.compile(rf"(?<!\\)\\[ \t]*{_COMMENTS}"),
    "`": re.compile(rf"(?<!`)`[ \t]*{_COMMENTS}"),
}
"""A continuation that only the end of the file ends, with the comments in it: the file's last
instruction may have one, and would go on with what comes to stand after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An instruction of a rewritten stage. ``origin``: its index in the stage as it is, None for
    one that is put in. ``text``: its lines where they are not those of the file, else None."""

    origin: int | None
    text: str | None


@dataclass(frozen=True, slots=True)
class _Slot:
    """What stands in the file for an instruction: the lines before it that stay, the comments
    that go with it, and its own lines."""

    gap: str
    comments: str
    text: str


def rewritten_text(dockerfile: Dockerfile, changed: Mapping[int, Sequence[Unit]]) -> str:
    """The whole text, the ``changed`` stages (by number) made of these units, in this order."""
    parts: list[str] = []
    waiting: list[str] = []
    slots: list[_Slot] = []
    stage: Stage | None = None
    stages = iter(dockerfile.stages)

    def finish() -> None:
        if stage is not None:
            units = changed.get(stage.number)
            text = _as_it_is(slots) if units is None else _ordered(slots, units, dockerfile.escape)
            parts.append(text)
        slots.clear()

    for piece in dockerfile.pieces:
        text = dockerfile.source(piece.span)
        if isinstance(piece, Trivia):
            waiting.append(text)
            continue
        gap, comments = _split("".join(waiting))
        waiting.clear()
        if isinstance(piece, From):
            finish()
            stage = next(stages)
            parts.append(f"{gap}{comments}{text}")
        elif stage is None:
            parts.append(f"{gap}{comments}{text}")
        else:
            slots.append(_Slot(gap, comments, text))
    finish()
    return _ended_alike(dockerfile.text, "".join(parts), "".join(waiting))


def _split(trivia: str) -> tuple[str, str]:
    """Lines between instructions: those that stay, and the comments of the next one."""
    found = _LAST_COMMENTS.search(trivia)
    return (trivia, "") if found is None else (trivia[: found.start()], found.group())


def _as_it_is(slots: Sequence[_Slot]) -> str:
    return "".join(f"{slot.gap}{slot.comments}{slot.text}" for slot in slots)


def _ordered(slots: Sequence[_Slot], units: Sequence[Unit], escape: str) -> str:
    newline = "\r\n" if any("\r\n" in slot.text for slot in slots) else "\n"
    gaps = iter([slot.gap for slot in slots])
    parts: list[str] = []
    open_gap = next(gaps, "")
    for number, unit in enumerate(units, 1):
        parts.append(open_gap)
        open_gap = ""
        if unit.origin is None:
            assert unit.text is not None
            parts.append(_with_newline(_in_style(unit.text, newline), newline))
            continue
        slot = slots[unit.origin]
        text = slot.text
        if unit.text is not None:
            text = _in_style(_FIRST_COMMENTS.sub("", unit.text, count=1), newline)
        if number < len(units):
            text = _OPEN_END[escape].sub(r"\1", text, count=1)
        parts.append(f"{slot.comments}{_with_newline(text, newline)}")
        open_gap = next(gaps, "")
    parts.append(open_gap)
    parts.extend(gaps)
    return "".join(parts)


def _in_style(text: str, newline: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", newline)


def _with_newline(text: str, newline: str) -> str:
    return text if text.endswith("\n") else f"{text}{newline}"


def _ended_alike(before: str, body: str, end: str) -> str:
    """The new text, its last line ended as the old one's was: with a newline, or without."""
    text = f"{body}{end}"
    if before.endswith("\n") or not text.endswith("\n"):
        return text
    return text[: -2 if text.endswith("\r\n") else -1]
