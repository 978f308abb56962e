import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.errors import LayerlensError, MalformedInput, UnsupportedInput
from layerlens.oci import media_types
from layerlens.oci.json_fields import JsonValue
from layerlens.oci.manifest import ImageIndex, ImageManifest, is_attestation, parse_manifest

from .messages import refusal, refusal_at_most

DIGEST = "sha256:" + "a" * 64


def descriptor(media_type: str, **more: JsonValue) -> dict[str, JsonValue]:
    return {"mediaType": media_type, "digest": DIGEST, "size": 7, **more}


CONFIG: JsonValue = dict(descriptor(media_types.OCI_CONFIG))
LAYER: JsonValue = dict(descriptor(media_types.OCI_LAYER_GZIP))
MANIFEST: JsonValue = dict(descriptor(media_types.OCI_MANIFEST))


def parse(content_type: str | None = None, /, **fields: JsonValue) -> ImageManifest | ImageIndex:
    return parse_manifest(json.dumps(fields).encode(), "doc", content_type)


def test_a_manifest() -> None:
    manifest = parse(
        schemaVersion=2,
        mediaType=media_types.OCI_MANIFEST,
        config=CONFIG,
        layers=[LAYER, LAYER],
        annotations={"org.opencontainers.image.base.name": "alpine"},
        subject=MANIFEST,
        artifactType="application/x",
    )
    assert isinstance(manifest, ImageManifest)
    assert manifest.media_type == media_types.OCI_MANIFEST
    assert manifest.config.media_type == media_types.OCI_CONFIG
    assert [layer.size for layer in manifest.layers] == [7, 7]
    assert manifest.annotations == {"org.opencontainers.image.base.name": "alpine"}
    assert manifest.subject is not None
    assert manifest.artifact_type == "application/x"


def test_an_index() -> None:
    index = parse(
        schemaVersion=2,
        mediaType=media_types.DOCKER_MANIFEST_LIST,
        manifests=[
            descriptor(
                media_types.DOCKER_MANIFEST, platform={"os": "linux", "architecture": "amd64"}
            )
        ],
        annotations={"a": "b"},
    )
    assert isinstance(index, ImageIndex)
    assert index.media_type == media_types.DOCKER_MANIFEST_LIST
    assert [str(item.platform) for item in index.manifests] == ["linux/amd64"]
    assert index.annotations == {"a": "b"}


def test_the_kind_is_inferred_where_nothing_names_it() -> None:
    manifest = parse(schemaVersion=2, config=CONFIG, layers=[LAYER])
    index = parse(schemaVersion=2, manifests=[MANIFEST])
    assert isinstance(manifest, ImageManifest)
    assert manifest.media_type == media_types.OCI_MANIFEST
    assert isinstance(index, ImageIndex)
    assert index.media_type == media_types.OCI_INDEX


def test_the_content_type_names_the_kind_where_the_document_does_not() -> None:
    assert parse(media_types.DOCKER_MANIFEST, config=CONFIG).media_type == (
        media_types.DOCKER_MANIFEST
    )
    assert parse(f"{media_types.OCI_INDEX}; charset=utf-8", manifests=[]).media_type == (
        media_types.OCI_INDEX
    )


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain; charset=utf-8", "application/octet-stream", ""],
)
def test_a_general_content_type_contradicts_nothing(content_type: str) -> None:
    manifest = parse(content_type, mediaType=media_types.DOCKER_MANIFEST, config=CONFIG)
    assert manifest.media_type == media_types.DOCKER_MANIFEST


@pytest.mark.parametrize("media_type", [None, media_types.OCI_INDEX])
def test_docker_25_writes_null_for_no_manifests(media_type: str | None) -> None:
    index = parse(schemaVersion=2, mediaType=media_type, manifests=None)
    assert isinstance(index, ImageIndex)
    assert index.manifests == ()


def test_a_manifest_without_layers() -> None:
    manifest = parse(config=CONFIG, layers=None, manifests=None)
    assert isinstance(manifest, ImageManifest)
    assert manifest.layers == ()


@pytest.mark.parametrize(
    "confusing",
    [
        {"config": CONFIG, "layers": [LAYER]},
        {"config": CONFIG},
        {"layers": []},
        {"Layers": [LAYER]},
    ],
)
@pytest.mark.parametrize("media_type", [None, media_types.OCI_MANIFEST, media_types.OCI_INDEX])
def test_a_document_may_not_be_manifest_and_index(
    confusing: dict[str, JsonValue], media_type: str | None
) -> None:
    with refusal(MalformedInput, "doc: manifests: an index may not have"):
        parse(mediaType=media_type, manifests=[MANIFEST], **confusing)


