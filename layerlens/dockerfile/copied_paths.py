"""Which file of the build context a COPY puts where."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from layerlens.dockerfile.build_context import BuildContext
from layerlens.dockerfile.copy_sources import copy_sources
from layerlens.dockerfile.instructions import Add, Copy
from layerlens.dockerfile.written_paths import WrittenPaths

_UNPACKED = (".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst", ".lz")


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedPaths:
    """`placed`: for each path in the image the file of the context that is put there.
    `files_only`: none of the sources is a directory."""

    placed: Mapping[str, str]
    files_only: bool
    writes: WrittenPaths


def copied_paths(
    instruction: Copy | Add,
    sources: tuple[str, ...],
    destination: str,
    path: str,
    context: BuildContext | None,
) -> CopiedPaths | None:
    """Where the files that *sources* name come to be; None where that can't be told.

    *path* is the absolute place of the *destination* as it is written.
    """
    if context is None or instruction.heredocs:
        return None
    if isinstance(instruction, Copy):
        if instruction.from_ is not None or instruction.parents:
            return None
    elif any("://" in source or "@" in source or _unpacked(source) for source in sources):
        return None
    taken = copy_sources(instruction, sources)
    into = destination.endswith(("/", "/.")) or destination == "." or len(sources) > 1
    placed: dict[str, str] = {}
    files_only = True
    for file in context.files:
        if not taken.matches(file):
            continue
        rest = next((r for each in taken.sources if (r := each.rest(file)) is not None), "")
        if rest:
            files_only = False
            placed[posixpath.join(path, rest)] = file
        elif into:
            placed[posixpath.join(path, posixpath.basename(file))] = file
        else:
            placed[path] = file
    if not placed:
        return None
    return CopiedPaths(
        placed=placed, files_only=files_only, writes=WrittenPaths(files=frozenset(placed))
    )


def _unpacked(source: str) -> bool:
    return source.lower().endswith(_UNPACKED)
