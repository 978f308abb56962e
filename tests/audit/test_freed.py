"""What deleting tags frees: what is stored with them, less what is stored without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.freed import (
    BlobRole,
    DeletedTag,
    deleted_tags,
    freed,
    gone_blobs,
    gone_manifests,
)
from layerlens.audit.holdings import Holdings, open_holdings
from layerlens.audit.records import ImageRecord, IndexRecord, ManifestKind
from layerlens.audit.tag_choice import (
    TagRules,
    chosen_tags,
    dated_tags,
    named_tags,
    parse_age,
    signature_tags,
)
from layerlens.errors import NotFound, UsageError
from layerlens.oci.digest import Digest

from .made_registries import FOREIGN_TYPE, MadeRegistry, holdings_of, made_registries
from .recorded import HOST, digest, image, index, layer, list_tags, repository

DAY = 86_400
NOW = 1_750_000_000
Tag = tuple[str, str]


def stored(made: MadeRegistry, tags: set[Tag]) -> tuple[set[Digest], dict[Digest, int]]:
    """The manifests and blobs that a registry with these tags stores, with the blobs' bytes."""
    names = {name for tag in tags for name in made.reached(made.tags[tag])}
    blobs: dict[Digest, int] = {}
    for name in names & made.images.keys():
        each = made.images[name]
        blobs |= {
            layer.digest: layer.size for layer in each.layers if layer.media_type != FOREIGN_TYPE
        }
        if each.config is not None:
            blobs[each.config.digest] = each.config.size
    return {digest(name) for name in names}, blobs


def bytes_of(made: MadeRegistry, tags: set[Tag]) -> int:
    manifests, blobs = stored(made, tags)
    indexes = {digest(name) for name in made.indexes}
    return sum(blobs.values()) + sum(300 if each in indexes else 500 for each in manifests)


def places(holdings: Holdings, tags: set[Tag]) -> frozenset[int]:
    return frozenset(
        tag.place for tag in dated_tags(holdings) if (tag.name.repository, tag.name.tag) in tags
    )


def key(tag: DeletedTag) -> Tag:
    return tag.name.repository, tag.name.tag


@settings(max_examples=40)
@given(made_registries(), st.data())
def test_freed_is_what_is_stored_with_the_tags_less_without(
    made: MadeRegistry, data: st.DataObject
) -> None:
    everything = set(made.tags)
    with holdings_of(made) as holdings:
        for _ in range(2):  # a catalogue that is open can be asked again
            tags = data.draw(st.sets(st.sampled_from(sorted(made.tags))))
            found = freed(holdings, places(holdings, tags))
            before, after = stored(made, everything), stored(made, everything - tags)
            gone = before[1].keys() - after[1].keys()
            assert found.bytes == bytes_of(made, everything) - bytes_of(made, everything - tags)
            assert {each.digest for each in gone_manifests(holdings, None)} == before[0] - after[0]
            blobs = {each.digest: each for each in gone_blobs(holdings, None)}
            assert {each: blob.size for each, blob in blobs.items()} == {
                each: before[1][each] for each in gone
            }
            for role, part in (
                (BlobRole.LAYER, found.layers),
                (BlobRole.CONFIG, found.configs),
                (BlobRole.ARTIFACT, found.artifact_blobs),
            ):
                sizes = [blob.size for blob in blobs.values() if blob.role is role]
                assert (part.count, part.bytes) == (len(sizes), sum(sizes))
            rows = list(deleted_tags(holdings, None))
            assert {key(row): (row.size, row.alone) for row in rows} == {
                tag: (
                    bytes_of(made, {tag}),
                    bytes_of(made, everything) - bytes_of(made, everything - {tag}),
                )
                for tag in tags
            }
            assert [row.alone for row in rows] == sorted((row.alone for row in rows), reverse=True)


@settings(max_examples=15)
@given(made_registries())
def test_deleting_everything_frees_everything(made: MadeRegistry) -> None:
    with holdings_of(made) as holdings:
        found = freed(holdings, places(holdings, set(made.tags)))
    assert found.bytes == bytes_of(made, set(made.tags))
    assert found.layers_kept.count == 0


# The rules


Things = dict[str, ImageRecord | IndexRecord]


def crawled(path: Path, things: Things, **others: ImageRecord) -> Path:
    """A catalogue whose tags, ``repository:tag``, lead to these."""
    with Catalogue(path) as catalogue:
        run = catalogue.start_run("all", now=NOW)
        for name in sorted({each.rpartition(":")[0] for each in things}):
            where = repository(catalogue, run, name)
            tags = [each.rpartition(":")[2] for each in things if each.startswith(f"{name}:")]
            list_tags(catalogue, run, where, tags, now=NOW)
            for tag in catalogue.pending_tags(run, where):
                catalogue.record_tag(run, tag, things[f"{name}:{tag.name}"].digest, now=NOW)
        for each in [*things.values(), *others.values()]:
            if isinstance(each, ImageRecord):
                catalogue.record_image(each)
            else:
                catalogue.record_index(each)
    return path


def aged(name: str, days: int | None) -> ImageRecord:
    created = None if days is None else NOW - days * DAY
    return image(name, layer(name), created=created)


def chosen(
    path: Path,
    *,
    repositories: str | None = None,
    tags: str | None = None,
    older_than: int | None = None,
    keep_newest: int | None = None,
    now: int = NOW,
) -> list[str]:
    rules = TagRules(
        repositories=repositories, tags=tags, older_than=older_than, keep_newest=keep_newest
    )
    with open_holdings(path, None) as holdings:
        found = chosen_tags(holdings, rules, now=now)
        return [str(tag.name) for tag in dated_tags(holdings) if tag.place in found]


