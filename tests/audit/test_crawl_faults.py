"""Registries that misbehave: each fault ends in the right answer or in a failure with its reason,
and whatever else there is, is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from archive_forms import Fields
from image_builder import BuiltImage, digest_of, file, image, json_bytes, layer
from registry_access import BasicAccess, TokenAccess, TokenPolicy, TokenService
from registry_answers import Cursor, LastPage, LinkForm, Pages
from registry_content import RegistryContent
from registry_faults import (
    FOREVER,
    Answer,
    AtDate,
    Busy,
    CutOff,
    Delayed,
    Failure,
    InSeconds,
    OtherBody,
    Padded,
    RateLimit,
    Redirect,
    RetryAfter,
    SetHeader,
    Truncated,
    WithoutHeader,
)
from registry_messages import Ending
from registry_rules import Fault, Rule
from registry_server import serve
from source.registry.asking import OPTIONS, PASSWORD, USER, log_in

from layerlens.audit.crawl_schedule import JOBS_AHEAD
from layerlens.errors import AccessDenied, RegistryError, RegistryUnavailable
from layerlens.source.registry.registry_options import Patience, RegistryOptions

from .crawling import HASTY, SETTINGS, Crawler, crawler, reasons
from .recorded import rows

BAD = "bad/app"
REPOSITORIES = ("good/one", BAD, "good/two")


def built(name: str, number: int) -> BuiltImage:
    return image(layer(file("/base", b"b")), layer(file("/app", f"{name} {number}".encode())))


def content() -> RegistryContent:
    """Three repositories of four tags."""
    made = RegistryContent()
    for name in REPOSITORIES:
        for number in range(4):
            made.add_image(name, built(name, number), str(number))
    return made


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Crawler]:
    with crawler(content(), tmp_path) as crawler_made:
        yield crawler_made


def good_tags_are_known(made: Crawler) -> None:
    """Of the repositories that nothing is wrong with, all is known."""
    held = {name: digest for name, digest in made.held().items() if not name.startswith(BAD)}
    assert {name: made.tags()[name] for name in held} == held


@pytest.mark.parametrize(
    ("path", "fault", "failures", "why"),
    [
        ("tags/list", Failure(500), 1, "answers 500"),
        ("tags/list", Failure(403), 1, "access denied"),
        ("tags/list", OtherBody(b"{"), 1, "not JSON"),
        ("tags/list", OtherBody(b'{"tags": 3}'), 1, "expected an array"),
        ("tags/list", Delayed(FOREVER), 1, "does not answer"),
        ("manifests/*", Failure(500), 4, "answers 500"),
        ("manifests/*", OtherBody(b"{}"), 4, "hash to"),
        ("manifests/*", CutOff(10, Ending.RESET), 3, "broke off"),
        ("manifests/*", Padded(40 << 20), 4, "bytes"),
        ("manifests/*", Truncated(3), 4, "hash to"),
        ("manifests/*", SetHeader("Docker-Content-Digest", f"sha256:{0:064}"), 4, "hash to"),
        ("manifests/*", Redirect(location="{origin}{target}"), 4, "redirects more than"),
        ("manifests/*", SetHeader("Content-Type", "application/vnd.oci.image.index.v1+json"), 4,
         "contradicts"),
        ("blobs/*", OtherBody(b"{}"), 4, "bytes"),
        ("blobs/*", Failure(404), 4, "is not there"),
        ("blobs/*", Truncated(10), 4, "bytes"),
    ],
)  # fmt: skip
def test_a_repository_that_misbehaves_does_not_stop_the_others(
    path: str, fault: Fault, failures: int, why: str, made: Crawler
) -> None:
    made.registry.declare(Rule(fault=fault, method="*", path=f"/v2/{BAD}/{path}"))
    settings = HASTY if isinstance(fault, Delayed) else SETTINGS
    outcome = made.using(settings).crawl()
    good_tags_are_known(made)
    assert {failure.repository for failure in outcome.failures} == {BAD}
    assert len(outcome.failures) >= failures
    assert all(why in failure.reason for failure in outcome.failures), reasons(outcome)
    assert all("\n" not in failure.reason for failure in outcome.failures)
    assert outcome.run.finished is not None

    made.registry.withdraw_rules()
    assert made.crawl().failures == ()
    assert made.tags() == made.held()


def test_an_image_whose_config_is_gone_is_kept_by_its_layers(made: Crawler) -> None:
    made.registry.declare(Rule(fault=Failure(404), path=f"/v2/{BAD}/blobs/*"))
    made.crawl()
    assert made.tags() == made.held()
    without = "SELECT COUNT(DISTINCT manifest_id) FROM image_layer WHERE diff_id IS NULL"
    assert rows(made.path, without) == [(4,)]
    failed = {(failure.tag, failure.reason) for failure in made.crawl().failures}
    assert len(failed) >= 4, "what failed is told by the next crawl too"

    made.registry.withdraw_rules()
    assert made.crawl().failures == ()
    assert rows(made.path, without) == [(0,)]
    made.crawl()
    assert made.asked()["blobs"] == 0, "what is known is not asked for again"


def test_a_repository_that_hangs_is_given_up_after_a_few_requests(tmp_path: Path) -> None:
    many = content()
    for number in range(100):
        many.add_image(BAD, built(BAD, number), str(number))
    with crawler(many, tmp_path) as made:
        made.registry.declare(
            Rule(fault=Delayed(FOREVER), method="*", path=f"/v2/{BAD}/manifests/*")
        )
        outcome = made.using(HASTY).crawl()
        good_tags_are_known(made)
        handed_out = JOBS_AHEAD * HASTY.jobs  # of 101 tags, each asked at most three times
        assert made.registry.log.count("*", f"/v2/{BAD}/manifests/*") <= 3 * handed_out
        assert any("tags not looked at" in failure.reason for failure in outcome.failures)
        assert outcome.silent == ()


def test_a_registry_that_no_longer_answers_leaves_the_rest_for_another_time(
    tmp_path: Path,
) -> None:
    many = content()
    for number in range(60):
        many.add_image(f"many/{number:02}", built("many", number), "1")
    with crawler(many, tmp_path) as made:
        made.registry.declare(Rule(fault=Failure(503), path="/v2/many/*"))
        outcome = made.crawl()
        assert len(outcome.silent) == 1
        assert "503" in outcome.silent[0]
        assert outcome.run.finished is None
        assert made.registry.log.count("*", "/v2/many/59/*") == 0
        made.registry.withdraw_rules()
        outcome = made.crawl()
        assert (outcome.resumed, outcome.failures, outcome.silent) == (True, (), ())
        assert made.tags() == made.held()


def test_a_registry_that_is_not_there_is_an_error_of_its_own(made: Crawler) -> None:
    made.registry.declare(Rule(fault=Failure(503), method="*", path="/v2/*"))
    with pytest.raises(RegistryUnavailable):
        made.crawl()
    outcome = made.crawl(made.request("good/one"))
    assert len(outcome.silent) == 1
    assert outcome.run.finished is None


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("when", [InSeconds(1), AtDate(1), None, "soon"])
def test_a_busy_registry_is_waited_for(status: int, when: RetryAfter, made: Crawler) -> None:
    busy = Busy(status=status, retry_after=when)
    made.registry.declare(Rule(fault=busy, method="*", path="/v2/good/*", times=5))
    assert made.crawl().failures == ()
    assert made.tags() == made.held()


def test_what_is_left_of_a_rate_limit_is_told_and_heads_are_used(made: Crawler) -> None:
    limit = RateLimit(limit=1000, window=21600)
    made.registry.declare(Rule(fault=limit, method="*", path="*/manifests/*"))
    single = replace(SETTINGS, jobs=1)
    outcome = made.using(single).crawl()
    assert outcome.rate_limit is not None
    assert outcome.rate_limit.window_seconds == 21600
    assert outcome.rate_limit.remaining == 1000 - made.registry.log.count("*", "*/manifests/*")
    assert made.asked()["HEAD manifest"] >= 10


def test_heads_without_a_digest_are_followed_by_gets(made: Crawler) -> None:
    made.registry.declare(
        Rule(fault=WithoutHeader("Docker-Content-Digest"), method="*", path="*/manifests/*")
    )
    for _ in range(2):
        assert made.crawl().failures == ()
        assert made.tags() == made.held()
    assert made.asked()["GET manifest"] == 12  # nothing better can be asked there
    assert made.asked()["blobs"] == 0


def test_heads_that_are_refused_are_followed_by_gets(made: Crawler) -> None:
    made.crawl()
    made.registry.declare(Rule(fault=Failure(405), method="HEAD", path="*/manifests/*"))
    assert made.crawl().failures == ()


@pytest.mark.parametrize("link", LinkForm)
@pytest.mark.parametrize("cursor", Cursor)
def test_lists_are_followed_page_by_page(tmp_path: Path, link: LinkForm, cursor: Cursor) -> None:
    with serve(content(), pages=Pages(size=2, link=link, cursor=cursor)) as registry:
        made = Crawler(registry, tmp_path / "catalogue.sqlite")
        assert made.crawl().failures == ()
        assert made.tags() == made.held()


@pytest.mark.parametrize("last", [LastPage.LOOPS, LastPage.REPEATS, LastPage.ENDLESS])
def test_what_a_list_named_before_it_went_round_in_a_circle_is_read(
    tmp_path: Path, last: LastPage
) -> None:
    with serve(content(), pages=Pages(size=2, last=last)) as registry:
        made = Crawler(registry, tmp_path / "catalogue.sqlite")
        outcome = made.crawl()
        assert outcome.failures[0].repository is None
        assert "circle" in outcome.failures[0].reason
        assert outcome.changes.repositories_removed == 0
        assert outcome.counts.repositories >= 2


def test_names_that_are_none_are_told_and_never_asked_for(made: Crawler) -> None:
    names = {"repositories": ["good/one", "../evil", "UPPER", "a b", "x" * 300, "\u202e", ""]}
    made.registry.declare(Rule(fault=OtherBody(json_bytes(names)), path="/v2/_catalog"))
    tags = {"tags": ["1", "../../evil", "a\nb", "", "-x", "1"]}
    made.registry.declare(Rule(fault=OtherBody(json_bytes(tags)), path="/v2/good/one/tags/list"))
    outcome = made.crawl()
    assert len(outcome.failures) == 6 + 4
    assert all("which is no" in failure.reason for failure in outcome.failures)
    assert list(made.tags()) == ["good/one:1"]
    paths = {request.path for request in made.registry.log.requests}
    assert not any("evil" in path or "UPPER" in path for path in paths)


def test_tokens_that_expire_are_asked_for_again(tmp_path: Path) -> None:
    policy = TokenPolicy(grants={"": ("repository:*", "registry:catalog")}, uses=3)
    with serve(content(), access=TokenAccess(service=TokenService(policy))) as registry:
        # One at a time: a token must not be used up by others while it is on its way.
        made = Crawler(registry, tmp_path / "catalogue.sqlite", replace(SETTINGS, jobs=1))
        assert made.crawl().failures == ()
        assert made.tags() == made.held()


def test_a_repository_that_nobody_may_read_is_a_failure_of_its_own(tmp_path: Path) -> None:
    policy = TokenPolicy(grants={"": ("repository:good/*", "registry:catalog")})
    with serve(content(), access=TokenAccess(service=TokenService(policy))) as registry:
        made = Crawler(registry, tmp_path / "catalogue.sqlite")
        outcome = made.crawl()
        good_tags_are_known(made)
        assert [failure.repository for failure in outcome.failures] == [BAD]


def test_passwords_stay_out_of_catalogue_and_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(content(), access=BasicAccess(users={USER: PASSWORD})) as registry:
        made = Crawler(registry, tmp_path / "catalogue.sqlite")
        with pytest.raises(AccessDenied):
            made.crawl()
    with serve(content(), access=BasicAccess(users={USER: PASSWORD})) as registry:
        log_in(tmp_path / "home", registry)
        made = Crawler(registry, tmp_path / "second.sqlite")
        registry.declare(Rule(fault=Failure(500), path=f"/v2/{BAD}/*"))
        outcome = made.crawl()
        good_tags_are_known(made)
        assert all(PASSWORD not in failure.reason for failure in outcome.failures)
        assert PASSWORD.encode() not in made.path.read_bytes()


def test_a_config_at_another_origin_is_read_without_credentials(tmp_path: Path) -> None:
    with (
        serve(content()) as store,
        serve(content(), access=BasicAccess(users={USER: PASSWORD})) as registry,
    ):
        log_in(tmp_path / "home", registry)
        registry.declare(Rule(fault=Redirect(location=f"{store.url}{{target}}"), path="*/blobs/*"))
        made = Crawler(registry, tmp_path / "catalogue.sqlite")
        assert made.crawl().failures == ()
        assert store.log.count(path="*/blobs/*") == 12
        assert store.log.authorized() == ()


def test_schema_1_and_things_that_are_no_images_are_failures(made: Crawler) -> None:
    made.registry.content.add_schema_1(BAD, built(BAD, 9), "old")
    made.registry.content.add_manifest(BAD, b'{"x": 1}', "application/json", "json")
    outcome = made.crawl()
    good_tags_are_known(made)
    assert sorted(str(failure.tag) for failure in outcome.failures) == ["json", "old"]
    assert "schema 1" in " ".join(reasons(outcome))


def test_an_index_whose_image_is_missing_is_known_as_far_as_it_is(made: Crawler) -> None:
    registry = made.registry.content
    digest = registry.add_index(BAD, [built(BAD, 7), built(BAD, 8)], "multi")
    lost = registry.add_image(BAD, built(BAD, 8))
    del registry.repositories[BAD].manifests[lost]
    for _ in range(2):  # and it is asked for again the next time
        outcome = made.crawl()
        assert [(each.tag, str(each.digest)) for each in outcome.failures] == [("multi", lost)]
        assert made.tags()[f"{BAD}:multi"] == digest
    assert made.asked()["GET manifest"] == 1


def test_indexes_that_contain_each_other_end(made: Crawler) -> None:
    registry = made.registry.content
    deep = registry.add_index(BAD, [built(BAD, 7)])
    for _ in range(12):
        nested: Fields = {"schemaVersion": 2, "manifests": [registry.descriptor(BAD, deep)] * 2}
        deep = registry.add_manifest(
            BAD, json_bytes(nested), "application/vnd.oci.image.index.v1+json"
        )
    registry.repositories[BAD].tags["deep"] = deep
    outcome = made.crawl()
    assert outcome.failures == ()
    assert made.tags()[f"{BAD}:deep"] == deep


def test_sizes_beyond_all_sense_are_refused(made: Crawler) -> None:
    config = made.registry.content.add_blob(BAD, b"{}")
    huge: Fields = {
        "mediaType": "application/vnd.oci.image.layer.v1.tar",
        "digest": digest_of(b"x"),
        "size": 1 << 62,
    }
    kind = "application/vnd.oci.image.config.v1+json"
    manifest: Fields = {
        "schemaVersion": 2,
        "config": {"mediaType": kind, "digest": config, "size": 2},
        "layers": [huge],
    }
    made.registry.content.add_manifest(
        BAD, json_bytes(manifest), "application/vnd.oci.image.manifest.v1+json", "huge"
    )
    outcome = made.crawl()
    assert [failure.tag for failure in outcome.failures] == ["huge"]
    assert "out of range" in outcome.failures[0].reason


def test_a_catalog_of_another_origin_is_refused(made: Crawler) -> None:
    elsewhere = Answer(
        status=200,
        headers=(("Link", '<https://evil.example/v2/_catalog>; rel="next"'),),
        body=b'{"repositories": []}',
    )
    made.registry.declare(Rule(fault=elsewhere, path="/v2/_catalog"))
    with pytest.raises(RegistryError, match="another origin"):
        made.crawl()


def test_patience_is_the_askers(made: Crawler) -> None:
    """A Retry-After longer than the patience is no reason to wait for it."""
    made.registry.declare(
        Rule(fault=Busy(retry_after=InSeconds(3600)), method="*", path=f"/v2/{BAD}/*")
    )
    patient = RegistryOptions(patience=replace(OPTIONS.patience, all_waits=0.1))
    assert isinstance(patient.patience, Patience)
    outcome = made.using(replace(SETTINGS, options=patient)).crawl()
    good_tags_are_known(made)
    assert "3600 s" in outcome.failures[0].reason
