"""Dead bytes: what an image's layers hold and its final file system does not show.

Every file that a layer lists is counted once, however many hard links it has: it is live while one
of its names stands after the last layer, and dead otherwise. A dead file is told by the layer that
wrote it, the one that took its last name, and how; so dead and live bytes are all bytes, and the
sums over layers, paths and instructions agree.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from layerlens.analysis.layer_changes import Aspect, Aspects, aspects_between
from layerlens.analysis.lost_files import Loss, live_files, lost_files
from layerlens.analysis.titles import LayerTitle
from layerlens.analysis.written_layer import WrittenLayer
from layerlens.filesystem.file_tree import Node, name_key
from layerlens.layer.entry import Entry


class DeadReason(enum.Enum):
    """How a file was lost; the value is the word shown for it.

    OVERWRITTEN: something else stands at its path. COPIED: the same bytes stand there again, as
    chmod, chown, touch or writing it anew leave them. DELETED: nothing stands there.
    """

    OVERWRITTEN = "overwritten"
    DELETED = "deleted"
    COPIED = "copied"

    __hash__ = object.__hash__


class DeadFile(NamedTuple):
    """One file that is not visible in the image, and its bytes.

    ``path``: where it stood; of several names lost at once, the first one it had. ``entry``: as
    its layer lists it. ``written``, ``killed``: numbers of the layers that wrote it and that took
    its last name, the same where a layer lists a path twice. ``aspects``: what a copy changed.
    """

    path: str
    entry: Entry
    written: int
    killed: int
    reason: DeadReason
    aspects: Aspects

    @property
    def size(self) -> int:
        """Bytes."""
        return self.entry.size


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadBytes:
    """Dead files and their bytes, by how they were lost."""

    files: int
    overwritten: int
    deleted: int
    copied: int

    @property
    def total(self) -> int:
        """Bytes, however they were lost."""
        return self.overwritten + self.deleted + self.copied


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerWaste:
    """One layer. ``bytes``: of all files it lists. ``dead``: of these, what is not visible.
    ``killed``: what it took from the layers below, or from itself."""

    title: LayerTitle
    bytes: int
    dead: DeadBytes
    killed: DeadBytes

    @property
    def live_bytes(self) -> int:
        """What the image shows of the layer."""
        return self.bytes - self.dead.total


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionWaste:
    """The layers made by one text of an instruction; None where the history tells none."""

    instruction: str | None
    layers: tuple[int, ...]
    bytes: int
    dead: DeadBytes
    killed: DeadBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PathWaste:
    """All that died at one path. ``layers``: that wrote it; ``killers``: that took it away."""

    path: str
    layers: tuple[int, ...]
    killers: tuple[int, ...]
    dead: DeadBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Waste:
    """``files``: the dead ones that have bytes, the largest first. ``unreadable``: layers that
    are no tar, of which nothing is counted."""

    layers: tuple[LayerWaste, ...]
    files: tuple[DeadFile, ...]
    unreadable: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Of all files in all layers, hard links once."""
        return sum(layer.bytes for layer in self.layers)

    @property
    def dead(self) -> DeadBytes:
        """What is not visible."""
        return dead_bytes(self.files)

    @property
    def live_bytes(self) -> int:
        """What is."""
        return self.bytes - self.dead.total

    @property
    def live_share(self) -> Fraction | None:
        """Live bytes / all bytes; None for an image without any."""
        return Fraction(self.live_bytes, self.bytes) if self.bytes else None

    def paths(self) -> tuple[PathWaste, ...]:
        """The dead files by their paths, those with the most bytes first."""
        found: dict[str, list[DeadFile]] = {}
        for file in self.files:
            found.setdefault(file.path, []).append(file)
        paths = [
            PathWaste(
                path=path,
                layers=tuple(sorted({file.written for file in files})),
                killers=tuple(sorted({file.killed for file in files})),
                dead=dead_bytes(files),
            )
            for path, files in found.items()
        ]
        return tuple(sorted(paths, key=lambda each: (-each.dead.total, name_key(each.path))))

    def instructions(self) -> tuple[InstructionWaste, ...]:
        """The layers by the text of their instructions, those with most dead bytes first."""
        found: dict[str | None, list[LayerWaste]] = {}
        for layer in self.layers:
            found.setdefault(layer.title.instruction, []).append(layer)
        instructions = [
            InstructionWaste(
                instruction=text,
                layers=tuple(layer.title.number for layer in layers),
                bytes=sum(layer.bytes for layer in layers),
                dead=_sum(layer.dead for layer in layers),
                killed=_sum(layer.killed for layer in layers),
            )
            for text, layers in found.items()
        ]
        return tuple(
            sorted(
                instructions,
                key=lambda each: (-each.dead.total, -each.killed.total, each.layers),
            )
        )


