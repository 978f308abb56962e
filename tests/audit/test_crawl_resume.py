"""Crawls that are killed: another goes on where they were, and nothing is lost or half there."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from image_builder import file, image, layer
from registry_content import RegistryContent
from registry_faults import FOREVER, Delayed
from registry_rules import Rule

from layerlens.audit.catalogue import Catalogue

from .crawling import Crawler, crawler
from .recorded import rows

JOBS = 3
REPOSITORIES = 20
TAGS = 4


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Crawler]:
    """Many images, each answer a little late."""
    base = layer(file("/base", b"b" * 1000))
    content = RegistryContent()
    for number in range(REPOSITORIES):
        for tag in range(TAGS):
            built = image(base, layer(file("/app", b"%d %d" % (number, tag))))
            content.add_image(f"app{number}", built, f"{tag}")
    with crawler(content, tmp_path) as made:
        made.registry.declare(Rule(fault=Delayed(0.01), method="*"))
        yield made


@contextmanager
def crawling(made: Crawler, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command in a process of its own, in the middle of its work."""
    command = [sys.executable, "-m", "layerlens", "audit", made.registry.host]
    options = ["--db", str(made.path), "--jobs", str(JOBS), *words]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 20
        while made.registry.log.count(path="*/manifests/*") < REPOSITORIES * TAGS // 3:
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.communicate()


def fetched(made: Crawler) -> Counter[str]:
    """How often each manifest and config was asked for."""
    return Counter(
        request.path
        for request in made.registry.log.matching("GET")
        if "/blobs/" in request.path or "/manifests/" in request.path
    )


def test_a_crawl_killed_in_the_middle_is_gone_on_with(large: Crawler) -> None:
    with crawling(large) as process:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    before = fetched(large)
    large.registry.withdraw_rules()
    kept = "SELECT COUNT(*) FROM tag WHERE checked_run IS NOT NULL"
    ((done,),) = rows(large.path, kept)
    assert isinstance(done, int)
    assert 0 < done < REPOSITORIES * TAGS
    assert rows(large.path, "PRAGMA integrity_check") == [("ok",)]
    broken = (
        "SELECT COUNT(*) FROM manifest WHERE kind = 1 AND (chain_id IS NULL OR config_id IS NULL"
        " OR (SELECT COUNT(*) FROM image_layer WHERE manifest_id = manifest.id) != 2)"
    )
    assert rows(large.path, broken) == [(0,)]

    outcome = large.crawl()
    assert outcome.resumed
    assert outcome.failures == ()
    assert large.tags() == large.held()
    # Asked again is only what was on its way when the process died.
    again = before & fetched(large)
    assert again.total() <= 2 * JOBS + 2
    assert large.asked()["catalog"] == 0
    # And the one after that begins anew.
    assert not large.crawl().resumed
    assert fetched(large).total() == 0


def test_an_interrupted_command_ends_at_once_and_says_nothing(large: Crawler) -> None:
    with crawling(large) as process:
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        assert process.returncode == 130
        assert time.monotonic() - began < 5
        assert (out, err) == (b"", b"")
    large.registry.withdraw_rules()
    assert large.crawl().resumed
    assert large.tags() == large.held()


def test_another_request_is_another_crawl(large: Crawler) -> None:
    large.registry.withdraw_rules()
    with Catalogue(large.path) as catalogue:
        catalogue.start_run(large.request().scope, now=1)
    outcome = large.crawl(large.request("app1"))
    assert not outcome.resumed
    assert large.tags().keys() == {f"app1:{tag}" for tag in range(TAGS)}


def test_an_interrupt_is_not_held_up_by_a_registry_that_is_silent(large: Crawler) -> None:
    with crawling(large) as process:
        large.registry.declare(Rule(fault=Delayed(FOREVER), method="*"))
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode == 130
        assert time.monotonic() - began < 5
