"""The events of a build, from the history of the repository that its context is in.

Every commit is replayed against the Dockerfile as it is now: which of its sources the commit
changed, after today's ``.dockerignore``; which files a change of ``.dockerignore`` let in or
left out; and which of its instructions were changed or brought by the commit.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerlens.dockerfile.build_events import BuildEvents, Event, EventKind, Origin
from layerlens.dockerfile.dockerfile_changes import FROM, GLOBAL, Place, changed_instructions
from layerlens.dockerfile.dockerignore import NO_RULES, PathRules, parse_dockerignore
from layerlens.dockerfile.expansion import variable_names
from layerlens.dockerfile.git_history import GIT_LINK, Blob, Commit, History
from layerlens.dockerfile.instructions import Arg, Dockerfile
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.errors import LayerlensError

BASE_UPDATE_DAYS = 30
"""How often a base image that no digest pins is assumed to be new."""

_DAY = 86_400
_GIT_DIRECTORY_FILE = ".git/index"  # one that every commit writes
_CHANGES_WITH_EACH_BUILD = re.compile(
    r"(?:^|_)(?:SHA|SHA1|COMMIT|REVISION|VCS_REF|GIT_REF|GIT_HASH|GIT_DESCRIBE)(?:_|$)"
    r"|BUILD_?(?:DATE|TIME|TIMESTAMP|NUMBER|NUM|ID)$|^CACHE_?BUST",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedFiles:
    """The files that the replay reads: paths of this machine. ``ignore_file``: None for none."""

    context: str
    dockerfile: str
    ignore_file: str | None


def git_events(
    history: History,
    dockerfile: Dockerfile,
    ignored: PathRules,
    files: ReplayedFiles,
) -> BuildEvents:
    """What each commit of ``history`` would have dirtied in ``dockerfile`` as it is now."""
    commits = [commit for commit in history.commits if not commit.first]
    moving = _moving_bases(dockerfile)
    events = _timeline(commits, moving)
    number_of = {event.name: 1 << number for number, event in enumerate(events)}
    masks = [number_of[commit.id] for commit in commits]
    every = sum(masks)
    notes: list[str] = []
    paths, directories = _changed_paths(history, commits, masks)
    paths, directories = _kept(paths, ignored), _kept(directories, ignored)
    if _copies_git_directory(files.context, ignored):
        paths[_GIT_DIRECTORY_FILE] = every
        notes.append(
            "no ignore file leaves .git out of the context: every commit changes an "
            "instruction that copies it"
        )
    for mask, changed in _ignore_changes(history, commits, masks, files.ignore_file):
        for path in changed:
            paths[path] = paths.get(path, 0) | mask
    texts = _text_changes(history, commits, masks, dockerfile, files.dockerfile)
    for place, name in _arguments_of_each_build(dockerfile):
        texts[place] = texts.get(place, 0) | every
        notes.append(f"ARG {name} is assumed to have another value in every build")
    bases = {stage: _renewals(events, image) for stage, image in moving.items()}
    if any(bases.values()):
        notes.append(
            f"a base image that no digest pins is assumed to be new every {BASE_UPDATE_DAYS} days"
        )
    if history.shallow:
        notes.append("the clone is shallow: older commits are not known")
    if history.partial:
        notes.append("the clone is partial: what older Dockerfiles were like is not known")
    return BuildEvents(
        events=events,
        origin=Origin.GIT,
        paths=paths,
        directories=directories,
        texts=texts,
        bases=bases,
        notes=tuple(notes),
    )


def _changed_paths(
    history: History, commits: Sequence[Commit], masks: Sequence[int]
) -> tuple[dict[str, int], dict[str, int]]:
    """By path in the context the events that changed it: of files, and of submodules."""
    paths: defaultdict[str, int] = defaultdict(int)
    directories: defaultdict[str, int] = defaultdict(int)
    for commit, mask in zip(commits, masks, strict=True):
        for change in commit.changes:
            path = history.inside(change.path)
            if path is not None:
                submodule = GIT_LINK in (_mode(change.before), _mode(change.after))
                (directories if submodule else paths)[path] |= mask
    return paths, directories


def _copies_git_directory(context: str, ignored: PathRules) -> bool:
    """Whether builds see git's own directory; in a worktree it is a file that never changes."""
    return os.path.isdir(os.path.join(context, ".git")) and not ignored.matches(_GIT_DIRECTORY_FILE)


def _renewals(events: Sequence[Event], image: str) -> int:
    """The events in which ``image`` was new."""
    return sum(
        1 << number
        for number, event in enumerate(events)
        if event.kind is EventKind.BASE and event.name.rpartition(" #")[0] == image
    )


def _mode(blob: Blob | None) -> int | None:
    return None if blob is None else blob.mode


def _kept(paths: Mapping[str, int], ignored: PathRules) -> dict[str, int]:
    return {path: mask for path, mask in paths.items() if not ignored.matches(path)}