@pytest.fixture
def builds(tmp_path: Path) -> Path:
    things: Things = {f"app:pr-{days}": aged(f"app {days}", days) for days in (10, 50, 90, 200)}
    things["app:latest"] = things["app:pr-10"]
    things["team/web:pr-300"] = aged("web", 300)
    things["team/web:v1"] = aged("web 1", 400)
    return crawled(tmp_path / "catalogue", things)


def test_tags_older_than_an_age(builds: Path) -> None:
    assert chosen(builds, older_than=90 * DAY) == [
        "app:pr-200",
        "app:pr-90",
        "team/web:pr-300",
        "team/web:v1",
    ]
    assert chosen(builds, older_than=90 * DAY + 1) == [
        "app:pr-200",
        "team/web:pr-300",
        "team/web:v1",
    ]


def test_the_newest_of_each_repository_are_kept(builds: Path) -> None:
    # latest and pr-10 lead to one manifest, and count as one.
    assert chosen(builds, keep_newest=2) == ["app:pr-200", "app:pr-90"]
    assert len(chosen(builds, keep_newest=0)) == 7


def test_all_rules_have_to_allow_it(builds: Path) -> None:
    assert chosen(builds, keep_newest=1, older_than=60 * DAY) == [
        "app:pr-200",
        "app:pr-90",
        "team/web:v1",
    ]


def test_globs_narrow_what_is_counted(builds: Path) -> None:
    assert chosen(builds, repositories="team/*") == ["team/web:pr-300", "team/web:v1"]
    assert chosen(builds, tags="v?") == ["team/web:v1"]
    assert chosen(builds, tags="pr-*", keep_newest=1) == ["app:pr-200", "app:pr-50", "app:pr-90"]
    assert chosen(builds, repositories="APP") == []


@pytest.mark.parametrize("days", [None, 20_000])
def test_without_a_date_a_tag_is_as_old_as_its_first_sight(
    days: int | None, tmp_path: Path
) -> None:
    path = crawled(tmp_path / "catalogue", {"app:1": aged("one", days)})
    assert chosen(path, older_than=DAY) == []
    assert chosen(path, older_than=DAY, now=NOW + DAY) == ["app:1"]


def test_an_index_is_as_old_as_its_newest_image(tmp_path: Path) -> None:
    both = index("both", "old", "new")
    path = crawled(
        tmp_path / "catalogue", {"app:1": both}, old=aged("old", 100), new=aged("new", 5)
    )
    assert chosen(path, older_than=10 * DAY) == []
    assert chosen(path, older_than=5 * DAY) == ["app:1"]


def test_signatures_and_what_was_asked_for_by_digest_are_passed_over(tmp_path: Path) -> None:
    signed = aged("signed", 100)
    signature = replace(aged("signature", 100), kind=ManifestKind.ARTIFACT)
    path = crawled(
        tmp_path / "catalogue",
        {"app:1": signed, f"app:sha256-{signed.digest.hex}.sig": signature},
    )
    with Catalogue(path) as catalogue:
        run = catalogue.start_run("all", now=NOW)
        where = repository(catalogue, run, "app")
        catalogue.add_tags(run, where, [f"@{digest('pinned')}"], now=NOW)
        (tag,) = (each for each in catalogue.pending_tags(run, where) if each.name.startswith("@"))
        catalogue.record_image(aged("pinned", 300))
        catalogue.record_tag(run, tag, digest("pinned"), now=NOW)
    assert chosen(path, older_than=DAY) == ["app:1"]
    with open_holdings(path, None) as holdings:
        (found,) = signature_tags(holdings, frozenset({signed.digest}))
        (tag_name,) = (tag.name for tag in dated_tags(holdings) if tag.place == found)
        assert tag_name.tag.endswith(".sig")
        assert signature_tags(holdings, frozenset({digest("pinned")})) == frozenset()


def test_tags_are_named_with_and_without_the_registry(builds: Path) -> None:
    with open_holdings(builds, None) as holdings:
        names = ["app:latest", f"{HOST}/team/web:v1", f"docker://{HOST}/app:pr-10"]
        found = named_tags(holdings, names)
        told = [str(tag.name) for tag in dated_tags(holdings) if tag.place in found]
        assert told == ["app:latest", "app:pr-10", "team/web:v1"]
        by_digest = named_tags(holdings, [f"app@{digest('app 10')}"])
        assert len(by_digest) == 2


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("app:2", NotFound, "no such tag in the catalogue"),
        ("web:v1", NotFound, "no such tag"),
        ("app", UsageError, "names no tag: say app:TAG, or --repo app"),
        ("App:1", UsageError, "must be lower case"),
        (f"app@{digest('nothing')}", NotFound, "no such tag"),
        ("later:1", NotFound, "the crawl did not follow this tag"),
    ],
)
def test_what_is_not_there_is_told(
    name: str, error: type[Exception], message: str, builds: Path
) -> None:
    with Catalogue(builds) as catalogue:
        run = catalogue.start_run("all", now=NOW)
        list_tags(catalogue, run, repository(catalogue, run, "later"), ["1"], now=NOW, chosen=[])
    with open_holdings(builds, None) as holdings, pytest.raises(error, match=message):
        named_tags(holdings, [name])


def test_ages() -> None:
    assert [parse_age(text) for text in ("12h", "90d", "2w")] == [43_200, 90 * DAY, 14 * DAY]
    for text in ("90", "d", "-1d", "1.5d", "90 d", "1y", ""):
        with pytest.raises(UsageError, match="is no age"):
            parse_age(text)
