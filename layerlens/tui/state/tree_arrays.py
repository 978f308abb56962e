"""A tree of files and what changed in it as arrays in preorder, for half a million rows.

The rows are those of two trees together: what is only in the lower one was removed. A row's branch
is the rows that follow it, ``lengths[row]`` with itself.
"""

from __future__ import annotations

import enum
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from layerlens.analysis.layer_changes import ChangeKind, difference
from layerlens.analysis.link_charges import LinkCharges
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree, Node, name_key

ROOT = 0
"""The row of ``/``."""


class State(enum.IntEnum):
    """What became of a path; a byte in the arrays, and the number of a bit in their masks."""

    UNMODIFIED = 0
    ADDED = 1
    CHANGED = 2
    REMOVED = 3
    REWRITTEN = 4

    @property
    def bit(self) -> int:
        """The state's bit in a mask of several."""
        return 1 << self

    @property
    def letter(self) -> str:
        """The letter that ``layerlens diff`` has for it; none for what is as it was."""
        return " AMDR"[self]

    @property
    def sign(self) -> str:
        """A sign that says the same."""
        return " +~-="[self]


STATE_OF = {
    ChangeKind.ADDED: State.ADDED,
    ChangeKind.CHANGED: State.CHANGED,
    ChangeKind.REMOVED: State.REMOVED,
    ChangeKind.REWRITTEN: State.REWRITTEN,
}

_CHECKED_EVERY = 10_000
"""Rows between two looks at whether a tree is still wanted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TreeArrays:
    """One entry a row in each, the root's first and parents before children.

    ``nodes``: as the upper tree has it, or the lower one what was removed. ``before``: of the rows
    that changed, what they were. ``masks``: the bits of the states in a row's branch. ``bytes``:
    what stands there and below, of a removed file what it was; ``gained`` and ``lost``: what of
    that came and went. Hard-linked files count once.
    """

    names: list[str]
    nodes: list[Node]
    before: Mapping[int, Node]
    depths: array[int]
    parents: array[int]
    lengths: array[int]
    states: bytearray
    masks: bytearray
    directories: bytearray
    bytes: array[int]
    gained: array[int]
    lost: array[int]

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.names)

    def path(self, row: int) -> str:
        """The absolute path of a row."""
        parts = []
        while row != ROOT:
            parts.append(self.names[row])
            row = self.parents[row]
        return "/" + "/".join(reversed(parts))

    def children(self, row: int) -> Iterator[int]:
        """The rows right below a row."""
        child, end = row + 1, row + self.lengths[row]
        while child < end:
            yield child
            child += self.lengths[child]

    def find(self, path: str) -> int | None:
        """The row of an absolute path; None where there is none."""
        row = ROOT
        for part in filter(None, path.split("/")):
            found = next((child for child in self.children(row) if self.names[child] == part), None)
            if found is None:
                return None
            row = found
        return row

    def nearest(self, path: str) -> int:
        """The row of a path, or of the deepest directory on the way to it that there is."""
        row = ROOT
        for part in filter(None, path.split("/")):
            found = next((child for child in self.children(row) if self.names[child] == part), None)
            if found is None:
                return row
            row = found
        return row

    def state(self, row: int) -> State:
        """What became of the row's path."""
        return State(self.states[row])


class NotWanted(Exception):
    """Work was given up because nobody waits for it any more."""


def tree_arrays(
    before: FileTree,
    after: FileTree,
    is_wanted: Callable[[], bool] = lambda: True,
    *,
    of_two_images: bool = False,
) -> TreeArrays:
    """The rows of ``after`` and of what ``before`` had and it has not; the same tree twice for one
    in which nothing changed. Names stand in the order of their bytes. Raises NotWanted once
    ``is_wanted``, asked now and then, says no.

    ``of_two_images``: what is the same in both was not written twice, so it is unmodified, and
    where only the mtime differs no bytes came or went."""
    return _Building(before, after, of_two_images).arrays(is_wanted)


class _Branch(NamedTuple):
    """A path to add with all below it."""

    parent: int
    name: str
    was: Node | None
    now: Node | None


class _Leaves(NamedTuple):
    """Files next to each other to which the same happened."""

    parent: int
    names: Sequence[str]
    nodes: Sequence[Node]
    state: State


