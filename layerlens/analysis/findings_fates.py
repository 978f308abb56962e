"""What became of the files that findings are about, where each comes from, and sums of them."""

from __future__ import annotations

from layerlens.analysis.findings import Evidence, Place
from layerlens.analysis.waste import DeadFile, DeadReason, Waste
from layerlens.layer.entry import Entry


class Fates:
    """Answers for the entries of the layers that a waste was measured of."""

    def __init__(self, waste: Waste) -> None:
        self._dead = {id(file.entry): file for file in waste.files}
        self._copied = {
            (file.killed, file.path): file.written
            for file in waste.files
            if file.reason is DeadReason.COPIED and file.written != file.killed
        }

    def death(self, entry: Entry) -> DeadFile | None:
        """How the file was lost; None while it is live."""
        return self._dead.get(id(entry))

    def origin(self, layer: int, path: str) -> int:
        """The layer that brought the content which ``layer`` wrote at ``path``: a lower one where
        it was only copied for a mode or an owner, and so the one whose instruction matters."""
        while (below := self._copied.get((layer, path))) is not None:
            layer = below
        return layer


class Heap:
    """Files that are told under one path, while layers are gone through."""

    __slots__ = ("bytes", "dead", "evidence", "files", "killers")

    def __init__(self) -> None:
        self.files = self.bytes = self.dead = 0
        self.killers: set[int] = set()
        self.evidence = Evidence.PATH

    def add(self, entry: Entry, death: DeadFile | None) -> None:
        """Count a file; one of which a copy stands at its path was not taken away."""
        self.bytes += entry.size
        if death is not None:
            self.dead += entry.size
        if death is None or death.reason is not DeadReason.COPIED:
            self.files += 1
            if death is not None:
                self.killers.add(death.killed)

    def place(self, path: str) -> Place:
        """The sums."""
        killers = tuple(sorted(self.killers))
        return Place(path, self.files, self.bytes, self.dead, killers, self.evidence)
