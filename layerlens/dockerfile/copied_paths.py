"""Which file of the build context a COPY puts where."""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

from layerlens.dockerfile.build_context import BuildContext
from layerlens.dockerfile.copy_sources import FollowedSource, copy_sources
from layerlens.dockerfile.instructions import Add, Copy
from layerlens.dockerfile.written_paths import Places, WrittenPaths

_UNPACKED = (".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst", ".lz")

_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedPaths:
    """`placed`: for each path in the image the file of the context that is put there.
    `sources`: those that were asked for. `files_only`: none of them is a directory."""

    sources: tuple[str, ...]
    placed: Mapping[str, str]
    files_only: bool
    writes: WrittenPaths


def copied_paths(
    instruction: Copy | Add,
    sources: tuple[str, ...],
    destination: str,
    path: str,
    context: BuildContext | None,
    *,
    places: Places | None = None,
) -> CopiedPaths | None:
    """Where the files that *sources* name come to be; None where that can't be told.

    *path* is the absolute place of the *destination* as it is written; *places*: the tree that
    the instruction stands on, where an image tells, which may have a directory there.
    """
    if context is None or instruction.heredocs:
        return None
    if isinstance(instruction, Copy):
        if instruction.from_ is not None or instruction.parents:
            return None
    elif any("://" in source or "@" in source for source in sources):
        return None
    taken = copy_sources(instruction, sources, context.links)
    into = destination.endswith(("/", "/.")) or destination == "." or len(sources) > 1
    there = None if places is None else places.find(path)
    into = into or (there is not None and there.children is not None)
    placed: dict[str, str] = {}
    files_only = True
    leading = {each for each in taken.sources if isinstance(each, FollowedSource)}
    for file in context.files:
        if not taken.matches(file):
            continue
        for source in taken.sources:
            rest = source.rest(file)
            if rest is None or (not rest and file in context.links):
                continue  # what a link that is itself a source leads to is a source as well
            leading.discard(source)
            if rest:
                files_only = False
                placed[posixpath.join(path, rest)] = file
                continue
            if isinstance(instruction, Add) and _is_archive(context, file):
                return None
            name = source.name if isinstance(source, FollowedSource) else None
            name = posixpath.basename(file) if name is None else name
            placed[posixpath.join(path, name) if into else path] = file
    if not placed or leading:
        return None
    return CopiedPaths(
        sources=sources,
        placed=placed,
        files_only=files_only,
        writes=WrittenPaths(files=frozenset(placed)),
    )


def _is_archive(context: BuildContext, file: str) -> bool:
    """Whether ADD may unpack a file: by its content, for builders do not go by its name."""
    data = context.read(file)
    if data is None or file.lower().endswith(_UNPACKED) or data.startswith(_COMPRESSED):
        return True
    try:
        tarfile.TarInfo.frombuf(data[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
