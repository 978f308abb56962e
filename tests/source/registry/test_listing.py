"""Tags and repositories, page by page; digests of tags without their manifests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from registry_access import ANONYMOUS, TokenAccess, TokenPolicy, TokenService
from registry_answers import Cursor, LastPage, LinkForm, Pages
from registry_content import RegistryContent
from registry_faults import CutOff, Failure, OtherBody, SetHeader, WithoutHeader
from registry_rules import Rule
from registry_server import serve

from layerlens.errors import (
    AccessDenied,
    LayerlensError,
    MalformedInput,
    NotFound,
    RegistryError,
    RegistryUnavailable,
)
from layerlens.source.registry.client import RegistryClient

from .asking import REPOSITORY, client, served_image

TAGS = tuple(f"v{number:02}" for number in range(25))


def _content() -> RegistryContent:
    content = served_image(*TAGS)
    for number in range(12):
        content.repository(f"group/{number:02}")
    return content


@pytest.mark.parametrize("link", list(LinkForm))
@pytest.mark.parametrize("cursor", list(Cursor))
@pytest.mark.parametrize("last", [LastPage.STOPS, LastPage.EMPTY])
def test_every_page(link: LinkForm, cursor: Cursor, last: LastPage) -> None:
    with serve(_content(), pages=Pages(size=5, link=link, cursor=cursor, last=last)) as registry:
        asked = client(registry)
        assert tuple(asked.tags(REPOSITORY)) == TAGS
        assert list(asked.catalog()) == sorted(registry.content.repositories)


@pytest.mark.parametrize("last", [LastPage.LOOPS, LastPage.REPEATS, LastPage.ENDLESS])
def test_pages_that_go_round_in_a_circle(last: LastPage) -> None:
    with serve(_content(), pages=Pages(size=5, last=last)) as registry:
        with pytest.raises(RegistryError, match="circle"):
            list(client(registry).tags(REPOSITORY))
        assert registry.log.count(path="*/tags/list") < 12


def test_pages_on_another_origin_are_not_followed() -> None:
    with serve(_content()) as elsewhere:
        pages = Pages(size=5, link=LinkForm.ABSOLUTE, origin=elsewhere.url)
        with serve(_content(), pages=pages) as registry:
            with pytest.raises(RegistryError, match="on another origin"):
                list(client(registry).tags(REPOSITORY))
            assert elsewhere.log.count() == 0


def _manifest(asked: RegistryClient) -> list[str]:
    return [str(asked.manifest(REPOSITORY, TAGS[0]).digest)]


def _tags(asked: RegistryClient) -> list[str]:
    return list(asked.tags(REPOSITORY))


def _catalog(asked: RegistryClient) -> list[str]:
    return list(asked.catalog())


@pytest.mark.parametrize(
    ("path", "read"),
    [("*/manifests/*", _manifest), ("*/tags/list", _tags), ("*/_catalog", _catalog)],
)
def test_an_answer_that_breaks_off_is_asked_for_once_more(
    path: str, read: Callable[[RegistryClient], list[str]]
) -> None:
    with serve(_content()) as registry:
        expected = read(client(registry))
        registry.log.clear()
        registry.declare(Rule(fault=CutOff(10), path=path, times=1))
        assert read(client(registry)) == expected
        assert registry.log.count("GET", path) == 2

        registry.log.clear()
        registry.declare(Rule(fault=CutOff(10), path=path))
        with pytest.raises(RegistryUnavailable, match="broke off"):
            read(client(registry))
        assert registry.log.count("GET", path) == 2


def test_no_tags() -> None:
    with serve(_content()) as registry:
        assert list(client(registry).tags("group/00")) == []
        with pytest.raises(NotFound, match="NAME_UNKNOWN"):
            list(client(registry).tags("no/such"))


@pytest.mark.parametrize("status", [404, 405])
def test_a_registry_without_a_catalog(status: int) -> None:
    rule = Rule(fault=Failure(status), path="/v2/_catalog")
    refused = pytest.raises(NotFound, match="does not list its repositories")
    with serve(_content(), rules=(rule,)) as registry, refused:
        list(client(registry).catalog())


def test_the_catalog_has_a_scope_of_its_own() -> None:
    for grants, allowed in ((("registry:catalog",), True), (("repository:*",), False)):
        tokens = TokenService(TokenPolicy(grants={ANONYMOUS: grants}))
        with serve(_content(), access=TokenAccess(service=tokens)) as registry:
            if allowed:
                assert len(list(client(registry).catalog())) == 13
            else:
                with pytest.raises(AccessDenied):
                    list(client(registry).catalog())


@pytest.mark.parametrize("body", [b"[]", b"<html>", b'{"tags": [1]}', b'{"tags": "v1"}'])
def test_a_page_that_is_none(body: bytes) -> None:
    rule = Rule(fault=OtherBody(body), path="*/tags/list")
    with serve(_content(), rules=(rule,)) as registry, pytest.raises(MalformedInput):
        list(client(registry).tags(REPOSITORY))


def test_the_digest_of_a_tag_costs_a_head() -> None:
    with serve(_content()) as registry:
        digest = client(registry).manifest_digest(REPOSITORY, "v01")
        assert str(digest) == registry.content.repositories[REPOSITORY].tags["v01"]
        assert registry.log.count("GET", "*/manifests/*") == 0


@pytest.mark.parametrize(
    "fault",
    [
        WithoutHeader("Docker-Content-Digest"),
        SetHeader("Docker-Content-Digest", "sha256:rubbish"),
        Failure(405),
        Failure(500),
    ],
)
def test_a_head_without_a_digest(fault: WithoutHeader | SetHeader | Failure) -> None:
    rule = Rule(fault=fault, method="HEAD")
    with serve(_content(), rules=(rule,)) as registry:
        digest = client(registry).manifest_digest(REPOSITORY, "v01")
        assert str(digest) == registry.content.repositories[REPOSITORY].tags["v01"]


def test_the_digest_of_a_tag_that_is_not_there() -> None:
    with serve(_content()) as registry:
        with pytest.raises(NotFound, match=f"{REPOSITORY}:none: is not there"):
            client(registry).manifest_digest(REPOSITORY, "none")
        assert registry.log.count("GET", "*/manifests/*") == 0


def test_hostile_names_of_pages_end_in_one_line() -> None:
    rule = Rule(fault=SetHeader("Link", '<http://[::1>; rel="next"'), path="*/tags/list")
    refused = pytest.raises(LayerlensError, match="malformed URL")
    with serve(_content(), rules=(rule,)) as registry, refused:
        list(client(registry).tags(REPOSITORY))
