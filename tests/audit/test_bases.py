"""Who derives from whom, and whose base has moved on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from layerlens.audit.base_images import (
    annotated_bases,
    base_images,
    count_annotated_bases,
    count_bases,
    derived_images,
)
from layerlens.audit.catalogue import Catalogue
from layerlens.audit.holdings import open_holdings
from layerlens.audit.records import ImageRecord, IndexRecord
from layerlens.audit.stale_bases import Evidence, StaleImage, stale_images, stale_totals
from layerlens.oci.digest import Digest

from .made_registries import MadeRegistry, holdings_of, made_registries, with_chains
from .recorded import HOST, digest, image, index, layer, list_tags, repository

OLD = [layer("os", 1000), layer("packages", 500)]
NEW = [layer("os", 1000), layer("newer packages", 600)]
APP = layer("app", 50)


def chains(made: ImageRecord) -> list[Digest | None]:
    return [chain_id for _, chain_id in with_chains(made)]


@settings(max_examples=40)
@given(made_registries())
def test_a_base_is_a_proper_prefix(made: MadeRegistry) -> None:
    images = made.live_images()
    tops = {chain_id for each in images for chain_id in chains(each)[-1:]}
    derived: dict[Digest, list[tuple[Digest, bool]]] = {}
    for each in images:
        below = [
            chain_id for chain_id in chains(each)[:-1] if chain_id is not None and chain_id in tops
        ]
        for chain_id in below:
            derived.setdefault(chain_id, []).append((each.digest, chain_id == below[-1]))
    with holdings_of(made) as holdings:
        bases = list(base_images(holdings, None))
        assert count_bases(holdings) == len(bases)
        for base in bases:
            expected = derived.pop(base.chain_id)
            assert base.images == len(expected)
            assert base.nearest == sum(nearest for _, nearest in expected)
            found = list(derived_images(holdings, base))
            assert sum(each.nearest for each in found) == base.nearest
            assert len(found) == len(expected)
            root = made.tags[base.image.repository, base.image.tag]
            (layers,) = {
                len(made.images[name].layers)
                for name in made.reached(root)
                if made.is_image(name) and chains(made.images[name])[-1:] == [base.chain_id]
            }
            assert base.layers == layers
    assert derived == {}


Step = dict[str, ImageRecord | IndexRecord]
"""What tags lead to, ``repository:tag``, at one time."""


def crawled(path: Path, *steps: Step) -> Path:
    """A catalogue that saw each step in turn, an index's images coming first in it."""
    with Catalogue(path) as catalogue:
        for number, step in enumerate(steps):
            run = catalogue.start_run("all", now=number)
            for name in sorted({each.partition(":")[0] for each in step if ":" in each}):
                where = repository(catalogue, run, name)
                tags = [each.partition(":")[2] for each in step if each.startswith(f"{name}:")]
                list_tags(catalogue, run, where, tags, now=number)
                for tag in catalogue.pending_tags(run, where):
                    root = step[f"{name}:{tag.name}"]
                    catalogue.record_tag(run, tag, root.digest, now=number)
                catalogue.finish_repository(run, where)
            for each in step.values():
                if isinstance(each, ImageRecord):
                    catalogue.record_image(each)
                else:
                    catalogue.record_index(each)
            catalogue.finish_run(run, now=number)
    return path


def stale(path: Path) -> list[tuple[str, str, Evidence, str | None]]:
    with open_holdings(path, None) as holdings:
        found = list(stale_images(holdings, None))
        assert stale_totals(holdings).images == len({str(each.image) for each in found})
    return [_told(each) for each in found]


def _told(each: StaleImage) -> tuple[str, str, Evidence, str | None]:
    still_at = None if each.still_at is None else str(each.still_at)
    return str(each.image), str(each.base), each.evidence, still_at


def test_an_image_on_layers_that_its_base_no_longer_has(tmp_path: Path) -> None:
    app = image("app", *OLD, APP)
    path = crawled(
        tmp_path / "catalogue",
        {"base:1": image("old", *OLD), "app:1": app},
        {"base:1": image("new", *NEW), "app:1": app, "web:1": image("web", *NEW, APP)},
    )
    assert stale(path) == [("app:1", "base:1", Evidence.LAYERS, None)]


