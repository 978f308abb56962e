"""Crawls of the test registry, and what a catalogue then says, in short words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from registry_content import RegistryContent
from registry_server import RegistryServer, serve
from source.registry.asking import OPTIONS, isolated

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.crawl import CrawlSettings, crawl
from layerlens.audit.crawl_outcome import CrawlOutcome
from layerlens.audit.crawl_targets import CrawlRequest, parse_target
from layerlens.source.registry.clients import forget_clients

from .recorded import rows

HASTY = CrawlSettings(options=OPTIONS, jobs=4)
"""Who hangs is not waited for, and the tests must not hang, either."""

SETTINGS = replace(
    HASTY, options=replace(OPTIONS, patience=replace(OPTIONS.patience, connect=20, read=20))
)
"""Who is only slow, as this machine may be, is waited for."""


@contextmanager
def alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home of its own, and clients that know nothing."""
    isolated(home, monkeypatch)
    forget_clients()
    yield
    forget_clients()


@dataclass(frozen=True, slots=True)
class Crawler:
    """A registry, and the catalogue that it is crawled into."""

    registry: RegistryServer
    path: Path
    settings: CrawlSettings = SETTINGS

    def crawl(self, request: CrawlRequest | None = None) -> CrawlOutcome:
        """Crawl, by default all there is; the registry's log then holds this crawl's requests."""
        self.registry.log.clear()
        with Catalogue(self.path) as catalogue:
            return crawl(request or self.request(), catalogue, self.settings)

    def request(self, *names: str, newest: int | None = None) -> CrawlRequest:
        """A request for repositories or images of the registry, by default for all of it."""
        targets = [f"{self.registry.host}/{name}" for name in names] or [self.registry.host]
        return CrawlRequest(targets=tuple(map(parse_target, targets)), newest=newest)

    def using(self, settings: CrawlSettings) -> Crawler:
        """The same with other settings."""
        return replace(self, settings=settings)

    def tags(self) -> dict[str, str | None]:
        """What the tags that are not gone lead to: digests, None where that is not known."""
        found = rows(
            self.path,
            "SELECT repository.name, tag.name, lower(hex(digest)) FROM tag"
            " JOIN repository ON repository.id = repository_id"
            " LEFT JOIN manifest ON manifest.id = manifest_id"
            " WHERE tag.removed IS NULL ORDER BY 1, 2",
        )
        return {
            f"{repository}:{tag}": f"sha256:{digest}" if digest else None
            for repository, tag, digest in found
        }

    def held(self) -> dict[str, str | None]:
        """What the registry holds, in the words of ``tags``."""
        return {
            f"{name}:{tag}": digest
            for name, repository in sorted(self.registry.content.repositories.items())
            for tag, digest in sorted(repository.tags.items())
        }

    def asked(self) -> Counter[str]:
        """The last crawl's requests, counted by what they asked."""
        return Counter(map(_kind, ((each.method, each.path) for each in self.requests())))

    def requests(self) -> Iterator[RequestLine]:
        """The last crawl's requests, but for the look at who is there."""
        for request in self.registry.log.requests:
            if request.path != "/v2/":
                yield RequestLine(request.method, request.path)


@dataclass(frozen=True, slots=True)
class RequestLine:
    """What was asked."""

    method: str
    path: str


def _kind(asked: tuple[str, str]) -> str:
    method, path = asked
    if path == "/v2/_catalog":
        return "catalog"
    kind = path.rsplit("/", 2)[1]
    if kind == "manifests":
        return "HEAD manifest" if method == "HEAD" else "GET manifest"
    return kind


@contextmanager
def crawler(content: RegistryContent, directory: Path) -> Iterator[Crawler]:
    """A crawler of a registry that holds this."""
    with serve(content) as registry:
        yield Crawler(registry, directory / "catalogue.sqlite")


def reasons(outcome: CrawlOutcome) -> list[str]:
    """Why what failed did, each ``repository:tag: reason`` with the registry left out."""
    return [
        f"{failure.repository}:{failure.tag}: {failure.reason.replace(f'{failure.registry}/', '')}"
        for failure in outcome.failures
    ]
