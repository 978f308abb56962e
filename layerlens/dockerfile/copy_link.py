"""``--link`` put on a COPY whose layer would be the same with it.

A linked COPY is made on its own and laid on what is below, so it need not be made again when that
changes. It makes every directory on its way anew: where one of them is a link, or is not as a
builder makes directories, the result would differ, and it is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from layerlens.dockerfile.copy_effects import ACCOUNTS
from layerlens.dockerfile.instructions import Copy, Dockerfile
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.resources import NewDirectories, ancestors
from layerlens.dockerfile.stage_effects import Standing, StepEffects
from layerlens.dockerfile.stage_graph import Step
from layerlens.dockerfile.written_paths import Attributes, Places

_ALLOWED_FLAGS = frozenset({"from", "chown", "chmod", "exclude"})
_FRONTEND = re.compile(
    r"(?:docker\.io/)?docker/dockerfile:1(?:\.(?:[4-9]|[1-9][0-9])[\w.]*)?(?:-labs)?"
)
_KEYWORD = re.compile(r"\s*copy(?=\s)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedCopy:
    """Step `step`, as it would be."""

    step: int
    changed: Step
    standing: Standing
    title: str
    reason: str


def knows_link(dockerfile: Dockerfile) -> bool:
    """Whether the frontend that the Dockerfile asks for has ``--link``; without one, BuildKit's
    own of the last years does."""
    return dockerfile.syntax is None or _FRONTEND.fullmatch(dockerfile.syntax) is not None


def linked_copies(
    dockerfile: Dockerfile,
    steps: Sequence[Step],
    standings: Sequence[Standing],
    effects: Sequence[StepEffects],
) -> Iterator[LinkedCopy]:
    """The COPYs of a stage that BuildKit built and that ``--link`` would not change."""
    for number, (step, standing, found) in enumerate(zip(steps, standings, effects, strict=True)):
        copy = step.instruction
        if not isinstance(copy, Copy) or step.origin is None or copy.link:
            continue
        if not _would_be_the_same(copy, standing, found, dockerfile.escape):
            continue
        text = _with_flag(dockerfile, copy, step.text)
        if text is None:
            continue
        changed, whole = text
        yield LinkedCopy(
            step=number,
            changed=replace(step, instruction=changed, text=whole),
            standing=replace(standing, instruction=changed),
            title=f"add --link to {found.effects.short}",
            reason="every directory on its way is as it would be made anew, and none is a link",
        )


def _would_be_the_same(copy: Copy, standing: Standing, found: StepEffects, escape: str) -> bool:
    effects, places = found.effects, standing.places
    makes = effects.new_directories
    if effects.barrier is not None or standing.observed is None or places is None or makes is None:
        return False
    if any(flag.name not in _ALLOWED_FLAGS for flag in copy.flags) or copy.heredocs:
        return False
    if effects.lookups & ACCOUNTS or standing.observed.through:
        return False
    if effects.kinds and makes.destination not in effects.writes.files:
        return False
    destination = found.state.expanded(copy.destination, escape)
    if destination is None or found.state.absolute(destination) != makes.destination:
        return False
    written = standing.observed
    if any(_is_replaced(places, path) for path in written.files):
        return False
    on_the_way = [path for path in ancestors(makes.destination) if path != "/"]
    if makes.destination not in written.files:
        on_the_way.append(makes.destination)
    return all(_is_as_made(places, found, makes, path) for path in on_the_way)


def _is_replaced(places: Places, path: str) -> bool:
    """Whether a file takes the place of a directory, or of nothing at all by a whiteout."""
    node = places.find(path)
    return node is not None and node.children is not None


def _is_as_made(places: Places, found: StepEffects, makes: NewDirectories, path: str) -> bool:
    wanted = makes.made(path)
    listed = found.effects.writes.directories.get(path)
    node = places.find(path)
    before = None
    if node is not None:
        entry = node.entry
        before = Attributes(entry.mode, entry.uid, entry.gid, entry.xattrs)
        if node.children is None:
            return False
    after = listed or before
    return wanted is not None and after == wanted and before in {None, wanted}


def _with_flag(dockerfile: Dockerfile, copy: Copy, text: str) -> tuple[Copy, str] | None:
    source = dockerfile.source(copy.span)
    above = text[: text.index(source.rstrip("\n"))] if source.rstrip("\n") in text else None
    match = _KEYWORD.match(source)
    if above is None or match is None:
        return None
    rest = text[len(above) + match.end() :]
    lines = f"{source[: match.end()]} --link{rest}"
    directive = "# escape=`\n" if dockerfile.escape == "`" else ""
    parsed = parse_dockerfile(f"{directive}FROM x\n{lines}".encode("utf-8", "surrogateescape"))
    (changed,) = parsed.stages[0].instructions
    if not isinstance(changed, Copy) or not changed.link:
        return None
    return changed, above + lines
