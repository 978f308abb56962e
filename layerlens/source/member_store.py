"""Named members, wherever they stand: what the readers of archive formats work on."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from layerlens.errors import MalformedInput, NotFound
from layerlens.oci.digest import Digest
from layerlens.oci.quoting import quoted
from layerlens.source.blob_location import BlobLocation


class MemberStore(Protocol):
    """A tar archive or a directory, as names and bytes. Names have no leading ``./`` or ``/``."""

    @property
    def where(self) -> str:
        """Names the store in errors."""

    def find(self, name: str) -> BlobLocation | None:
        """Where a member's bytes stand, links followed inside the store; None if it is missing.

        Raises MalformedInput for a loop of links and for a link that leads out.
        """

    def read(self, name: str, limit: int) -> bytes:
        """All bytes of a member; raises NotFound, and LimitExceeded beyond ``limit`` bytes."""


@dataclass(frozen=True, slots=True)
class Link:
    """A member that stands for another. ``target``: a clean name from the store's root, None
    where the link leads out of the store, which is an error once the member is wanted."""

    target: str | None


def follow_links(
    members: Mapping[str, BlobLocation | Link], name: str, where: str
) -> BlobLocation | None:
    """The member that ``name`` leads to.

    Raises MalformedInput for a loop of links and for a link that leads out of the store.
    """
    visited: set[str] = set()
    while True:
        member = members.get(name)
        if not isinstance(member, Link):
            return member
        if name in visited:
            raise MalformedInput(f"{where}: {quoted(name)} is in a loop of links")
        if member.target is None:
            raise MalformedInput(f"{where}: {quoted(name)} is a link that leads out of it")
        visited.add(name)
        name = member.target


def symlink_target(name: str, target: str) -> str | None:
    """The clean member name that a symlink leads to, from the store's root; None outside it."""
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    return None if joined.startswith(("../", "/")) or joined == ".." else joined


def blob_name(digest: Digest) -> str:
    """The member of an OCI layout that holds the blob (image-layout.md, 'Blobs')."""
    return f"blobs/{digest.algorithm}/{digest.hex}"


def missing(where: str, name: str) -> NotFound:
    """The error for a member that is not there."""
    return NotFound(f"{where}: {quoted(name)} is missing")
