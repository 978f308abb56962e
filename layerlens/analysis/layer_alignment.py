"""The layers of two images side by side: by DiffID, then by instruction, never by index."""

from __future__ import annotations

import enum
from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_MOST_COMPARED = 250_000
"""Pairs of layers that difflib may be given: builders stop at 127 layers, hostile images don't,
and its time can grow with the cube of them."""


class Relation(enum.Enum):
    """How two aligned layers are related; the value is the word shown for it."""

    SAME = "same"
    """One DiffID: the same bytes."""
    MOVED = "moved"
    """One DiffID, but in another order among the layers that both images have."""
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
    """Every layer of both images once, in B's order, and in A's but for those MOVED."""
    contents_a, contents_b = [key.content for key in a], [key.content for key in b]
    same = _in_common(contents_a, contents_b)
    moved = _moved(same, contents_a, contents_b)
    moved_a = frozenset(moved.values())
    pairs: list[LayerPair] = []
    at_a = at_b = 0
    for match in (*same, _Match(len(a), len(b), 0)):
        rest_a = [index for index in range(at_a, match.a) if index not in moved_a]
        rest_b = [index for index in range(at_b, match.b) if index not in moved]
        pairs += _by_instruction(a, b, rest_a, rest_b)
        pairs += [
            LayerPair(match.a + step, match.b + step, Relation.SAME) for step in range(match.size)
        ]
        at_a, at_b = match.a + match.size, match.b + match.size
    return tuple(_with_moved(pairs, moved))


@dataclass(frozen=True, slots=True)
class _Match:
    a: int
    b: int
    size: int


def _in_common(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[_Match]:
    """Stretches that both have, in the order of both."""
    # What both begin and end with is theirs first: a search for long stretches may not see it so.
    shortest = min(len(a), len(b))
    head = next((at for at in range(shortest) if a[at] != b[at]), shortest)
    shortest -= head
    tail = next((at for at in range(shortest) if a[-1 - at] != b[-1 - at]), shortest)
    middle_a, middle_b = a[head : len(a) - tail], b[head : len(b) - tail]
    search = _longest if len(middle_a) * len(middle_b) <= _MOST_COMPARED else _earliest
    matches = [
        _Match(0, 0, head),
        *(_Match(head + at.a, head + at.b, at.size) for at in search(middle_a, middle_b)),
        _Match(len(a) - tail, len(b) - tail, tail),
    ]
    return [match for match in matches if match.size]


def _longest(a: Sequence[Hashable], b: Sequence[Hashable]) -> Iterator[_Match]:
    from difflib import SequenceMatcher  # slow to import, and few commands align layers

    for block in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        yield _Match(block.a, block.b, block.size)


def _earliest(a: Sequence[Hashable], b: Sequence[Hashable]) -> Iterator[_Match]:
    """Each of B's with the next one in A that is equal: poorer, but done in one walk."""
    places: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for index, item in enumerate(a):
        places[item].append(index)
    at_a = 0
    for index, item in enumerate(b):
        here = places[item]
        while here and here[0] < at_a:
            here.popleft()
        if here:
            at_a = here.popleft() + 1
            yield _Match(at_a - 1, index, 1)


def _moved(same: Iterable[_Match], a: Sequence[str], b: Sequence[str]) -> Mapping[int, int]:
    """Of the layers left over, the ones of A that stand elsewhere in B, by their index in B."""
    used_a = {match.a + step for match in same for step in range(match.size)}
    used_b = {match.b + step for match in same for step in range(match.size)}
    left: defaultdict[str, deque[int]] = defaultdict(deque)
    for index, content in enumerate(a):
        if index not in used_a:
            left[content].append(index)
    return {
        index: left[content].popleft()
        for index, content in enumerate(b)
        if index not in used_b and left[content]
    }


def _by_instruction(
    a: Sequence[LayerKey], b: Sequence[LayerKey], rest_a: Sequence[int], rest_b: Sequence[int]
) -> list[LayerPair]:
    """A stretch without layers that are the same. One without an instruction is like no other."""
    texts_a: list[Hashable] = [a[index].instruction or ("a", index) for index in rest_a]
    texts_b: list[Hashable] = [b[index].instruction or ("b", index) for index in rest_b]
    pairs: list[LayerPair] = []
    at_a = at_b = 0
    for match in (*_in_common(texts_a, texts_b), _Match(len(rest_a), len(rest_b), 0)):
        pairs += [LayerPair(rest_a[at], None, Relation.ONLY_A) for at in range(at_a, match.a)]
        pairs += [LayerPair(None, rest_b[at], Relation.ONLY_B) for at in range(at_b, match.b)]
        pairs += [
            LayerPair(rest_a[match.a + step], rest_b[match.b + step], Relation.REBUILT)
            for step in range(match.size)
        ]
        at_a, at_b = match.a + match.size, match.b + match.size
    return pairs


def _with_moved(pairs: Iterable[LayerPair], moved: Mapping[int, int]) -> Iterator[LayerPair]:
    """The pairs, and among them the moved layers where they stand in B."""
    waiting = deque(sorted(moved))
    for pair in pairs:
        while pair.b is not None and waiting and waiting[0] < pair.b:
            index = waiting.popleft()
            yield LayerPair(moved[index], index, Relation.MOVED)
        yield pair
    for index in waiting:
        yield LayerPair(moved[index], index, Relation.MOVED)
