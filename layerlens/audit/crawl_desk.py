"""What the tasks of one crawl have in common: where they write, and who still answers them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import CancelledError
from typing import Protocol, TypeVar

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.crawl_questions import Answered, Place, ReadManifest
from layerlens.audit.crawl_schedule import Group, Job, Question
from layerlens.audit.records import CrawlRun, RepositoryRecord, TagRecord
from layerlens.errors import LayerlensError, RegistryUnavailable
from layerlens.oci.digest import Digest
from layerlens.source.registry.client import RateLimit
from layerlens.source.registry.registry_options import RegistryOptions

GIVEN_UP_AFTER = 3
"""Requests in a row without an answer, after which the rest of a repository is let be."""
SILENT_AFTER = 20
"""The same for a whole registry: what is left of it is for another time."""

QuestionT = TypeVar("QuestionT")
AnswerT = TypeVar("AnswerT")


class CrawlProgress(Protocol):
    """Told how far a crawl is, in tags or in bytes of layers; from one thread."""

    def advance(self, count: int) -> None:
        """So many more are done."""

    def expect(self, total: int) -> None:
        """So many there will be in all, as far as can be told."""

    def remark(self, text: str) -> None:
        """Something to be shown beside the numbers."""


class _NoProgress:
    def advance(self, count: int) -> None:
        pass

    def expect(self, total: int) -> None:
        pass

    def remark(self, text: str) -> None:
        pass


NO_PROGRESS = _NoProgress()


class RegistrySilent(Exception):
    """The registry has not answered for long: what is asked of it is neither done nor failed."""


class Desk:
    """One crawl, in the thread that writes its catalogue. ``progress``: that of what is being
    done; nobody's at first."""

    def __init__(
        self,
        catalogue: Catalogue,
        run: CrawlRun,
        options: RegistryOptions,
        clock: Callable[[], float],
    ) -> None:
        self.catalogue = catalogue
        self.run = run
        self.options = options
        self.progress: CrawlProgress = NO_PROGRESS
        self.rate_limits: dict[str, RateLimit | None] = {}
        self.silent: dict[str, str] = {}
        self._clock = clock
        self._unanswered: dict[str, int] = {}
        self._never_heard: dict[str, str] = {}
        self._repositories = 0
        self._repositories_listed = 0
        self._tags = 0

    def now(self) -> int:
        """Seconds since 1970, not before the run began."""
        return max(int(self._clock()), self.run.started)

    def expect_repositories(self, count: int) -> None:
        """So many are still to be looked at."""
        self._repositories = count

    def expect_tags(self, count: int) -> None:
        """Another repository has so many tags to look at; those not listed yet are taken to have
        as many as those before them."""
        self._repositories_listed += 1
        self._tags += count
        left = max(0, self._repositories - self._repositories_listed)
        self.progress.expect(self._tags + self._tags * left // self._repositories_listed)

    def heard(self, registry: str, rate_limit: RateLimit | None) -> None:
        """The registry has answered."""
        self._unanswered[registry] = 0
        self._never_heard.pop(registry, None)
        self.rate_limits[registry] = rate_limit
        if rate_limit is not None:
            self.progress.remark(f"{rate_limit.remaining} requests left of the rate limit")

    def unheard(self, registry: str, error: RegistryUnavailable) -> None:
        """The registry has not answered."""
        unanswered = self._unanswered.get(registry, 0) + 1
        self._unanswered[registry] = unanswered
        if registry not in self.rate_limits:
            self._never_heard[registry] = str(error)
        if unanswered >= SILENT_AFTER:
            self.silent.setdefault(registry, str(error))

    def is_hopeless(self, question: object) -> bool:
        """Whether nobody would answer this: its registry is silent."""
        if not self.silent:
            return False
        place: object = getattr(question, "place", question)
        return isinstance(place, Place) and place.registry in self.silent

    def close(self) -> None:
        """All has been asked: a registry that answered nothing of it is silent, too."""
        self.silent.update(self._never_heard)


class Visit:
    """One repository being looked at. ``found``: manifests that were read, until they are written;
    ``failed``: what could not be read in it, which is not asked for again; ``without_config``:
    images among that of which the layers were written; ``given_up``: why the rest of it is let be.
    """

    def __init__(self, desk: Desk, repository: RepositoryRecord) -> None:
        self.desk = desk
        self.repository = repository
        self.place = Place(
            registry=repository.registry, repository=repository.name, options=desk.options
        )
        self.found: dict[Digest, ReadManifest] = {}
        self.failed: dict[Digest, LayerlensError] = {}
        self.without_config: set[Digest] = set()
        self.given_up: RegistryUnavailable | None = None
        self._unanswered = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more of it is to be asked."""
        return self.given_up is not None or self.place.registry in self.desk.silent

    def ask(
        self, function: Question[QuestionT, Answered[AnswerT]], question: QuestionT
    ) -> Generator[Job | Group, object, AnswerT]:
        """The answer. Raises what the function raises, and RegistrySilent."""
        desk, registry = self.desk, self.place.registry
        if registry in desk.silent:
            raise RegistrySilent
        if self.given_up is not None:
            raise self.given_up
        try:
            answered = yield from function.ask(question)
        except CancelledError:
            raise RegistrySilent from None
        except RegistryUnavailable as error:
            self._unheard(error)
            raise
        except LayerlensError:
            self._unanswered = 0
            desk.heard(registry, desk.rate_limits.get(registry))
            raise
        self._unanswered = 0
        desk.heard(registry, answered.rate_limit)
        return answered.value

    def fail(
        self, error: LayerlensError, *, tag: TagRecord | None = None, digest: Digest | None = None
    ) -> None:
        """Write down what could not be read."""
        self.desk.catalogue.record_failure(
            self.desk.run,
            self.place.registry,
            reason=str(error),
            now=self.desk.now(),
            repository=self.repository,
            tag=tag,
            digest=digest,
        )

    def _unheard(self, error: RegistryUnavailable) -> None:
        self._unanswered += 1
        self.desk.unheard(self.place.registry, error)
        if self._unanswered >= GIVEN_UP_AFTER and self.given_up is None:
            self.given_up = error