def _timeline(commits: Sequence[Commit], bases: Mapping[int, str]) -> tuple[Event, ...]:
    """The commits in their own order, with base images renewed between them."""
    events = [Event(kind=EventKind.COMMIT, name=each.id, time=each.time) for each in commits]
    if not commits:
        return ()
    start = min(commit.time for commit in commits)
    end = max(commit.time for commit in commits)
    renewals = [
        (start + count * BASE_UPDATE_DAYS * _DAY, f"{image} #{count}")
        for image in sorted(set(bases.values()))
        for count in range(1, (end - start) // (BASE_UPDATE_DAYS * _DAY) + 1)
    ]
    merged: list[Event] = []
    waiting = sorted(renewals)
    for event in events:
        while waiting and event.time is not None and waiting[0][0] <= event.time:
            time, name = waiting.pop(0)
            merged.append(Event(kind=EventKind.BASE, name=name, time=time))
        merged.append(event)
    merged.extend(Event(kind=EventKind.BASE, name=name, time=time) for time, name in waiting)
    return tuple(merged)


def _moving_bases(dockerfile: Dockerfile) -> dict[int, str]:
    """By stage, the base image that its tag may name another one of some day."""
    return {
        stage.number: stage.start.image
        for stage in dockerfile.stages
        if "@" not in stage.start.image
        and stage.start.image.lower() != "scratch"
        and dockerfile.find_stage(stage.start.image, stage.number) is None
    }


def _ignore_changes(
    history: History, commits: Sequence[Commit], masks: Sequence[int], ignore_file: str | None
) -> Iterator[tuple[int, frozenset[str]]]:
    """The files that a change of the ignore file let in or left out, by the event it was in."""
    watched = None if ignore_file is None else history.path_of(ignore_file)
    if watched is None:
        return
    there = set(history.tracked)
    for commit, mask in zip(reversed(commits), reversed(masks), strict=True):
        for change in commit.changes:
            if change.path == watched:
                before, after = (_rules(history, each) for each in (change.before, change.after))
                inside = (history.inside(path) for path in there)
                yield (
                    mask,
                    frozenset(
                        path
                        for path in inside
                        if path is not None and before.matches(path) != after.matches(path)
                    ),
                )
        for change in commit.changes:  # back to the files before the commit
            if change.before is None:
                there.discard(change.path)
            else:
                there.add(change.path)


def _rules(history: History, blob: Blob | None) -> PathRules:
    text = None if blob is None else history.texts.get(blob.id)
    if text is None:
        return NO_RULES
    try:
        return parse_dockerignore(text.decode("utf-8", "surrogateescape"), "ignore file")
    except LayerlensError:  # nothing could be built with it
        return NO_RULES


def _text_changes(
    history: History,
    commits: Sequence[Commit],
    masks: Sequence[int],
    dockerfile: Dockerfile,
    path: str,
) -> dict[Place, int]:
    watched = history.path_of(path)
    versions: list[Dockerfile] = []
    brought_by: list[int] = []
    for commit, mask in zip(commits, masks, strict=True):
        for change in commit.changes:
            if change.path != watched:
                continue
            if not versions and (old := _parsed(history, change.before)) is not None:
                versions.append(old)
                brought_by.append(0)
            if (new := _parsed(history, change.after)) is not None:
                versions.append(new)
                brought_by.append(mask)
    if not versions:
        return {}
    versions.append(dockerfile)  # as it lies there, perhaps not committed: no event
    changes: dict[Place, int] = {}
    for mask, places in zip([*brought_by[1:], 0], changed_instructions(versions), strict=True):
        for place in places:
            changes[place] = changes.get(place, 0) | mask
    return _spread_arguments(dockerfile, changes)


def _parsed(history: History, blob: Blob | None) -> Dockerfile | None:
    text = None if blob is None else history.texts.get(blob.id)
    if text is None:
        return None
    try:
        return parse_dockerfile(text, "Dockerfile")
    except LayerlensError:  # it could not be built: the next version is held to the one before
        return None


def _spread_arguments(dockerfile: Dockerfile, changes: dict[Place, int]) -> dict[Place, int]:
    """A global ARG changes the FROMs that use it, and each ARG that takes over its value."""
    spread = dict(changes)
    for index, argument in enumerate(dockerfile.arguments):
        mask = changes.get(Place(GLOBAL, index), 0)
        if not mask:
            continue
        names = {assignment.name for assignment in argument.assignments}
        for stage in dockerfile.stages:
            places = [
                Place(stage.number, number)
                for number, each in enumerate(stage.instructions)
                if isinstance(each, Arg) and any(a.name in names for a in each.assignments)
            ]
            if names & variable_names(stage.start.image):
                places.append(Place(stage.number, FROM))
            for place in places:
                spread[place] = spread.get(place, 0) | mask
    return spread


def _arguments_of_each_build(dockerfile: Dockerfile) -> Iterator[tuple[Place, str]]:
    """ARGs without a default whose name says that every build has another value."""
    for stage in dockerfile.stages:
        for index, each in enumerate(stage.instructions):
            if isinstance(each, Arg):
                for assignment in each.assignments:
                    if _CHANGES_WITH_EACH_BUILD.search(assignment.name):
                        yield Place(stage.number, index), assignment.name
