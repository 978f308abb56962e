"""Several crawls into one catalogue: one that is interrupted, another of less, and side by side."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from image_builder import file, image, layer
from registry_content import RegistryContent

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.crawl import Phase
from layerlens.audit.crawl_desk import CrawlProgress

from .crawling import SETTINGS, Crawler, crawler
from .recorded import rows

REPOSITORIES = 6
TAGS = 3


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Crawler]:
    """Some repositories with some tags each."""
    content = RegistryContent()
    for number in range(REPOSITORIES):
        for tag in range(TAGS):
            built = image(layer(file("/app", b"%d %d" % (number, tag))))
            content.add_image(f"app{number}", built, f"{tag}")
    with crawler(content, tmp_path) as found:
        yield found


class _Interrupted:
    """Progress during which somebody loses patience."""

    def __init__(self, after: int) -> None:
        self._left = after

    def advance(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise KeyboardInterrupt

    def expect(self, total: int) -> None:
        pass

    def remark(self, text: str) -> None:
        pass


def interrupt(made: Crawler, *, after: int) -> None:
    """Crawl all, but only so many tags of it."""

    def watch(phase: Phase) -> AbstractContextManager[CrawlProgress]:
        return contextlib.nullcontext(_Interrupted(after))

    with pytest.raises(KeyboardInterrupt):
        made.using(replace(SETTINGS, jobs=1, watch=watch)).crawl()


def test_what_another_crawl_looked_at_meanwhile_is_not_left_out(made: Crawler) -> None:
    interrupt(made, after=1)
    made.crawl(replace(made.request("app4", "app5"), tags="0"))
    outcome = made.crawl()
    assert outcome.resumed
    assert made.tags() == made.held()
    assert outcome.counts.repositories == outcome.counts.repositories_done == REPOSITORIES
    assert outcome.counts.tags == outcome.counts.tags_done == REPOSITORIES * TAGS


def test_a_listing_leaves_what_a_later_crawl_looks_at_meanwhile(made: Crawler) -> None:
    host = made.registry.host
    with Catalogue(made.path) as catalogue:
        whole = catalogue.start_run("all of it", now=100)
        catalogue.queue_repositories(whole, host, ["first", "gone"])
        part = catalogue.start_run("first alone", now=100)
        catalogue.queue_repositories(part, host, ["first"])
        assert catalogue.remove_unqueued(whole, host, now=101) == 0
        catalogue.finish_run(part, now=102)
        assert catalogue.remove_unqueued(whole, host, now=103) == 1
        assert rows(made.path, "SELECT name, removed FROM repository ORDER BY 1") == [
            ("first", 103),
            ("gone", None),
        ]


def test_a_crawl_that_was_given_up_keeps_nothing_that_is_gone(made: Crawler) -> None:
    made.crawl()
    with Catalogue(made.path) as catalogue:
        given_up = catalogue.start_run("app0 alone", now=100)
        catalogue.queue_repositories(given_up, made.registry.host, ["app0"])
    del made.registry.content.repositories["app0"]
    made.crawl()
    assert made.tags() == made.held()


def test_a_catalogue_that_another_crawl_has_begun_is_not_one_to_take_away(made: Crawler) -> None:
    with Catalogue(made.path) as catalogue:
        catalogue.start_run("a name that was mistyped", now=100)
        assert catalogue.knows_nothing()
        catalogue.start_run("all of it", now=100)
        assert not catalogue.knows_nothing()
