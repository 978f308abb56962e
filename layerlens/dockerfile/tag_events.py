"""Events from the consecutive tags of an image: what each changed at matched instructions.

Of a COPY the files are compared, times left aside, and told by the sources that they can have
come from. Of a RUN only its text tells that it changed by itself: what it wrote may differ for
what came before it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from layerlens.dockerfile import go_paths
from layerlens.dockerfile.build_events import BuildEvents, Event, EventKind, Origin
from layerlens.dockerfile.dockerfile_changes import Place
from layerlens.dockerfile.history_binding import Binding, BoundInstruction
from layerlens.layer.entry import Entry, EntryKind, LayerEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One tag. ``layer``: what a layer lists, by its number. ``base``: what tells the base
    image's layers from another's."""

    name: str
    binding: Binding
    layer: Callable[[int], Sequence[LayerEntry]]
    base: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a COPY or ADD copies, expanded: its sources, and where to, absolute and clean."""

    sources: Sequence[str]
    destination: str


_State = tuple[EntryKind, int, bytes | None, str | None]


def tag_events(tags: Sequence[Tag], copies: Mapping[Place, Copied]) -> BuildEvents:
    """What each tag changed against the one before; ``tags``: oldest first, two or more.

    ``copies``: each COPY and ADD that takes files from the context.
    """
    paths: dict[str, int] = {}
    texts: dict[Place, int] = {}
    bases: dict[int, int] = {}
    for number, (older, newer) in enumerate(pairwise(tags)):
        event = 1 << number
        before = {Place(each.stage, each.place): each for each in older.binding.instructions}
        for after in newer.binding.instructions:
            place = Place(after.stage, after.place)
            known = before[place]
            if (known.problem is None) != (after.problem is None):
                texts[place] = texts.get(place, 0) | event
            elif place in copies:
                was, became = _listed(older, known), _listed(newer, after)
                for path in was.keys() | became.keys():
                    if was.get(path) != became.get(path):
                        for source in _sources_of(path, copies[place]):
                            paths[source] = paths.get(source, 0) | event
        if older.base != newer.base:
            for stage in {each.stage for each in newer.binding.instructions}:
                bases[stage] = bases.get(stage, 0) | event
    return BuildEvents(
        events=tuple(Event(kind=EventKind.TAG, name=tag.name, time=None) for tag in tags[1:]),
        origin=Origin.TAGS,
        paths=paths,
        directories={},
        texts=texts,
        bases=bases,
        notes=(
            "changes are those between tags of the image; what RUNs read elsewhere is not seen",
        ),
    )


def _listed(tag: Tag, bound: BoundInstruction) -> Mapping[str, _State]:
    """The files of an instruction's layer, and what of them is its sources'."""
    if bound.layer is None:
        return {}
    return {
        entry.path: (entry.kind, entry.mode, entry.content, entry.link_target)
        for entry in tag.layer(bound.layer)
        if isinstance(entry, Entry) and entry.kind is not EntryKind.DIRECTORY
    }


def _sources_of(path: str, copied: Copied) -> Iterator[str]:
    """The paths in the context that a file of the image can have come from."""
    name = posixpath.basename(path)
    below = copied.destination.rstrip("/") + "/"
    rest = path[len(below) :] if path.startswith(below) else name
    for source in copied.sources:
        inside = go_paths.inside(source)
        if posixpath.basename(inside) == name or path == copied.destination:
            yield inside
        elif go_paths.has_wildcards(inside):
            yield posixpath.join(posixpath.dirname(inside), rest)
        else:
            yield posixpath.join(inside, rest)
