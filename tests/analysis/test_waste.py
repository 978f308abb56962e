"""Dead bytes: each file counted once, told by who wrote it and who took its last name."""

from __future__ import annotations

from fractions import Fraction

import pytest
from filesystem.layers import images
from filesystem.naive_model import Impossible, stacked
from hypothesis import assume, given
from image_builder import (
    BuiltLayer,
    Member,
    directory,
    file,
    hard_link,
    layer,
    opaque,
    symlink,
    whiteout,
)
from tree_facts import read_tree_facts

from analysis.written_layers import FIXTURE_IMAGES, FIXTURES, built, drawn, of_fixture
from layerlens.analysis.layer_changes import Aspect
from layerlens.analysis.waste import DeadFile, DeadReason, Waste, measure_waste
from layerlens.analysis.written_layer import WrittenLayer
from layerlens.errors import MalformedInput
from layerlens.filesystem.file_tree import FileTree
from layerlens.layer.entry import Entry, EntryKind, LayerEntry

Dead = tuple[str, int, int, int, str]
ALL_KINDS = tuple(EntryKind)


def told(file: DeadFile) -> Dead:
    return (file.path, file.size, file.written, file.killed, file.reason.value)


def dead(*layers: BuiltLayer) -> list[Dead]:
    waste = measure_waste(built(*layers))
    check_sums(waste)
    return [told(file) for file in waste.files]


def check_sums(waste: Waste) -> None:
    """Every way of adding up gives the same."""
    total = waste.dead
    assert total.total == sum(file.size for file in waste.files)
    assert total.files == len(waste.files)
    assert waste.live_bytes == sum(layer.live_bytes for layer in waste.layers)
    for parts in (waste.layers, waste.instructions()):
        assert sum(part.bytes for part in parts) == waste.bytes
        for field in ("files", "overwritten", "deleted", "copied", "total"):
            assert sum(getattr(part.dead, field) for part in parts) == getattr(total, field)
            assert sum(getattr(part.killed, field) for part in parts) == getattr(total, field)
    for field in ("files", "overwritten", "deleted", "copied", "total"):
        paths = waste.paths()
        assert sum(getattr(path.dead, field) for path in paths) == getattr(total, field)


LOWER = layer(directory("/d"), file("/d/a", b"12345"), file("/b", b"123"))


def test_what_stays_is_live() -> None:
    waste = measure_waste(built(LOWER, layer(file("/c", b"1"))))
    assert waste.files == ()
    assert (waste.bytes, waste.live_bytes, waste.live_share) == (9, 9, Fraction(1))


def test_an_overwritten_file() -> None:
    assert dead(LOWER, layer(file("/b", b"12"))) == [("/b", 3, 0, 1, "overwritten")]


def test_a_deleted_file_is_charged_to_the_layer_that_wrote_it_and_the_one_that_deleted_it() -> None:
    waste = measure_waste(built(LOWER, layer(), layer(whiteout("/b"))))
    assert [told(file) for file in waste.files] == [("/b", 3, 0, 2, "deleted")]
    assert [each.dead.total for each in waste.layers] == [3, 0, 0]
    assert [each.killed.total for each in waste.layers] == [0, 0, 3]
    assert waste.live_share == Fraction(5, 8)


def test_a_deleted_directory_takes_what_is_below_it() -> None:
    assert dead(LOWER, layer(whiteout("/d"))) == [("/d/a", 5, 0, 1, "deleted")]


def test_an_opaque_directory_hides_what_the_layers_below_put_there() -> None:
    upper = layer(directory("/d"), opaque("/d"), file("/d/new", b"1"))
    assert dead(LOWER, upper) == [("/d/a", 5, 0, 1, "deleted")]


def test_what_an_opaque_directory_holds_anew_was_overwritten_or_copied() -> None:
    lower = layer(file("/d/a", b"12345"), file("/d/b", b"xy"))
    upper = layer(
        directory("/d"), opaque("/d"), file("/d/a", b"1"), file("/d/b", b"xy", mode=0o600)
    )
    assert dead(lower, upper) == [
        ("/d/a", 5, 0, 1, "overwritten"),
        ("/d/b", 2, 0, 1, "copied"),
    ]


def test_a_directory_replaced_by_a_file() -> None:
    assert dead(LOWER, layer(file("/d", b"1"))) == [("/d/a", 5, 0, 1, "deleted")]


def test_a_file_replaced_by_a_directory_or_a_link() -> None:
    assert dead(LOWER, layer(directory("/b"))) == [("/b", 3, 0, 1, "overwritten")]
    assert dead(LOWER, layer(symlink("/b", "d"))) == [("/b", 3, 0, 1, "overwritten")]


