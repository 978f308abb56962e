"""What a crawl asks a registry: plain functions of picklable values, for whatever executor.

Each takes one question, and is told by ``check`` whether to give up while it waits for the
registry; each raises what `RegistryClient` and the parsers of its answers raise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from layerlens.audit.crawl_records import config_facts, unfinished_image, unread_index
from layerlens.audit.records import ConfigFacts, ImageRecord, IndexRecord
from layerlens.errors import NotFound
from layerlens.oci.digest import Digest
from layerlens.oci.manifest import ImageIndex, parse_manifest
from layerlens.source.registry.client import ManifestDocument, RateLimit, RegistryClient
from layerlens.source.registry.clients import client_for
from layerlens.source.registry.registry_options import RegistryOptions
from layerlens.source.registry.retrying import Check, never

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Answered(Generic[AnswerT]):
    """An answer, and what the registry has said so far of how many more it gives."""

    value: AnswerT
    rate_limit: RateLimit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A repository in a registry, and how that may be reached."""

    registry: str
    repository: str
    options: RegistryOptions

    def client(self) -> RegistryClient:
        """This process's client of the registry."""
        return client_for(self.registry, self.options)

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}"


@dataclass(frozen=True, slots=True)
class TagQuestion:
    """What does this tag lead to?"""

    place: Place
    tag: str


@dataclass(frozen=True, slots=True)
class ManifestQuestion:
    """What is the manifest or index of this digest?"""

    place: Place
    digest: Digest


@dataclass(frozen=True, slots=True)
class ConfigQuestion:
    """What does the config of this digest and size say?"""

    place: Place
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class ReadManifest:
    """A manifest or index as far as its own bytes tell: an image lacks what its config says."""

    record: ImageRecord | IndexRecord

    @property
    def digest(self) -> Digest:
        """Its digest, which its bytes have."""
        return self.record.digest


def list_tags(place: Place, check: Check = never) -> Answered[tuple[str, ...]]:
    """All tags of a repository."""
    client = place.client()
    return Answered(tuple(client.tags(place.repository, check)), client.rate_limit)


def resolve_tag(question: TagQuestion, check: Check = never) -> Answered[Digest | ReadManifest]:
    """The digest a tag leads to, by HEAD; the manifest itself where HEAD does not tell."""
    client = question.place.client()
    digest = client.head_digest(question.place.repository, question.tag, check)
    if digest is not None:
        return Answered(digest, client.rate_limit)
    return Answered(read_tag(question, check).value, client.rate_limit)


def read_tag(question: TagQuestion, check: Check = never) -> Answered[Digest | ReadManifest]:
    """The manifest or index a tag leads to."""
    client = question.place.client()
    document = client.manifest(question.place.repository, question.tag, check)
    where = f"{question.place}:{question.tag}"
    return Answered(_parsed(document, where), client.rate_limit)


def read_manifest(question: ManifestQuestion, check: Check = never) -> Answered[ReadManifest]:
    """The manifest or index of a digest."""
    client = question.place.client()
    document = client.manifest(question.place.repository, question.digest, check)
    return Answered(_parsed(document, f"{question.place}@{question.digest}"), client.rate_limit)


def read_config(question: ConfigQuestion, check: Check = never) -> Answered[ConfigFacts]:
    """What an image's config says."""
    client = question.place.client()
    where = f"{question.place}@{question.digest}"
    try:
        data = client.config(question.place.repository, question.digest, question.size, check)
    except NotFound as error:
        raise NotFound(f"the config {error}") from None
    return Answered(config_facts(data, where), client.rate_limit)


def _parsed(document: ManifestDocument, where: str) -> ReadManifest:
    manifest = parse_manifest(document.data, where, document.content_type)
    size = len(document.data)
    if isinstance(manifest, ImageIndex):
        return ReadManifest(unread_index(document.digest, size, manifest))
    return ReadManifest(unfinished_image(document.digest, size, manifest))
