"""What COPY, ADD and WORKDIR read and write, beside the layer that shows it."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace

from layerlens.dockerfile.build_context import BuildContext
from layerlens.dockerfile.copied_paths import CopiedPaths, copied_paths
from layerlens.dockerfile.go_paths import has_wildcards, inside
from layerlens.dockerfile.instructions import Add, Copy, Workdir
from layerlens.dockerfile.resources import (
    Effects,
    NewDirectories,
    Surroundings,
    ancestors,
    is_below,
    walked,
)
from layerlens.dockerfile.stage_state import State
from layerlens.dockerfile.written_paths import NOTHING, ROOTS_OWN, Attributes, Places, WrittenPaths

ACCOUNTS = frozenset({"/etc/passwd", "/etc/group"})

_NUMERIC_OWNER = re.compile(r"([0-9]{1,9})(?::([0-9]{1,9}))?")


def workdir_effects(instruction: Workdir, around: Surroundings, read: frozenset[str]) -> Effects:
    given = around.state.expanded(instruction.path, around.escape)
    path = None if given is None else around.state.absolute(given)
    relative = given is None or not given.startswith("/")
    fields = frozenset({"working directory"})
    left_to_next = None
    if path is None:
        lookups, writes = frozenset({"/"}), WrittenPaths(anywhere=frozenset({"/"}))
    else:
        real, lookups = walked(path, around.places)
        made = dict.fromkeys((real, *ancestors(real)), ROOTS_OWN)
        writes = around.observed or WrittenPaths(directories=made, created=frozenset(made))
        if around.places is not None and around.observed is None:
            writes = NOTHING  # the image shows that it was there already, or is made later
            left_to_next = real if around.places.find(real) is None else None
    return Effects(
        line=instruction.line,
        keyword=instruction.keyword,
        variables_read=read,
        fields_read=fields | {"user"} if relative else frozenset({"user"}),
        fields_written=fields,
        lookups=lookups,
        writes=writes,
        new_directories=_made_by_workdir(path, around, writes),
        left_to_next=left_to_next,
    )


def _made_by_workdir(
    path: str | None, around: Surroundings, writes: WrittenPaths
) -> NewDirectories | None:
    if path is None:
        return None
    real = path if around.places is None else around.places.real(path)
    owner = (0, 0) if around.state.works_as_root else None
    return NewDirectories(destination=real, owner=owner, plain=True, listed=writes)


def transfer_effects(
    instruction: Copy | Add, around: Surroundings, read: frozenset[str]
) -> Effects:
    state, escape = around.state, around.escape
    destination = state.expanded(instruction.destination, escape)
    path = None if destination is None else state.absolute(destination)
    sources = _expanded_sources(instruction, around)
    if destination is None or path is None or sources is None:
        return Effects(
            line=instruction.line,
            keyword=instruction.keyword,
            variables_read=read,
            fields_read=frozenset({"working directory"}),
            trees=frozenset({"/"}),
            writes=around.observed or WrittenPaths(anywhere=frozenset({"/"})),
            seen=around.observed is not None,
        )
    real, lookups = walked(path, around.places)
    copied = copied_paths(
        instruction, sources, destination, real, around.context, places=around.places
    )
    writes = _written(instruction, around, real, copied)
    lookups |= _on_the_way(copied, real, around.places)
    owner = _owner(instruction, state, escape)
    if owner is None:
        lookups |= ACCOUNTS
    files_only = copied.files_only if copied is not None else _seen_as_files(sources, real, writes)
    known = owner if owner is not None else _seen_owner(writes, around.observed)
    kinds = frozenset() if _into_directory(destination, sources) else frozenset({path, real})
    return Effects(
        line=instruction.line,
        keyword=instruction.keyword,
        variables_read=read,
        fields_read=frozenset()
        if destination.startswith("/")
        else frozenset({"working directory"}),
        lookups=lookups,
        kinds=kinds,
        writes=writes,
        seen=around.places is not None,
        new_directories=NewDirectories(
            destination=real,
            owner=known,
            plain=files_only or _plain_contents(instruction, sources, around.context),
            listed=writes,
        ),
    )


def _written(
    instruction: Copy | Add, around: Surroundings, destination: str, copied: CopiedPaths | None
) -> WrittenPaths:
    if around.observed is not None:
        if copied is None:
            return around.observed
        # What the context holds now may be more than it did when the image was built.
        files = around.observed.files | copied.writes.files
        return replace(around.observed, files=files)
    if around.places is not None:
        return NOTHING  # the image shows that it added nothing
    owner = _owner(instruction, around.state, around.escape) or (-1, -1)
    plain = copied is not None and copied.files_only
    made = {each: ROOTS_OWN._replace(uid=owner[0], gid=owner[1]) for each in ancestors(destination)}
    if copied is None:
        made.pop("/", None)
        return WrittenPaths(
            directories=made, created=frozenset(made), anywhere=frozenset({destination})
        )
    for directory in copied.writes.above - made.keys():
        if not plain or is_below(directory, destination):
            made[directory] = Attributes(-1, owner[0], owner[1], ())
        else:
            made[directory] = ROOTS_OWN._replace(uid=owner[0], gid=owner[1])
    made.pop("/", None)
    return WrittenPaths(files=copied.writes.files, directories=made, created=frozenset(made))


def _expanded_sources(instruction: Copy | Add, around: Surroundings) -> tuple[str, ...] | None:
    found = [around.state.expanded(source, around.escape) for source in instruction.sources]
    known = tuple(source for source in found if source is not None)
    return known if len(known) == len(found) else None


def _into_directory(destination: str, sources: tuple[str, ...]) -> bool:
    """Whether the destination is a directory, whatever is there."""
    if destination.endswith(("/", "/.")) or destination == ".":
        return True
    return len(sources) > 1 or any(source.endswith("/") or source == "." for source in sources)


def _seen_as_files(sources: tuple[str, ...], destination: str, writes: WrittenPaths) -> bool:
    """Whether every source came to be a file of its own name in the destination."""
    return bool(sources) and all(
        posixpath.join(destination, posixpath.basename(source)) in writes.files
        for source in sources
    )


def _plain_contents(
    instruction: Copy | Add, sources: tuple[str, ...], context: BuildContext | None
) -> bool:
    """Whether a destination made for a directory's contents is as builders make any directory."""
    if context is None or isinstance(instruction, Add) or instruction.from_ is not None:
        return False
    if instruction.chmod is not None or instruction.parents or instruction.heredocs:
        return False
    modes = {context.directory_mode(inside(source)) for source in sources}
    return modes <= {0o755, None} and not any(has_wildcards(source) for source in sources)


def _owner(instruction: Copy | Add, state: State, escape: str) -> tuple[int, int] | None:
    """The numbers of the owner; None where accounts of the image decide."""
    if instruction.chown is None:
        return (0, 0)
    given = state.expanded(instruction.chown, escape)
    match = None if given is None else _NUMERIC_OWNER.fullmatch(given)
    if match is None:
        return None
    return int(match[1]), int(match[2] or match[1])


def _seen_owner(writes: WrittenPaths, observed: WrittenPaths | None) -> tuple[int, int] | None:
    """The owner of all that was created, where the layer shows one owner alone."""
    if observed is None:
        return None
    owners = {(each.uid, each.gid) for each in map(writes.directories.get, writes.created) if each}
    return owners.pop() if len(owners) == 1 else None


def _on_the_way(
    copied: CopiedPaths | None, destination: str, places: Places | None
) -> frozenset[str]:
    """What is looked up below the destination, for a directory of files may meet links there."""
    if copied is None or places is None:
        return frozenset()
    found: set[str] = set()
    for path in copied.writes.above:
        if is_below(path, destination):
            found |= walked(path, places)[1]
    return frozenset(found)
