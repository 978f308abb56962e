from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.analysis.sharing import (
    EMPTY_DIFF_IDS,
    Identity,
    ImageLayers,
    LayerIdentity,
    Sharing,
    Unit,
    sharing,
)

from .sharing_images import digest, image, many_images, stored

BASE = stored("base", size=1000, compressed=100)
LIBRARY = stored("library", size=500, compressed=50)
APP_1 = stored("app 1", size=70, compressed=7)
APP_2 = stored("app 2", size=90, compressed=9)
APP_3 = stored("app 3", size=110, compressed=11)

THREE = [
    image("one", BASE, LIBRARY, APP_1),
    image("two", BASE, LIBRARY, APP_2),
    image("three", BASE, APP_3),
]

MEASURES = [(identity, unit) for identity in Identity for unit in Unit]


def test_bytes_of_three_images_by_blob() -> None:
    by_blob = sharing(THREE, Identity.BLOB_DIGEST, Unit.COMPRESSED)
    assert [share.own for share in by_blob.images] == [157, 159, 111]
    assert [share.exclusive for share in by_blob.images] == [7, 9, 11]
    assert [share.shared for share in by_blob.images] == [150, 150, 100]
    # 100 among three: 34, 33, 33; 50 among two: 25, 25
    assert [share.amortised for share in by_blob.images] == [34 + 25 + 7, 33 + 25 + 9, 33 + 11]
    assert (by_blob.logical, by_blob.stored) == (427, 177)
    assert by_blob.ratio == Fraction(427, 177)
    assert by_blob.left_out == 0


def test_layers_are_listed_with_their_holders_and_what_they_save() -> None:
    by_blob = sharing(THREE, Identity.BLOB_DIGEST, Unit.COMPRESSED)
    first, second = by_blob.shared_layers()
    assert (first.digest, first.holders, first.size, first.saved) == (
        BASE.blob_digest,
        (0, 1, 2),
        100,
        200,
    )
    assert (second.digest, second.holders, second.saved) == (LIBRARY.blob_digest, (0, 1), 50)
    assert first.also_by == (Identity.DIFF_ID, Identity.CHAIN_ID)
    assert first.layer.instruction == "RUN base"


def test_the_same_layer_on_another_base_is_shared_by_diff_id_and_not_by_chain_id() -> None:
    images = [image("a", BASE, LIBRARY), image("b", APP_1, LIBRARY)]
    by_diff_id = sharing(images, Identity.DIFF_ID, Unit.UNCOMPRESSED)
    assert [layer.digest for layer in by_diff_id.shared_layers()] == [LIBRARY.diff_id]
    assert by_diff_id.shared_layers()[0].also_by == (Identity.BLOB_DIGEST,)
    by_chain_id = sharing(images, Identity.CHAIN_ID, Unit.UNCOMPRESSED)
    assert by_chain_id.shared_layers() == []
    assert by_chain_id.stored == by_chain_id.logical == 2070


def test_other_compression_of_the_same_content_is_no_blob_in_common() -> None:
    gzip = stored("x", size=900, compressed=90, blob="x.gz")
    zstd = stored("x", size=900, compressed=80, blob="x.zst")
    images = [image("a", gzip), image("b", zstd)]
    by_blob = sharing(images, Identity.BLOB_DIGEST, Unit.COMPRESSED)
    assert (by_blob.logical, by_blob.stored, by_blob.shared_layers()) == (170, 170, [])
    compressed_once = sharing(images, Identity.DIFF_ID, Unit.COMPRESSED)
    assert (compressed_once.logical, compressed_once.stored) == (170, 80)
    assert [share.own for share in compressed_once.images] == [90, 80]
    assert [share.amortised for share in compressed_once.images] == [40, 40]
    (layer,) = compressed_once.shared_layers()
    assert (layer.saved, layer.also_by) == (90, (Identity.CHAIN_ID,))


def test_a_layer_without_a_blob_is_left_out_by_blob_and_counted_as_left_out() -> None:
    plain = stored("base", size=1000)
    images = [image("blobs", BASE, APP_1), image("plain", plain, APP_2)]
    by_blob = sharing(images, Identity.BLOB_DIGEST, Unit.COMPRESSED)
    assert [share.left_out for share in by_blob.images] == [0, 1]
    assert (by_blob.left_out, by_blob.logical) == (1, 107 + 9)
    by_diff_id = sharing(images, Identity.DIFF_ID, Unit.UNCOMPRESSED)
    assert by_diff_id.left_out == 0
    (shared,) = by_diff_id.shared_layers()
    assert (shared.digest, shared.also_by) == (BASE.diff_id, (Identity.CHAIN_ID,))


def test_a_layer_that_an_image_lists_twice_counts_once() -> None:
    images = [image("twice", BASE, APP_1, BASE), image("once", BASE)]
    by_blob = sharing(images, Identity.BLOB_DIGEST, Unit.COMPRESSED)
    assert [share.own for share in by_blob.images] == [107, 100]
    assert by_blob.layers[0].holders == (0, 1)


