"""The rows of a tree in another order: in each directory the largest first."""

from __future__ import annotations

from array import array

from layerlens.tui.state.tree_arrays import ROOT, TreeArrays


def by_bytes(arrays: TreeArrays) -> TreeArrays:
    """The same rows, in each directory those with the most bytes first, then by name."""
    order = _order(arrays)
    place = array("I", bytes(4 * len(order)))
    for position, row in enumerate(order):
        place[row] = position
    return TreeArrays(
        names=[arrays.names[row] for row in order],
        nodes=[arrays.nodes[row] for row in order],
        before={place[row]: node for row, node in arrays.before.items()},
        depths=array("H", [arrays.depths[row] for row in order]),
        parents=array("I", [place[arrays.parents[row]] for row in order]),
        lengths=array("I", [arrays.lengths[row] for row in order]),
        states=bytearray([arrays.states[row] for row in order]),
        masks=bytearray([arrays.masks[row] for row in order]),
        directories=bytearray([arrays.directories[row] for row in order]),
        bytes=array(arrays.bytes.typecode, [arrays.bytes[row] for row in order]),
        gained=array(arrays.gained.typecode, [arrays.gained[row] for row in order]),
        lost=array(arrays.lost.typecode, [arrays.lost[row] for row in order]),
    )


def _order(arrays: TreeArrays) -> list[int]:
    """The rows in preorder, the largest of each directory first."""
    size_of = arrays.bytes.__getitem__
    order: list[int] = []
    pending = [ROOT]
    while pending:
        row = pending.pop()
        order.append(row)
        if arrays.lengths[row] > 1:
            # Reversed twice, so that equals keep the order of their names.
            children = list(arrays.children(row))[::-1]
            children.sort(key=size_of)
            pending.extend(children)
    return order
