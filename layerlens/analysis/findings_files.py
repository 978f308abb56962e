"""Findings told by where files are: caches, leftovers, manuals, build contexts, large files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from layerlens.analysis.findings import Evidence, Finding, FindingKind, Place, Stance
from layerlens.analysis.findings_places import Claim, PlaceTable
from layerlens.analysis.findings_remedies import place_remedy
from layerlens.analysis.waste import DeadFile
from layerlens.analysis.written_layer import WrittenLayer
from layerlens.filesystem.file_tree import name_key
from layerlens.layer.entry import Entry, EntryKind

LARGE_FILE_BYTES = 50_000_000
"""A file with more than these is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFindings:
    """``claimed``: the ids of the entries that a finding is about, so that no other counts their
    bytes again; large files are not among them."""

    findings: tuple[Finding, ...]
    claimed: frozenset[int]


def file_findings(layers: Sequence[WrittenLayer], dead: Mapping[int, DeadFile]) -> FileFindings:
    """What the places of the layers' files tell. ``dead``: the dead ones by their entries' ids.

    A file that is one of several hard links is counted where all of its layer's names for it are
    of one kind: removing a name alone frees nothing.
    """
    table = PlaceTable()
    findings: list[Finding] = []
    claimed: set[int] = set()
    for layer in layers:
        heaps = _LayerHeaps(layer, table, dead)
        findings.extend(heaps.findings())
        claimed.update(heaps.claimed)
    return FileFindings(findings=tuple(findings), claimed=frozenset(claimed))


@dataclass(slots=True)
class _Heap:
    """Files told under one path, while a layer is gone through."""

    files: int = 0
    bytes: int = 0
    dead: int = 0
    killers: set[int] = field(default_factory=set)

    def add(self, entry: Entry, dead: DeadFile | None) -> None:
        self.files += 1
        self.bytes += entry.size
        if dead is not None:
            self.dead += entry.size
            self.killers.add(dead.killed)

    def place(self, path: str) -> Place:
        return Place(
            path, self.files, self.bytes, self.dead, tuple(sorted(self.killers)), Evidence.PATH
        )


class _LayerHeaps:
    """One layer's files, each put on the heap where it is told."""

    def __init__(
        self, layer: WrittenLayer, table: PlaceTable, dead: Mapping[int, DeadFile]
    ) -> None:
        self._layer = layer
        self._table = table
        self._dead = dead
        self._heaps: dict[FindingKind, dict[str, _Heap]] = {}
        self.claimed: set[int] = set()
        self._links = _links_of(layer)
        self._sort()

    def findings(self) -> Iterator[Finding]:
        """The layer's findings, kind by kind."""
        for kind, heaps in self._heaps.items():
            yield Finding(
                kind=kind,
                layer=self._layer.number,
                instruction=self._layer.title.instruction,
                other_layer=None,
                places=largest_first(heap.place(path) for path, heap in heaps.items()),
                subject=(),
                remedy=place_remedy(kind),
            )

    def _sort(self) -> None:
        unclaimed: list[Entry] = []
        for entry in self._layer.entries:
            if not isinstance(entry, Entry) or not entry.size:
                continue
            claim = self._claim(entry)
            if claim is None:
                unclaimed.append(entry)
            else:
                self._put(claim, entry)
        context = _context_places(self._layer, unclaimed, self._version_controlled())
        for entry in unclaimed:
            place = context.get(id(entry))
            if place is not None:
                self._put(Claim(FindingKind.BUILD_CONTEXT, place), entry)
            elif entry.size > LARGE_FILE_BYTES:
                self._put(Claim(FindingKind.LARGE_FILE, None), entry)

    def _claim(self, entry: Entry) -> Claim | None:
        claim = self._table.claim(entry.path, entry.size)
        if claim is None:
            return None
        for name in self._links.get(entry.path, ()):
            other = self._table.claim(name, entry.size)
            if other is None or other.kind is not claim.kind:
                return None
        return claim

    def _put(self, claim: Claim, entry: Entry) -> None:
        dead = self._dead.get(id(entry))
        if claim.kind.stance is Stance.TOLD and dead is not None:
            return  # how it died is told, and that is waste
        if claim.kind is not FindingKind.LARGE_FILE:
            self.claimed.add(id(entry))
        heaps = self._heaps.setdefault(claim.kind, {})
        heaps.setdefault(claim.root or entry.path, _Heap()).add(entry, dead)

    def _version_controlled(self) -> set[str]:
        """The directories in which the layer has a ``.git`` or the like."""
        roots = self._heaps.get(FindingKind.VERSION_CONTROL, {})
        return {root.rpartition("/")[0] for root in roots}


