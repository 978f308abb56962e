"""Each rule of stacking, one example each, read from tars as a tool would write them."""

from __future__ import annotations

import pytest
from image_builder import (
    BuiltLayer,
    Member,
    block_device,
    character_device,
    directory,
    fifo,
    file,
    hard_link,
    layer,
    opaque,
    symlink,
    whiteout,
)

from layerlens.errors import LimitExceeded, MalformedInput, NotFound
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree
from layerlens.filesystem.stacking import stack
from layerlens.layer.read_layer import Expected, read_layer


def applied(*layers: BuiltLayer) -> tuple[FileTree, tuple[str, ...]]:
    """The tree of the layers, and the warnings of the topmost."""
    tree = EMPTY_TREE
    warnings: tuple[str, ...] = ()
    for number, built in enumerate(layers):
        index = read_layer(iter([built.tar]), Expected(), where="test").index
        result = stack(tree, index, number)
        tree, warnings = result.tree, result.warnings
    return tree, warnings


def paths(*layers: BuiltLayer) -> list[str]:
    """What is there after the last layer, "/" left out."""
    return [item.path for item in applied(*layers)[0].walk()][1:]


def refused(*layers: BuiltLayer) -> str:
    """The line with which the last layer is refused."""
    applied(*layers[:-1])
    with pytest.raises(MalformedInput) as raised:
        applied(*layers)
    return str(raised.value)


BASE = layer(
    directory("/d", mode=0o700, owner=(1, 2), mtime=5),
    file("/d/a", b"1"),
    directory("/d/sub"),
    file("/d/sub/x", b"2"),
    file("/f", b"3"),
)


def test_a_whiteout_removes_a_file_and_a_whole_directory() -> None:
    assert paths(BASE, layer(whiteout("/f"), whiteout("/d/sub"))) == ["/d", "/d/a"]
    assert paths(BASE, layer(whiteout("/d"))) == ["/f"]


def test_a_whiteout_of_nothing_does_nothing() -> None:
    top = layer(whiteout("/none"), whiteout("/none/below"), whiteout("/f/below"), opaque("/none"))
    assert paths(BASE, top) == paths(BASE)


def test_a_whiteout_makes_no_directory() -> None:
    assert paths(layer(whiteout("/new/gone"), opaque("/other"))) == []


@pytest.mark.parametrize("order", [1, -1])
def test_a_whiteout_and_a_file_of_one_name(order: int) -> None:
    top = layer(*[whiteout("/f"), file("/f", b"new")][::order])
    tree, _ = applied(BASE, top)
    node = tree.find("/f")
    assert node is not None
    assert node.layer == 1


@pytest.mark.parametrize("order", [1, -1])
def test_a_directory_removed_and_made_anew_has_only_what_is_new(order: int) -> None:
    top = layer(*[whiteout("/d"), directory("/d"), file("/d/new")][::order])
    assert paths(BASE, top) == ["/d", "/d/new", "/f"]


def test_an_opaque_directory_has_only_what_its_layer_holds() -> None:
    for members in (
        [opaque("/d"), file("/d/new")],
        [file("/d/new"), opaque("/d")],
        [directory("/d"), file("/d/new"), opaque("/d")],
    ):
        assert paths(BASE, layer(*members)) == ["/d", "/d/new", "/f"]


def test_an_opaque_directory_keeps_its_own_attributes() -> None:
    node = applied(BASE, layer(opaque("/d")))[0].find("/d")
    assert node is not None
    assert (node.entry.mode, node.entry.uid, node.layer) == (0o700, 1, 0)


def test_an_opaque_root() -> None:
    assert paths(BASE, layer(opaque("/"), file("/new"))) == ["/new"]


def test_an_opaque_directory_with_a_nested_directory_of_its_own() -> None:
    top = layer(file("/d/sub/new"), opaque("/d"))
    tree, _ = applied(BASE, top)
    assert paths(BASE, top) == ["/d", "/d/sub", "/d/sub/new", "/f"]
    node = tree.find("/d/sub")
    assert node is not None
    assert node.layer == -1


def test_a_directory_over_a_directory_keeps_the_children() -> None:
    top = layer(directory("/d", mode=0o711, owner=(3, 4), xattrs={"user.x": b"1"}))
    assert paths(BASE, top) == paths(BASE)
    node = applied(BASE, top)[0].find("/d")
    assert node is not None
    assert (node.entry.mode, node.entry.uid, node.entry.xattrs) == (0o711, 3, (("user.x", b"1"),))


@pytest.mark.parametrize(
    "other",
    [
        file("/d"),
        symlink("/d", "f"),
        fifo("/d"),
        character_device("/d", 1, 3),
        block_device("/d", 8, 0),
        hard_link("/d", "/f"),
    ],
)
def test_anything_else_over_a_directory_replaces_all_of_it(other: Member) -> None:
    assert paths(BASE, layer(other)) == ["/d", "/f"]
    # ... and a directory over that has no children again.
    assert paths(BASE, layer(other), layer(directory("/d"))) == ["/d", "/f"]
    assert paths(BASE, layer(other, directory("/d"))) == ["/d", "/f"]


