"""Which files of the build context a COPY, an ADD or a bind mount takes.

After BuildKit: a source is a path or a ``filepath.Match`` pattern below the context's root, and
what it names is taken with all that is in it. With ``--parents`` it is matched as ``--exclude``
and ``.dockerignore`` are.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from layerlens.dockerfile import go_paths
from layerlens.dockerfile.context_links import followed
from layerlens.dockerfile.dockerignore import NO_RULES, PathRules, path_rules
from layerlens.dockerfile.instruction_parts import Mount
from layerlens.dockerfile.instructions import Add, Copy

_ADDRESS = re.compile(r"(?:https?|git|ssh)://|git@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Path:
    """A source without wildcards; "" is the whole context."""

    path: str

    def rest(self, path: str) -> str | None:
        """What of ``path`` lies below the source, "" for the source itself; None: not taken."""
        if not self.path:
            return path
        if path == self.path:
            return ""
        return path[len(self.path) + 1 :] if path.startswith(f"{self.path}/") else None


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A source with wildcards, which match whole names of as many directories as it has."""

    expression: re.Pattern[str]
    depth: int

    def rest(self, path: str) -> str | None:
        names = path.split("/")
        if not self.expression.fullmatch("/".join(names[: self.depth])):
            return None
        return "/".join(names[self.depth :]) if len(names) >= self.depth else None


@dataclass(frozen=True, slots=True)
class _Parents:
    """A source of ``--parents``: ``below`` the pivot, what ``rules`` match."""

    below: _Path
    rules: PathRules

    def rest(self, path: str) -> str | None:
        inner = self.below.rest(path)
        return inner if inner and self.rules.matches(inner) else None


@dataclass(frozen=True, slots=True)
class FollowedSource:
    """Where a source leads through links; ``name``: as of `context_links.Followed`."""

    source: _Path | _Pattern
    name: str | None

    def rest(self, path: str) -> str | None:
        return self.source.rest(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySources:
    """What is taken of a build context, whichever files are in it."""

    sources: tuple[_Path | _Pattern | _Parents | FollowedSource, ...]
    excluded: PathRules = NO_RULES

    def matches(self, path: str) -> bool:
        """Whether the file at ``path``, relative to the context, is taken.

        What ``.dockerignore`` leaves out has to be left out by the caller.
        """
        for source in self.sources:
            rest = source.rest(path)
            if rest is None:
                continue
            if not self.excluded.matches(rest or posixpath.basename(path)):
                return True
        return False

    def reaches_into(self, directory: str) -> bool:
        """Whether something below ``directory`` could be taken; its files are not known."""
        return self.matches(directory) or any(
            not isinstance(source, _Path) or source.path.startswith(f"{directory}/")
            for source in self._plain()
        )

    @property
    def whole(self) -> bool:
        """Whether the whole context is taken, some files perhaps excluded."""
        return any(source == _Path("") for source in self._plain())

    def _plain(self) -> Iterator[_Path | _Pattern | _Parents]:
        for source in self.sources:
            yield source.source if isinstance(source, FollowedSource) else source


def copy_sources(
    instruction: Copy | Add,
    sources: Iterable[str] | None = None,
    links: Mapping[str, str] | None = None,
) -> CopySources:
    """What a COPY or ADD takes of the context: nothing where it copies from elsewhere.

    ``sources``: its sources with variables expanded, by default as they are written. ``links``:
    the symbolic links of the context, and what they name. Raises MalformedInput for a pattern
    that builders refuse.
    """
    if isinstance(instruction, Copy) and instruction.from_ is not None:
        return CopySources(sources=())
    parents = isinstance(instruction, Copy) and instruction.parents
    paths = [
        path
        for path in (instruction.sources if sources is None else sources)
        if not (isinstance(instruction, Add) and _ADDRESS.match(path))
    ]
    through = [] if parents else [each for path in paths for each in followed(path, links or {})]
    return CopySources(
        sources=(
            *(_parents(path) if parents else _source(path) for path in paths),
            *(FollowedSource(_source(each.source), each.name) for each in through),
        ),
        excluded=path_rules(instruction.exclude),
    )


def mount_sources(mounts: Iterable[Mount]) -> CopySources:
    """What a RUN sees of the context through its bind mounts."""
    return CopySources(
        sources=tuple(
            _Path(go_paths.inside(mount.source or ""))
            for mount in mounts
            if mount.type == "bind" and mount.from_ is None
        )
    )


def _source(source: str) -> _Path | _Pattern:
    path = go_paths.inside(source)
    if not go_paths.has_wildcards(path):
        return _Path(path)
    return _Pattern(go_paths.match_pattern(path), path.count("/") + 1)


def _parents(source: str) -> _Parents:
    before, pivot, after = source.partition("/./")
    pattern, below = (after, before) if pivot else (source, "")
    inner = go_paths.inside(pattern)
    return _Parents(_Path(go_paths.inside(below)), path_rules([inner or "**"]))
