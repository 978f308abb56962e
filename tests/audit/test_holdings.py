"""A catalogue opened for questions: as it is at one moment, and interruptible."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from pathlib import Path

import pytest

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.holdings import Holdings, TagName, open_holdings
from layerlens.audit.totals import sharing_totals
from layerlens.errors import AmbiguousImage, LayerlensError, NotFound

from .recorded import HOST, digest, image, layer, list_tags, repository

_ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"


def crawl(path: Path, *names: str) -> None:
    """Record an image of one layer for each name, as tags of team/app."""
    with Catalogue(path) as catalogue:
        run = catalogue.start_run("all", now=1)
        where = repository(catalogue, run)
        list_tags(catalogue, run, where, names, now=1)
        for tag in catalogue.pending_tags(run, where):
            catalogue.record_image(image(tag.name, layer(tag.name)))
            catalogue.record_tag(run, tag, digest(tag.name), now=1)
        catalogue.finish_run(run, now=1)


def stored(holdings: Holdings) -> int:
    return next(sharing_totals(holdings)).stored


def test_all_figures_are_of_one_moment_while_a_crawl_writes(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    crawl(path, "a")
    with open_holdings(path, None) as holdings:
        crawl(path, "a", "b")
        assert stored(holdings) == 100
        assert holdings.number("SELECT COUNT(*) FROM tag") == 1
    with open_holdings(path, HOST) as holdings:
        assert stored(holdings) == 200


def test_nothing_can_be_written_through_it(tmp_path: Path) -> None:
    crawl(tmp_path / "catalogue", "a")
    before = (tmp_path / "catalogue").read_bytes()
    with (
        pytest.raises(LayerlensError, match="readonly database"),
        open_holdings(tmp_path / "catalogue", None) as holdings,
    ):
        holdings.connection.execute("DELETE FROM main.tag")
    assert (tmp_path / "catalogue").read_bytes() == before


def test_a_question_can_be_interrupted(tmp_path: Path) -> None:
    crawl(tmp_path / "catalogue", "a")
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with (
        pytest.raises(KeyboardInterrupt),
        open_holdings(tmp_path / "catalogue", None) as holdings,
    ):
        holdings.connection.execute(_ENDLESS).fetchone()
    timer.join()


def test_images_are_called_by_their_first_tag(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    crawl(path, "b", "a")
    with open_holdings(path, None) as holdings:
        keys = holdings.connection.execute("SELECT id FROM temp.live_image").fetchall()
        found = [holdings.image_name(key) for (key,) in keys]
        assert sorted(map(str, found)) == ["team/app:a", "team/app:b"]
        assert holdings.image_name(99) is None
    assert str(TagName(repository="team/app", tag="@sha256:ab")) == "team/app@sha256:ab"


def test_a_registry_is_chosen(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    with pytest.raises(NotFound, match="there is no such catalogue"), open_holdings(path, None):
        pass
    with Catalogue(path):
        pass
    with pytest.raises(NotFound, match="is empty"), open_holdings(path, None):
        pass
    with Catalogue(path) as catalogue:
        run = catalogue.start_run("all", now=1)
        for host in ("b", "a\x1b"):
            catalogue.queue_repositories(run, host, ["x"])
    with (
        pytest.raises(AmbiguousImage, match=r"name one: a\\x1b, b"),
        open_holdings(path, None),
    ):
        pass
    with pytest.raises(NotFound, match="nothing of c"), open_holdings(path, "c"):
        pass
    with open_holdings(path, "b") as holdings:
        assert stored(holdings) == 0


def test_sums_beyond_what_sqlite_holds_are_an_error_and_no_wrong_number(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    crawl(path, "a", "b")
    connection = sqlite3.connect(path)
    connection.execute("UPDATE blob SET size = 9223372036854775807")
    connection.commit()
    connection.close()
    with (
        pytest.raises(LayerlensError, match="integer overflow"),
        open_holdings(path, None) as holdings,
    ):
        stored(holdings)
