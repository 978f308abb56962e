"""The catalogue as a crawl writes it: runs that go on, tags that come, move and go."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.records import CrawlRun, ImageRecord, ManifestKind
from layerlens.errors import LayerlensError, MalformedInput
from layerlens.oci.digest import Digest

from .made_registries import FOREIGN_TYPE
from .recorded import HOST, digest, image, index, layer, list_tags, repository, rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.sqlite"


@pytest.fixture
def catalogue(path: Path) -> Iterator[Catalogue]:
    with Catalogue(path) as opened:
        yield opened


def record(catalogue: Catalogue, run: CrawlRun, tags: dict[str, str], *, now: int) -> None:
    """A whole look at team/app, whose tags lead to images by these names."""
    where = repository(catalogue, run)
    list_tags(catalogue, run, where, list(tags), now=now)
    for tag in catalogue.pending_tags(run, where):
        name = tags[tag.name]
        catalogue.record_image(image(name, layer("base"), layer(name)))
        catalogue.record_tag(run, tag, digest(name), now=now)
    catalogue.finish_repository(run, where)


def crawled(catalogue: Catalogue, tags: dict[str, str], *, now: int) -> CrawlRun:
    """A run from its beginning to its end."""
    run = catalogue.start_run("all", now=now)
    record(catalogue, run, tags, now=max(now, run.started))
    catalogue.remove_unqueued(run, HOST, now=max(now, run.started))
    return catalogue.finish_run(run, now=max(now, run.started))


def test_a_run_that_was_not_finished_goes_on(path: Path) -> None:
    with Catalogue(path) as first:
        run = first.start_run("all", now=100)
        where = repository(first, run)
        list_tags(first, run, where, ["1", "2"], now=100)
        first.record_tag(run, first.pending_tags(run, where)[0], digest("a"), now=100)
        first.save_state(run, "half-way")
    with Catalogue(path) as second:
        again = second.start_run("all", now=200)
        assert (again.key, again.started, again.state) == (run.key, 100, "half-way")
        assert [tag.name for tag in second.pending_tags(again, where)] == ["2"]
        counts = second.counts(again)
        assert (counts.repositories, counts.repositories_done) == (1, 0)
        assert (counts.tags, counts.tags_done) == (2, 1)
        second.finish_run(again, now=300)
        third = second.start_run("all", now=300)
        assert third.key != run.key
        assert third.started == 301  # later than whatever the last one wrote
        assert second.pending_repositories(third) == ()


def test_scopes_have_runs_of_their_own(catalogue: Catalogue) -> None:
    one, two = (catalogue.start_run(scope, now=100) for scope in ("one", "two \udcff"))
    repository(catalogue, one)
    assert catalogue.pending_repositories(two) == ()
    assert catalogue.start_run("two \udcff", now=100).key == two.key


def test_repositories_are_given_a_few_at_a_time(catalogue: Catalogue) -> None:
    run = catalogue.start_run("all", now=100)
    catalogue.queue_repositories(run, HOST, [f"r{number}" for number in range(5)])
    first = catalogue.pending_repositories(run, most=2)
    rest = catalogue.pending_repositories(run, after=first[-1].key, most=10)
    assert [each.name for each in (*first, *rest)] == ["r0", "r1", "r2", "r3", "r4"]
    # Queued again, those that are done stay so.
    catalogue.finish_repository(run, first[0])
    catalogue.queue_repositories(run, HOST, ["r0", "r1"])
    assert next(each.name for each in catalogue.pending_repositories(run)) == "r1"


def test_tags_move_and_their_history_is_kept(catalogue: Catalogue, path: Path) -> None:
    crawled(catalogue, {"1": "a"}, now=100)
    crawled(catalogue, {"1": "a"}, now=200)
    run = crawled(catalogue, {"1": "b"}, now=300)
    times = "SELECT first_seen, last_seen, moved, resolved FROM tag"
    assert rows(path, times) == [(100, 300, 300, 300)]
    history = (
        "SELECT lower(hex(digest)), first_seen, last_seen FROM tag_history"
        " JOIN manifest ON manifest.id = manifest_id"
    )
    assert rows(path, history) == [(digest("a").hex, 100, 200)]
    changes = catalogue.changes(run)
    assert (changes.tags_added, changes.tags_moved, changes.tags_removed) == (0, 1, 0)


def test_tags_that_are_no_longer_listed_are_removed_and_may_come_back(
    catalogue: Catalogue, path: Path
) -> None:
    crawled(catalogue, {"1": "a", "2": "b"}, now=100)
    run = crawled(catalogue, {"2": "b", "3": "c"}, now=200)
    changes = catalogue.changes(run)
    assert (changes.tags_added, changes.tags_removed) == (1, 1)
    assert rows(path, "SELECT name, removed FROM tag ORDER BY name") == [
        ("1", 200), ("2", None), ("3", None)
    ]  # fmt: skip
    crawled(catalogue, {"1": "a", "2": "b", "3": "c"}, now=300)
    assert rows(path, "SELECT first_seen, removed FROM tag WHERE name = '1'") == [(100, None)]


def test_crawls_within_one_second_are_told_apart(catalogue: Catalogue) -> None:
    crawled(catalogue, {"1": "a", "2": "a"}, now=100)
    run = crawled(catalogue, {"1": "b", "3": "c"}, now=100)
    changes = catalogue.changes(run)
    assert (changes.tags_added, changes.tags_moved, changes.tags_removed) == (1, 1, 1)
    assert not catalogue.changes(catalogue.start_run("all", now=100)).tags_added


def test_images_named_by_digest_stay_though_no_list_names_them(catalogue: Catalogue) -> None:
    run = catalogue.start_run("all", now=100)
    where = repository(catalogue, run)
    catalogue.add_tags(run, where, [f"@{digest('a')}"], now=100)
    assert list_tags(catalogue, run, where, ["1"], now=100) == 0
    assert [tag.removed for tag in catalogue.pending_tags(run, where)] == [None, None]


def test_a_repository_that_is_gone_takes_its_tags_along(catalogue: Catalogue, path: Path) -> None:
    crawled(catalogue, {"1": "a"}, now=100)
    run = catalogue.start_run("all", now=200)
    catalogue.queue_repositories(run, HOST, ["other"])
    catalogue.queue_repositories(run, "elsewhere.example.com", ["theirs"])
    assert catalogue.remove_unqueued(run, HOST, now=200) == 1
    assert rows(path, "SELECT removed FROM tag") == [(200,)]
    assert rows(path, "SELECT name FROM repository WHERE removed IS NULL") == [
        ("other",), ("theirs",)
    ]  # fmt: skip
    assert catalogue.changes(run).repositories_removed == 1
    catalogue.queue_repositories(run, HOST, ["team/app"])
    assert rows(path, "SELECT COUNT(*) FROM repository WHERE removed IS NOT NULL") == [(0,)]


def test_what_images_share_is_kept_once(catalogue: Catalogue, path: Path) -> None:
    shared = [layer("base", instruction="RUN true"), layer("more", instruction="RUN true")]
    catalogue.record_image(image("a", *shared))
    catalogue.record_image(image("b", *shared, layer("b")))
    catalogue.record_image(image("a"))  # it stands as it was first read
    counts = [f"SELECT COUNT(*) FROM {table}" for table in ("blob", "diff", "chain")]
    assert [rows(path, question) for question in counts] == [[(3 + 2,)], [(3,)], [(3,)]]
    assert rows(path, "SELECT COUNT(*) FROM text WHERE value = 'RUN true'") == [(1,)]
    assert rows(path, "SELECT COUNT(*) FROM image_layer") == [(2 + 3,)]
    # b derives from a: the top of a's chain is below that of b.
    top = "SELECT chain_id FROM manifest WHERE digest = x'{}'"
    below = rows(path, f"SELECT parent_id FROM chain WHERE id = ({top.format(digest('b').hex)})")
    assert below == rows(path, top.format(digest("a").hex))


@pytest.mark.parametrize("anew", [False, True], ids=["at once", "by another crawl"])
@pytest.mark.parametrize("first", [True, False], ids=["foreign first", "foreign last"])
def test_a_layer_is_foreign_only_while_no_image_lists_it_as_another(
    first: bool, anew: bool, path: Path
) -> None:
    """As Windows' base layers, which were foreign in images of before 2023."""
    kept = image("kept", layer("base"), layer("app"))
    foreign = image("foreign", replace(layer("base"), media_type=FOREIGN_TYPE))
    with contextlib.ExitStack() as stack:
        catalogue = stack.enter_context(Catalogue(path))
        for each in (foreign, kept) if first else (kept, foreign):
            catalogue.record_image(each)
            if anew:
                catalogue.close()
                catalogue = stack.enter_context(Catalogue(path))
    types = "SELECT DISTINCT value FROM blob JOIN text ON text.id = media_type_id"
    assert (FOREIGN_TYPE,) not in rows(path, types)


