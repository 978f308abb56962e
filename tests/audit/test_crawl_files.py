"""The files of the layers that a crawl found: each distinct layer read once, and counted right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from archive_forms import Fields
from image_builder import directory, file, hard_link, image, json_bytes, layer, symlink, whiteout
from registry_content import DOCKER_GZIP, OCI_GZIP, OCI_PLAIN, OCI_ZSTD, RegistryContent
from registry_faults import Corrupted, CutOff, Failure, OtherBody, Truncated
from registry_rules import Fault, Rule

from layerlens.audit.crawl import Phase
from layerlens.audit.crawl_desk import NO_PROGRESS, CrawlProgress
from layerlens.audit.crawl_files import FilesSettings
from layerlens.streams.limits import DEFAULT_LIMITS

from .crawling import SETTINGS, Crawler, crawler
from .recorded import rows

WITH_FILES = replace(SETTINGS, files=FilesSettings())
BASE = layer(
    directory("/d"),
    file("/d/a", b"alpha"),
    file("/d/again", b"alpha"),
    file("/d/b", b"beta-beta"),
    file("/d/empty", b""),
    hard_link("/d/linked", "/d/a"),
    symlink("/d/symlink", "a"),
)
TOP = layer(file("/a", b"alpha"), whiteout("/d/b"), file("/name-\udcff", b"odd"))
LISTINGS = "SELECT entries, files, empty_files, bytes FROM layer_listing ORDER BY entries"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Crawler]:
    """Two images on one base, in two repositories."""
    content = RegistryContent()
    content.add_image("one", image(BASE), "1")
    content.add_image("two", image(BASE, TOP), "1")
    with crawler(content, tmp_path) as crawler_made:
        yield crawler_made.using(WITH_FILES)


def layers_asked_for(made: Crawler) -> int:
    """How many layers the last crawl asked for."""
    configs = rows(
        made.path,
        "SELECT lower(hex(blob.digest)) FROM manifest JOIN blob ON blob.id = config_id",
    )
    return sum(
        (request.path.rpartition(":")[2],) not in configs
        for request in made.registry.log.matching("GET", "*/blobs/*")
    )


def test_each_layer_is_read_once_and_each_content_kept_once(made: Crawler) -> None:
    outcome = made.crawl()
    assert outcome.files is not None
    assert (outcome.files.layers, outcome.files.opaque) == (2, 0)
    assert layers_asked_for(made) == 2
    assert rows(made.path, LISTINGS) == [(3, 2, 0, 5 + 3), (7, 3, 1, 5 + 5 + 9)]
    found = (
        "SELECT size, path, SUM(copies), COUNT(*) FROM file JOIN layer_file ON file_id = file.id"
        " GROUP BY file.id ORDER BY size"
    )
    odd = "/name-\udcff".encode("utf-8", "surrogatepass")
    (first, second, third) = rows(made.path, found)
    assert first == (3, odd, 1, 1)
    assert (second[0], *second[2:]) == (5, 3, 2)
    assert third == (9, "/d/b", 1, 1)


def test_the_second_time_no_layer_is_asked_for(made: Crawler) -> None:
    made.using(SETTINGS).crawl()
    assert layers_asked_for(made) == 0
    made.crawl()
    assert layers_asked_for(made) == 2
    outcome = made.crawl()
    assert layers_asked_for(made) == 0
    assert outcome.files is not None
    assert outcome.files.layers == 0


def test_a_layer_compressed_anew_is_the_same_layer(made: Crawler) -> None:
    made.crawl()
    for form in (OCI_ZSTD, OCI_PLAIN, DOCKER_GZIP):
        made.registry.content.add_image("three", image(BASE, TOP), form.compression, form=form)
    made.crawl()
    assert layers_asked_for(made) == 0


def test_what_the_index_cache_knows_is_not_asked_for(made: Crawler, tmp_path: Path) -> None:
    cached = replace(SETTINGS, files=FilesSettings(cache=tmp_path / "cache"))
    made.using(cached).crawl()
    first = rows(made.path, LISTINGS)
    made.path.unlink()
    made.using(cached).crawl()
    assert layers_asked_for(made) == 0
    assert rows(made.path, LISTINGS) == first


@pytest.mark.parametrize(
    "fault", [Failure(404), Failure(500), Truncated(20), Corrupted(30), OtherBody(b""), CutOff(9)]
)
def test_a_layer_that_cannot_be_read_is_a_failure_and_asked_for_again(
    made: Crawler, fault: Fault
) -> None:
    made.using(SETTINGS).crawl()
    ((blob,),) = rows(
        made.path, "SELECT lower(hex(digest)) FROM blob JOIN image_layer ON blob_id = id"
                   " WHERE position = 1"
    )  # fmt: skip
    made.registry.declare(Rule(fault=fault, path=f"*/blobs/sha256:{blob}"))
    outcome = made.crawl()
    assert [str(failure.digest) for failure in outcome.failures] == [f"sha256:{blob}"]
    assert outcome.failures[0].repository == "two"
    assert outcome.run.finished is not None
    assert rows(made.path, "SELECT COUNT(*) FROM layer_listing") == [(1,)]
    assert rows(made.path, "SELECT failure FROM repository") == [(None,), (None,)]
    made.registry.withdraw_rules()
    assert made.crawl().failures == ()
    assert rows(made.path, "SELECT COUNT(*) FROM layer_listing") == [(2,)]


def test_a_layer_that_is_not_what_its_config_says_is_a_failure(made: Crawler) -> None:
    wrong = replace(image(TOP), overrides={"rootfs": {"type": "layers", "diff_ids": [OTHER]}})
    made.registry.content.add_image("wrong", wrong, "1")
    outcome = made.crawl()
    assert ["diff_id" in failure.reason for failure in outcome.failures] == [True]


OTHER = f"sha256:{'0' * 64}"


def test_layers_that_are_no_tars_or_elsewhere_are_counted_and_not_asked_for(
    made: Crawler,
) -> None:
    content = made.registry.content
    kinds = ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
             "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")  # fmt: skip
    for number, kind in enumerate(kinds):
        other = layer(file("/x", b"%d" % number))
        form = replace(OCI_GZIP, layer_type=kind)
        content.add_image("opaque", image(other), str(number), form=form)
    outcome = made.crawl()
    assert outcome.failures == ()
    assert outcome.files is not None
    assert outcome.files.opaque == 2
    assert layers_asked_for(made) == 2


def test_limits_hold(made: Crawler) -> None:
    limits = DEFAULT_LIMITS.with_settings(("entries=5",))
    outcome = made.using(replace(SETTINGS, files=FilesSettings(limits=limits))).crawl()
    assert ["entries" in failure.reason for failure in outcome.failures] == [True]


def test_an_artifacts_blobs_are_no_layers(made: Crawler) -> None:
    config = made.registry.content.add_blob("chart", b"{}")
    kind = "application/vnd.oci.empty.v1+json"
    chart: Fields = {
        "schemaVersion": 2,
        "artifactType": "x/chart",
        "config": {"mediaType": kind, "digest": config, "size": 2},
        "layers": [{"mediaType": OCI_GZIP.layer_type, "digest": config, "size": 2}],
    }
    made.registry.content.add_manifest("chart", json_bytes(chart), OCI_GZIP.manifest_type, "1")
    assert made.crawl().failures == ()
    assert layers_asked_for(made) == 2


class _Interrupted:
    """Somebody presses a key when a layer is done."""

    def advance(self, count: int) -> None:
        raise KeyboardInterrupt

    def expect(self, total: int) -> None:
        pass

    def remark(self, text: str) -> None:
        pass


def interrupted_at_files(phase: Phase) -> AbstractContextManager[CrawlProgress]:
    return nullcontext(_Interrupted() if phase is Phase.FILES else NO_PROGRESS)


def test_reading_files_goes_on_where_it_was_and_asks_for_no_tag_again(tmp_path: Path) -> None:
    content = RegistryContent()
    layers = [layer(file("/x", b"%d" % number)) for number in range(30)]
    content.add_image("app", image(*layers), "1")
    with crawler(content, tmp_path) as made:
        stopped = made.using(replace(WITH_FILES, watch=interrupted_at_files, jobs=1))
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                stopped.crawl()
        outcome = made.using(WITH_FILES).crawl()
        assert outcome.resumed
        assert made.asked().keys() == {"blobs"}
        assert rows(made.path, "SELECT COUNT(*) FROM layer_listing") == [(30,)]
