"""What became of the files that findings are about, where each comes from, and sums of them."""

from __future__ import annotations

import re
from typing import NamedTuple

from layerlens.analysis.findings import Evidence, Place
from layerlens.analysis.waste import DeadReason, Waste
from layerlens.layer.entry import Entry

_BRINGS_ITS_OWN = re.compile(r"(?:COPY|ADD)\b")


class Share(NamedTuple):
    """What one entry adds to the finding it is told in. ``layer``: whose instruction brought its
    content. ``files``: 0 where a copy of it is counted in its stead. ``killer``: who took it
    away; None of what is live or was only written again."""

    layer: int
    files: int
    bytes: int
    dead: int
    killer: int | None


class Fates:
    """Answers for the entries of the layers that a waste was measured of."""

    def __init__(self, waste: Waste) -> None:
        self._dead = {id(file.entry): file for file in waste.files}
        bringing = {
            layer.title.number
            for layer in waste.layers
            if _BRINGS_ITS_OWN.match(layer.title.instruction or "")
        }
        self._copied = {
            (file.killed, file.path): file.written
            for file in waste.files
            if file.reason is DeadReason.COPIED
            and file.written != file.killed
            and file.killed not in bringing
        }

    def origin(self, layer: int, path: str) -> int:
        """The layer that brought the content which ``layer`` wrote at ``path``: a lower one where
        a RUN only copied it for a mode or an owner, and so the one whose instruction matters."""
        while (below := self._copied.get((layer, path))) is not None:
            layer = below
        return layer

    def share(self, layer: int, entry: Entry) -> Share:
        """What became of a file of ``layer``, and whose it is."""
        origin = self.origin(layer, entry.path)
        death = self._dead.get(id(entry))
        if death is None:
            return Share(origin, 1, entry.size, 0, None)
        goes_on = (death.killed, death.path) in self._copied
        killer = None if death.reason is DeadReason.COPIED else death.killed
        return Share(origin, 0 if goes_on else 1, entry.size, entry.size, killer)


class Heap:
    """Files that are told under one path, while layers are gone through."""

    __slots__ = ("bytes", "dead", "evidence", "files", "killers")

    def __init__(self) -> None:
        self.files = self.bytes = self.dead = 0
        self.killers: set[int] = set()
        self.evidence = Evidence.PATH

    def add(self, share: Share) -> None:
        """Count a file."""
        self.files += share.files
        self.bytes += share.bytes
        self.dead += share.dead
        if share.killer is not None:
            self.killers.add(share.killer)

    def place(self, path: str) -> Place:
        """The sums."""
        killers = tuple(sorted(self.killers))
        return Place(path, self.files, self.bytes, self.dead, killers, self.evidence)
