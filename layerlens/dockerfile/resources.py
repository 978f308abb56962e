"""What instructions can depend on, as values: variables, fields of the config, paths."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.dockerfile.build_context import BuildContext
from layerlens.dockerfile.stage_state import State
from layerlens.dockerfile.written_paths import NOTHING, ROOTS_OWN, Attributes, Places, WrittenPaths

MAKERS = frozenset({"RUN", "COPY", "ADD"})
"""The instructions that make directories with every builder."""

_SHORT = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDirectories:
    """How a COPY makes the directories that are not there: `owner` None is not known.

    `destination`: where it copies to. `plain`: whether the destination itself would be made as
    those above it are, which a directory that is copied with a mode of its own would not.
    """

    destination: str
    owner: tuple[int, int] | None
    plain: bool
    listed: WrittenPaths

    def made(self, directory: str) -> Attributes | None:
        """What the directory would be, had this to make it; None: not known."""
        if is_below(directory, self.destination):
            return self.listed.directories.get(directory)
        if directory == self.destination and not self.plain:
            return None
        if self.owner is None:
            return None
        return ROOTS_OWN._replace(uid=self.owner[0], gid=self.owner[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What one instruction reads and writes.

    `everything`: it may read any variable, field and path. `lookups`: paths whose kind, target
    or content it depends on. `kinds`: those of them that being a directory, or not, decides
    about. `trees`: directories of which it reads all, but for those
    that are `spared`. `new_directories` None: not known how it
    makes directories. `left_to_next`: a directory that the next RUN, COPY or ADD makes for it.
    `barrier`: why nothing may cross it.
    """

    line: str
    keyword: str
    everything: bool = False
    variables_read: frozenset[str] = frozenset()
    variables_written: frozenset[str] = frozenset()
    fields_read: frozenset[str] = frozenset()
    fields_written: frozenset[str] = frozenset()
    lookups: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    trees: frozenset[str] = frozenset()
    spared: frozenset[str] = frozenset()
    writes: WrittenPaths = NOTHING
    seen: bool = True
    new_directories: NewDirectories | None = None
    left_to_next: str | None = None
    barrier: str | None = None

    @property
    def short(self) -> str:
        """The instruction as a reason names it, on one line and not too long."""
        line = " ".join(self.line.split())
        return f"`{line}`" if len(line) <= _SHORT else f"`{line[: _SHORT - 1]}…`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known where an instruction stands.

    `observed`: what its layer writes; `places`: the tree below it; both None where no image
    tells. `problem`: why it can't be matched with the image. `context`: None is not known.
    """

    state: State
    escape: str = "\\"
    observed: WrittenPaths | None = None
    places: Places | None = None
    context: BuildContext | None = None
    problem: str | None = None


def walked(path: str, places: Places | None) -> tuple[str, frozenset[str]]:
    """Where a path leads, and every path that is looked up on the way."""
    if places is None:
        real = usual_place(path)
        return real, frozenset((path, *ancestors(path), real, *ancestors(real)))
    passed: set[str] = set()
    real = places.walk(path, passed)
    return real, frozenset((path, *ancestors(path), real, *ancestors(real), *passed))


_OFTEN_LINKS = {
    **dict.fromkeys(("/bin", "/sbin", "/usr/sbin"), "/usr/bin"),
    **dict.fromkeys(("/lib", "/lib32", "/lib64", "/libx32", "/usr/lib64"), "/usr/lib"),
    "/var/run": "/run",
    "/var/lock": "/run/lock",
}


def usual_place(path: str) -> str:
    """Where a path leads in images in which the directories that often are links are links: two
    names are then taken for one place, where no tree tells."""
    for link, place in _OFTEN_LINKS.items():
        if path == link or is_below(path, link):
            return place + path[len(link) :]
    return path


def ancestors(path: str) -> Iterator[str]:
    """The directories that a path lies in, the root last."""
    while path != "/":
        path = posixpath.dirname(path)
        yield path


def is_below(path: str, directory: str) -> bool:
    """Whether a path lies in a directory, however deep; not the directory itself."""
    return path != directory and path.startswith(directory.rstrip("/") + "/")
