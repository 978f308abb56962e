"""Where a path leads through symbolic links, whatever it is that knows them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import NamedTuple


class Walk(NamedTuple):
    """`end`: the clean absolute path without links in it; where there were too many of them, the
    link at which it was given up, and `too_many` is set."""

    end: str
    too_many: bool


def walk_links(path: str, target_of: Callable[[str], str | None], most: int) -> Walk:
    """Follow at most so many links. *target_of*: what a link at a clean absolute path names; None
    where there is none. What is not there is taken as it is written."""
    here, pending, count = "/", path.split("/")[::-1], 0
    while pending:
        name = pending.pop()
        if name in {"", "."}:
            continue
        if name == "..":
            here = posixpath.dirname(here)
            continue
        where = posixpath.join(here, name)
        target = target_of(where)
        if target is None:
            here = where
            continue
        count += 1
        if count > most:
            return Walk(where, too_many=True)
        if target.startswith("/"):
            here = "/"
        pending.extend(target.split("/")[::-1])
    return Walk(here, too_many=False)
