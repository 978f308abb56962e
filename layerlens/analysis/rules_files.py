"""Files that a rule does not allow: by their names anywhere in the image, or by their mode bits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from layerlens.analysis.layer_changes import ChangeKind, layer_changes
from layerlens.analysis.rules import Found, Measured, Place, Rule
from layerlens.analysis.rules_image import CheckedImage, PathFilter, Subject, not_known
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree, Node
from layerlens.layer.entry import EntryKind

_SETUID, _SETGID = 0o4000, 0o2000


def forbidden_files(rule: Rule, subject: Subject) -> Found:
    """Files that match, in any layer."""
    assert isinstance(rule.limit, tuple)
    found = _forbidden_files(subject.image, rule.limit, PathFilter(rule.exclude))
    return _counted(found, subject.image)


def allowed_setuid(rule: Rule, subject: Subject) -> Found:
    """Files of the final file system with a setuid or setgid bit, but those that match."""
    assert isinstance(rule.limit, tuple)
    allowed = PathFilter((*rule.limit, *rule.exclude))
    return _counted(_privileged_files(subject.image.tree, allowed), subject.image)


def _counted(places: Iterable[Place], image: CheckedImage) -> Measured:
    found = tuple(places)
    incomplete = not_known(image.unreadable) if image.unreadable else None
    return Measured(value=Fraction(len(found)), places=found, incomplete=incomplete)


def _forbidden_files(
    image: CheckedImage, patterns: Sequence[str], excluded: PathFilter
) -> Iterator[Place]:
    """Each path that matches and is no directory, with the first layer that has a file there.

    A file that a later layer deletes is still in the image, and is told with a note.
    """
    wanted = PathFilter(patterns)
    final = image.tree
    seen: set[str] = set()
    lower = EMPTY_TREE
    for layer in image.layers:
        for change in layer_changes(lower, layer.tree):
            node = change.after
            if change.kind is ChangeKind.REMOVED or node is None or node.children is not None:
                continue
            path = change.path
            if path in seen or not wanted.matches(path) or excluded.matches(path):
                continue
            seen.add(path)
            yield Place(
                path=path,
                layer=layer.number,
                bytes=node.inode.size if node.inode.kind is EntryKind.FILE else None,
                note=_fate(node, final.find(path)),
            )
        lower = layer.tree


def _fate(node: Node, last: Node | None) -> str | None:
    if last is None:
        return "deleted later, and still in the image"
    return None if last.inode is node.inode else "written again later"


def _privileged_files(tree: FileTree, allowed: PathFilter) -> Iterator[Place]:
    """Files whose mode has the setuid or the setgid bit, but those that are allowed."""
    for path, node in tree.walk():
        inode = node.inode
        if inode.kind is not EntryKind.FILE or not inode.mode & (_SETUID | _SETGID):
            continue
        if not allowed.matches(path):
            note = f"mode {inode.mode:04o}, owner {inode.uid}:{inode.gid}"
            yield Place(path=path, layer=node.layer, bytes=inode.size, note=note)