def test_chains_end_at_the_first_layer_without_a_diff_id(catalogue: Catalogue, path: Path) -> None:
    unknown = layer("x")
    unknown = type(unknown)(digest=unknown.digest, size=1, media_type=unknown.media_type)
    catalogue.record_image(image("a", layer("base"), unknown, layer("top")))
    known = "SELECT diff_id IS NULL, chain_id IS NULL FROM image_layer ORDER BY position"
    assert rows(path, known) == [(0, 0), (1, 1), (0, 1)]
    assert rows(path, "SELECT chain_id FROM manifest") == [(None,)]
    assert catalogue.facts_of_config(digest("config a")) is None


def test_what_is_unread_below_an_index_is_told(catalogue: Catalogue) -> None:
    top = digest("top")
    assert [each.digest for each in catalogue.unread(top)] == [top]
    catalogue.record_index(index("top", "nested", "b"))
    catalogue.record_index(index("nested", "a", "top"))  # a circle, which sha256 rules out
    unread = catalogue.unread(top)
    assert {each.digest for each in unread} == {digest("a"), digest("b")}
    assert {each.platform for each in unread} == {"linux/arm64"}
    catalogue.record_image(image("a"))
    catalogue.record_image(image("b"))
    assert catalogue.unread(top) == ()
    assert catalogue.is_read(top)
    assert not catalogue.is_read(digest("never"))