def _links_of(layer: WrittenLayer) -> Mapping[str, Sequence[str]]:
    """The further names that a layer gives its own files."""
    found: dict[str, list[str]] = {}
    for entry in layer.entries:
        if isinstance(entry, Entry) and entry.kind is EntryKind.HARD_LINK:
            found.setdefault(entry.link_target or "", []).append(entry.path)
    return found


_FROM_CONTEXT = re.compile(r"(?:COPY|ADD)\b")
_MARKER = re.compile(
    r"(?:Dockerfile|Containerfile)(?:\.[\w-]+)?|[\w-]+\.[Dd]ockerfile|\.dockerignore"
    r"|(?:docker-)?compose(?:[.-][\w-]+)*\.ya?ml|\.gitlab-ci\.yml|\.travis\.yml|Jenkinsfile"
)
"""Files that only a build context has, and that tell where it was copied to."""
_SOMEBODY_ELSES = re.compile(r"/(?:node_modules|site-packages|dist-packages|vendor|gems)(?:/|\Z)")
_ONLY_IN_A_CONTEXT = frozenset(
    {
        "node_modules",
        ".venv",
        "venv",
        ".tox",
        ".nox",
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".hypothesis",
        ".idea",
        ".vscode",
        ".github",
        ".circleci",
        ".terraform",
        ".DS_Store",
        "Thumbs.db",
    }
)
"""What a context holds beside what is built, once it was copied as a whole."""


def _context_places(
    layer: WrittenLayer, files: Sequence[Entry], roots: set[str]
) -> Mapping[int, str]:
    """The files of a COPY or ADD that belong to the build and not to what is built, by their ids,
    with the path to tell each under. ``roots``: directories known to be a whole context."""
    if not _FROM_CONTEXT.match(layer.title.instruction or ""):
        return {}
    found: dict[int, str] = {}
    for entry in files:
        directory, _, name = entry.path.rpartition("/")
        if _MARKER.fullmatch(name) and not _SOMEBODY_ELSES.search(directory):
            roots.add(directory)
            found[id(entry)] = entry.path
    if not roots:
        return {}
    known: dict[str, _Position] = {}
    for entry in files:
        place = _beside_what_is_built(entry.path, roots, known)
        if place is not None:
            found[id(entry)] = place
    return found


class _Position(NamedTuple):
    """Of a directory: whether a context was copied to it or above it, and the outermost directory
    on the way to it that only a context has."""

    in_context: bool
    place: str | None


def _beside_what_is_built(
    path: str, roots: Collection[str], known: dict[str, _Position]
) -> str | None:
    """The outermost directory on the way to ``path``, or itself, that only a context has."""
    directory, _, name = path.rpartition("/")
    position = known.get(directory)
    if position is None:
        position = known[directory] = _position(directory, roots)
    if position.place is None and position.in_context and name in _ONLY_IN_A_CONTEXT:
        return path
    return position.place


def _position(directory: str, roots: Collection[str]) -> _Position:
    here = ""
    in_context = here in roots
    for name in directory.split("/")[1:]:
        here = f"{here}/{name}"
        if in_context and name in _ONLY_IN_A_CONTEXT:
            return _Position(True, here)
        in_context = in_context or here in roots
    return _Position(in_context, None)


def largest_first(places: Iterable[Place]) -> tuple[Place, ...]:
    """The places with the most bytes first."""
    return tuple(sorted(places, key=lambda place: (-place.bytes, name_key(place.path))))
