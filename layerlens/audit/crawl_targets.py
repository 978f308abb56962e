"""What a crawl is asked to look at, as a person names it, and the name such a crawl goes by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from layerlens.audit.location import check_host
from layerlens.audit.records import DIGEST_MARK
from layerlens.errors import UsageError
from layerlens.oci.platform import Platform
from layerlens.oci.quoting import quoted
from layerlens.oci.reference import DOCKER_HUB, Reference, parse_reference

_SCHEME = "docker://"
_NAMED_IN_FULL = 3


@dataclass(frozen=True, slots=True)
class WholeRegistry:
    """Every repository that a registry lists."""

    registry: str

    def __str__(self) -> str:
        return self.registry


Target = WholeRegistry | Reference
"""A reference without tag and digest stands for all tags of its repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlRequest:
    """What to look at. ``tags``: a glob as of the shell, None for all; ``newest``: only so many
    tags of each repository, those whose images were made last; ``platform``: of indexes only the
    images for it. Tags and digests that are named are looked at whatever the glob."""

    targets: tuple[Target, ...]
    tags: str | None = None
    newest: int | None = None
    platform: Platform | None = None

    @property
    def registries(self) -> tuple[str, ...]:
        """The registries' hosts, in the order they were named."""
        return tuple(dict.fromkeys(target.registry for target in self.targets))

    @property
    def title(self) -> str:
        """The targets in a few words."""
        names = [str(target) for target in self.targets]
        if len(names) <= _NAMED_IN_FULL:
            return ", ".join(names)
        return f"{names[0]} and {len(names) - 1} more"

    @property
    def scope(self) -> str:
        """What tells this request from others: a crawl is gone on with by the same one."""
        names = sorted({str(target) for target in self.targets})
        if len(names) <= _NAMED_IN_FULL:
            named = " ".join(names)
        else:
            listed = "\n".join(names).encode()
            named = f"{len(names)} names {sha256(listed).hexdigest()[:16]}"
        settings = {"tags": self.tags, "newest": self.newest, "platform": self.platform}
        chosen = [f"{name}={value}" for name, value in settings.items() if value is not None]
        return " ".join([named, *chosen])


class TargetIndex:
    """The targets by repository, for a look at each without going through them all."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._whole: set[str] = set()
        self._repositories: set[tuple[str, str]] = set()
        self._names: dict[tuple[str, str], list[str]] = {}
        for target in targets:
            if isinstance(target, WholeRegistry):
                self._whole.add(target.registry)
                continue
            place = (target.registry, target.repository)
            if target.digest is not None:
                self._names.setdefault(place, []).append(f"{DIGEST_MARK}{target.digest}")
            elif target.tag is not None:
                self._names.setdefault(place, []).append(target.tag)
            else:
                self._repositories.add(place)

    def is_whole(self, registry: str) -> bool:
        """Whether all that the registry lists is asked for."""
        return registry in self._whole

    def is_listed(self, registry: str, repository: str) -> bool:
        """Whether the repository's tags are to be listed."""
        return registry in self._whole or (registry, repository) in self._repositories

    def names(self, registry: str, repository: str) -> list[str]:
        """The tags and digests that are asked for by name, as they stand among the tags."""
        return self._names.get((registry, repository), [])


def parse_target(text: str) -> Target:
    """Read ``REGISTRY``, ``[REGISTRY/]REPOSITORY``, or that with ``:TAG`` or ``@DIGEST``.

    Without a slash, a name with a dot or localhost, with or without a port, is a registry; any
    other host is with a slash at its end. Raises UsageError.
    """
    name = text.removeprefix(_SCHEME)
    if name.endswith("/") or ("/" not in name and _looks_like_a_host(name)):
        return WholeRegistry(check_host(name.removesuffix("/")))
    return parse_reference(name)


def parse_targets(lines: Iterable[str], where: str) -> list[Target]:
    """The targets of a file, one a line; blank lines and those that begin with # say nothing.

    Raises UsageError, which names the line.
    """
    targets: list[Target] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            targets.append(parse_target(text))
        except UsageError as error:
            raise UsageError(f"{where}: line {number}: {error}") from error
    if not targets:
        raise UsageError(f"{where}: names nothing: expected a repository or image on each line")
    return targets


def check_listing(request: CrawlRequest) -> None:
    """Raise UsageError for a registry that is known not to list what it has."""
    for target in request.targets:
        if isinstance(target, WholeRegistry) and target.registry == DOCKER_HUB:
            raise UsageError(
                f"{quoted(DOCKER_HUB)} does not list its repositories (no _catalog): name them, "
                f"such as {DOCKER_HUB}/library/python, or give a list with --from FILE"
            )


def _looks_like_a_host(name: str) -> bool:
    if name.startswith("["):
        return True
    head, colon, tail = name.partition(":")
    return (not colon or tail.isdecimal()) and ("." in head or head == "localhost")
