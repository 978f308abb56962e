"""How a Dockerfile's own instructions changed from version to version of the file.

An instruction is followed back from the newest version: as long as its text is the same, through
texts that took each other's place, to the version that brought it. What counts of its text is
what it does: comments and line breaks do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from layerlens.dockerfile.instructions import Dockerfile, Instruction

GLOBAL = -1
"""The stage number of what stands before the first FROM."""

FROM = -1
"""The index of a stage's FROM."""


@dataclass(frozen=True, slots=True)
class Place:
    """An instruction of a Dockerfile: its stage, or GLOBAL, and its index in there, or FROM."""

    stage: int
    index: int


@dataclass(frozen=True, slots=True)
class _Line:
    """An instruction as versions are compared by it; ``stage``: by its name where it has one."""

    place: Place
    stage: str
    keyword: str
    text: str

    @property
    def key(self) -> tuple[str, str]:
        return self.stage, self.text


def changed_instructions(versions: Sequence[Dockerfile]) -> tuple[frozenset[Place], ...]:
    """For each version after the first, the instructions *of the last version* whose text that
    version changed or brought. ``versions``: oldest first."""
    if not versions:
        return ()
    newer = _lines(versions[-1])
    followed = {line.place: line.place for line in newer}  # in the newer version → in the last
    changes: list[frozenset[Place]] = []
    for version in reversed(versions[:-1]):
        older = _lines(version)
        changed = {followed[line.place] for line in newer if line.place in followed}
        back: dict[Place, Place] = {}
        for before, after in _pairs(older, newer):
            last = followed.get(after.place)
            if last is None:
                continue
            back[before.place] = last
            if before.text == after.text:
                changed.discard(last)
        changes.append(frozenset(changed))
        newer, followed = older, back
    return tuple(reversed(changes))


def _lines(dockerfile: Dockerfile) -> tuple[_Line, ...]:
    lines = [
        _line(Place(GLOBAL, index), "", argument)
        for index, argument in enumerate(dockerfile.arguments)
    ]
    for stage in dockerfile.stages:
        lines.append(_line(Place(stage.number, FROM), stage.title, stage.start))
        lines.extend(
            _line(Place(stage.number, index), stage.title, instruction)
            for index, instruction in enumerate(stage.instructions)
        )
    return tuple(lines)


def _line(place: Place, stage: str, instruction: Instruction) -> _Line:
    documents = "".join(f"\n{document.text}" for document in instruction.heredocs)
    return _Line(place, stage, instruction.keyword, f"{instruction.line}{documents}")


def _pairs(older: Sequence[_Line], newer: Sequence[_Line]) -> Iterator[tuple[_Line, _Line]]:
    """The instructions of two versions that are one and the same, changed or not."""
    matcher = SequenceMatcher(
        None, [line.key for line in older], [line.key for line in newer], autojunk=False
    )
    left_old: list[_Line] = []
    left_new: list[_Line] = []
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        before, after = older[start:end], newer[new_start:new_end]
        if tag == "equal":
            yield from zip(before, after, strict=True)
            continue
        rest = list(after)
        for line in before:
            found = next((other for other in rest if _succeeds(line, other)), None)
            if found is None:
                left_old.append(line)
            else:
                rest.remove(found)
                yield line, found
        left_new.extend(rest)
    for line in left_new:  # moved, word for word
        found = next((other for other in left_old if other.key == line.key), None)
        if found is not None:
            left_old.remove(found)
            yield found, line


def _succeeds(before: _Line, after: _Line) -> bool:
    """Whether an instruction that stands where another stood is that one, changed."""
    return before.keyword == after.keyword and before.stage == after.stage