@pytest.mark.parametrize(
    ("again", "aspects"),
    [
        (file("/b", b"123", mode=0o600), {Aspect.MODE}),
        (file("/b", b"123", owner=(1, 1)), {Aspect.OWNER}),
        (file("/b", b"123", mtime=7), {Aspect.MTIME}),
        (file("/b", b"123"), set()),
    ],
)
def test_the_same_content_again_is_a_copy(again: Member, aspects: set[Aspect]) -> None:
    (found,) = measure_waste(built(LOWER, layer(again))).files
    assert told(found) == ("/b", 3, 0, 1, "copied")
    assert found.aspects == aspects


def test_a_path_that_is_written_in_every_layer_dies_once_less() -> None:
    layers = [layer(file("/x", bytes(size))) for size in (5, 6, 7)]
    assert dead(*layers) == [("/x", 6, 1, 2, "overwritten"), ("/x", 5, 0, 1, "overwritten")]
    (path,) = measure_waste(built(*layers)).paths()
    assert (path.layers, path.killers, path.dead.total) == ((0, 1), (1, 2), 11)


def test_a_file_that_returns_is_another_file() -> None:
    layers = [LOWER, layer(whiteout("/b")), layer(file("/b", b"123"))]
    assert dead(*layers) == [("/b", 3, 0, 1, "deleted")]


def test_a_path_that_a_layer_lists_twice() -> None:
    assert dead(layer(file("/x", b"12"), file("/x", b"3"))) == [("/x", 2, 0, 0, "overwritten")]
    assert dead(layer(file("/x", b"12"), file("/x", b"12"))) == [("/x", 2, 0, 0, "copied")]
    assert dead(layer(file("/d/x", b"12"), file("/d", b"3"))) == [("/d/x", 2, 0, 0, "deleted")]


LINKED = layer(file("/a", b"12345"), hard_link("/b", "/a"), hard_link("/c", "/a"))


def test_hard_links_are_one_file_while_a_name_is_left() -> None:
    waste = measure_waste(built(LINKED, layer(whiteout("/a")), layer(file("/b", b"x"))))
    assert waste.files == ()
    assert (waste.bytes, waste.live_bytes) == (6, 6)


def test_hard_links_die_with_the_last_name_at_that_name() -> None:
    layers = [LINKED, layer(whiteout("/a"), whiteout("/b")), layer(file("/c", b"x"))]
    assert dead(*layers) == [("/c", 5, 0, 2, "overwritten")]


def test_hard_links_that_go_together_are_told_by_their_first_name() -> None:
    upper = layer(whiteout("/c"), whiteout("/b"), whiteout("/a"))
    assert dead(LINKED, upper) == [("/a", 5, 0, 1, "deleted")]
    later = [LINKED, layer(whiteout("/a")), layer(whiteout("/c"), whiteout("/b"))]
    assert dead(*later) == [("/b", 5, 0, 2, "deleted")]


def test_a_link_to_a_lower_layer_keeps_the_bytes_alive() -> None:
    base = layer(file("/a", b"12345"))
    assert dead(base, layer(hard_link("/b", "/a"), whiteout("/a"))) == []
    assert dead(base, layer(hard_link("/b", "/a")), layer(file("/a", b"12345"))) == []


def test_a_chmod_of_hard_links_copies_their_bytes_once() -> None:
    upper = layer(file("/a", b"12345", mode=0o600), hard_link("/b", "/a"), hard_link("/c", "/a"))
    assert dead(LINKED, upper) == [("/a", 5, 0, 1, "copied")]


def test_paths_are_those_of_the_tree_where_links_lead_elsewhere() -> None:
    base = layer(directory("/usr/lib"), symlink("/lib", "usr/lib"))
    layers = [base, layer(file("/lib/x", b"12")), layer(whiteout("/usr/lib/x"))]
    assert dead(*layers) == [("/usr/lib/x", 2, 1, 2, "deleted")]


def test_a_layer_that_stands_in_the_image_twice() -> None:
    one = layer(file("/a", b"12345"), hard_link("/b", "/a"))
    waste = measure_waste(built(one, layer(hard_link("/c", "/b")), one))
    check_sums(waste)
    assert (waste.bytes, waste.live_bytes, waste.files) == (10, 10, ())  # /c keeps the first
    waste = measure_waste(built(one, one, one))
    check_sums(waste)
    assert [told(file) for file in waste.files] == [
        ("/a", 5, 0, 1, "copied"),
        ("/a", 5, 1, 2, "copied"),
    ]


def test_layers_with_one_instruction_are_one() -> None:
    layers = [
        layer(file("/a", b"12345"), created_by="COPY . ."),
        layer(file("/a", b"1234"), created_by="RUN make"),
        layer(file("/a", b"123"), created_by="COPY . ."),
    ]
    first, second = measure_waste(built(*layers)).instructions()
    assert (first.instruction, first.layers, first.bytes) == ("COPY . .", (0, 2), 8)
    assert (first.dead.total, first.killed.total) == (5, 4)
    assert (second.instruction, second.layers) == ("RUN make", (1,))
    assert (second.dead.total, second.killed.total) == (4, 5)


