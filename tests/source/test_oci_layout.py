"""OCI layouts, as directories and as archives: what their documents say, indexes, platforms."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from archive_forms import (
    INDEX_TYPE,
    LAYER_TYPE,
    MANIFEST_TYPE,
    Fields,
    Layout,
    Members,
    compressed,
    index_document,
    multi_platform,
    named,
    oci_layout,
)
from image_builder import digest_of, image
from optional_codecs import needs_zstd

from layerlens.errors import (
    AmbiguousImage,
    DigestMismatch,
    LayerlensError,
    LimitExceeded,
    MalformedInput,
    NotFound,
    UnsupportedInput,
)
from layerlens.image import open_image
from layerlens.loading import LoadSettings
from layerlens.opening import Access, open_source

from .layouts import ARM64, BASE, ONE_LAYER, SAMPLE, SAMPLE_CHANGES, TOP
from .reading import held, refusal

Save = Callable[[Members], str]

ARM = image(TOP, names=["1.0"], platform="linux/arm/v7")

COMPRESSIONS = ["none", "gzip", pytest.param("zstd", marks=needs_zstd)]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("access", Access)
def test_layers_in_every_compression(compression: str, access: Access, save_layout: Save) -> None:
    name = save_layout(oci_layout(SAMPLE, compression=compression))
    assert held(name, access=access) == SAMPLE_CHANGES


def test_what_the_documents_say(save_layout: Save) -> None:
    layout = Layout()
    descriptor = layout.add_image(SAMPLE, overrides={"annotations": {"note": "of the manifest"}})
    with open_image(save_layout(layout.members([named(descriptor, "1.0")]))) as opened:
        assert opened.names == ("1.0",)
        assert str(opened.stored.manifest_digest) == descriptor["digest"]
        assert opened.annotations["note"] == "of the manifest"
        for built, stored in zip(SAMPLE.layers, opened.layers, strict=True):
            blob = compressed(built.tar, "gzip")
            assert str(stored.diff_id) == built.diff_id
            assert str(stored.blob_digest) == digest_of(blob)
            assert stored.media_type == f"{LAYER_TYPE}+gzip"
            assert stored.facts is not None
            assert (stored.facts.stored_size, stored.facts.size) == (len(blob), len(built.tar))


@pytest.mark.parametrize("prefix", ["", "oci:", "oci-archive:"])
@pytest.mark.parametrize(("choice", "layers"), [("@0", 2), ("@1", 1), ("1.0", 2), ("2.0", 1)])
def test_one_of_several_images(prefix: str, choice: str, layers: int, save_layout: Save) -> None:
    name = save_layout(oci_layout(SAMPLE, image(BASE, names=["2.0"])))
    with open_image(f"{prefix}{name}:{choice}") as opened:
        assert len(opened.layers) == layers


def test_an_image_by_its_digest(save_layout: Save) -> None:
    layout = Layout()
    descriptors = [layout.add_image(SAMPLE), layout.add_image(ONE_LAYER)]
    name = save_layout(layout.members(descriptors))
    with open_image(f"{name}:{descriptors[1]['digest']}") as opened:
        assert len(opened.layers) == 1


# ---- platforms ----


@pytest.mark.parametrize(
    ("platform", "layers"),
    [
        ("linux/amd64", 1),
        ("linux/x86_64", 1),
        ("linux/arm64", 2),
        ("linux/arm64/v8", 2),
        ("linux/aarch64", 2),
        ("linux/arm", 1),
        ("linux/armhf", 1),
        ("linux/arm/v7", 1),
    ],
)
def test_a_platform_of_several(platform: str, layers: int, save_layout: Save) -> None:
    with open_image(save_layout(multi_platform(ONE_LAYER, ARM64, ARM)), platform) as opened:
        assert len(opened.layers) == layers
        assert opened.names == ("1.0",)
        assert opened.stored.index_digest is not None


def test_no_such_platform_lists_those_there_are(save_layout: Save) -> None:
    line = refusal(save_layout(multi_platform(ONE_LAYER, ARM64)), NotFound, "linux/s390x")
    assert "linux/amd64" in line
    assert "linux/arm64" in line
    assert "unknown" not in line


def test_none_for_this_machine_lists_those_there_are(save_layout: Save) -> None:
    members = multi_platform(
        image(BASE, platform="linux/s390x"), image(BASE, TOP, platform="windows/amd64")
    )
    line = refusal(save_layout(members), AmbiguousImage)
    assert "--platform" in line
    assert "linux/s390x" in line
    assert "windows/amd64" in line


def test_the_only_image_is_taken_whatever_its_platform(save_layout: Save) -> None:
    with open_image(save_layout(multi_platform(image(BASE, platform="linux/s390x")))) as opened:
        assert str(opened.platform) == "linux/s390x"


def test_the_first_of_two_for_one_platform_is_taken(save_layout: Save) -> None:
    with open_image(save_layout(multi_platform(ARM64, ONE_LAYER, SAMPLE)), "linux/amd64") as opened:
        assert len(opened.layers) == 1


def test_attestations_are_listed_apart(save_layout: Save) -> None:
    name = save_layout(multi_platform(ONE_LAYER, ARM64))
    with open_source(name, Access.LISTING, LoadSettings()) as source:
        assert len(source.contents.attestations) == 2
        assert len(source.contents.images) == 2


# ---- indexes ----


def nested(depth: int) -> Members:
    """A layout whose image stands below that many indexes, index.json not counted."""
    layout = Layout()
    descriptor = layout.add_image(SAMPLE)
    for _ in range(depth):
        descriptor = layout.add_index(descriptor)
    return layout.members([named(descriptor, "deep")])


@pytest.mark.parametrize("depth", [1, 3, 8])
def test_indexes_in_indexes(depth: int, save_layout: Save) -> None:
    name = save_layout(nested(depth))
    assert held(name) == held(f"{name}:deep") == SAMPLE_CHANGES


def test_indexes_too_deep(save_layout: Save) -> None:
    assert "8" in refusal(save_layout(nested(9)), LimitExceeded)


def test_too_many_manifests(save_layout: Save) -> None:
    layout = Layout()
    unknown = layout.add(b"?", "application/vnd.example.unheard-of")
    descriptor = layout.add_index(*[unknown] * 101)
    assert "10000" in refusal(save_layout(layout.members([descriptor] * 100)), LimitExceeded)


def test_indexes_that_lie_to_be_in_a_loop(save_layout: Save) -> None:
    digests = [f"sha256:{letter * 64}" for letter in "ab"]
    descriptors: list[Fields] = [
        {"mediaType": INDEX_TYPE, "digest": digest, "size": 0} for digest in digests
    ]
    size = len(index_document([{**descriptors[0], "size": 999}]))
    for descriptor in descriptors:
        descriptor["size"] = size
    members: Members = {
        "blobs/sha256/" + "a" * 64: index_document([descriptors[1]]),
        "blobs/sha256/" + "b" * 64: index_document([descriptors[0]]),
        "index.json": index_document([descriptors[0]]),
    }
    assert digests[0] in refusal(save_layout(members), DigestMismatch)


def test_an_index_of_nothing(save_layout: Save) -> None:
    assert "no image" in refusal(save_layout(Layout().members([])), UnsupportedInput)


def test_manifests_null_holds_nothing(save_layout: Save) -> None:
    members: Members = {"index.json": b'{"schemaVersion":2,"manifests":null}'}
    assert "no image" in refusal(save_layout(members), UnsupportedInput)


def test_schema_1_is_refused_by_name(save_layout: Save) -> None:
    layout = Layout()
    media_type = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    descriptor = layout.add(b'{"schemaVersion":1}', media_type)
    assert "schema 1" in refusal(save_layout(layout.members([descriptor])), UnsupportedInput)


def test_artifacts_are_left_out_with_a_note(save_layout: Save) -> None:
    layout = Layout()
    config = layout.add(b"{}", "application/vnd.oci.empty.v1+json")
    overrides: Fields = {"config": config, "artifactType": "application/vnd.example"}
    artifact = layout.add_image(ONE_LAYER, overrides=overrides)
    with open_image(save_layout(layout.members([artifact, layout.add_image(SAMPLE)]))) as opened:
        assert len(opened.layers) == 2
        assert any("is an artifact, not an image" in note for note in opened.notes)


def test_an_unknown_kind_of_manifest_is_passed_over(save_layout: Save) -> None:
    layout = Layout()
    other = layout.add(b"?", "application/vnd.example.unheard-of")
    assert held(save_layout(layout.members([other, layout.add_image(SAMPLE)]))) == SAMPLE_CHANGES


@pytest.mark.parametrize(
    ("index", "error"),
    [
        (b"", MalformedInput),
        (b"[]", MalformedInput),
        (b"{}", UnsupportedInput),
        (b'{"schemaVersion":2,"manifests":{}}', MalformedInput),
        (b'{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}', MalformedInput),
        (b'{"schemaVersion":2,"manifests":[],"manifests":[{}]}', MalformedInput),
        (b'{"manifests":' + b"[" * 500 + b"]" * 500 + b"}", LimitExceeded),
        (b'{"manifests":[]' + b" " * (4 << 20) + b"}", LimitExceeded),
    ],
)
def test_an_index_that_is_none(
    index: bytes, error: type[LayerlensError], save_layout: Save
) -> None:
    line = refusal(save_layout({**oci_layout(SAMPLE), "index.json": index}), error)
    assert "index.json" in line or error is UnsupportedInput


def test_a_manifest_that_says_it_is_an_index(save_layout: Save) -> None:
    layout = Layout()
    descriptor = layout.add_image(SAMPLE)
    descriptor["mediaType"] = INDEX_TYPE
    refusal(save_layout(layout.members([descriptor])), MalformedInput)


def test_an_index_that_says_it_is_a_manifest(save_layout: Save) -> None:
    layout = Layout()
    descriptor = layout.add_index(layout.add_image(SAMPLE))
    descriptor["mediaType"] = MANIFEST_TYPE
    refusal(save_layout(layout.members([descriptor])), MalformedInput)


def test_what_is_added_to_a_document_later_is_let_be(save_layout: Save) -> None:
    layout = Layout()
    descriptor = layout.add_image(
        SAMPLE, overrides={"subject": layout.add(b"{}", MANIFEST_TYPE), "futureField": [1, {}]}
    )
    members = layout.members([{**descriptor, "futureField": None}])
    assert held(save_layout(members)) == SAMPLE_CHANGES