def dead_bytes(files: Iterable[DeadFile]) -> DeadBytes:
    """The files counted and their bytes added up."""
    count = 0
    sums = dict.fromkeys(DeadReason, 0)
    for file in files:
        count += 1
        sums[file.reason] += file.entry.size
    return DeadBytes(
        files=count,
        overwritten=sums[DeadReason.OVERWRITTEN],
        deleted=sums[DeadReason.DELETED],
        copied=sums[DeadReason.COPIED],
    )


def _sum(parts: Iterable[DeadBytes]) -> DeadBytes:
    found = tuple(parts)
    return DeadBytes(
        files=sum(each.files for each in found),
        overwritten=sum(each.overwritten for each in found),
        deleted=sum(each.deleted for each in found),
        copied=sum(each.copied for each in found),
    )


def measure_waste(layers: Sequence[WrittenLayer]) -> Waste:
    """The dead bytes of an image with these layers, lowest first; linear in their entries."""
    live = live_files(layers[-1].tree) if layers else frozenset()
    lost = lost_files(layers, live)
    files: list[DeadFile] = []
    sizes: list[int] = []
    for layer in layers:
        size = 0
        for entry in layer.entries:
            if not isinstance(entry, Entry) or not entry.size:
                continue
            size += entry.size
            if id(entry) not in live:
                files.append(_dead_file(entry, layer, lost.get(id(entry))))
        sizes.append(size)
    files.sort(key=lambda file: (-file.entry.size, name_key(file.path), file.written))
    return Waste(
        layers=tuple(_layer_wastes(layers, sizes, files)),
        files=tuple(files),
        unreadable=tuple(layer.number for layer in layers if layer.index is None),
    )


def _layer_wastes(
    layers: Sequence[WrittenLayer], sizes: Sequence[int], files: Sequence[DeadFile]
) -> Iterator[LayerWaste]:
    written: dict[int, list[DeadFile]] = {}
    killed: dict[int, list[DeadFile]] = {}
    for file in files:
        written.setdefault(file.written, []).append(file)
        killed.setdefault(file.killed, []).append(file)
    for layer, size in zip(layers, sizes, strict=True):
        yield LayerWaste(
            title=layer.title,
            bytes=size,
            dead=dead_bytes(written.get(layer.number, ())),
            killed=dead_bytes(killed.get(layer.number, ())),
        )


def _dead_file(entry: Entry, layer: WrittenLayer, loss: Loss | None) -> DeadFile:
    if loss is None:  # it never got as far as the layer's own tree
        loss = Loss(layer.number, entry.path, True, layer.tree.find(entry.path))
    reason, aspects = _reason(entry, loss.after)
    return DeadFile(loss.path, entry, layer.number, loss.killed, reason, aspects)


_NOTHING: Aspects = frozenset()


def _reason(entry: Entry, after: Node | None) -> tuple[DeadReason, Aspects]:
    if after is None:
        return DeadReason.DELETED, _NOTHING
    aspects = aspects_between(entry, after.inode)
    if Aspect.CONTENT in aspects or Aspect.TYPE in aspects:
        return DeadReason.OVERWRITTEN, _NOTHING
    return DeadReason.COPIED, aspects
