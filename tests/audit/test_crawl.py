"""Crawls: what is asked of a registry, and that the catalogue then holds what the registry does."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from archive_forms import INDEX_TYPE, MANIFEST_TYPE, Fields
from image_builder import BuiltImage, file, image, json_bytes, layer
from registry_content import DOCKER_GZIP, OCI_ZSTD, RegistryContent
from registry_faults import Failure
from registry_rules import Rule

from layerlens.audit.crawl_targets import CrawlRequest, parse_target
from layerlens.errors import NotFound
from layerlens.oci.platform import Platform

from .crawling import SETTINGS, Crawler, crawler, reasons
from .recorded import rows

AMD64: Fields = {"os": "linux", "architecture": "amd64"}
UNKNOWN: Fields = {"os": "unknown", "architecture": "unknown"}
BASE = layer(file("/base", b"b" * 1000), created_by="/bin/sh -c #(nop) ADD file:1 in / ")


def app(number: int, *, platform: str = "linux/amd64", created: str | None = None) -> BuiltImage:
    """One of many images on the same base."""
    overrides = {} if created is None else {"created": created}
    built = image(BASE, layer(file("/app", b"%d" % number)), platform=platform)
    return replace(built, overrides=overrides)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Crawler]:
    """team/app with 1, 2 and latest, which is 2; team/tool with an index of two platforms."""
    content = RegistryContent()
    content.add_image("team/app", app(1), "1")
    content.add_image("team/app", app(2), "2", "latest")
    content.add_index("team/tool", [app(3), app(3, platform="linux/arm64")], "multi")
    with crawler(content, tmp_path) as made:
        yield made


def test_a_first_crawl_reads_all_and_nothing_twice(two: Crawler) -> None:
    outcome = two.crawl()
    assert (outcome.counts.repositories_done, outcome.counts.tags_done) == (2, 4)
    assert outcome.failures == ()
    assert not outcome.changes.earlier
    assert outcome.run.finished is not None
    assert two.tags() == two.held()
    # A GET for each tag and for each of the index's images, HEAD for none; four configs.
    asked = two.asked()
    assert asked["GET manifest"] + asked["HEAD manifest"] == 4 + 2
    assert asked["blobs"] == 4
    assert (asked["catalog"], asked["tags"]) == (1, 2)
    assert outcome.asked is not None
    assert outcome.asked.configs == 4


def test_images_are_kept_with_what_their_configs_say(two: Crawler) -> None:
    two.crawl()
    found = rows(
        two.path,
        "SELECT DISTINCT platform.value, created, instruction.value FROM manifest"
        " JOIN text AS platform ON platform.id = platform_id"
        " JOIN image_layer ON manifest_id = manifest.id"
        " LEFT JOIN text AS instruction ON instruction.id = instruction_id"
        " WHERE kind = 1 AND position = 0 ORDER BY 1",
    )
    line = "ADD file:1 in /"
    assert found == [("linux/amd64", 1700000000, line), ("linux/arm64", 1700000000, line)]
    layers = "SELECT COUNT(DISTINCT blob_id), COUNT(DISTINCT diff_id), COUNT(*) FROM image_layer"
    assert rows(two.path, layers) == [(4, 4, 8)]


def test_a_second_crawl_asks_only_what_can_have_changed(two: Crawler) -> None:
    two.crawl()
    outcome = two.crawl()
    assert two.asked() == {"catalog": 1, "tags": 2, "HEAD manifest": 4}
    assert outcome.changes.earlier
    assert (outcome.changes.tags_added, outcome.changes.tags_moved) == (0, 0)
    assert (outcome.changes.tags_removed, outcome.changes.repositories_removed) == (0, 0)
    assert two.tags() == two.held()


def test_what_changed_is_noticed(two: Crawler) -> None:
    two.crawl()
    content = two.registry.content
    content.add_image("team/app", app(5), "5", "latest")
    del content.repositories["team/app"].tags["1"]
    del content.repositories["team/tool"]
    outcome = two.crawl()
    assert outcome.changes.tags_added == 1
    assert outcome.changes.tags_moved == 1
    assert outcome.changes.tags_removed == 1 + 1
    assert outcome.changes.repositories_removed == 1
    assert two.tags() == two.held()
    assert rows(two.path, "SELECT COUNT(*) FROM tag_history") == [(1,)]
    # What comes back is there again, and no change any more.
    content.add_image("team/app", app(1), "1")
    assert two.crawl().failures == ()
    assert two.tags() == two.held()
    assert two.asked()["blobs"] == 0


def test_a_config_that_is_known_is_not_fetched_for_another_manifest(tmp_path: Path) -> None:
    content = RegistryContent()
    content.add_image("app", app(1), "gzip")
    with crawler(content, tmp_path) as made:
        made.crawl()
        content.add_image("other", app(1), "docker", form=DOCKER_GZIP)
        content.add_image("other", app(1), "zstd", form=OCI_ZSTD)
        made.crawl()
        assert made.asked()["blobs"] == 0
        facts = "SELECT DISTINCT chain_id, created, platform_id FROM manifest WHERE kind = 1"
        assert len(rows(made.path, facts)) == 1
        blobs = "SELECT COUNT(DISTINCT blob_id), COUNT(DISTINCT diff_id) FROM image_layer"
        assert rows(made.path, blobs) == [(4, 2)]


def test_one_manifest_under_many_tags_at_once_is_followed_once(tmp_path: Path) -> None:
    content = RegistryContent()
    content.add_index("app", [app(1)], *(f"v{number}" for number in range(40)))
    with crawler(content, tmp_path) as made:
        outcome = made.crawl()
        assert outcome.counts.tags_done == 40
        assert made.asked()["blobs"] == 1
        assert made.asked()["GET manifest"] + made.asked()["HEAD manifest"] == 40 + 1


def test_named_repositories_are_listed_and_the_catalog_is_not_asked(two: Crawler) -> None:
    two.crawl(two.request("team/app"))
    assert two.asked()["catalog"] == 0
    assert set(two.tags()) == {"team/app:1", "team/app:2", "team/app:latest"}


def test_named_images_are_looked_at_and_no_others(two: Crawler) -> None:
    digest = two.registry.content.repositories["team/app"].tags["1"]
    request = two.request("team/app:2", f"team/app@{digest}")
    two.crawl(request)
    assert two.asked()["tags"] == 0
    assert two.tags() == {f"team/app:@{digest}": digest, "team/app:2": two.held()["team/app:2"]}
    two.crawl(request)
    assert two.asked() == {"HEAD manifest": 1}  # a digest leads where it always did


def test_a_named_tag_that_is_gone_is_noticed_and_one_that_never_was_is_a_failure(
    two: Crawler,
) -> None:
    request = two.request("team/app:1", "team/app:none")
    outcome = two.crawl(request)
    assert reasons(outcome) == [
        "team/app:none: team/app:none: is not there: MANIFEST_UNKNOWN: manifest unknown"
    ]
    del two.registry.content.repositories["team/app"].tags["1"]
    outcome = two.crawl(request)
    assert outcome.changes.tags_removed == 1
    assert [failure.tag for failure in outcome.failures] == ["none"]


def test_a_named_repository_that_is_gone_is_noticed_and_one_that_never_was_is_a_failure(
    two: Crawler,
) -> None:
    request = two.request("team/app", "team/none")
    outcome = two.crawl(request)
    assert [failure.repository for failure in outcome.failures] == ["team/none"]
    del two.registry.content.repositories["team/app"]
    outcome = two.crawl(request)
    assert outcome.changes.repositories_removed == 1
    assert two.tags() == {}


def test_a_repository_that_the_catalog_names_and_that_has_no_tags_is_empty(two: Crawler) -> None:
    two.registry.content.repository("empty")
    outcome = two.crawl()
    assert outcome.failures == ()
    assert outcome.counts.repositories_done == 3


def test_a_glob_chooses_tags_and_the_others_are_known_by_name(two: Crawler) -> None:
    outcome = two.crawl(replace(two.request("team/app"), tags="[0-9]*"))
    assert outcome.counts.tags == 2
    tags = two.tags()
    assert tags["team/app:latest"] is None
    assert tags["team/app:1"] == two.held()["team/app:1"]


def test_a_platform_chooses_from_indexes_and_the_others_are_not_fetched(two: Crawler) -> None:
    request = replace(two.request("team/tool"), platform=Platform.parse("linux/arm64"))
    for _ in range(2):
        outcome = two.crawl(request)
        assert outcome.failures == ()
        platforms = "SELECT value FROM manifest JOIN text ON text.id = platform_id WHERE kind = 1"
        assert rows(two.path, platforms) == [("linux/arm64",)]
    assert two.asked() == {"tags": 1, "HEAD manifest": 1}
    two.crawl()
    assert rows(two.path, "SELECT COUNT(*) FROM manifest WHERE kind IS NULL") == [(0,)]


def test_attestations_and_artifacts_are_told_from_images(tmp_path: Path) -> None:
    content = RegistryContent()
    built = content.add_image("app", app(1))
    config = content.add_blob("app", b"{}")
    empty: Fields = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2}
    chart: Fields = {"schemaVersion": 2, "config": empty, "artifactType": "x/chart", "layers": []}
    content.add_manifest("app", json_bytes(chart), MANIFEST_TYPE, "chart")
    attestation = content.add_image(
        "app", image(platform="unknown/unknown"), overrides={"annotations": {"about": built}}
    )
    index: Fields = {
        "schemaVersion": 2,
        "manifests": [
            {**content.descriptor("app", built), "platform": AMD64},
            {**content.descriptor("app", attestation), "platform": UNKNOWN},
        ],
    }
    content.add_manifest("app", json_bytes(index), INDEX_TYPE, "1")
    with crawler(content, tmp_path) as made:
        assert made.crawl().failures == ()
        kinds = "SELECT kind, COUNT(*) FROM manifest GROUP BY kind"
        assert rows(made.path, kinds) == [(0, 1), (1, 1), (2, 2)]
        assert made.asked()["blobs"] == 1


def test_two_registries_in_one_catalogue(tmp_path: Path) -> None:
    ours, theirs = RegistryContent(), RegistryContent()
    for content in (ours, theirs):
        content.add_image("app", app(1), "1")
    with crawler(ours, tmp_path) as one, crawler(theirs, tmp_path) as two:
        targets = [parse_target(made.registry.host) for made in (one, two)]
        one.crawl(CrawlRequest(targets=tuple(targets)))
        assert rows(one.path, "SELECT COUNT(*) FROM repository") == [(2,)]
        assert rows(one.path, "SELECT COUNT(*) FROM manifest") == [(1,)]
        theirs.repositories.clear()
        outcome = one.crawl(CrawlRequest(targets=tuple(targets)))
        assert outcome.changes.repositories_removed == 1
        assert list(one.tags()) == ["app:1"]


def test_of_two_registries_one_that_is_listed_no_more_does_not_stop_the_other(
    two: Crawler, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    with crawler(RegistryContent(), tmp_path / "other") as other:
        other.registry.content.add_image("theirs", app(1), "1")
        names = (two.registry.host, other.registry.host)
        both = CrawlRequest(targets=tuple(map(parse_target, names)))
        assert two.crawl(both).failures == ()
        two.registry.declare(Rule(fault=Failure(404), path="/v2/_catalog"))
        outcome = two.crawl(both)
        assert [(each.registry, each.repository) for each in outcome.failures] == [
            (two.registry.host, None)
        ]
        assert outcome.changes.repositories_removed == 0
        assert "theirs:1" in two.tags()


def test_a_registry_without_a_catalog_is_said_clearly(two: Crawler) -> None:
    two.registry.declare(Rule(fault=Failure(404), path="/v2/_catalog"))
    with pytest.raises(NotFound, match=r"does not list its repositories \(no _catalog\)"):
        two.crawl()


def test_other_processes_can_do_the_asking(two: Crawler) -> None:
    """All that is handed out and comes back, errors too, can be pickled."""
    two.registry.declare(
        Rule(fault=Failure(404), method="*", path="/v2/team/app/manifests/1"),
        Rule(fault=Failure(503), method="*", path="/v2/team/app/manifests/2"),
    )
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        outcome = two.using(replace(SETTINGS, executor=pool)).crawl()
    assert {failure.tag for failure in outcome.failures} == {"1", "2"}
    assert two.tags()["team/tool:multi"] == two.held()["team/tool:multi"]
    assert two.tags()["team/app:latest"] == two.held()["team/app:latest"]
