"""Manifests and configs as a catalogue keeps them."""

from __future__ import annotations

import json

import pytest
from image_builder import Json

from layerlens.audit.crawl_records import (
    config_facts,
    finished_image,
    seconds_of,
    unfinished_image,
    unread_index,
)
from layerlens.audit.records import ManifestKind
from layerlens.errors import MalformedInput
from layerlens.oci.manifest import ImageIndex, ImageManifest, parse_manifest

from .recorded import CONFIG_TYPE, IMAGE_TYPE, INDEX_TYPE, LAYER_TYPE, digest


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2023-11-14T22:13:20Z", 1700000000),
        ("2023-11-14T23:13:20.999999999+01:00", 1700000000),
        ("2023-11-14T22:13:20", 1700000000),
        ("1969-12-31T23:59:59Z", -1),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", 253402300799),
        ("yesterday", None),
        ("", None),
        (None, None),
        ("2023-11-14T22:13:20Z\n", None),
        ("2023-13-14T22:13:20Z", None),
    ],
)
def test_times_as_configs_write_them(text: str | None, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


def described(name: str, kind: str = LAYER_TYPE) -> dict[str, Json]:
    return {"mediaType": kind, "digest": str(digest(name)), "size": 5}


def manifest(*layers: str, config: str = CONFIG_TYPE, **fields: Json) -> ImageManifest:
    document: dict[str, Json] = {
        "schemaVersion": 2,
        "config": described("config", config),
        "layers": [described(f"layer {number}", kind) for number, kind in enumerate(layers)],
        **fields,
    }
    parsed = parse_manifest(json.dumps(document).encode(), "test")
    assert isinstance(parsed, ImageManifest)
    return parsed


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (manifest(), ManifestKind.IMAGE),
        (manifest(LAYER_TYPE, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"), 1),
        (manifest(f"{LAYER_TYPE}+encrypted"), ManifestKind.IMAGE),
        (manifest("application/vnd.in-toto+json"), ManifestKind.ARTIFACT),
        (manifest(config="application/vnd.cncf.helm.config.v1+json"), ManifestKind.ARTIFACT),
        (manifest(artifactType="application/x"), ManifestKind.ARTIFACT),
    ],
)
def test_images_and_artifacts(made: ImageManifest, kind: int) -> None:
    assert unfinished_image(digest("m"), 9, made).kind == kind


def test_an_artifact_is_called_by_its_type_or_its_configs() -> None:
    typed = unfinished_image(digest("m"), 9, manifest(artifactType="x/y"))
    assert typed.artifact_type == "x/y"
    untyped = unfinished_image(digest("m"), 9, manifest(config="x/chart"))
    assert untyped.artifact_type == "x/chart"


def test_bases_and_subjects_are_kept_and_malformed_ones_are_not() -> None:
    names = "org.opencontainers.image.base"
    subject = described("subject", IMAGE_TYPE)
    notes: dict[str, Json] = {f"{names}.name": "debian:12", f"{names}.digest": str(digest("base"))}
    made = unfinished_image(digest("m"), 9, manifest(annotations=notes, subject=subject))
    assert (made.base_name, made.base_digest) == ("debian:12", digest("base"))
    assert made.subject == digest("subject")
    notes[f"{names}.digest"] = "sha256:short"
    assert unfinished_image(digest("m"), 9, manifest(annotations=notes)).base_digest is None


def config(**fields: Json) -> bytes:
    diffs: list[Json] = [str(digest("diff 0")), str(digest("diff 1"))]
    document: dict[str, Json] = {"rootfs": {"type": "layers", "diff_ids": diffs}, **fields}
    return json.dumps(document).encode()


def test_layers_are_kept_with_their_diff_ids_and_instructions() -> None:
    history: list[Json] = [
        {"created_by": "/bin/sh -c #(nop) ADD file:1 in / "},
        {"created_by": "ENV A=1", "empty_layer": True},
        {"created_by": "RUN /bin/sh -c make # buildkit"},
    ]
    facts = config_facts(config(history=history, os="linux", architecture="aarch64"), "test")
    made = unfinished_image(digest("m"), 9, manifest(LAYER_TYPE, LAYER_TYPE))
    image = finished_image(made, facts, None)
    assert image.platform == "linux/arm64"
    assert [layer.instruction for layer in image.layers] == ["ADD file:1 in /", "RUN make"]
    assert [layer.diff_id for layer in image.layers] == [digest("diff 0"), digest("diff 1")]
    assert finished_image(made, facts, "linux/arm/v7").platform == "linux/arm/v7"


def test_a_config_for_another_number_of_layers_is_refused() -> None:
    made = unfinished_image(digest("m"), 9, manifest(LAYER_TYPE))
    with pytest.raises(MalformedInput, match="lists 1 layers, its config 2 diff_ids"):
        finished_image(made, config_facts(config(), "test"), None)


def test_what_an_index_lists_is_kept_and_attestations_are_told_apart() -> None:
    platform: dict[str, Json] = {"os": "linux", "architecture": "x86_64"}
    about: dict[str, Json] = {"vnd.docker.reference.type": "attestation-manifest"}
    document: dict[str, Json] = {
        "schemaVersion": 2,
        "mediaType": INDEX_TYPE,
        "manifests": [
            {**described("a", IMAGE_TYPE), "platform": platform},
            {**described("b", IMAGE_TYPE), "annotations": about},
            described("c", IMAGE_TYPE),
        ],
    }
    parsed = parse_manifest(json.dumps(document).encode(), "test")
    assert isinstance(parsed, ImageIndex)
    record = unread_index(digest("i"), 9, parsed)
    assert [each.platform for each in record.members] == ["linux/amd64", "unknown/unknown", None]