def test_umoci_s_whiteouts_below_what_is_now_a_file() -> None:
    assert paths(BASE, layer(file("/d"), whiteout("/d/a"), whiteout("/d/sub"))) == ["/d", "/f"]


def test_parents_that_no_layer_lists_are_there() -> None:
    tree, _ = applied(layer(file("/x/y/z")))
    node = tree.find("/x/y")
    assert node is not None
    assert (node.entry.mode, node.entry.uid, node.layer) == (0o755, 0, -1)


def test_duplicate_paths_the_last_wins_with_a_warning() -> None:
    tree, warnings = applied(layer(file("/f", b"1"), file("/g"), file("/f", b"22")))
    node = tree.find("/f")
    assert node is not None
    assert node.entry.size == 2
    assert warnings == ("listed twice, the last counts: the path '/f'",)


@pytest.mark.parametrize("name", ["../../f", "/f", "x/../../f", "./f"])
def test_names_are_clamped_to_the_root(name: str) -> None:
    assert paths(layer(Member(name=name))) == ["/f"]


def test_kaniko_s_root() -> None:
    tree, _ = applied(layer(Member(name="/", type=b"5", mode=0o700)))
    assert tree.root.entry.mode == 0o700


def test_a_root_that_is_no_directory() -> None:
    assert "root" in refused(layer(Member(name="/")))
    assert "root" in refused(layer(symlink("/", "x")))


# ---- symlinked parents ----

LINKED = layer(directory("/usr/lib"), symlink("/lib", "usr/lib"), symlink("/run", "/usr/../var"))


@pytest.mark.parametrize(
    ("path", "lands"),
    [("/lib/a", "/usr/lib/a"), ("/run/b", "/var/b"), ("/lib/c/d", "/usr/lib/c/d")],
)
def test_what_lies_below_a_link_lands_in_its_target(path: str, lands: str) -> None:
    tree, _ = applied(LINKED, layer(file(path)))
    assert tree.find(lands) is not None
    assert tree.find(path) is None
    link = tree.find("/" + path.split("/")[1])
    assert link is not None
    assert link.inode.link_target is not None


def test_an_absolute_link_in_a_directory_starts_from_the_root() -> None:
    top = layer(file("/d/e/old"), symlink("/d/l", "/d/e"), file("/d/l/new"), file("/d/l/sub/new"))
    assert paths(top) == ["/d", "/d/e", "/d/e/new", "/d/e/old", "/d/e/sub", "/d/e/sub/new", "/d/l"]


def test_whiteouts_follow_links_too() -> None:
    assert "/usr/lib/a" not in paths(LINKED, layer(file("/lib/a")), layer(whiteout("/lib/a")))
    assert "/usr/lib/a" not in paths(LINKED, layer(file("/lib/a")), layer(opaque("/lib")))


def test_a_whiteout_of_a_link_leaves_its_target() -> None:
    assert "/usr/lib" in paths(LINKED, layer(whiteout("/lib")))


def test_a_link_replaced_by_a_directory_is_followed_no_more() -> None:
    tree, _ = applied(LINKED, layer(directory("/lib"), file("/lib/a")))
    assert tree.find("/lib/a") is not None
    assert tree.find("/usr/lib/a") is None


def test_a_link_written_through_and_then_replaced_is_followed_no_more() -> None:
    top = layer(file("/lib/before"), directory("/lib"), file("/lib/after"))
    assert paths(LINKED, top) == [
        "/lib",
        "/lib/after",
        "/run",
        "/usr",
        "/usr/lib",
        "/usr/lib/before",
    ]


def test_a_link_made_on_the_way_is_followed_from_then_on() -> None:
    top = layer(file("/one/a"), symlink("/two", "one"), file("/two/b"), file("/one/c"))
    assert paths(top) == ["/one", "/one/a", "/one/b", "/one/c", "/two"]


def test_a_directory_written_to_and_then_made_a_link() -> None:
    top = layer(file("/d/new"), symlink("/d", "e"), file("/d/after"))
    assert paths(top) == ["/d", "/e", "/e/after"]


@pytest.mark.parametrize("target", ["../../../x", "/../../x", "/x"])
def test_links_can_t_leave_the_root(target: str) -> None:
    assert paths(layer(symlink("/l", target), file("/l/a"))) == ["/l", "/x", "/x/a"]


@pytest.mark.parametrize(
    "links",
    [
        [symlink("/l", "l")],
        [symlink("/l", "m"), symlink("/m", "/l")],
        [symlink("/l", "m/l"), symlink("/m", ".")],
    ],
)
def test_links_in_a_loop(links: list[Member]) -> None:
    assert "loop" in refused(layer(*links), layer(file("/l/a")))