def test_a_content_that_one_image_holds_in_two_blobs_counts_as_the_smaller() -> None:
    large = stored("x", size=900, compressed=90, blob="x.gz")
    small = stored("x", size=900, compressed=80, blob="x.zst")
    for layers in ([large, small], [small, large], [small, large, small]):
        by_diff_id = sharing([image("a", *layers)], Identity.DIFF_ID, Unit.COMPRESSED)
        assert (by_diff_id.images[0].own, by_diff_id.images[0].exclusive) == (80, 80)
        assert (by_diff_id.logical, by_diff_id.stored) == (80, 80)


def test_the_empty_layer_counts_in_bytes_and_is_not_listed() -> None:
    nothing = LayerIdentity(
        blob_digest=digest("empty blob"),
        diff_id="sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
        chain_id=None,
        stored_size=32,
        size=1024,
        instruction=None,
    )
    images = [image("a", BASE, nothing), image("b", APP_1, nothing)]
    by_blob = sharing(images, Identity.BLOB_DIGEST, Unit.COMPRESSED)
    assert by_blob.shared_layers() == []
    assert [layer.holders for layer in by_blob.empty_layers()] == [(0, 1)]
    assert (by_blob.logical, by_blob.stored) == (171, 139)
    assert by_blob.reference_counts().layers == 2


def test_what_is_known_to_list_nothing_is_the_empty_layer() -> None:
    odd = LayerIdentity(
        blob_digest=None,
        diff_id=digest("of 5 blocks of zeros"),
        chain_id=None,
        stored_size=None,
        size=2560,
        instruction=None,
        empty=True,
    )
    assert odd.is_empty
    assert not BASE.is_empty
    assert digest("") in EMPTY_DIFF_IDS


def test_reference_counts() -> None:
    everywhere = stored("everywhere", size=1, compressed=1)
    images = [
        image(str(number), everywhere, *([BASE] if number < 25 else []), *([APP_1] * (number < 2)))
        for number in range(26)
    ]
    images.append(image("alone", APP_2))
    counts = sharing(images, Identity.BLOB_DIGEST, Unit.COMPRESSED).reference_counts()
    assert (counts.once, counts.twice, counts.up_to_25, counts.more) == (1, 1, 1, 1)
    assert counts.layers == 4


def test_freed_is_what_only_the_deleted_images_hold() -> None:
    by_blob = sharing(THREE, Identity.BLOB_DIGEST, Unit.COMPRESSED)
    assert by_blob.freed([]) == 0
    assert by_blob.freed([0]) == 7
    assert by_blob.freed([0, 1]) == 7 + 9 + 50
    assert by_blob.freed([0, 1, 2]) == 177


def test_no_images_and_no_layers_have_no_ratio() -> None:
    nothing = sharing([], Identity.DIFF_ID, Unit.COMPRESSED)
    assert (nothing.logical, nothing.stored, nothing.ratio) == (0, 0, None)
    assert sharing([image("a")], Identity.DIFF_ID, Unit.COMPRESSED).images[0].own == 0


@pytest.mark.parametrize(("identity", "unit"), MEASURES)
@given(images=many_images())
def test_the_bytes_add_up(identity: Identity, unit: Unit, images: list[ImageLayers]) -> None:
    found = sharing(images, identity, unit)
    assert sum(share.amortised for share in found.images) == found.stored
    assert found.logical - found.stored == sum(layer.saved for layer in found.layers)
    for number, share in enumerate(found.images):
        assert share.own == share.exclusive + share.shared
        assert share.exclusive == found.freed([number])
        assert share.exclusive <= share.amortised <= share.own
    assert found.freed(range(len(images))) == found.stored
    listed = sum(len(each.layers) for each in images)
    assert found.left_out + sum(len(layer.holders) for layer in found.layers) <= listed


@pytest.mark.parametrize(("identity", "unit"), MEASURES)
@given(images=many_images())
def test_it_agrees_with_sets(identity: Identity, unit: Unit, images: list[ImageLayers]) -> None:
    found = sharing(images, identity, unit)
    contents: list[dict[str, int]] = []
    for each in images:
        held: dict[str, int] = {}
        for layer in each.layers:
            key, size = identity.of(layer), unit.of(layer)
            if key is not None and size is not None:
                held[key] = min(size, held.get(key, size))
        contents.append(held)
    everything = {key for held in contents for key in held}
    smallest = {key: min(held[key] for held in contents if key in held) for key in everything}
    assert {layer.digest: layer.size for layer in found.layers} == smallest
    assert [share.own for share in found.images] == [sum(held.values()) for held in contents]
    for unique in found.layers:
        holders = [number for number, held in enumerate(contents) if unique.digest in held]
        assert list(unique.holders) == holders
    for number, share in enumerate(found.images):
        parts = (
            Fraction(smallest[key], sum(key in held for held in contents))
            for key in contents[number]
        )
        exact = sum(parts, Fraction())
        assert abs(share.amortised - exact) < max(len(contents[number]), 1)


@given(images=many_images(), data=st.data())
def test_freed_is_stored_before_less_stored_after(
    images: list[ImageLayers], data: st.DataObject
) -> None:
    gone = data.draw(st.sets(st.integers(0, len(images) - 1)))

    def by_blob(those: list[ImageLayers]) -> Sharing:
        return sharing(those, Identity.BLOB_DIGEST, Unit.COMPRESSED)

    left = [each for number, each in enumerate(images) if number not in gone]
    assert by_blob(images).freed(gone) == by_blob(images).stored - by_blob(left).stored
