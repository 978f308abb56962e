"""Whatever order the engine allows makes the same tree; and what it must not allow."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from filesystem.layers import entry_of, images, index_of
from hypothesis import example, given, settings

from layerlens.dockerfile.effects import effects_of
from layerlens.dockerfile.independence import conflict
from layerlens.dockerfile.instructions import Instruction
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.resources import Effects, NewDirectories, Surroundings
from layerlens.dockerfile.stage_state import State, states
from layerlens.dockerfile.written_paths import Places, observed_paths
from layerlens.errors import MalformedInput
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree
from layerlens.filesystem.stacking import stack
from layerlens.layer.entry import EntryKind, LayerEntry, OpaqueWhiteout, Whiteout

_F, _D, _L = EntryKind.FILE, EntryKind.DIRECTORY, EntryKind.SYMLINK


def seen(entries: list[LayerEntry], before: FileTree, number: int) -> Effects:
    """A layer that is put down as it was seen, as a copy would be."""
    writes = observed_paths(entries, before)
    return Effects(
        line=f"layer {number}",
        keyword="COPY",
        writes=writes,
        new_directories=NewDirectories(
            destination="/nowhere", owner=(0, 0), plain=True, listed=writes
        ),
    )


def facts(tree: FileTree) -> dict[str, tuple[object, ...]]:
    """All of a tree but times, and which layer wrote what."""
    return {
        path: (
            node.inode.kind,
            *(node.inode.mode, node.inode.uid, node.inode.gid, node.inode.size),
            *(node.inode.content, node.inode.link_target, node.inode.xattrs, node.inode.device),
        )
        for path, node in tree.walk()
    }


def stacked(layers: list[list[LayerEntry]]) -> FileTree:
    tree = EMPTY_TREE
    for number, entries in enumerate(layers):
        tree = stack(tree, index_of(entries), number).tree
    return tree


def allowed_orders(found: list[Effects]) -> list[tuple[int, ...]]:
    held = [
        (one, other)
        for one, other in combinations(range(len(found)), 2)
        if conflict(found[one], found[other]) is not None
    ]
    return [
        order
        for order in permutations(range(len(found)))
        if all(order.index(one) < order.index(other) for one, other in held)
    ]


def assert_every_allowed_order_makes_the_same(
    base: list[LayerEntry], layers: list[list[LayerEntry]]
) -> int:
    found = []
    tree = stacked([base])
    for number, entries in enumerate(layers, 1):
        found.append(seen(entries, tree, number))
        tree = stack(tree, index_of(entries), number).tree
    expected = facts(tree)
    orders = allowed_orders(found)
    for order in orders:
        assert facts(stacked([base, *(layers[each] for each in order)])) == expected
    return len(orders)


@settings(max_examples=150)
@given(images(tuple(EntryKind)))
@example([[], [entry_of("/a", _L, link_target="b")], [entry_of("/a/b", _F)]])
@example([[], [entry_of("/a", _D, mode=0o700)], [entry_of("/a/b", _F)]])
@example([[entry_of("/a/b", _F)], [OpaqueWhiteout("/a")], [entry_of("/a/a", _F)]])
@example([[entry_of("/a", _F)], [entry_of("/a", _D)], [entry_of("/a/a", _F)]])
@example([[entry_of("/a", _F)], [entry_of("/b", EntryKind.HARD_LINK, link_target="/a")], []])
@example([[], [entry_of("/b", EntryKind.HARD_LINK, link_target="/a")], [entry_of("/a", _D)]])
@example([[], [entry_of("/b", EntryKind.HARD_LINK, link_target="/a/a")], [entry_of("/a", _F)]])
def test_every_order_that_is_allowed_makes_the_same_tree(image: list[list[LayerEntry]]) -> None:
    try:
        stacked(image)
    except MalformedInput:
        return  # no builder could have made it
    assert_every_allowed_order_makes_the_same(image[0], image[1:])


@settings(max_examples=80)
@given(images(tuple(EntryKind)))
def test_independence_is_symmetric(image: list[list[LayerEntry]]) -> None:
    try:
        trees = [stacked(image[:number]) for number in range(len(image) + 1)]
    except MalformedInput:
        return
    found = [seen(each, trees[number], number) for number, each in enumerate(image)]
    for one, other in combinations(found, 2):
        assert (conflict(one, other) is None) == (conflict(other, one) is None)


def test_layers_apart_may_stand_in_any_order() -> None:
    base: list[LayerEntry] = [entry_of(f"/{name}", _D, mode=0o755) for name in "abc"]
    layers: list[list[LayerEntry]] = [
        [entry_of("/a", _D, mode=0o755), entry_of("/a/x", _F, content=b"1")],
        [entry_of("/b", _D, mode=0o755), entry_of("/b/x", _F, content=b"2"), Whiteout("/c")],
        [entry_of("/a", _D, mode=0o755), entry_of("/a/y", _F, content=b"3")],
    ]
    assert assert_every_allowed_order_makes_the_same(base, layers) == 6


def test_a_directory_both_would_make_alike_is_no_matter() -> None:
    layers: list[list[LayerEntry]] = [
        [entry_of("/n", _D, mode=0o755), entry_of("/n/x", _F)],
        [entry_of("/n/y", _F)],
    ]
    assert assert_every_allowed_order_makes_the_same([], layers) == 2


class Stage:
    """Instructions of one stage and what each does, by the Dockerfile and the layers' entries."""

    def __init__(
        self,
        text: str,
        layers: dict[int, list[LayerEntry]],
        base: list[LayerEntry] | None = None,
    ) -> None:
        dockerfile = parse_dockerfile(f"FROM x\n{text}".encode())
        stage = dockerfile.stages[0]
        start = State(working_directory="/", user="", unset=True)
        tree = stacked([base or []])
        self.instructions: tuple[Instruction, ...] = stage.instructions
        self.effects = []
        for number, (each, state) in enumerate(
            zip(stage.instructions, states(dockerfile, stage, start), strict=False)
        ):
            entries = layers.get(number)
            around = Surroundings(
                state=state,
                places=Places(tree),
                observed=None if entries is None else observed_paths(entries, tree),
            )
            self.effects.append(effects_of(each, around))
            if entries is not None:
                tree = stack(tree, index_of(entries), number + 1).tree

    def conflict(self, one: int, other: int) -> str | None:
        found = conflict(self.effects[one], self.effects[other])
        assert (conflict(self.effects[other], self.effects[one]) is None) == (found is None)
        return found


