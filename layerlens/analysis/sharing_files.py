"""Files that stand more than once across layers: what sharing files would save beyond layers.

Over distinct layers (by DiffID); regular files as their tars list them, hard links being no files
of their own, and those that a layer above hides included; empty files apart; two files are one if
their bytes have the same SHA-256.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from layerlens.analysis.sharing import quotient
from layerlens.layer.entry import Entry, EntryKind, LayerEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatedFile:
    """One content at several places. ``size``: bytes of one copy. ``layers``: distinct layers that
    have it. ``path``: of the copy that was met first."""

    content: bytes
    size: int
    copies: int
    layers: int
    path: str

    @property
    def excess(self) -> int:
        """Bytes of all copies but one."""
        return self.size * (self.copies - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSharing:
    """File-level duplication, in files that are not empty and in their bytes.

    ``layers``: those whose files are counted; ``unread_layers``: those whose files are not known,
    which are in no figure. ``singletons``: contents of which there is one copy.
    ``logical_bytes``: over all images' layers, as if nothing were shared; ``bytes``: over the
    distinct layers; ``distinct_bytes``: of each content once.
    """

    layers: int
    unread_layers: int
    files: int
    empty_files: int
    distinct: int
    singletons: int
    logical_bytes: int
    bytes: int
    distinct_bytes: int

    @property
    def distinct_share(self) -> Fraction | None:
        """Distinct contents / files."""
        return quotient(self.distinct, self.files)

    @property
    def singleton_share(self) -> Fraction | None:
        """Contents of which there is one copy / distinct contents."""
        return quotient(self.singletons, self.distinct)

    @property
    def capacity_ratio(self) -> Fraction | None:
        """Bytes of files / bytes of distinct contents."""
        return quotient(self.bytes, self.distinct_bytes)

    @property
    def redundancy(self) -> Fraction | None:
        """1 - 1 / capacity ratio: the part of the bytes that further copies are."""
        return quotient(self.bytes - self.distinct_bytes, self.bytes)

    @property
    def capture_rate(self) -> Fraction | None:
        """Bytes that layer sharing saves / bytes that file-level sharing would save; None where
        no file stands twice."""
        return quotient(self.logical_bytes - self.bytes, self.logical_bytes - self.distinct_bytes)


class FileTally:
    """Files counted, a layer at a time; holds each distinct content and no layer."""

    def __init__(self) -> None:
        self._contents: dict[bytes, _Content] = {}
        self._bytes_of_layer: dict[str, int] = {}
        self._files = 0
        self._empty_files = 0

    def __contains__(self, diff_id: str) -> bool:
        return diff_id in self._bytes_of_layer

    def add(self, diff_id: str, entries: Iterable[LayerEntry]) -> None:
        """Count the files of the layer ``diff_id``, unless it was counted before."""
        if diff_id in self._bytes_of_layer:
            return
        contents = self._contents
        number = len(self._bytes_of_layer)
        total = 0
        for entry in entries:
            if not isinstance(entry, Entry) or entry.kind is not EntryKind.FILE:
                continue
            if not entry.size or entry.content is None:
                self._empty_files += 1
                continue
            total += entry.size
            self._files += 1
            known = contents.get(entry.content)
            if known is None:
                contents[entry.content] = _Content(entry.size, entry.path, number)
            else:
                known.copies += 1
                if known.last_layer != number:
                    known.last_layer = number
                    known.layers += 1
        self._bytes_of_layer[diff_id] = total

    def sharing(self, references: Mapping[str, int]) -> FileSharing:
        """The figures; ``references``: how many images hold each layer, by DiffID."""
        contents = self._contents.values()
        return FileSharing(
            layers=len(self._bytes_of_layer),
            unread_layers=len(references.keys() - self._bytes_of_layer.keys()),
            files=self._files,
            empty_files=self._empty_files,
            distinct=len(contents),
            singletons=sum(content.copies == 1 for content in contents),
            logical_bytes=sum(
                size * references[diff_id] for diff_id, size in self._bytes_of_layer.items()
            ),
            bytes=sum(self._bytes_of_layer.values()),
            distinct_bytes=sum(content.size for content in contents),
        )

    def duplicated(self, most: int) -> list[DuplicatedFile]:
        """The ``most`` contents whose further copies take most bytes, the largest first."""
        several = (item for item in self._contents.items() if item[1].copies > 1)
        largest = heapq.nsmallest(
            most, several, key=lambda item: (-item[1].size * (item[1].copies - 1), item[0])
        )
        return [
            DuplicatedFile(
                content=content,
                size=found.size,
                copies=found.copies,
                layers=found.layers,
                path=found.path,
            )
            for content, found in largest
        ]


class _Content:
    """One content while layers are gone through; ``last_layer`` is the last that had it."""

    __slots__ = ("copies", "last_layer", "layers", "path", "size")

    def __init__(self, size: int, path: str, layer: int) -> None:
        self.size = size
        self.path = path
        self.copies = 1
        self.layers = 1
        self.last_layer = layer
