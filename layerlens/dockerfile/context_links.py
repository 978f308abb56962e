"""Where a COPY's sources lead through symbolic links of the build context.

Builders follow the links that a source itself is, and those on the way to it, never out of the
context; links in a directory that is copied stay links.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from layerlens.dockerfile import go_paths
from layerlens.dockerfile.link_walk import walk_links

_MOST_LINKS = 40


class Followed(NamedTuple):
    """`source`: a path or pattern of the context without links in it. `name`: what a file found
    there is called where it is copied to, None for its own name."""

    source: str
    name: str | None


def followed(source: str, links: Mapping[str, str]) -> Iterator[Followed]:
    """What a source stands for beside what it says. *links*: of the context, what each names."""
    path = go_paths.inside(source)
    if not links or not path:
        return
    if not go_paths.has_wildcards(path):
        real = _real(path, links)
        if real != path:
            yield Followed(_literal(real), posixpath.basename(path))
        return
    names = path.split("/")
    fixed = next(at for at, name in enumerate(names) if go_paths.has_wildcards(name))
    before = _real("/".join(names[:fixed]), links)
    pattern = posixpath.join(_literal(before), *names[fixed:])
    if before != "/".join(names[:fixed]):
        yield Followed(pattern, None)
    matches = go_paths.match_pattern(pattern).fullmatch
    for link in links:
        if matches(link):
            yield Followed(_literal(_real(link, links)), posixpath.basename(link))


def _real(path: str, links: Mapping[str, str]) -> str:
    """The path without links in it; one that leads in circles is left where it began."""
    walk = walk_links(path, lambda where: links.get(where[1:]), _MOST_LINKS)
    return path if walk.too_many else walk.end[1:]


def _literal(path: str) -> str:
    """A path as a pattern that matches nothing else."""
    return re.sub(r"([*?\[\\])", r"\\\1", path)