def file(path: str, owner: int = 0) -> LayerEntry:
    return entry_of(path, _F, owner=owner)


def directory(path: str, mode: int = 0o755, owner: int = 0) -> LayerEntry:
    return entry_of(path, _D, mode=mode, owner=owner)


@pytest.mark.parametrize(
    ("text", "layers", "reason"),
    [
        ("COPY a /x/\nCOPY b /y/\n", {0: [file("/x/a")], 1: [file("/y/b")]}, None),
        ("COPY a /x/\nCOPY b /x/\n", {0: [file("/x/a")], 1: [file("/x/b")]}, None),
        ("COPY a /x/\nCOPY a /x/\n", {0: [file("/x/a")], 1: [file("/x/a")]}, "both write /x/a"),
        (
            "COPY --chown=9 a /x/\nCOPY b /x/\n",
            {0: [directory("/x", owner=9), file("/x/a", 9)], 1: [file("/x/b")]},
            "makes the directory /x",
        ),
        (
            "COPY --chown=9 a /x/\nCOPY --chown=9 b /x/\n",
            {0: [directory("/x", owner=9), file("/x/a", 9)], 1: [file("/x/b", 9)]},
            None,
        ),
        (
            "COPY a /x\nCOPY b/ /x/y/\n",
            {0: [directory("/x", 0o700), file("/x/a")], 1: [directory("/x/y"), file("/x/y/c")]},
            "/x",
        ),
        (
            "COPY a /x/\nCOPY b /x\n",
            {0: [directory("/x"), file("/x/a")], 1: [file("/x/b")]},
            "whether /x is a directory",
        ),
        (
            "COPY passwd /etc/\nCOPY --chown=app b /y/\n",
            {0: [file("/etc/passwd")], 1: [file("/y/b")]},
            "depends on /etc/passwd",
        ),
        (
            "COPY passwd /etc/\nCOPY --chown=7 b /y/\n",
            {0: [file("/etc/passwd")], 1: [file("/y/b")]},
            None,
        ),
        ("ENV A=/y\nCOPY a $A/\n", {1: [file("/y/a")]}, "uses the variable A"),
        ("ENV A=/y\nCOPY a /y/\n", {1: [file("/y/a")]}, None),
        ("ENV A=1\nCOPY <<E /y/\n$A\nE\n", {1: [file("/y/E")]}, "uses the variable A"),
        ("ENV A=1\nCOPY <<'E' /y/\n$A\nE\n", {1: [file("/y/E")]}, None),
        ("ARG A\nENV B=$A\n", {}, "uses the variable A"),
        ("ARG A\nARG B\n", {}, None),
        ("ENV A=1\nRUN x\n", {1: [file("/z")]}, "may read the variable A"),
        ("WORKDIR /y\nCOPY a b/\n", {1: [file("/y/b/a")]}, "working directory"),
        ("WORKDIR /y\nCOPY a /z/\n", {0: [directory("/y")], 1: [file("/z/a")]}, None),
        ("USER app\nCOPY a /z/\n", {1: [file("/z/a")]}, None),
        ("USER app\nRUN a\n", {1: [file("/z/a")]}, "depends on the user"),
        ("USER app\nWORKDIR /y\n", {1: [directory("/y")]}, "user"),
        ('SHELL ["a"]\nRUN a\n', {}, "depends on the shell"),
        ('SHELL ["a"]\nCMD a\n', {}, "shell"),
        ('SHELL ["a"]\nCMD ["a"]\n', {}, None),
        ("LABEL a=b\nRUN x\n", {1: [file("/z")]}, None),
        ("LABEL a=b\nLABEL a=c\n", {}, "LABEL"),
        ("CMD a\nENTRYPOINT b\n", {}, "Cmd"),
        ("EXPOSE 80\nCMD a\n", {}, None),
        ("RUN x\nRUN y\n", {0: [file("/x")], 1: [file("/y")]}, "may read any file"),
        ("COPY a /x/\nRUN y\n", {0: [file("/x/a")], 1: [file("/y")]}, "may read any file"),
        ("ONBUILD RUN x\nCOPY a /x/\n", {1: [file("/x/a")]}, "nothing may cross"),
        (
            "COPY --new=1 a /y/\nCOPY a /x/\n",
            {0: [file("/y/a")], 1: [file("/x/a")]},
            "--new of COPY is not understood",
        ),
        ("COPY ${a/} /y/\nCOPY a /x/\n", {0: [file("/y/a")], 1: [file("/x/a")]}, "nothing may"),
        ("VOLUME /x\nCOPY a /x/\n", {1: [file("/x/a")]}, "/x"),
        ("VOLUME /y\nCOPY a /x/\n", {1: [file("/x/a")]}, None),
    ],
)
def test_pairs(text: str, layers: dict[int, list[LayerEntry]], reason: str | None) -> None:
    found = Stage(text, layers).conflict(0, 1)
    if reason is None:
        assert found is None
    else:
        assert reason in (found or "independent")


