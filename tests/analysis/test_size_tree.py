from collections.abc import Iterator

import pytest
from filesystem.layers import images
from hypothesis import assume, given
from hypothesis import strategies as st
from image_builder import directory, file, hard_link, layer, whiteout

from layerlens.analysis.charged_files import charged_files, directory_sizes
from layerlens.analysis.size_tree import CHILDREN_SHOWN, SizeNode, tree_of_files, tree_of_layers
from layerlens.analysis.waste import measure_waste
from layerlens.errors import MalformedInput
from layerlens.layer.entry import LayerEntry

from .written_layers import FIXTURE_IMAGES, built, drawn, of_fixture

NODES, CHARACTERS = 10_000, 1_000_000


def all_nodes(root: SizeNode) -> Iterator[SizeNode]:
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(node.children or ())


def children(node: SizeNode) -> list[tuple[str, int, int, int]]:
    return [(each.name, each.bytes, each.dead, each.files) for each in node.children or ()]


def test_directories_hold_what_is_below_them() -> None:
    layers = built(
        layer(
            file("/top", b"1"),
            file("/usr/bin/a", b"22"),
            file("/usr/lib/x/b", b"333"),
            file("/usr/empty"),
            directory("/var"),
        )
    )
    root = tree_of_files(layers[-1].tree, nodes=NODES, characters=CHARACTERS)
    assert (root.name, root.bytes, root.files) == ("/", 6, 4)
    assert children(root) == [("usr", 5, 0, 3), ("top", 1, 0, 1)]
    assert root.children is not None
    assert children(root.children[0]) == [("lib", 3, 0, 1), ("bin", 2, 0, 1)]
    assert root.children[0].rest == (0, 0, 1)
    assert root.children[1].children is None
    assert directory_sizes(layers[-1].tree) == {"/": 1, "/usr": 5, "/var": 0}


def test_a_hard_link_is_charged_to_the_first_name_that_stands() -> None:
    lower = layer(file("/b", b"12345"), hard_link("/a", "/b"), hard_link("/d/c", "/b"))
    (both,) = built(lower)
    assert [(each.path, each.bytes) for each in charged_files(both.tree)] == [
        ("/a", 5),
        ("/b", 0),
        ("/d/c", 0),
    ]
    left = built(lower, layer(whiteout("/a"), whiteout("/b")))[-1]
    assert directory_sizes(left.tree) == {"/d": 5}


def test_layers_with_what_is_dead_in_them() -> None:
    layers = built(
        layer(file("/srv/a", b"123"), file("/srv/b", b"4567")),
        layer(file("/srv/a", b"12")),
        layer(whiteout("/srv/b")),
    )
    waste = measure_waste(layers)
    root = tree_of_layers(layers, waste, nodes=NODES, characters=CHARACTERS)
    assert (root.bytes, root.dead, root.files) == (9, 7, 3)
    assert children(root) == [("0", 7, 7, 2), ("1", 2, 0, 1)]
    assert root.children is not None
    (srv,) = root.children[0].children or ()
    assert children(srv) == [("b", 4, 4, 1), ("a", 3, 3, 1)]


@pytest.mark.parametrize(("name", "platform"), FIXTURE_IMAGES)
def test_the_trees_hold_all_bytes_of_real_images(name: str, platform: str | None) -> None:
    layers = of_fixture(name, platform)
    waste = measure_waste(layers)
    final = tree_of_files(layers[-1].tree, nodes=NODES, characters=CHARACTERS)
    assert final.bytes == waste.live_bytes == sum(directory_sizes(layers[-1].tree).values())
    written = tree_of_layers(layers, waste, nodes=NODES, characters=CHARACTERS)
    assert (written.bytes, written.dead) == (waste.bytes, waste.dead.total)
    for number, node in ((int(node.name), node) for node in written.children or ()):
        assert (node.bytes, node.dead) == (
            waste.layers[number].bytes,
            waste.layers[number].dead.total,
        )


@given(images(), st.integers(0, 12), st.integers(0, 40))
def test_no_byte_is_lost_however_little_is_shown(
    image: list[list[LayerEntry]], nodes: int, characters: int
) -> None:
    try:
        layers = drawn(image)
    except MalformedInput:
        assume(False)
        raise
    waste = measure_waste(layers)
    roots = [tree_of_layers(layers, waste, nodes=nodes, characters=characters)]
    if layers:
        roots.append(tree_of_files(layers[-1].tree, nodes=nodes, characters=characters))
        assert roots[1].bytes == waste.live_bytes
    assert (roots[0].bytes, roots[0].dead) == (waste.bytes, waste.dead.total)
    for root in roots:
        shown = list(all_nodes(root))[1:]
        assert len(shown) <= nodes
        assert sum(len(node.name) for node in shown) <= characters
        for node in all_nodes(root):
            assert min(node.rest) >= 0
            sizes = [child.bytes for child in node.children or ()]
            assert sizes == sorted(sizes, reverse=True)


def test_what_is_small_is_added_up() -> None:
    many = [file(f"/d/{number:05}", b"x" * (number % 7 + 1)) for number in range(3000)]
    deep = [file(f"/e{number}/f/g", b"x" * (1000 - number)) for number in range(50)]
    (only,) = built(layer(*many, *deep))
    root = tree_of_files(only.tree, nodes=120, characters=CHARACTERS)
    assert len(list(all_nodes(root))) <= 121
    opened = [node for node in root.children or () if node.children]
    assert opened[0].name == "d"  # the largest, then as many as there is room
    assert len(opened[0].children or ()) == 120 - 51
    wide = tree_of_files(only.tree, nodes=NODES, characters=CHARACTERS)
    directory_d = next(node for node in wide.children or () if node.name == "d")
    assert len(directory_d.children or ()) == CHILDREN_SHOWN
    assert directory_d.rest[2] == 3000 - CHILDREN_SHOWN
    assert all(child.bytes == 7 for child in directory_d.children or ())


def test_a_path_of_thousands_of_directories_is_no_recursion() -> None:
    path = "/a" * 290
    layers = built(*[layer(file(f"{path}/{number}", b"x")) for number in range(2)])
    root = tree_of_files(layers[-1].tree, nodes=NODES, characters=CHARACTERS)
    assert len(list(all_nodes(root))) == 1 + 290 + 2
