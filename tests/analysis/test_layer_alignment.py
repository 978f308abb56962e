import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.analysis.layer_alignment import LayerKey, LayerPair, Relation, align_layers

Row = tuple[int | None, int | None, str]


def keys(text: str) -> list[LayerKey]:
    """A layer a word: ``DiffID`` or ``DiffID:instruction``, ``x`` for ``x:run x``."""
    pairs = [word.partition(":") for word in text.split()]
    return [LayerKey(content, made or f"run {content}") for content, _, made in pairs]


def aligned(a: str, b: str) -> list[Row]:
    return [(pair.a, pair.b, pair.relation.value) for pair in align_layers(keys(a), keys(b))]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("", "", []),
        ("x", "", [(0, None, "only-a")]),
        ("", "x", [(None, 0, "only-b")]),
        ("x y", "x y", [(0, 0, "same"), (1, 1, "same")]),
        ("x z", "x y z", [(0, 0, "same"), (None, 1, "only-b"), (1, 2, "same")]),
        ("x y z", "x z", [(0, 0, "same"), (1, None, "only-a"), (2, 1, "same")]),
        ("x y:pip z", "x w:pip z", [(0, 0, "same"), (1, 1, "rebuilt"), (2, 2, "same")]),
        # An inserted layer, and all after it built anew: aligned by what made them.
        (
            "x y:copy z:pip",
            "x new y2:copy z2:pip",
            [(0, 0, "same"), (None, 1, "only-b"), (1, 2, "rebuilt"), (2, 3, "rebuilt")],
        ),
        ("x y z", "x z y", [(0, 0, "same"), (2, 1, "moved"), (1, 2, "same")]),
        ("p q r s", "s p q r", [(3, 0, "moved"), (0, 1, "same"), (1, 2, "same"), (2, 3, "same")]),
        # A moved layer is not what another with its instruction was rebuilt from.
        (
            "m:copy x y",
            "x y n:copy m:copy",
            [(1, 0, "same"), (2, 1, "same"), (None, 2, "only-b"), (0, 3, "moved")],
        ),
        # Layers with nothing in them are all alike.
        (
            "x e y e z e",
            "x e y e e z e",
            [
                *[(at, at, "same") for at in range(4)],
                (None, 4, "only-b"),
                (4, 5, "same"),
                (5, 6, "same"),
            ],
        ),
        ("e e e", "e", [(0, 0, "same"), (1, None, "only-a"), (2, None, "only-a")]),
        ("x:copy y:copy", "p:copy q:copy", [(0, 0, "rebuilt"), (1, 1, "rebuilt")]),
    ],
)
def test_layers_are_aligned(a: str, b: str, expected: list[Row]) -> None:
    assert aligned(a, b) == expected


def test_layers_without_an_instruction_are_like_no_other() -> None:
    a, b = [LayerKey("x", None)], [LayerKey("y", None)]
    relations = [pair.relation for pair in align_layers(a, b)]
    assert relations == [Relation.ONLY_A, Relation.ONLY_B]


CONTENTS = st.lists(
    st.builds(LayerKey, st.sampled_from("eabcd"), st.sampled_from([None, "run", "copy"])),
    max_size=12,
)


@given(a=CONTENTS, b=CONTENTS)
def test_every_layer_is_there_once_and_in_order(a: list[LayerKey], b: list[LayerKey]) -> None:
    pairs = align_layers(a, b)
    assert sorted(pair.a for pair in pairs if pair.a is not None) == list(range(len(a)))
    assert [pair.b for pair in pairs if pair.b is not None] == list(range(len(b)))
    unmoved = [pair.a for pair in pairs if pair.a is not None and pair.relation != Relation.MOVED]
    assert unmoved == sorted(unmoved)
    for pair in pairs:
        assert_true_of(pair, a, b)
    left_a = {a[pair.a].content for pair in pairs if pair.a is not None and pair.b is None}
    left_b = {b[pair.b].content for pair in pairs if pair.b is not None and pair.a is None}
    assert not left_a & left_b


def assert_true_of(pair: LayerPair, a: list[LayerKey], b: list[LayerKey]) -> None:
    if pair.a is None or pair.b is None:
        assert pair.relation is (Relation.ONLY_B if pair.a is None else Relation.ONLY_A)
        return
    one, other = a[pair.a], b[pair.b]
    if pair.relation is Relation.REBUILT:
        assert one.content != other.content
        assert one.instruction == other.instruction is not None
    else:
        assert one.content == other.content


@given(keys=CONTENTS)
def test_an_image_is_the_same_as_itself(keys: list[LayerKey]) -> None:
    numbers = range(len(keys))
    assert align_layers(keys, keys) == tuple(LayerPair(at, at, Relation.SAME) for at in numbers)


def test_more_layers_than_any_builder_makes_are_aligned_quickly() -> None:
    a = [LayerKey(str(index % 2), None) for index in range(5000)]
    b = [LayerKey(str(index % 3), None) for index in range(5000)]
    start = time.perf_counter()
    pairs = align_layers(a, b)
    assert time.perf_counter() - start < 5  # difflib took ten minutes
    assert sum(pair.relation is Relation.SAME for pair in pairs) > 2000
