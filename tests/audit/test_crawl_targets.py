"""What a crawl is asked for, as people name it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from layerlens.audit.crawl_targets import (
    CrawlRequest,
    WholeRegistry,
    check_listing,
    parse_target,
    parse_targets,
)
from layerlens.errors import UsageError
from layerlens.oci.platform import Platform
from layerlens.oci.reference import is_repository, is_tag

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", "localhost"),
        ("localhost:5000", "localhost:5000"),
        ("docker://localhost:5000", "localhost:5000"),
        ("registry.example.com", "registry.example.com"),
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("[::1]:5000", "[::1]:5000"),
        ("registry:5000/", "registry:5000"),
        ("localhost:5000/", "localhost:5000"),
    ],
)
def test_hosts_are_registries(text: str, host: str) -> None:
    assert parse_target(text) == WholeRegistry(host)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("localhost:5000/team/app", "localhost:5000/team/app"),
        ("localhost:5000/app:1.0", "localhost:5000/app:1.0"),
        (f"docker://ghcr.io/app@{DIGEST}", f"ghcr.io/app@{DIGEST}"),
        ("python", "docker.io/library/python"),
        ("python:3", "docker.io/library/python:3"),
        ("app:2024", "docker.io/library/app:2024"),
        ("bitnami/redis", "docker.io/bitnami/redis"),
    ],
)
def test_all_else_are_repositories_and_images(text: str, name: str) -> None:
    assert str(parse_target(text)) == name


@pytest.mark.parametrize(
    "text", ["", "/", "docker://", "https://x.io", "a b", "../x", "a b/", "../", "x/Y", "a//b"]
)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not"):
        parse_target(text)


def test_a_list_has_one_a_line() -> None:
    lines = ["# ours\n", "\n", "  localhost:5000/app \n", "docker://python:3\r\n"]
    assert [str(target) for target in parse_targets(lines, "list")] == [
        "localhost:5000/app",
        "docker.io/library/python:3",
    ]
    with pytest.raises(UsageError, match=r"^list: line 2: 'a b' is not"):
        parse_targets(["x.io/a", "a b"], "list")
    with pytest.raises(UsageError, match="names nothing"):
        parse_targets(["# nothing"], "list")


def request(*names: str) -> CrawlRequest:
    return CrawlRequest(targets=tuple(map(parse_target, names)))


def test_a_scope_tells_requests_apart_and_knows_the_same_again() -> None:
    one = request("x.io/a", "x.io/b")
    assert one.scope == request("x.io/b", "x.io/a", "x.io/b").scope
    many = request(*(f"x.io/{name}" for name in "abcdef"))
    assert many.scope == request(*(f"x.io/{name}" for name in "fedcba")).scope
    others = [
        request("x.io/a"),
        many,
        request(*(f"x.io/{name}" for name in "abcdeg")),
        replace(one, tags="v*"),
        replace(one, newest=3),
        replace(one, platform=Platform.parse("linux/arm64")),
    ]
    assert len({each.scope for each in (one, *others)}) == 7


def test_a_title_is_short() -> None:
    assert request("x.io").title == "x.io"
    assert request(*(f"x.io/{name}" for name in "abcdef")).title == "x.io/a and 5 more"


def test_docker_hub_lists_nothing() -> None:
    with pytest.raises(UsageError, match=r"name them, such as docker\.io/library/python"):
        check_listing(request("docker.io"))
    check_listing(request("docker.io/library/python", "localhost:5000"))


@pytest.mark.parametrize("name", ["a", "team/app", "a__b", "a-b--c", "x" * 255])
def test_names_of_repositories(name: str) -> None:
    assert is_repository(name)


@pytest.mark.parametrize("name", ["", "A", "../x", "a//b", "a/", "/a", "a b", "a\n", "x" * 256])
def test_names_that_no_repository_has(name: str) -> None:
    assert not is_repository(name)


@pytest.mark.parametrize("name", ["", ".", "..", "-x", "a/b", "a b", "1\n", "é", "x" * 129])
def test_names_that_no_tag_has(name: str) -> None:
    assert not is_tag(name)