def test_a_link_to_a_file_is_no_parent() -> None:
    assert "no directory" in refused(layer(file("/f"), symlink("/l", "f")), layer(file("/l/a")))


def test_below_a_file_nothing_can_lie() -> None:
    assert "'/f/a'" in refused(BASE, layer(file("/f/a")))


def test_links_that_make_a_path_too_deep() -> None:
    # Each layer may be within the limits on paths, and the tree they make not.
    deep = "/".join(["d"] * 300)
    links = [symlink("/l", deep), symlink(f"/{deep}/l", deep), file(f"/l/l/{deep}/f")]
    with pytest.raises(LimitExceeded, match="deep"):
        applied(layer(*links))


# ---- hard links ----


def names_of_one_file(tree: FileTree, *names: str) -> bool:
    """Whether they are all one file."""
    nodes = [tree.find(name) for name in names]
    assert all(node is not None for node in nodes)
    return len({id(node.inode) for node in nodes if node is not None}) == 1


def test_hard_links_are_one_file() -> None:
    top = layer(file("/a", b"123"), hard_link("/b", "/a"), hard_link("/c", "/b"))
    tree, _ = applied(top)
    assert names_of_one_file(tree, "/a", "/b", "/c")
    node = tree.find("/c")
    assert node is not None
    assert (node.inode.size, node.entry.size) == (3, 0)


def test_a_hard_link_to_a_file_of_a_lower_layer() -> None:
    tree, _ = applied(BASE, layer(hard_link("/l", "/d/a")))
    assert names_of_one_file(tree, "/l", "/d/a")


def test_the_bytes_stay_while_a_name_is_left() -> None:
    tree, _ = applied(layer(file("/a", b"123"), hard_link("/b", "/a")), layer(whiteout("/a")))
    assert tree.find("/a") is None
    node = tree.find("/b")
    assert node is not None
    assert (node.inode.size, node.inode.content is not None) == (3, True)


def test_a_name_written_anew_is_another_file() -> None:
    base = layer(file("/a", b"123"), hard_link("/b", "/a"))
    assert not names_of_one_file(applied(base, layer(file("/a", b"123")))[0], "/a", "/b")


def test_a_hard_link_through_a_symlinked_directory() -> None:
    tree, _ = applied(LINKED, layer(file("/usr/lib/a", b"1"), hard_link("/h", "/lib/a")))
    assert names_of_one_file(tree, "/h", "/usr/lib/a")


def test_a_hard_link_to_a_symlink_is_a_symlink() -> None:
    tree, _ = applied(layer(symlink("/s", "x"), hard_link("/h", "/s")))
    assert names_of_one_file(tree, "/s", "/h")


def test_a_hard_link_to_nothing_is_warned_of() -> None:
    _, warnings = applied(layer(hard_link("/h", "/none")))
    assert warnings == ("linked to a file that is not there: the hard link '/h'",)
    _, warnings = applied(layer(hard_link("/h", "/none"), hard_link("/i", "/none")))
    assert warnings == ("linked to a file that is not there: 2 hard links, the first of them '/h'",)


def test_a_hard_link_to_a_directory_is_refused() -> None:
    assert "'/h'" in refused(BASE, layer(hard_link("/h", "/d")))


def test_a_hard_link_to_itself_is_refused() -> None:
    assert "itself" in refused(BASE, layer(hard_link("/f", "/f")))


# ---- finding paths ----


def test_paths_are_resolved_within_the_image() -> None:
    tree, _ = applied(
        layer(
            file("/usr/lib/a"),
            symlink("/lib", "usr/lib"),
            symlink("/abs", "/lib/../lib/a"),
            symlink("/up", "../../../usr"),
            symlink("/dangling", "none"),
            symlink("/loop", "loop"),
        )
    )
    assert tree.resolve("/abs").path == "/usr/lib/a"
    assert tree.resolve("/up/lib/a").path == "/usr/lib/a"
    assert tree.resolve("lib/../../usr//lib/./a").path == "/usr/lib/a"
    assert tree.resolve("/").path == "/"
    for path in ("/dangling", "/none", "/lib/a/b", "/usr/lib/a/.."):
        with pytest.raises(NotFound, match=path):
            tree.resolve(path)
    with pytest.raises(MalformedInput, match="loop"):
        tree.resolve("/loop")


def test_walking_follows_the_order_of_bytes() -> None:
    names = ["é", "z", "\udcff", "a", "a.b", "a/b", "日"]
    walked = paths(
        layer(
            *(file(f"/{name}") for name in names if name != "a"),
        )
    )
    assert walked == ["/a", "/a/b", "/a.b", "/z", "/é", "/日", "/\udcff"]
