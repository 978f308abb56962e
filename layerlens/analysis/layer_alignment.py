"""The layers of two images side by side: by DiffID, then by instruction, never by index."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class Relation(enum.Enum):
    """How two aligned layers are related; the value is the word shown for it."""

    SAME = "same"
    """One DiffID: the same bytes."""
    REBUILT = "rebuilt"
    """One instruction, other bytes."""
    ONLY_A = "only-a"
    ONLY_B = "only-b"


@dataclass(frozen=True, slots=True)
class LayerKey:
    """What a layer is aligned by. ``content`` is its DiffID as text."""

    content: str
    instruction: str | None


@dataclass(frozen=True, slots=True)
class LayerPair:
    """Two layers by their index in image A and in image B; None where the other has none."""

    a: int | None
    b: int | None
    relation: Relation


def align_layers(a: Sequence[LayerKey], b: Sequence[LayerKey]) -> tuple[LayerPair, ...]:
    """Every layer of both images once, in an order that keeps that of each."""
    pairs: list[LayerPair] = []
    at_a = at_b = 0
    for match in _matches([key.content for key in a], [key.content for key in b]):
        pairs += _by_instruction(a, b, range(at_a, match.a), range(at_b, match.b))
        pairs += [
            LayerPair(match.a + step, match.b + step, Relation.SAME) for step in range(match.size)
        ]
        at_a, at_b = match.a + match.size, match.b + match.size
    return tuple(pairs)


@dataclass(frozen=True, slots=True)
class _Match:
    a: int
    b: int
    size: int


def _matches(a: Sequence[str], b: Sequence[str]) -> list[_Match]:
    from difflib import SequenceMatcher  # slow to import, and few commands align layers

    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return [_Match(block.a, block.b, block.size) for block in blocks]


def _by_instruction(
    a: Sequence[LayerKey], b: Sequence[LayerKey], range_a: range, range_b: range
) -> list[LayerPair]:
    """A stretch without common DiffIDs. A layer without an instruction is like no other."""
    texts_a = [a[index].instruction or f"a{index}" for index in range_a]
    texts_b = [b[index].instruction or f"b{index}" for index in range_b]
    pairs: list[LayerPair] = []
    at_a = at_b = 0
    for match in _matches(texts_a, texts_b):
        pairs += [LayerPair(range_a[at], None, Relation.ONLY_A) for at in range(at_a, match.a)]
        pairs += [LayerPair(None, range_b[at], Relation.ONLY_B) for at in range(at_b, match.b)]
        pairs += [
            LayerPair(range_a[match.a + step], range_b[match.b + step], Relation.REBUILT)
            for step in range(match.size)
        ]
        at_a, at_b = match.a + match.size, match.b + match.size
    return pairs