def test_a_copy_through_a_link_depends_on_the_link() -> None:
    """`/current` leads to `/releases`, which nothing in the Dockerfile says."""
    base: list[LayerEntry] = [
        directory("/releases"),
        entry_of("/current", _L, link_target="releases"),
    ]
    stage = Stage(
        "COPY a /current/x\nCOPY b /releases/x\nCOPY c /current\nCOPY d /new/\n",
        {
            0: [file("/releases/x")],
            1: [file("/releases/x")],
            2: [Whiteout("/current"), entry_of("/current", _L, link_target="new")],
            3: [file("/new/d")],
        },
        base,
    )
    assert stage.conflict(0, 1) == "`COPY b /releases/x` depends on /releases/x"
    assert "/current" in (stage.conflict(0, 2) or "")
    assert stage.conflict(0, 3) is None


def test_an_entry_that_a_layer_lists_through_a_link_lands_where_the_link_leads() -> None:
    base: list[LayerEntry] = [directory("/usr/lib"), entry_of("/lib", _L, link_target="usr/lib")]
    stage = Stage(
        "COPY a /lib/\nCOPY a /usr/lib/\n", {0: [file("/lib/a")], 1: [file("/usr/lib/a")]}, base
    )
    assert stage.conflict(0, 1) == "both write /usr/lib/a"


def test_a_reason_is_the_same_however_sets_are_ordered() -> None:
    reader = Effects(
        line="RUN x", keyword="RUN", trees=frozenset(f"/{name}" for name in "dgbeahcf")
    )
    writer = seen([entry_of(f"/{name}/x", _F) for name in "hgfedcba"], EMPTY_TREE, 0)
    assert conflict(writer, reader) == "`RUN x` reads /a/x"