class _Building:
    def __init__(self, before: FileTree, after: FileTree, of_two_images: bool) -> None:
        self._of_two_images = of_two_images
        self._weightless = {State.UNMODIFIED}
        if of_two_images:
            self._weightless.add(State.REWRITTEN)
        self._roots = (before.root, after.root)
        self._linked = before.linked | after.linked
        self._changed = LinkCharges(before, after)
        self._standing = LinkCharges(EMPTY_TREE, after)
        self._single_rows: list[int] = []
        self._before: dict[int, Node] = {}
        self._made = TreeArrays(
            names=[],
            nodes=[],
            before=self._before,
            depths=array("H"),
            parents=array("I"),
            lengths=array("I"),
            states=bytearray(),
            masks=bytearray(),
            directories=bytearray(),
            bytes=array("Q"),
            gained=array("Q"),
            lost=array("Q"),
        )

    def arrays(self, is_wanted: Callable[[], bool]) -> TreeArrays:
        was, now = self._roots
        pending: list[_Branch | _Leaves] = [_Branch(ROOT, "/", was, now)]
        checked = 0
        while pending:
            if len(self._made.names) - checked > _CHECKED_EVERY:
                checked = len(self._made.names)
                if not is_wanted():
                    raise NotWanted
            part = pending.pop()
            if isinstance(part, _Leaves):
                self._add_leaves(part)
            else:
                pending.extend(reversed(self._add(part)))
        self._add_up()
        made = self._made
        return replace(
            made, bytes=compact(made.bytes), gained=compact(made.gained), lost=compact(made.lost)
        )

    def _add(self, branch: _Branch) -> list[_Branch | _Leaves]:
        """Add the row of a branch; what is to be added below it, in order."""
        parent, name, was, now = branch
        made = self._made
        row = len(made.names)
        node = was if now is None else now
        assert node is not None
        state = State.UNMODIFIED
        if was is not now:
            found = difference(was, now)
            if found is not None:
                state = STATE_OF[found[0]]
                is_same = self._of_two_images and not found[1]
                if state is State.REWRITTEN and (is_same or node.children is not None):
                    state = State.UNMODIFIED  # listed again by every layer that writes below it
            if state is not State.UNMODIFIED and was is not None and now is not None:
                self._before[row] = was
        old = was.children if was is not None else None
        new = now.children if now is not None else None
        made.names.append(name)
        made.nodes.append(node)
        made.depths.append(made.depths[parent] + 1 if row else 0)
        made.parents.append(parent)
        made.lengths.append(1)
        made.states.append(state)
        made.masks.append(state.bit)
        made.directories.append(1 if old is not None or new is not None else 0)
        gained = lost = 0
        if state not in self._weightless:
            gained = self._gained(now) if now is not None else 0
            lost = self._lost(was) if was is not None else 0
        made.gained.append(gained)
        made.lost.append(lost)
        made.bytes.append(self._standing_bytes(now) if now is not None else 0)
        self._single_rows.append(row)
        if old is None and new is None:
            return []
        if was is now or old is new:
            return self._uniform(row, new or {}, State.UNMODIFIED)
        if was is None or old is None:
            return self._uniform(row, new or {}, State.ADDED)
        if now is None or new is None:
            return self._uniform(row, old, State.REMOVED)
        return self._mixed(row, old, new)

    def _uniform(
        self, row: int, children: Mapping[str, Node], state: State
    ) -> list[_Branch | _Leaves]:
        """What to add below a directory all of which was left, added or removed."""
        names = in_order(children)
        nodes = [children[name] for name in names]
        if all([node.children is None for node in nodes]):  # noqa: C419 - quicker so
            return [_Leaves(row, names, nodes, state)] if names else []
        found: list[_Branch | _Leaves] = []
        start = 0
        for position, node in enumerate(nodes):
            if node.children is None:
                continue
            if start < position:
                leaves = names[start:position], nodes[start:position]
                found.append(_Leaves(row, *leaves, state))
            start = position + 1
            was = None if state is State.ADDED else node
            now = None if state is State.REMOVED else node
            found.append(_Branch(row, names[position], was, now))
        if start < len(names):
            found.append(_Leaves(row, names[start:], nodes[start:], state))
        return found

    def _mixed(
        self, row: int, old: Mapping[str, Node], new: Mapping[str, Node]
    ) -> list[_Branch | _Leaves]:
        """What to add below a directory in which something was done; files left alone together."""
        found: list[_Branch | _Leaves] = []
        names: list[str] = []
        nodes: list[Node] = []
        for name in in_order({**old, **new}):
            was, now = old.get(name), new.get(name)
            if was is now and now is not None and now.children is None:
                names.append(name)
                nodes.append(now)
                continue
            if names:
                found.append(_Leaves(row, names, nodes, State.UNMODIFIED))
                names, nodes = [], []
            found.append(_Branch(row, name, was, now))
        if names:
            found.append(_Leaves(row, names, nodes, State.UNMODIFIED))
        return found

    def _add_leaves(self, leaves: _Leaves) -> None:
        parent, names, nodes, state = leaves
        made = self._made
        count = len(names)
        made.names.extend(names)
        made.nodes.extend(nodes)
        made.depths.extend(array("H", [made.depths[parent] + 1]) * count)
        made.parents.extend(array("I", [parent]) * count)
        made.lengths.extend(array("I", [1]) * count)
        made.states.extend(bytes([state]) * count)
        made.masks.extend(bytes([state.bit]) * count)
        made.directories.extend(bytes(count))
        zeros = array("Q", bytes(8 * count))
        if state is State.REMOVED:
            standing, gained, lost = zeros, zeros, array("Q", self._lost_by(nodes))
        else:
            standing = array("Q", self._standing_of(nodes))
            gained = array("Q", self._gained_by(nodes)) if state is State.ADDED else zeros
            lost = zeros
        made.bytes.extend(standing)
        made.gained.extend(gained)
        made.lost.extend(lost)
        made.lengths[parent] += count
        made.masks[parent] |= state.bit
        made.bytes[parent] += sum(standing)
        if state is State.ADDED:
            made.gained[parent] += sum(gained)
        elif state is State.REMOVED:
            made.lost[parent] += sum(lost)

    def _add_up(self) -> None:
        """Give every directory what is below it, the deepest first; show what was removed by the
        bytes it had."""
        made = self._made
        for row in reversed(self._single_rows):
            if row != ROOT:
                parent = made.parents[row]
                made.lengths[parent] += made.lengths[row]
                made.masks[parent] |= made.masks[row]
                made.bytes[parent] += made.bytes[row]
                made.gained[parent] += made.gained[row]
                made.lost[parent] += made.lost[row]
        position = made.states.find(State.REMOVED)
        while position >= 0:
            made.bytes[position] = made.lost[position]
            position = made.states.find(State.REMOVED, position + 1)

    def _gained(self, node: Node) -> int:
        return self._changed.gained(node)

    def _lost(self, node: Node) -> int:
        return self._changed.lost(node)

    def _standing_bytes(self, node: Node) -> int:
        return self._standing.gained(node)

    def _standing_of(self, nodes: Sequence[Node]) -> list[int]:
        if not self._linked:
            return [node.entry.size for node in nodes]
        return [self._standing.gained(node) for node in nodes]

    def _gained_by(self, nodes: Sequence[Node]) -> list[int]:
        if not self._linked:
            return [node.entry.size for node in nodes]
        return [self._changed.gained(node) for node in nodes]

    def _lost_by(self, nodes: Sequence[Node]) -> list[int]:
        if not self._linked:
            return [node.entry.size for node in nodes]
        return [self._changed.lost(node) for node in nodes]


def compact(numbers: array[int]) -> array[int]:
    """The same in as few bytes a number as the largest one needs."""
    if numbers.tobytes().count(0) == len(numbers) * numbers.itemsize:
        return array("B", bytes(len(numbers)))  # of a tree in which nothing came, or nothing went
    largest = max(numbers)
    for code in "BI":
        if largest < 256 ** array(code).itemsize:
            return array(code, numbers)
    return numbers


def in_order(children: Mapping[str, Node]) -> list[str]:
    """The names of a directory in the order of their bytes."""
    names = sorted(children)  # the same, and quicker, unless a byte that is no UTF-8 is among them
    if names and not "".join(names).isprintable():
        names.sort(key=name_key)
    return names


def both(first: bytes | bytearray, second: bytes | bytearray) -> bytearray:
    """A byte a row: 1 where it is 1 in both."""
    number = int.from_bytes(first, "little") & int.from_bytes(second, "little")
    return bytearray(number.to_bytes(len(first), "little"))