def test_a_tag_that_still_leads_to_the_old_layers_is_told(tmp_path: Path) -> None:
    app, old = image("app", *OLD, APP), image("old", *OLD)
    path = crawled(
        tmp_path / "catalogue",
        {"base:1": old, "app:1": app},
        {"base:1": image("new", *NEW), "app:1": app, "base:1.0": old},
    )
    assert stale(path) == [("app:1", "base:1", Evidence.LAYERS, "base:1.0")]


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(image("config", *OLD, created=9), id="other config, same layers"),
        pytest.param(image("more", *OLD, APP), id="what the image itself has"),
        pytest.param(image("less", OLD[0]), id="lower layers alone"),
    ],
)
def test_a_base_whose_layers_are_still_the_lowest_is_not_stale(
    now: ImageRecord, tmp_path: Path
) -> None:
    app = image("app", *OLD, APP)
    path = crawled(
        tmp_path / "catalogue",
        {"base:1": image("old", *OLD), "app:1": app},
        {"base:1": now, "app:1": app},
    )
    assert stale(path) == []


def test_a_stale_base_may_be_further_down(tmp_path: Path) -> None:
    middle, app = image("middle", *OLD, layer("python")), image("app", *OLD, layer("python"), APP)
    path = crawled(
        tmp_path / "catalogue",
        {"base:1": image("old", *OLD), "python:1": middle, "app:1": app},
        {"base:1": image("new", *NEW), "python:1": middle, "app:1": app},
    )
    with open_holdings(path, None) as holdings:
        other, python = stale_images(holdings, None)
    assert (str(python.image), str(python.base), python.through) == ("python:1", "base:1", None)
    assert (str(other.image), str(other.base), str(other.through)) == (
        "app:1",
        "base:1",
        "python:1",
    )


def test_of_several_stale_bases_the_nearest_is_told(tmp_path: Path) -> None:
    middle, app = image("middle", *OLD, layer("python")), image("app", *OLD, layer("python"), APP)
    path = crawled(
        tmp_path / "catalogue",
        {"base:1": image("old", *OLD), "python:1": middle, "app:1": app},
        {"base:1": image("new", *NEW), "python:1": image("newer", *NEW), "app:1": app},
    )
    assert stale(path) == [("app:1", "python:1", Evidence.LAYERS, None)]


def test_a_base_of_several_platforms(tmp_path: Path) -> None:
    app = image("app", *OLD, APP)
    arm = image("arm", layer("arm"))
    both, moved = index("both", "old", "arm"), index("moved", "new", "arm")
    images: Step = {"old": image("old", *OLD), "new": image("new", *NEW), "arm": arm}
    path = crawled(
        tmp_path / "catalogue",
        {"base:1": both, "app:1": app, **images},
        {"base:1": moved, "app:1": app, "arm:1": image("on arm", layer("arm"), APP), **images},
    )
    assert stale(path) == [("app:1", "base:1", Evidence.LAYERS, None)]


def test_an_annotation_says_which_tag_it_was(tmp_path: Path) -> None:
    old, new = image("old", *OLD), image("new", *NEW)
    named = replace(image("app", *OLD, APP), base_name=f"{HOST}/base:2", base_digest=old.digest)
    squashed = replace(
        image("squashed", layer("all")), base_name=f"{HOST}/base:1", base_digest=old.digest
    )
    fresh = replace(squashed, digest=digest("fresh"), base_digest=new.digest)
    path = crawled(
        tmp_path / "catalogue",
        {"base:1": old},
        {"base:1": new, "base:2": old, "a:1": named, "a:2": squashed, "a:3": fresh},
    )
    assert stale(path) == [("a:2", "base:1", Evidence.ANNOTATION, None)]
    with open_holdings(path, None) as holdings:
        assert count_annotated_bases(holdings) == 3
        assert {(each.name, str(each.image)) for each in annotated_bases(holdings, None)} == {
            (f"{HOST}/base:2", "base:2"),
            (f"{HOST}/base:1", "base:2"),
            (f"{HOST}/base:1", "base:1"),
        }


@pytest.mark.parametrize("name", ["debian:12", "\x1b[31m", f"{HOST}/gone:1", f"{HOST}/base"])
def test_an_annotation_that_names_no_tag_here_is_passed_over(name: str, tmp_path: Path) -> None:
    app = replace(image("app", *OLD, APP), base_name=name)
    path = crawled(
        tmp_path / "catalogue",
        {"base:1": image("old", *OLD), "app:1": app},
        {"base:1": image("new", *NEW), "app:1": app},
    )
    assert stale(path) == [("app:1", "base:1", Evidence.LAYERS, None)]
