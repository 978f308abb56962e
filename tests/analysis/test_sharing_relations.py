"""Pulls, bases, blobs of one content and images that are one."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given

from layerlens.analysis.sharing import Identity, ImageLayers, LayerIdentity, Unit, sharing
from layerlens.analysis.sharing_bases import base_relations, duplicated_images
from layerlens.analysis.sharing_blobs import recompressed_layers
from layerlens.analysis.sharing_findings import sharing_findings
from layerlens.analysis.sharing_pulls import HeldLayers, pulls
from layerlens.analysis.titles import ImageTitle
from layerlens.oci.digest import sha256_digest

from .sharing_images import digest, image, many_images, stored

BASE = stored("base", size=1000, compressed=100)
LIBRARY = stored("library", size=500, compressed=50)
APP = stored("app", size=70, compressed=7)
PLAIN_BASE = stored("base", size=1000)


def unlike(layer: LayerIdentity) -> LayerIdentity:
    """The same content as another blob of one byte more."""
    return stored("base", size=1000, compressed=(layer.stored_size or 0) + 1, blob="other")


def test_a_pull_transfers_what_is_missing() -> None:
    cost = HeldLayers([BASE, APP]).cost(image("x", BASE, LIBRARY))
    assert (cost.compressed, cost.uncompressed, cost.whole) == (50, 0, 150)
    assert (cost.bytes, cost.reuse, cost.is_exact) == (50, Fraction(100, 150), True)


def test_a_pull_of_the_same_content_in_another_blob_is_a_transfer() -> None:
    cost = HeldLayers([BASE]).cost(image("x", unlike(BASE)))
    assert (cost.compressed, cost.reuse, cost.is_exact) == (101, Fraction(0), True)


@pytest.mark.parametrize(
    ("held", "wanted", "compressed", "uncompressed"),
    [
        ([PLAIN_BASE], [BASE, LIBRARY], 50, 0),
        ([BASE], [PLAIN_BASE, LIBRARY], 50, 0),
        ([PLAIN_BASE], [PLAIN_BASE], 0, 0),
        ([LIBRARY], [PLAIN_BASE], 0, 1000),
    ],
)
def test_without_a_blob_digest_diff_ids_are_compared(
    held: list[LayerIdentity],
    wanted: list[LayerIdentity],
    compressed: int,
    uncompressed: int,
) -> None:
    cost = HeldLayers(held).cost(image("x", *wanted))
    assert (cost.compressed, cost.uncompressed) == (compressed, uncompressed)
    assert not cost.is_exact


def test_a_layer_of_unknown_size_makes_a_cost_inexact() -> None:
    unknown = LayerIdentity(
        blob_digest=None,
        diff_id=digest("secret"),
        chain_id=None,
        stored_size=None,
        size=None,
        instruction=None,
    )
    cost = HeldLayers().cost(ImageLayers(title=image("x").title, layers=(unknown,)))
    assert (cost.bytes, cost.unknown, cost.is_exact, cost.reuse) == (0, 1, False, None)


def test_a_layer_that_is_listed_twice_is_pulled_once() -> None:
    cost = HeldLayers().cost(image("x", BASE, APP, BASE))
    assert (cost.bytes, cost.whole) == (107, 107)


def test_every_pull_is_there() -> None:
    images = [image("a", BASE), image("b", BASE, APP)]
    costs = {(pull.source, pull.target): pull.cost.bytes for pull in pulls(images)}
    assert costs == {(None, 0): 100, (None, 1): 107, (0, 1): 7, (1, 0): 0}


@given(images=many_images())
def test_pulls_agree_with_sets(images: list[ImageLayers]) -> None:
    images = [_with_blobs_only(each) for each in images]
    held = [{layer.blob_digest: layer.stored_size or 0 for layer in each.layers} for each in images]
    for pull in pulls(images):
        there = set() if pull.source is None else set(held[pull.source])
        wanted = held[pull.target]
        assert pull.cost.whole == sum(wanted.values())
        assert pull.cost.compressed == sum(
            size for blob, size in wanted.items() if blob not in there
        )
        assert pull.cost.is_exact


def _with_blobs_only(each: ImageLayers) -> ImageLayers:
    layers = tuple(layer for layer in each.layers if layer.blob_digest is not None)
    return ImageLayers(title=each.title, layers=layers)


def relations(images: Sequence[ImageLayers]) -> list[tuple[int, int, int, bool]]:
    return [(each.image, each.base, each.layers, each.nearest) for each in base_relations(images)]


def test_an_image_derives_from_those_whose_layers_are_its_lowest() -> None:
    images = [
        image("app", BASE, LIBRARY, APP),
        image("base", BASE),
        image("python", BASE, LIBRARY),
        image("other", LIBRARY, APP),
        image("nothing"),
    ]
    assert relations(images) == [(0, 2, 2, True), (0, 1, 1, False), (2, 1, 1, True)]


def test_images_of_the_same_layers_are_no_base_of_each_other_but_both_of_a_third() -> None:
    images = [image("a", BASE), image("b", BASE), image("c", BASE, APP)]
    assert relations(images) == [(2, 0, 1, True), (2, 1, 1, True)]


def test_a_base_is_found_whatever_it_is_compressed_with() -> None:
    images = [image("a", PLAIN_BASE), image("b", unlike(BASE), APP)]
    assert relations(images) == [(1, 0, 1, True)]


def test_a_layer_without_a_diff_id_relates_to_nothing_from_there_on() -> None:
    unknown = LayerIdentity(
        blob_digest=digest("old"),
        diff_id=None,
        chain_id=None,
        stored_size=1,
        size=None,
        instruction=None,
    )
    over = ImageLayers(title=image("x").title, layers=(*image("x", BASE).layers, unknown))
    below = ImageLayers(title=image("y").title, layers=(unknown, *image("y", APP).layers))
    images = [over, image("base", BASE), below, image("more", BASE, APP)]
    assert relations(images) == [(0, 1, 1, True), (3, 1, 1, True)]


@given(images=many_images())
def test_bases_are_the_proper_prefixes(images: list[ImageLayers]) -> None:
    ids = [[layer.diff_id for layer in each.layers] for each in images]
    expected = {
        (a, b)
        for a, above in enumerate(ids)
        for b, below in enumerate(ids)
        if below and len(below) < len(above) and above[: len(below)] == below
    }
    found = list(base_relations(images))
    assert {(each.image, each.base) for each in found} == expected
    assert len(found) == len(expected)
    for each in found:
        rivals = [other.layers for other in found if other.image == each.image]
        assert each.nearest == (each.layers == max(rivals))


def test_one_config_is_one_image() -> None:
    images = [image("a", BASE, config="x"), image("b", APP), image("c", BASE, config="x")]
    (duplicate,) = duplicated_images(images)
    assert duplicate.images == (0, 2)
    assert duplicate.config_digest == images[0].title.config_digest


def test_root_file_systems_have_no_config_to_be_one_by() -> None:
    bare = ImageTitle(
        image="rootfs.tar",
        names=(),
        platform="linux/amd64",
        manifest_digest=None,
        config_digest=str(sha256_digest(b"")),
    )
    images = [ImageLayers(title=bare, layers=()), ImageLayers(title=bare, layers=())]
    assert duplicated_images(images) == []


def test_one_content_in_several_blobs_is_told_with_what_the_smallest_saves() -> None:
    images = [image("a", BASE, APP), image("b", unlike(BASE)), image("c", BASE, LIBRARY)]
    (layer,) = recompressed_layers(images)
    assert (layer.diff_id, layer.excess) == (BASE.diff_id, 101)
    assert [(blob.size, blob.holders) for blob in layer.blobs] == [(100, (0, 2)), (101, (1,))]


@given(images=many_images())
def test_recompressed_layers_are_the_gap_between_blob_digest_and_diff_id(
    images: list[ImageLayers],
) -> None:
    by_blob = sharing(images, Identity.BLOB_DIGEST, Unit.COMPRESSED)
    by_diff_id = sharing(images, Identity.DIFF_ID, Unit.COMPRESSED)
    excess = sum(layer.excess for layer in recompressed_layers(images))
    assert by_blob.stored - by_diff_id.stored == excess
    assert by_blob.logical >= by_diff_id.logical


def test_lists_are_by_blob_digest_where_every_layer_has_one_else_by_diff_id() -> None:
    blobs = [image("a", BASE), image("b", BASE, APP)]
    shown = sharing_findings(blobs, None, None, 10).shown
    assert (shown.identity, shown.unit) == (Identity.BLOB_DIGEST, Unit.COMPRESSED)
    mixed = [*blobs, image("c", PLAIN_BASE)]
    shown = sharing_findings(mixed, None, None, 10).shown
    assert (shown.identity, shown.unit) == (Identity.DIFF_ID, Unit.UNCOMPRESSED)
    assert shown.left_out == 0
    asked = sharing_findings(mixed, Identity.BLOB_DIGEST, None, 10).shown
    assert (asked.identity, asked.left_out) == (Identity.BLOB_DIGEST, 1)


def test_a_size_that_one_image_tells_is_known_of_the_others() -> None:
    """As of layers with a table of contents, of which buildah forgets that in another image."""
    listed = [replace(layer, size=None, from_toc=True) for layer in (BASE, LIBRARY)]
    images = [image("toc", *listed), image("read", BASE, APP)]
    found = sharing_findings(images, Identity.DIFF_ID, None, 10)
    assert (found.shown.logical, found.shown.stored) == (2 * 1000 + 70, 1000 + 70)
    assert [layer.digest for layer in found.shown.shared_layers()] == [BASE.diff_id]
    assert found.shown.left_out == 1
