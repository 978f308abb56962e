"""What made builds differ from the one before, as sets: which event touched which instruction.

Events are numbered from 0, oldest first, and sets of them are bit masks. What one event touches
is kept together, so that changes that come together are counted once.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from layerlens.dockerfile.copy_sources import CopySources
from layerlens.dockerfile.dockerfile_changes import Place


class EventKind(enum.Enum):
    """What an event is."""

    COMMIT = "commit"
    BASE = "base image"
    TAG = "tag"
    ASSUMED = "assumed"


class Origin(enum.Enum):
    """Where the events are from."""

    GIT = "git"
    """The commits of the repository that the context is in."""
    TAGS = "tags"
    """What consecutive tags of the image differ in."""
    PRIOR = "prior"
    """Nothing was observed: assumed shares, which the notes state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One reason to build. ``name``: a commit's id, an image, a tag. ``time``: seconds since
    1970, None where there is none."""

    kind: EventKind
    name: str
    time: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildEvents:
    """All events, and what each touched.

    ``paths``: by path in the context, the events that changed the file (those that
    ``.dockerignore`` leaves out are not here). ``directories``: the same for submodules, whose
    files are not known. ``texts``: by instruction, the events that changed its own text or a
    build argument it declares. ``bases``: by stage, the events in which its base image was new.
    ``notes``: what a reader must know of how they were found, a sentence each.
    """

    events: tuple[Event, ...]
    origin: Origin
    paths: Mapping[str, int]
    directories: Mapping[str, int]
    texts: Mapping[Place, int]
    bases: Mapping[int, int]
    notes: tuple[str, ...]

    def touching(self, sources: CopySources) -> int:
        """The events that changed a file which ``sources`` take."""
        touching = 0
        for path, events in self.paths.items():
            if events & ~touching and sources.matches(path):
                touching |= events
        for directory, events in self.directories.items():
            if events & ~touching and sources.reaches_into(directory):
                touching |= events
        return touching

    def counted(self, mask: int, kind: EventKind) -> int:
        """How many of the events in a mask are of one kind."""
        return sum(
            event.kind is kind for number, event in enumerate(self.events) if mask >> number & 1
        )
