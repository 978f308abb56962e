"""Layers made by hypothesis: few names, so that paths meet, and everything a layer can hold."""

from __future__ import annotations

from hypothesis import strategies as st

from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree
from layerlens.filesystem.stacking import stack
from layerlens.layer.entry import Entry, EntryKind, LayerEntry, OpaqueWhiteout, Whiteout
from layerlens.layer.layer_index import LayerIndex
from layerlens.oci.digest import Digest

NAMES = st.sampled_from(["a", "a", "a", "b", "b", "\udcff"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
LINK_TARGETS = st.one_of(
    PATHS,
    st.sampled_from(["a", "b", "..", "../b", "a/b", ".", "/", "/..", "c/../a", "//a//b"]),
)


def entry_of(
    path: str,
    kind: EntryKind,
    *,
    mode: int = 0o644,
    owner: int = 0,
    content: bytes = b"",
    link_target: str | None = None,
    mtime: int = 0,
    xattr: bytes | None = None,
) -> Entry:
    """An entry; ``content`` stands in for its own hash."""
    is_file = kind is EntryKind.FILE
    is_device = kind in (EntryKind.CHARACTER_DEVICE, EntryKind.BLOCK_DEVICE)
    return Entry(
        path=path,
        kind=kind,
        mode=mode,
        uid=owner,
        gid=owner,
        size=len(content) if is_file else 0,
        mtime_ns=mtime,
        content=content.ljust(32, b".") if is_file else None,
        link_target=link_target,
        xattrs=(("user.x", xattr),) if xattr is not None else (),
        device=(1, mode % 7) if is_device else None,
    )


@st.composite
def files(draw: st.DrawFn, kinds: tuple[EntryKind, ...], paths: st.SearchStrategy[str]) -> Entry:
    """A file of one of these kinds."""
    kind = draw(st.sampled_from(kinds))
    target = draw(LINK_TARGETS) if kind is EntryKind.SYMLINK else None
    if kind is EntryKind.HARD_LINK:
        target = draw(paths)
    return entry_of(
        draw(paths),
        kind,
        mode=draw(st.sampled_from([0o644, 0o755, 0o4711])),
        owner=draw(st.sampled_from([0, 1000])),
        content=draw(st.sampled_from([b"", b"x", b"yy"])),
        link_target=target,
        mtime=draw(st.sampled_from([0, 1])),
        xattr=draw(st.sampled_from([None, b"", b"\0\xff"])),
    )


NO_LINKS = tuple(kind for kind in EntryKind if kind not in (EntryKind.SYMLINK, EntryKind.HARD_LINK))
NO_HARD_LINKS = tuple(kind for kind in EntryKind if kind is not EntryKind.HARD_LINK)
# Directories and files oftener than the rest, for it is they that meet.
USUAL = (EntryKind.DIRECTORY,) * 3 + (EntryKind.FILE,) * 2

WHITEOUTS = st.one_of(PATHS.map(Whiteout), st.one_of(PATHS, st.just("/")).map(OpaqueWhiteout))


def layers(kinds: tuple[EntryKind, ...]) -> st.SearchStrategy[list[LayerEntry]]:
    """The entries of a layer, in the tar's order."""
    entry: st.SearchStrategy[LayerEntry] = st.one_of(files(USUAL + kinds, PATHS), WHITEOUTS)
    return st.lists(entry, max_size=8)


def images(
    kinds: tuple[EntryKind, ...] = NO_HARD_LINKS,
) -> st.SearchStrategy[list[list[LayerEntry]]]:
    """The layers of an image."""
    return st.lists(layers(kinds), min_size=1, max_size=4)


def index_of(entries: list[LayerEntry]) -> LayerIndex:
    """A layer of these entries."""
    digest = Digest(algorithm="sha256", hex="0" * 64)
    return LayerIndex(diff_id=digest, size=0, entries=tuple(entries), warnings=())


def tree_of(image: list[list[LayerEntry]]) -> FileTree:
    """The image's layers stacked. Raises MalformedInput."""
    tree = EMPTY_TREE
    for number, entries in enumerate(image):
        tree = stack(tree, index_of(entries), number).tree
    return tree
