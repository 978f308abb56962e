"""dive's figures: worked out by hand, and against dive's way done slowly."""

from __future__ import annotations

import math

import pytest
from filesystem.layers import images
from hypothesis import given
from image_builder import (
    BuiltLayer,
    directory,
    file,
    hard_link,
    layer,
    opaque,
    symlink,
    whiteout,
)

from analysis.naive_dive import figures
from analysis.written_layers import FIXTURE_IMAGES, built, of_fixture
from layerlens.analysis.dive_figures import DiveFigures, dive_figures
from layerlens.layer.entry import EntryKind, LayerEntry


def of(*layers: BuiltLayer) -> DiveFigures:
    return dive_figures([layer.entries for layer in built(*layers)])


def references(found: DiveFigures) -> dict[str, tuple[int, int]]:
    return {each.path: (each.count, each.size) for each in found.references}


LOWER = layer(directory("/d"), file("/d/a", b"1234"), file("/d/b", b"12"), file("/c", b"1"))


def test_all_copies_of_a_path_are_wasted() -> None:
    found = of(LOWER, layer(file("/d/a", b"123456")))
    assert references(found) == {"/d/a": (2, 10)}
    assert found.layer_bytes == (7, 6)
    assert (found.minimum_bytes, found.cumulative_bytes, found.wasted_bytes) == (7, 13, 10)
    assert found.efficiency == 7 / 13
    assert found.user_wasted_percent == 10 / 6


def test_a_file_s_whiteout_counts_nothing() -> None:
    found = of(LOWER, layer(whiteout("/d/a"), file("/e", b"12345")))
    assert references(found) == {"/d/a": (2, 4)}
    assert found.efficiency == 8 / 12
    assert found.user_wasted_percent == 4 / 5


def test_a_directory_s_whiteout_counts_what_lay_below_it() -> None:
    found = of(LOWER, layer(directory("/e"), file("/d/x", b"123")), layer(whiteout("/d")))
    # /d is no leaf below: the one time it is met is the whiteout's, and so it is efficient.
    assert references(found) == {}
    # The second layer only passes through /d, which so is no directory any more to dive.
    assert (found.minimum_bytes, found.cumulative_bytes) == (10, 10)
    found = of(LOWER, layer(whiteout("/d")))
    assert (found.minimum_bytes, found.cumulative_bytes) == (13, 13)
    assert found.efficiency == 1.0


def test_a_directory_that_was_a_leaf_and_is_removed_is_met_twice() -> None:
    found = of(layer(directory("/d")), layer(file("/d/a", b"123"), directory("/d")))
    assert references(found) == {}
    layers = [layer(directory("/d")), layer(directory("/d"), file("/d/a", b"123"))]
    found = of(*layers, layer(whiteout("/d")))
    assert references(found) == {"/d": (2, 3)}


def test_hard_links_and_symlinks_count_nothing() -> None:
    found = of(LOWER, layer(hard_link("/c", "/d/a")), layer(symlink("/c", "d")))
    assert references(found) == {"/c": (3, 1)}
    assert found.efficiency == 6 / 7


def test_opaque_markers_are_not_counted_but_their_directory_is() -> None:
    found = of(LOWER, layer(opaque("/d")), layer(opaque("/d")))
    assert references(found) == {"/d": (2, 0)}
    assert found.efficiency == 1.0


def test_a_whiteout_beside_its_name_is_met_twice() -> None:
    found = of(layer(file("/a", b"123")), layer(whiteout("/a"), file("/a", b"12345")))
    assert references(found) == {"/a": (3, 8)}
    assert found.efficiency == 0.0


def test_dive_reads_a_layer_no_further_than_a_whiteout_of_nothing() -> None:
    upper = layer(file("/a", b"1"), whiteout("/n"), file("/z", b"1"), file("/c", b"1"))
    # In dive's order: .wh.n, a, c, z.
    found = of(LOWER, upper)
    assert references(found) == {}
    # The path it gave up at has been entered with a smallest copy of -1 byte.
    assert (found.minimum_bytes, found.cumulative_bytes) == (6, 7)
    found = of(LOWER, upper, layer(file("/n", b"12")))
    assert (found.minimum_bytes, found.cumulative_bytes) == (9, 9)
    found = of(
        LOWER, layer(file("/c", b"1"), file("/d/a", b"12"), whiteout("/d/n"), file("/+", b"1"))
    )
    # In dive's order: +, c, d/.wh.n, d/a.
    assert references(found) == {"/c": (2, 2)}
    assert found.cumulative_bytes == 9


def test_what_is_listed_twice_counts_once_as_a_path_and_twice_in_the_layer() -> None:
    found = of(layer(file("/a", b"123"), file("/a", b"12345")))
    assert (found.layer_bytes, found.cumulative_bytes, references(found)) == ((8,), 5, {})


def test_the_largest_references_come_first() -> None:
    layers = [layer(file("/a", b"1"), file("/b", b"12"), file("/c", b"12"))] * 2
    assert list(references(of(*layers))) == ["/b", "/c", "/a"]


def test_a_single_layer_divides_by_zero_as_go_does() -> None:
    found = of(LOWER)
    assert (found.efficiency, found.wasted_bytes, found.user_size_bytes) == (1.0, 0, 0)
    assert math.isnan(found.user_wasted_percent)
    assert of(LOWER, layer(whiteout("/c"))).user_wasted_percent == math.inf


def test_no_layers_and_empty_ones_are_efficient() -> None:
    assert dive_figures([]).efficiency == 1.0
    assert of(layer(), layer()).efficiency == 1.0


def check(layers: list[tuple[LayerEntry, ...]]) -> None:
    found, expected = dive_figures(layers), figures(layers)
    assert found.efficiency == expected.efficiency
    assert found.wasted_bytes == expected.wasted_bytes
    assert references(found) == expected.references
    assert list(found.layer_bytes) == expected.layer_bytes
    assert found.size_bytes == sum(expected.layer_bytes)


@pytest.mark.parametrize(("name", "platform"), FIXTURE_IMAGES)
def test_a_real_image(name: str, platform: str | None) -> None:
    check([layer.entries for layer in of_fixture(name, platform)])


@pytest.mark.parametrize(
    ("name", "efficiency", "wasted_bytes"),
    [
        ("demo.tar", 0.7249986574922671, 6144989),
        ("demo-2.tar", 0.7249976282575659, 6145067),
        ("odd.tar", 0.7333333333333333, 39),
        ("tour-docker.tar", 0.6601985559566786, 933),
        ("sparse.tar", 1, 0),
    ],
)
def test_what_dive_itself_says(name: str, efficiency: float, wasted_bytes: int) -> None:
    """As dive 0.13.1 wrote it of these images with --json."""
    found = dive_figures([layer.entries for layer in of_fixture(name)])
    assert (found.efficiency, found.wasted_bytes) == (efficiency, wasted_bytes)


@given(images(tuple(EntryKind)))
def test_whatever_the_layers(image: list[list[LayerEntry]]) -> None:
    check([tuple(entries) for entries in image])