def test_a_layer_that_is_no_tar_is_told() -> None:
    lower, upper = built(LOWER, layer(whiteout("/b")))
    middle = WrittenLayer(title=lower.title, index=None, tree=lower.tree)
    waste = measure_waste([lower, middle, upper])
    assert waste.unreadable == (0,)
    assert waste.dead.total == 3


def test_an_image_without_layers_has_no_share() -> None:
    waste = measure_waste([])
    assert (waste.bytes, waste.live_share, waste.layers) == (0, None, ())


def files_of(tree: FileTree) -> dict[int, Entry]:
    """The files of a tree, each once however many names it has."""
    inodes = (item.node.inode for item in tree.walk())
    return {id(inode): inode for inode in inodes if inode.size}


def check_against_sets(layers: tuple[WrittenLayer, ...]) -> None:
    """Who killed what, as the sets of files in each tree have it."""
    waste = measure_waste(layers)
    check_sums(waste)
    assert waste.bytes == waste.live_bytes + waste.dead.total
    expected: dict[int, tuple[int, int]] = {}
    before: dict[int, Entry] = {}
    wrote: dict[int, int] = {}
    for written in layers:
        listed = {
            id(entry): entry for entry in written.entries if isinstance(entry, Entry) and entry.size
        }
        wrote.update(dict.fromkeys(listed, written.number))
        after = files_of(written.tree)
        for gone in ({**before, **listed}).keys() - after.keys():
            expected[gone] = (wrote[gone], written.number)
        before = after
    assert waste.live_bytes == sum(entry.size for entry in before.values())
    assert {id(dead.entry): (dead.written, dead.killed) for dead in waste.files} == expected
    for dead_file in waste.files:
        after_kill = layers[dead_file.killed].tree.find(dead_file.path)
        if dead_file.written != dead_file.killed:
            lost = layers[dead_file.killed - 1].tree.find(dead_file.path)
            assert lost is not None
            assert lost.inode is dead_file.entry
            assert (after_kill is None) == (dead_file.reason is DeadReason.DELETED)


@given(images(ALL_KINDS))
def test_dead_and_live_are_all_whatever_the_layers(image: list[list[LayerEntry]]) -> None:
    try:
        layers = drawn(image)
    except MalformedInput:
        assume(False)
        raise
    check_against_sets(layers)


@given(images())
def test_live_bytes_are_those_of_the_naive_model(image: list[list[LayerEntry]]) -> None:
    try:
        model = stacked(image)
    except Impossible:
        assume(False)
        raise
    waste = measure_waste(drawn(image))
    assert waste.live_bytes == sum(item.entry.size for item in model.values() if item.entry)
    listed = [entry for entries in image for entry in entries if isinstance(entry, Entry)]
    assert waste.bytes == sum(entry.size for entry in listed)


@pytest.mark.parametrize(("name", "platform"), FIXTURE_IMAGES)
def test_dead_and_live_are_all_of_a_real_image(name: str, platform: str | None) -> None:
    check_against_sets(of_fixture(name, platform))


@pytest.mark.parametrize(
    ("name", "tree"),
    [
        ("demo.tar", "demo"),
        ("demo-2.tar", "demo-2"),
        ("tour-layout", "tour"),
        ("odd.tar", "odd"),
        ("sparse.tar", "sparse"),
        ("sparse-gnu.tar", "sparse-gnu"),
        ("two-images.tar:@1", "hej"),
        ("rootfs.tar", "rootfs"),
    ],
)
def test_live_bytes_are_those_of_the_files_that_another_tool_unpacks(name: str, tree: str) -> None:
    facts = read_tree_facts(FIXTURES / "trees" / f"{tree}.json")
    names = {path: min(found.same_file, default=path) for path, found in facts.items()}
    live = sum(found.size or 0 for path, found in facts.items() if names[path] == path)
    assert measure_waste(of_fixture(name)).live_bytes == live


# What the recipe of the demonstration writes and takes away: fixtures/recipes/demo/Dockerfile.1.
def test_the_demonstration_s_dead_bytes() -> None:
    waste = measure_waste(of_fixture("demo.tar"))
    killed = {layer.title.number: layer.killed.total for layer in waste.layers}
    sizes = {file.path: file.size for file in waste.files if file.killed == 7}
    assert set(sizes) == {
        "/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main_Packages",
        "/var/cache/apt/archives/libsqlite3.deb",
        "/root/.cache/pip/wheels/numpy-1.26.4-py3-none-any.whl",
        "/root/.cache/pip/wheels/requests-2.32.3-py3-none-any.whl",
        "/root/.cache/pip/wheels/uvicorn-0.30.1-py3-none-any.whl",
    }
    assert killed[7] == sum(sizes.values())
    copied = {file.path for file in waste.files if file.killed == 8}
    assert copied > {"/srv/weather/data/model.bin", "/srv/weather/settings.ini", "/etc/passwd"}