@pytest.mark.parametrize(
    ("media_type", "content_type"),
    [
        (media_types.OCI_MANIFEST, media_types.OCI_INDEX),
        (media_types.OCI_MANIFEST, media_types.DOCKER_MANIFEST),
        (media_types.OCI_MANIFEST, media_types.DOCKER_SCHEMA1_SIGNED),
        ("application/vnd.evil\x1b", media_types.OCI_MANIFEST),
    ],
)
def test_the_media_type_may_not_contradict_the_content_type(
    media_type: str, content_type: str
) -> None:
    with refusal(MalformedInput, "doc: mediaType:", "contradicts the content type", content_type):
        parse(content_type, mediaType=media_type, config=CONFIG, layers=[LAYER])


@pytest.mark.parametrize("named_by", ["document", "content type"])
@pytest.mark.parametrize(
    ("media_type", "fields", "kind"),
    [
        (media_types.OCI_INDEX, {"config": CONFIG, "layers": [LAYER]}, "manifest"),
        (media_types.DOCKER_MANIFEST_LIST, {"layers": [LAYER]}, "manifest"),
        (media_types.OCI_MANIFEST, {"manifests": [MANIFEST]}, "index"),
        (media_types.DOCKER_MANIFEST, {"manifests": []}, "index"),
    ],
)
def test_the_fields_may_not_contradict_the_type(
    named_by: str, media_type: str, fields: dict[str, JsonValue], kind: str
) -> None:
    with refusal(MalformedInput, f"doc: has the fields of an image {kind}", media_type):
        if named_by == "document":
            parse(mediaType=media_type, **fields)
        else:
            parse(media_type, **fields)


@pytest.mark.parametrize(
    ("content_type", "fields"),
    [
        (None, {"schemaVersion": 1, "fsLayers": [], "history": []}),
        (None, {"schemaVersion": 1}),
        (None, {"mediaType": media_types.DOCKER_SCHEMA1}),
        (media_types.DOCKER_SCHEMA1_SIGNED, {"fsLayers": []}),
        (None, {"schemaVersion": 2, "config": CONFIG, "layers": [LAYER], "fsLayers": [{}]}),
    ],
)
def test_schema_1_is_refused_by_name(
    content_type: str | None, fields: dict[str, JsonValue]
) -> None:
    with refusal(UnsupportedInput, "doc: ", "schema 1"):
        parse(content_type, **fields)


def test_a_schema_to_come_is_refused() -> None:
    with refusal(UnsupportedInput, "schemaVersion 3"):
        parse(schemaVersion=3, config=CONFIG)


def test_other_documents_are_refused_by_their_type() -> None:
    with refusal(UnsupportedInput, "neither an image manifest nor an index"):
        parse()
    with refusal(UnsupportedInput, "'application/vnd.oci.artifact.manifest.v1+json'"):
        parse(mediaType="application/vnd.oci.artifact.manifest.v1+json", blobs=[])


def test_a_manifest_needs_a_config() -> None:
    with refusal(MalformedInput, "doc: config: missing"):
        parse(layers=[LAYER])
    with refusal(MalformedInput, "doc: config: missing"):
        parse(mediaType=media_types.OCI_MANIFEST)


def test_an_unknown_type_is_no_error_in_itself() -> None:
    manifest = parse(
        mediaType="application/vnd.example.v1+json",
        config=descriptor("application/vnd.example.config"),
        layers=[descriptor("application/vnd.example.layer")],
    )
    assert manifest.media_type == "application/vnd.example.v1+json"


def test_an_error_tells_the_layer() -> None:
    with refusal(MalformedInput, "doc: layers[1].digest: 'sha256:x' is not a digest"):
        parse(config=CONFIG, layers=[LAYER, {"digest": "sha256:x", "size": 1}])


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"platform": {"os": "unknown", "architecture": "unknown"}}, True),
        ({"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}, True),
        ({"platform": {"os": "linux", "architecture": "unknown"}}, False),
        ({"platform": {"os": "linux", "architecture": "amd64"}}, False),
        ({"platform": {}}, False),
        ({}, False),
        ({"annotations": {"vnd.docker.reference.type": "image"}}, False),
    ],
)
def test_attestations_are_no_images(more: dict[str, JsonValue], expected: bool) -> None:
    index = parse(manifests=[descriptor(media_types.OCI_MANIFEST, **more)])
    assert isinstance(index, ImageIndex)
    assert is_attestation(index.manifests[0]) is expected


KEYS = ["schemaVersion", "mediaType", "config", "layers", "manifests", "annotations", "subject"]
values = st.sampled_from(
    [None, 1, 2, "", media_types.OCI_INDEX, media_types.OCI_MANIFEST, {}, [], CONFIG, [LAYER]]
)


@given(
    st.dictionaries(st.sampled_from([*KEYS, "Layers", "fsLayers"]), values),
    st.sampled_from([None, media_types.OCI_INDEX, media_types.OCI_MANIFEST]),
)
def test_any_shape_is_read_as_one_kind_or_refused(
    fields: dict[str, JsonValue], content_type: str | None
) -> None:
    with refusal_at_most(LayerlensError, "doc: "):
        document = parse(content_type, **fields)
        assert content_type in {None, document.media_type}
        if isinstance(document, ImageIndex):
            assert fields.get("config") is None
            assert fields.get("layers") is None
        else:
            assert fields.get("manifests") is None