def test_what_a_config_says_is_known_by_its_digest(catalogue: Catalogue) -> None:
    made = image("a", layer("base", instruction="ADD x"), layer("top"), created=7)
    catalogue.record_image(made)
    facts = catalogue.facts_of_config(digest("config a"))
    assert facts is not None
    assert (facts.platform, facts.created) == ("linux/amd64", 7)
    assert facts.diff_ids == (digest("diff base"), digest("diff top"))
    assert facts.instructions == ("ADD x", None)
    assert catalogue.facts_of_config(digest("blob base")) is None


def test_when_an_image_was_made_is_known_by_its_digest(catalogue: Catalogue) -> None:
    catalogue.record_index(index("both", "old", "new", "unread"))
    catalogue.record_image(image("old", created=5))
    catalogue.record_image(image("new", created=9))
    assert [catalogue.created(digest(name)) for name in ("old", "both", "unread", "never")] == [
        5, 9, None, None
    ]  # fmt: skip


def test_failures_are_kept_and_tried_again(catalogue: Catalogue, path: Path) -> None:
    run = catalogue.start_run("all", now=100)
    where = repository(catalogue, run)
    list_tags(catalogue, run, where, ["1", "2"], now=100)
    one, two = catalogue.pending_tags(run, where)
    catalogue.record_tag(run, one, digest("a"), now=100)
    catalogue.record_failure(
        run, HOST, reason="no", now=101, repository=where, tag=two, digest=digest("b")
    )
    catalogue.record_failure(run, HOST, reason="hm \udcff", now=102)
    catalogue.finish_repository(run, where)
    first, second = catalogue.failures(run)
    assert (first.repository, first.tag, first.digest) == ("team/app", "2", digest("b"))
    assert (second.repository, second.tag, second.reason) == (None, None, "hm \udcff")
    assert catalogue.counts(run).failures == 2
    assert catalogue.pending_tags(run, where) == ()

    catalogue.retry_failures(run)
    assert catalogue.failures(run) == ()
    assert [each.name for each in catalogue.pending_repositories(run)] == ["team/app"]
    assert [tag.name for tag in catalogue.pending_tags(run, where)] == ["2"]


def test_a_failure_of_a_repository_stands_beside_it_until_its_tags_are_listed(
    catalogue: Catalogue,
) -> None:
    run = catalogue.start_run("all", now=100)
    where = repository(catalogue, run)
    catalogue.record_failure(run, HOST, reason="layer", now=1, repository=where, digest=digest("x"))
    assert repository(catalogue, run).failure is None
    catalogue.record_failure(run, HOST, reason="no", now=100, repository=where)
    assert repository(catalogue, run).failure == "no"
    list_tags(catalogue, run, where, [], now=200)
    assert repository(catalogue, run).failure is None


