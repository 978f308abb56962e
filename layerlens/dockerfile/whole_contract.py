"""What a RUN reads by its contract beside what its own words say: where links lead, and what the
settings name that stand before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from layerlens.dockerfile.build_context import BuildContext
from layerlens.dockerfile.copied_paths import CopiedPaths
from layerlens.dockerfile.go_paths import clean
from layerlens.dockerfile.instructions import Add, Copy, Instruction, Run
from layerlens.dockerfile.link_walk import walk_links
from layerlens.dockerfile.named_paths import (
    is_as_shipped,
    is_setting,
    named_in_file,
    named_in_script,
)
from layerlens.dockerfile.resources import Effects, ancestors
from layerlens.dockerfile.stage_state import State
from layerlens.dockerfile.tool_contracts import Contract, NoContract
from layerlens.dockerfile.written_paths import Places
from layerlens.filesystem.file_tree import MAX_LINKS


class Setting(NamedTuple):
    """A file of settings, or with `path` None a RUN that may write some; `text` None: not known."""

    path: str | None
    text: str | None


def settings_of(
    instruction: Instruction,
    effects: Effects,
    copied: CopiedPaths | None,
    context: BuildContext | None,
) -> tuple[Setting, ...]:
    """The settings that an instruction puts into the image."""
    if isinstance(instruction, Run):
        return (Setting(None, instruction.script or instruction.line),)
    if not isinstance(instruction, Copy | Add):
        return ()
    if copied is not None and context is not None:
        placed = ((path, file) for path, file in copied.placed.items() if is_setting(path))
        return tuple(Setting(path, _text(context.read(file))) for path, file in placed)
    written = effects.writes.files | effects.writes.anywhere
    text = "".join(each.content for each in instruction.heredocs) or None
    return tuple(
        Setting(path, text)
        for path in sorted(written)
        if is_setting(path) and (text is not None or not is_as_shipped(path))
    )


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoint:
    """Where a RUN stands. `links`: those that copies have put into the image, and what they name.
    `places`: the tree that an image shows there. `settings`: those before it, and its own."""

    state: State
    links: Mapping[str, str]
    places: Places | None
    settings: Sequence[Setting]

    def real(self, path: str, passed: set[str] | None = None) -> str:
        """Where a path leads; the links on the way are put into *passed*."""
        if self.places is not None:
            return self.places.real(path) if passed is None else self.places.walk(path, passed)
        if not self.links:
            return path
        met = set() if passed is None else passed

        def target_of(where: str) -> str | None:
            target = self.links.get(where)
            if target is not None:
                met.add(where)
            return target

        return walk_links(path, target_of, MAX_LINKS).end


def whole_contract(
    contract: Contract,
    here: Standpoint,
    content: Callable[[str], bytes | None],
    copies: Sequence[Mapping[str, str]],
) -> Contract | NoContract:
    """The contract with all that it leads to, or why that is not known; *content*: as for
    `contract_of`. *copies*: what each COPY before the RUN has placed."""
    trees = set(contract.trees)
    waiting = list(here.settings)
    seen: set[str] = set()
    while waiting:
        setting = waiting.pop()
        if setting.path is not None and not _within(setting.path, contract.lookups | trees):
            continue
        if setting.text is None:
            return NoContract(reason=f"what {setting.path} names is not known")
        for path in _named(setting, here):
            if path == "/" or path in seen:
                continue
            seen.add(path)
            trees.add(path)
            data = content(path)
            if data is not None:
                waiting.append(Setting(path, _text(data)))
    return _followed(replace(contract, trees=frozenset(trees)), here, copies)


def _named(setting: Setting, here: Standpoint) -> Iterator[str]:
    directory, variables = here.state.working_directory, here.state.variables
    text = setting.text or ""
    if setting.path is None:
        found = named_in_script(text, directory, variables)
    else:
        found = named_in_file(setting.path, text, directory, variables)
    yield from map(clean, found)


def _within(path: str, directories: Iterable[str]) -> bool:
    return not {path, *ancestors(path)}.isdisjoint(directories)


def _followed(
    contract: Contract, here: Standpoint, copies: Sequence[Mapping[str, str]]
) -> Contract:
    lookups, trees = set(contract.lookups), set(contract.trees)
    for path in contract.lookups:
        end = here.real(path)
        if end != path and not any(path in placed and end in placed for placed in copies):
            here.real(path, lookups)  # else one COPY brings the link and what it leads to
            lookups.add(end)
    waiting = [*trees, *(link for link in here.links if _within(link, trees))]
    while waiting:
        path = waiting.pop()
        end = here.real(path)
        if end in {path, "/"} or end in trees:
            continue
        here.real(path, lookups)
        if not _within(end, trees) or _within(end, contract.spared):
            trees.add(end)
            waiting += [link for link in here.links if _within(link, {end})]
    return replace(contract, lookups=frozenset(lookups), trees=frozenset(trees))
