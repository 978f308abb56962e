"""References: the names people give images, such as ``python:3.12-slim``.

The grammar is that of distribution's reference package, and bare names are docker.io's, as
docker reads them. A reference that is not well formed is the asker's mistake: UsageError.
"""

import re
from dataclasses import dataclass

from layerlens.errors import MalformedInput, UsageError
from layerlens.oci.digest import Digest
from layerlens.oci.quoting import quoted

DOCKER_HUB = "docker.io"
DEFAULT_TAG = "latest"

_LOCAL = "localhost"
_LONGEST_NAME = 255
_LONGEST_REFERENCE = 1024
_LARGEST_PORT = 65535
_REGISTRY = re.compile(
    r"(?:"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
    r"|\[(?P<address>[0-9A-Fa-f:.]+)\]"
    r")(?::(?P<port>[0-9]{1,5}))?"
)
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(f"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A repository in a registry, and the tag or digest of an image in it, if named."""

    registry: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    def __str__(self) -> str:
        """The full form, with the registry written out."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"


def parse_reference(text: str) -> Reference:
    """Read ``[registry/]repository[:tag][@digest]``; raise UsageError if it is not one.

    ``web:1.0`` is ``docker.io/library/web:1.0``. A tag that is not written stays None.
    """
    if len(text) > _LONGEST_REFERENCE:
        raise _not_a_reference(text, f"longer than {_LONGEST_REFERENCE} characters")
    if "@" in text.partition("/")[0] and "/" in text:
        # Not shown: it may hold a password.
        raise UsageError(
            "an image reference has no user and no password in it: they are found where "
            "docker login and skopeo login keep them"
        )
    scheme, is_url, _ = text.partition("://")
    if is_url and scheme in {"http", "https"}:
        raise _not_a_reference(text, f"leave out {scheme}://")
    name, at, digest_text = text.partition("@")
    digest = _digest(digest_text, text) if at else None
    tag = None
    head, colon, tail = name.rpartition(":")
    if colon and "/" not in tail:
        name, tag = head, tail
        if _TAG.fullmatch(tag) is None:
            raise _not_a_reference(text, "its tag is malformed")
    registry, repository = _split_name(name)
    if not _is_registry(registry):
        raise _not_a_reference(text, "its registry is malformed")
    if _REPOSITORY.fullmatch(repository) is None:
        hint = "must be lower case" if repository.lower() != repository else "is malformed"
        raise _not_a_reference(text, f"its repository {hint}")
    if _IMAGE_ID.fullmatch(name) is not None:
        raise _not_a_reference(text, "an image ID is no name")
    if len(registry) + 1 + len(repository) > _LONGEST_NAME:
        raise _not_a_reference(text, f"its name is longer than {_LONGEST_NAME} characters")
    return Reference(registry=registry, repository=repository, tag=tag, digest=digest)


def is_repository(name: str) -> bool:
    """Whether this is a repository's name: what is none must not stand in a URL."""
    return len(name) <= _LONGEST_NAME and _REPOSITORY.fullmatch(name) is not None


def is_tag(name: str) -> bool:
    """Whether this is a tag."""
    return _TAG.fullmatch(name) is not None


def same_name(typed: str, stored: str) -> bool:
    """Whether the name a person typed means the image stored under the other name.

    A bare name on either side is docker.io's (as skopeo stores it) or localhost's (as podman
    does), and no tag means ``latest``. Text that is no reference matches itself only.
    """
    if typed == stored:
        return True
    try:
        ours, theirs = parse_reference(typed), parse_reference(stored)
    except UsageError:
        return False
    if not _expansions(typed, ours) & _expansions(stored, theirs):
        return False
    if ours.digest is None:
        # Stored by digest alone, it has no tag that could be meant.
        untagged = theirs.digest is not None and theirs.tag is None
        return not untagged and (ours.tag or DEFAULT_TAG) == (theirs.tag or DEFAULT_TAG)
    return ours.digest == theirs.digest and (
        ours.tag is None or theirs.tag is None or ours.tag == theirs.tag
    )


def _split_name(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and _names_a_registry(first):
        registry, repository = first, rest
    else:
        registry, repository = DOCKER_HUB, name
    if registry == f"index.{DOCKER_HUB}":
        registry = DOCKER_HUB
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    return registry, repository


def _is_registry(name: str) -> bool:
    match = _REGISTRY.fullmatch(name)
    if match is None or not 0 < int(match["port"] or 1) <= _LARGEST_PORT:
        return False
    return match["address"] is None or _is_ipv6(match["address"])


def _is_ipv6(text: str) -> bool:
    from ipaddress import IPv6Address  # seldom needed, and not quick to import

    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _names_a_registry(first: str) -> bool:
    return first == _LOCAL or "." in first or ":" in first or first.lower() != first


def _expansions(text: str, reference: Reference) -> frozenset[tuple[str, str]]:
    full = (reference.registry, reference.repository)
    first, slash, _ = text.partition("/")
    if slash and _names_a_registry(first):
        return frozenset({full})
    return frozenset({full, (_LOCAL, reference.repository.removeprefix("library/"))})


def _digest(digest_text: str, text: str) -> Digest:
    try:
        return Digest.parse(digest_text)
    except MalformedInput as error:
        raise _not_a_reference(text, "its digest is malformed") from error


def _not_a_reference(text: str, why: str) -> UsageError:
    return UsageError(f"{quoted(text)} is not an image reference: {why}")