HOSTILE = ["", "\x00", "'; DROP TABLE tag; --", "\u202e\U0001f600", "\udcff\udc80", "x" * 100_000]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_come_back_as_they_were(catalogue: Catalogue, text: str) -> None:
    run = catalogue.start_run(text, now=100)
    assert run.scope == text
    where = repository(catalogue, run, text)
    assert where.name == text
    list_tags(catalogue, run, where, [text], now=100)
    (tag,) = catalogue.pending_tags(run, where)
    assert tag.name == text
    made = image("a", layer("base", instruction=text))
    catalogue.record_image(made)
    facts = catalogue.facts_of_config(digest("config a"))
    assert facts is not None
    assert facts.instructions == (text,)
    # Listed again, it is the same one.
    assert list_tags(catalogue, run, where, [text], now=200) == 0
    assert catalogue.counts(run).tags == 1


def test_bytes_that_were_no_text_and_the_text_that_looks_like_them_differ(
    catalogue: Catalogue,
) -> None:
    run = catalogue.start_run("all", now=100)
    where = repository(catalogue, run)
    list_tags(catalogue, run, where, ["\udcff", "\xff", "\\udcff"], now=100)
    names = [tag.name for tag in catalogue.pending_tags(run, where)]
    assert sorted(names) == sorted(["\udcff", "\xff", "\\udcff"])


@pytest.mark.parametrize("size", [-1, (1 << 44) + 1, 1 << 70])
def test_sizes_beyond_all_sense_are_refused(size: int) -> None:
    with pytest.raises(MalformedInput, match="out of range"):
        layer("a", size)


def test_an_index_is_no_image() -> None:
    with pytest.raises(ValueError, match="IndexRecord"):
        ImageRecord(
            digest=digest("a"),
            media_type="x",
            size=1,
            layers=(),
            config=None,
            kind=ManifestKind.INDEX,
        )


def test_digests_of_both_algorithms_are_kept(catalogue: Catalogue) -> None:
    long = Digest(algorithm="sha512", hex="ab" * 64)
    run = catalogue.start_run("all", now=100)
    where = repository(catalogue, run)
    list_tags(catalogue, run, where, ["1"], now=100)
    (tag,) = catalogue.pending_tags(run, where)
    catalogue.record_tag(run, tag, long, now=100)
    assert [each.digest for each in catalogue.unread(long)] == [long]


def write_half(catalogue: Catalogue, run: CrawlRun) -> None:
    with catalogue.transaction():
        catalogue.record_image(image("a", layer("base")))
        with catalogue.transaction():
            catalogue.queue_repositories(run, HOST, ["team/app"])
        raise KeyError


def test_what_raises_in_a_transaction_leaves_nothing(catalogue: Catalogue, path: Path) -> None:
    run = catalogue.start_run("all", now=100)
    with pytest.raises(KeyError):
        write_half(catalogue, run)
    assert rows(path, "SELECT COUNT(*) FROM manifest") == [(0,)]
    assert catalogue.counts(run).repositories == 0
    catalogue.record_image(image("a", layer("base")))  # no key of it is remembered
    assert rows(path, "SELECT COUNT(*) FROM image_layer") == [(1,)]


def test_where_writing_fails_nothing_of_the_transaction_stays_whatever_is_made_of_the_error(
    catalogue: Catalogue, path: Path
) -> None:
    """A crawl takes what goes wrong with an image for that image's failure; a full disk is none."""
    catalogue.record_image(image("a", layer("base")))
    refusal = "BEGIN SELECT RAISE(FAIL, 'full'); END"
    trigger = f"CREATE TRIGGER full BEFORE INSERT ON image_layer {refusal}"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(trigger)
    with pytest.raises(LayerlensError, match="full"):
        write_and_go_on(catalogue)
    assert rows(path, "SELECT COUNT(*) FROM manifest WHERE kind IS NOT NULL") == [(1,)]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER full")
    catalogue.record_image(image("b", layer("base")))
    assert rows(path, "SELECT COUNT(*) FROM image_layer") == [(2,)]


def write_and_go_on(catalogue: Catalogue) -> None:
    with catalogue.transaction(), contextlib.suppress(LayerlensError):
        catalogue.record_image(image("b", layer("base")))
