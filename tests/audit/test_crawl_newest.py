"""Only the newest tags: found by their configs, with no more fetched than that takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from image_builder import BuiltImage, file, image, layer
from registry_content import RegistryContent
from registry_faults import Failure
from registry_rules import Rule

from layerlens.oci.platform import Platform

from .crawling import Crawler, crawler
from .recorded import rows


def dated(name: str, day: int | None, *, platform: str = "linux/amd64") -> BuiltImage:
    """An image made on a day of January 2024; None: its config does not say when."""
    created = None if day is None else f"2024-01-{day:02}T00:00:00.123456789Z"
    built = image(layer(file("/base", b"b")), layer(file("/app", name.encode())), platform=platform)
    return replace(built, overrides={"created": created})


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Crawler]:
    """app: a tag for each of nine days in no order of their names, and one without a date."""
    content = RegistryContent()
    for name, day in zip("fbdcahgei", (6, 2, 4, 3, 1, 8, 7, 5, 9), strict=True):
        content.add_image("app", dated(name, day), name)
    content.add_image("app", dated("x", None), "zzz")
    with crawler(content, tmp_path) as crawler_made:
        yield crawler_made


def resolved(made: Crawler) -> set[str]:
    """The tags of which it is known where they lead."""
    return {name for name, digest in made.tags().items() if digest is not None}


def test_the_newest_are_looked_at_and_the_others_known_by_name(made: Crawler) -> None:
    outcome = made.crawl(made.request("app", newest=3))
    assert outcome.failures == ()
    assert resolved(made) == {"app:i", "app:h", "app:g"}
    assert len(made.tags()) == 10
    assert outcome.counts.tags == 3


def test_the_second_time_nothing_but_digests_is_asked_for(made: Crawler) -> None:
    request = made.request("app", newest=3)
    made.crawl(request)
    assert made.asked() == {"tags": 1, "HEAD manifest": 10, "GET manifest": 10, "blobs": 10}
    made.crawl(request)
    assert made.asked() == {"tags": 1, "HEAD manifest": 10}
    made.registry.content.add_image("app", dated("new", 20), "new")
    outcome = made.crawl(request)
    assert made.asked() == {"tags": 1, "HEAD manifest": 11, "GET manifest": 1, "blobs": 1}
    assert outcome.changes.tags_added == 1
    assert "app:new" in resolved(made)


def test_as_many_as_there_are_are_looked_at_without_a_look_at_their_age(made: Crawler) -> None:
    made.crawl(made.request("app", newest=10))
    assert made.asked()["HEAD manifest"] == 0
    assert len(resolved(made)) == 10


def test_tags_without_a_date_are_the_oldest_and_equal_ones_go_by_name(tmp_path: Path) -> None:
    content = RegistryContent()
    for name in "abc":
        content.add_image("app", dated(name, 1), name)
    content.add_image("app", dated("y", None), "y")
    with crawler(content, tmp_path) as made:
        made.crawl(made.request("app", newest=2))
        assert resolved(made) == {"app:b", "app:c"}


def test_a_glob_comes_first(made: Crawler) -> None:
    made.crawl(replace(made.request("app", newest=1), tags="[a-d]"))
    assert resolved(made) == {"app:d"}
    assert made.asked()["HEAD manifest"] == 4


def test_of_an_index_that_is_too_old_one_image_is_read(tmp_path: Path) -> None:
    content = RegistryContent()
    for name, day in (("new", 9), ("old", 1)):
        images = [
            dated(name, day, platform=platform)
            for platform in ("linux/amd64", "linux/arm64", "linux/arm/v7")
        ]
        content.add_index("app", images, name)
    with crawler(content, tmp_path) as made:
        request = made.request("app", newest=1)
        made.crawl(request)
        assert resolved(made) == {"app:new"}
        # Two indexes; three images of the new one, and one of the old.
        assert made.asked()["GET manifest"] == 2 + 3 + 1
        assert made.asked()["blobs"] == 3 + 1
        other = replace(request, platform=Platform.parse("linux/arm64"))
        made.crawl(other)
        assert made.asked()["GET manifest"] == 0
        assert rows(made.path, "SELECT COUNT(*) FROM manifest WHERE kind = 1") == [(4,)]


def test_tags_whose_age_cannot_be_told_are_failures_and_do_not_push_others_out(
    made: Crawler,
) -> None:
    digest = made.registry.content.repositories["app"].tags["a"]
    made.registry.declare(
        Rule(fault=Failure(500), method="*", path="/v2/app/manifests/b"),
        Rule(fault=Failure(500), path="/v2/app/manifests/a"),
        Rule(fault=Failure(500), method="*", path=f"/v2/app/manifests/{digest}"),
    )
    outcome = made.crawl(made.request("app", newest=2))
    assert {failure.tag for failure in outcome.failures} == {"a", "b"}
    assert {"app:i", "app:h"} <= resolved(made)
