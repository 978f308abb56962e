"""What goes into a catalogue and comes out of it, as frozen values.

Times are whole seconds since 1970 (UTC). Names and instructions are kept as the registry gave them
and are hostile: what shows them escapes them. Keys are the catalogue's own and mean nothing else.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

from layerlens.errors import MalformedInput
from layerlens.oci.digest import Digest

LARGEST_BLOB = 1 << 44
"""16 TiB: more than any registry takes, and small enough that sums stay exact."""
LARGEST_TIME = 1 << 40

DIGEST_MARK = "@"
"""Begins the name under which an image that was asked for by digest stands among the tags."""


class ManifestKind(enum.IntEnum):
    """What a manifest is; the numbers are stored."""

    INDEX = 0
    IMAGE = 1
    ARTIFACT = 2
    """Anything else that is stored as a manifest: a signature, an attestation, a chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRecord:
    """One layer of an image. `size`: stored bytes of the blob. `diff_id`: None where it has none
    or the config could not be read; `instruction`: the Dockerfile line that made it, if known."""

    digest: Digest
    size: int
    media_type: str
    diff_id: Digest | None = None
    instruction: str | None = None

    def __post_init__(self) -> None:
        """Raise MalformedInput for a size that no blob has."""
        _check_size("layer", self.digest, self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRecord:
    """The config blob of an image."""

    digest: Digest
    size: int
    media_type: str

    def __post_init__(self) -> None:
        """Raise MalformedInput for a size that no blob has."""
        _check_size("config", self.digest, self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """A manifest for one platform, its layers lowest first; an artifact is recorded alike.

    `size`: bytes of the manifest. `created`: as its config says, None where it says nothing
    sensible. `base_name`, `base_digest`: the annotations ``org.opencontainers.image.base.*``.
    """

    digest: Digest
    media_type: str
    size: int
    layers: tuple[LayerRecord, ...]
    config: ConfigRecord | None
    kind: ManifestKind = ManifestKind.IMAGE
    platform: str | None = None
    created: int | None = None
    artifact_type: str | None = None
    subject: Digest | None = None
    base_name: str | None = None
    base_digest: Digest | None = None

    def __post_init__(self) -> None:
        """Raise MalformedInput for a size that no manifest has, or a time beyond all sense."""
        _check_size("manifest", self.digest, self.size)
        if self.created is not None and abs(self.created) > LARGEST_TIME:
            raise MalformedInput(f"manifest {self.digest}: created at {self.created}, out of range")
        if self.kind is ManifestKind.INDEX:
            raise ValueError("an index is recorded as an IndexRecord")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFacts:
    """What an image's config says that a catalogue keeps. `instructions`: for each DiffID the line
    that made the layer, None where the history does not tell."""

    platform: str | None
    created: int | None
    diff_ids: tuple[Digest, ...]
    instructions: tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRecord:
    """A manifest or index as an index lists it, before it is read."""

    digest: Digest
    media_type: str
    size: int
    platform: str | None = None

    def __post_init__(self) -> None:
        """Raise MalformedInput for a size that no manifest has."""
        _check_size("manifest", self.digest, self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRecord:
    """An index and what it lists, in its order."""

    digest: Digest
    media_type: str
    size: int
    members: tuple[MemberRecord, ...]

    def __post_init__(self) -> None:
        """Raise MalformedInput for a size that no index has."""
        _check_size("index", self.digest, self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadManifest:
    """A manifest that is named and not read yet: platform and media type as an index has them."""

    digest: Digest
    media_type: str | None = None
    platform: str | None = None


class FileRecord(NamedTuple):
    """One content among a layer's regular files that are not empty. `content`: its SHA-256;
    `copies`: how many of the files have it; `path`: of the first of them."""

    content: bytes
    size: int
    copies: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFilesRecord:
    """The files of a layer whose bytes were verified. `size`: bytes of its tar; `entries`: all
    that the tar lists; `files`: each content once."""

    diff_id: Digest
    size: int
    entries: int
    empty_files: int
    files: tuple[FileRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryRecord:
    """A repository. `listed`: when its tags were last listed whole, None if never; `removed`: when
    the registry no longer named it; `failure`: why the last look at it failed, None if it did not.
    """

    key: int
    registry: str
    name: str
    listed: int | None
    removed: int | None
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlistedLayer:
    """A layer whose files are not known yet, and a repository that has it."""

    diff_id: Digest
    blob: Digest
    size: int
    media_type: str
    repository: RepositoryRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRecord:
    """A tag. `digest`: what it leads to, None if it was never resolved, and `kind` what that is,
    None if it is still to be read; `moved`: when it was first seen to lead there; `removed`: when
    it was no longer listed, None while it is."""

    key: int
    repository_key: int
    name: str
    first_seen: int
    last_seen: int
    moved: int | None
    removed: int | None
    digest: Digest | None
    kind: ManifestKind | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRecord:
    """What could not be read, and why. `digest`: the manifest or config, where it was known."""

    registry: str
    repository: str | None
    tag: str | None
    digest: Digest | None
    reason: str
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlRun:
    """A crawl. `scope`: what was asked for, as the crawl words it; `state`: how far it is, in the
    crawl's own words (the cursor of a listing, say); `finished`: None while it is not."""

    key: int
    scope: str
    started: int
    finished: int | None
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """How far a crawl is: repositories and tags it is to look at, and those it is through with."""

    repositories: int
    repositories_done: int
    tags: int
    tags_done: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChanges:
    """What a crawl found otherwise than the catalogue had it. `earlier`: whether there had been a
    crawl at all before; where there was none, everything is new."""

    earlier: bool
    tags_added: int
    tags_moved: int
    tags_removed: int
    repositories_removed: int


def _check_size(what: str, digest: Digest, size: int) -> None:
    if not 0 <= size <= LARGEST_BLOB:
        raise MalformedInput(f"{what} {digest}: a size of {size} bytes, out of range")
