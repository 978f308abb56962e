"""Findings told by where files are: caches, leftovers, manuals, build contexts, large files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerlens.analysis.findings import Finding, FindingKind, Place, Stance
from layerlens.analysis.findings_context import context_places
from layerlens.analysis.findings_fates import Fates, Heap
from layerlens.analysis.findings_places import Claim, PlaceTable
from layerlens.analysis.findings_remedies import place_remedy
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


def file_findings(layers: Sequence[WrittenLayer], fates: Fates) -> FileFindings:
    """What the places of the layers' files tell.

    What a layer only copied for a mode or an owner counts with the layer that brought it. A file
    that is one of several hard links is counted where all of its layer's names for it are of one
    kind: removing a name alone frees nothing.
    """
    sorting = _Sorting(fates)
    for layer in layers:
        sorting.sort(layer)
    instructions = {layer.number: layer.title.instruction for layer in layers}
    return FileFindings(
        findings=tuple(sorting.findings(instructions)), claimed=frozenset(sorting.claimed)
    )


class _Sorting:
    """The files of all layers, each put on the heap where it is told."""

    def __init__(self, fates: Fates) -> None:
        self.claimed: set[int] = set()
        self._fates = fates
        self._table = PlaceTable()
        self._heaps: dict[tuple[int, FindingKind], dict[str, Heap]] = {}
        self._context: dict[tuple[int, str], str] = {}

    def findings(self, instructions: Mapping[int, str | None]) -> Iterator[Finding]:
        """A finding for each layer and kind."""
        for (layer, kind), heaps in self._heaps.items():
            yield Finding(
                kind=kind,
                layer=layer,
                instruction=instructions[layer],
                other_layer=None,
                places=largest_first(heap.place(path) for path, heap in heaps.items()),
                subject=(),
                remedy=place_remedy(kind, instructions[layer]),
            )

    def sort(self, layer: WrittenLayer) -> None:
        """Put the files of one layer, those of the layers below being there."""
        number = layer.number
        links = _links_of(layer)
        unclaimed: list[Entry] = []
        for entry in layer.entries:
            if not isinstance(entry, Entry) or not entry.size:
                continue
            claim = self._claim(entry, links)
            if claim is None:
                unclaimed.append(entry)
            else:
                self._put(number, claim, entry)
        git = self._heaps.get((number, FindingKind.VERSION_CONTROL), {})
        roots = {root.rpartition("/")[0] for root in git}
        context = context_places(layer.title.instruction, unclaimed, roots)
        for entry in unclaimed:
            origin = self._fates.origin(number, entry.path)
            place = context.get(id(entry)) or self._context.get((origin, entry.path))
            if place is not None:
                self._context[number, entry.path] = place
                self._put(number, Claim(FindingKind.BUILD_CONTEXT, place), entry)
            elif entry.size > LARGE_FILE_BYTES:
                self._put(number, Claim(FindingKind.LARGE_FILE, None), entry)

    def _claim(self, entry: Entry, links: Mapping[str, Sequence[str]]) -> Claim | None:
        claim = self._table.claim(entry.path, entry)
        if claim is None or not links:
            return claim
        for name in links.get(entry.path, ()):
            other = self._table.claim(name, entry)
            if other is None or other.kind is not claim.kind:
                return None
        return claim

    def _put(self, number: int, claim: Claim, entry: Entry) -> None:
        share = self._fates.share(number, entry)
        if claim.kind.stance is Stance.TOLD and share.dead:
            return  # how it died is told, and that is waste
        if claim.kind is not FindingKind.LARGE_FILE:
            self.claimed.add(id(entry))
        heaps = self._heaps.setdefault((share.layer, claim.kind), {})
        heaps.setdefault(claim.root or entry.path, Heap()).add(share)


def _links_of(layer: WrittenLayer) -> Mapping[str, Sequence[str]]:
    """The further names that a layer gives its own files."""
    found: dict[str, list[str]] = {}
    for entry in layer.entries:
        if isinstance(entry, Entry) and entry.kind is EntryKind.HARD_LINK:
            found.setdefault(entry.link_target or "", []).append(entry.path)
    return found


def largest_first(places: Iterable[Place]) -> tuple[Place, ...]:
    """The places with the most bytes first."""
    return tuple(sorted(places, key=lambda place: (-place.bytes, name_key(place.path))))
