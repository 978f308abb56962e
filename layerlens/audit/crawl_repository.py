"""One repository of a crawl: its tags listed, and each looked at."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from fnmatch import fnmatchcase

from layerlens.audit.crawl_desk import Desk, RegistrySilent, Visit
from layerlens.audit.crawl_manifests import read_found
from layerlens.audit.crawl_newest import newest_tags
from layerlens.audit.crawl_questions import (
    ReadManifest,
    TagQuestion,
    list_tags,
    read_tag,
    resolve_tag,
)
from layerlens.audit.crawl_schedule import Group, Job, Question, Task
from layerlens.audit.crawl_targets import CrawlRequest, TargetIndex
from layerlens.audit.records import DIGEST_MARK, RepositoryRecord, TagRecord
from layerlens.errors import LayerlensError, MalformedInput, NotFound, RegistryUnavailable
from layerlens.oci.digest import Digest
from layerlens.oci.quoting import quoted
from layerlens.oci.reference import is_tag

_LIST_TAGS = Question(list_tags)
_RESOLVE_TAG = Question(resolve_tag)
_READ_TAG = Question(read_tag)


class RepositoryCrawl:
    """The tasks of one repository."""

    def __init__(
        self,
        request: CrawlRequest,
        targets: TargetIndex,
        desk: Desk,
        repository: RepositoryRecord,
    ) -> None:
        """``targets``: those of the request."""
        self._request = request
        self._desk = desk
        self._repository = repository
        self._visit = Visit(desk, repository)
        self._digests: dict[str, Digest] = {}
        registry, name = repository.registry, repository.name
        self._by_catalog = targets.is_whole(registry)
        self._listed = targets.is_listed(registry, name)
        self._named = targets.names(registry, name)

    def task(self) -> Task:
        """Look at the whole of it."""
        visit, catalogue = self._visit, self._desk.catalogue
        try:
            if self._listed and not (yield from self._list()):
                return
        except RegistrySilent:
            return
        if self._named:
            catalogue.add_tags(self._desk.run, self._repository, self._named, now=self._desk.now())
        tags = catalogue.pending_tags(self._desk.run, self._repository)
        self._desk.expect_tags(len(tags))
        yield Group(self._tasks(tags), max(1, len(tags)))
        if self._repository.registry in self._desk.silent:
            return
        if visit.given_up is not None:
            left = len(catalogue.pending_tags(self._desk.run, self._repository))
            if left:
                visit.fail(RegistryUnavailable(f"{left} tags not looked at: {visit.given_up}"))
        catalogue.finish_repository(self._desk.run, self._repository)

    def _list(self) -> Generator[Job | Group, object, bool]:
        """List the tags, and write which are to be looked at; whether to go on."""
        visit, desk = self._visit, self._desk
        try:
            listed = yield from visit.ask(_LIST_TAGS, visit.place)
        except NotFound as error:
            if not self._by_catalog and self._repository.listed is None:
                visit.fail(error)
            elif not self._by_catalog:
                desk.catalogue.remove_repository(desk.run, self._repository, now=desk.now())
                return False
            else:  # named in the catalogue of the registry, and empty
                self._record((), ())
        except LayerlensError as error:
            visit.fail(error)
        else:
            names = tuple(name for name in dict.fromkeys(listed) if is_tag(name))
            chosen = [name for name in names if self._is_asked_for(name)]
            if self._request.newest is not None:
                newest = yield from newest_tags(
                    visit, chosen, self._request.newest, self._request.platform
                )
                chosen, self._digests = list(newest.tags), newest.digests
                if visit.place.registry in desk.silent:
                    return False
            self._record(names, chosen)
            for name in dict.fromkeys(listed):
                if not is_tag(name):
                    visit.fail(
                        MalformedInput(f"{visit.place}: lists {quoted(name)}, which is no tag")
                    )
        return True

    def _record(self, names: Sequence[str], chosen: Sequence[str]) -> None:
        desk = self._desk
        desk.catalogue.record_tag_list(
            desk.run, self._repository, listed=names, chosen=chosen, now=desk.now()
        )

    def _is_asked_for(self, name: str) -> bool:
        return self._request.tags is None or fnmatchcase(name, self._request.tags)

    def _tasks(self, tags: Sequence[TagRecord]) -> Iterator[Task]:
        for tag in tags:
            if self._visit.is_over:
                return
            yield self._tag(tag)

    def _tag(self, tag: TagRecord) -> Task:
        visit, desk = self._visit, self._desk
        try:
            found = yield from self._resolved(tag)
            if found is not None:
                platform = self._request.platform
                digest = yield from read_found(visit, found, platform, tag)
                desk.catalogue.record_tag(desk.run, tag, digest, now=desk.now())
        except RegistrySilent:
            return
        desk.progress.advance(1)

    def _resolved(
        self, tag: TagRecord
    ) -> Generator[Job | Group, object, Digest | ReadManifest | None]:
        """What the tag leads to; None where that can't be told, which is written down."""
        visit, desk = self._visit, self._desk
        if tag.name.startswith(DIGEST_MARK):
            return Digest.parse(tag.name.removeprefix(DIGEST_MARK))
        if tag.name in self._digests:
            return self._digests[tag.name]
        try:
            # A GET tells all at once of a tag that was never looked at; but where there is a
            # limit on them, HEAD is free, and tells that several tags lead to one manifest.
            rate_limit = desk.rate_limits.get(visit.place.registry)
            function = _READ_TAG if tag.digest is None and rate_limit is None else _RESOLVE_TAG
            found = yield from visit.ask(function, TagQuestion(visit.place, tag.name))
        except NotFound as error:
            if self._listed or tag.digest is None:
                visit.fail(error, tag=tag)
            else:
                desk.catalogue.remove_tag(desk.run, tag, now=desk.now())
            return None
        except LayerlensError as error:
            visit.fail(error, tag=tag)
            return None
        return found
