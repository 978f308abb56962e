"""OCI layouts, as directories and as archives: indexes, platforms, and descriptors that lie."""

from __future__ import annotations

import base64
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_forms import (
    CONFIG_TYPE,
    INDEX_TYPE,
    LAYER_TYPE,
    MANIFEST_TYPE,
    Fields,
    Layout,
    Members,
    SymbolicLink,
    archive,
    compressed,
    docker_25,
    index_document,
    multi_platform,
    named,
    oci_layout,
    write_directory,
)
from image_builder import digest_of, file, image, layer, whiteout
from optional_codecs import needs_zstd

from layerlens.errors import (
    AmbiguousImage,
    DigestMismatch,
    LayerlensError,
    LimitExceeded,
    MalformedInput,
    NotFound,
    SizeMismatch,
    UnsupportedInput,
)
from layerlens.image import open_image
from layerlens.loading import LoadSettings
from layerlens.opening import Access, open_source

from .reading import held, refusal

Save = Callable[[Members], str]

BASE = layer(file("/a", b"1"), file("/b", b"22"))
TOP = layer(whiteout("/b"), file("/a", b"333"))
SAMPLE = image(BASE, TOP, names=["1.0"])
SAMPLE_CHANGES = ["0 A /a", "0 A /b", "1 M /a", "1 D /b"]
AMD64 = image(BASE, names=["1.0"])
ARM64 = image(BASE, TOP, names=["1.0"], platform="linux/arm64/v8")
ARM = image(TOP, names=["1.0"], platform="linux/arm/v7")

COMPRESSIONS = ["none", "gzip", pytest.param("zstd", marks=needs_zstd)]


@pytest.fixture(params=["directory", "archive", "gzip"])
def save(request: pytest.FixtureRequest, tmp_path: Path) -> Save:
    """Writes a layout in each of its forms: a directory, a tar, a compressed tar."""

    def written(members: Members) -> str:
        path = tmp_path / "layout"
        if request.param == "directory":
            return str(write_directory(members, path))
        wrapping = "gzip" if request.param == "gzip" else "none"
        path.write_bytes(compressed(archive(members), wrapping))
        return str(path)

    return written


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("access", Access)
def test_layers_in_every_compression(compression: str, access: Access, save: Save) -> None:
    name = save(oci_layout(SAMPLE, compression=compression))
    assert held(name, access=access) == SAMPLE_CHANGES


def test_what_the_documents_say(save: Save) -> None:
    layout = Layout()
    descriptor = layout.add_image(SAMPLE, overrides={"annotations": {"note": "of the manifest"}})
    with open_image(save(layout.members([named(descriptor, "1.0")]))) as opened:
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
def test_one_of_several_images(prefix: str, choice: str, layers: int, save: Save) -> None:
    name = save(oci_layout(SAMPLE, image(BASE, names=["2.0"])))
    with open_image(f"{prefix}{name}:{choice}") as opened:
        assert len(opened.layers) == layers


def test_an_image_by_its_digest(save: Save) -> None:
    layout = Layout()
    descriptors = [layout.add_image(SAMPLE), layout.add_image(AMD64)]
    name = save(layout.members(descriptors))
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
def test_a_platform_of_several(platform: str, layers: int, save: Save) -> None:
    with open_image(save(multi_platform(AMD64, ARM64, ARM)), platform) as opened:
        assert len(opened.layers) == layers
        assert opened.names == ("1.0",)
        assert opened.stored.index_digest is not None


def test_no_such_platform_lists_those_there_are(save: Save) -> None:
    line = refusal(save(multi_platform(AMD64, ARM64)), NotFound, "linux/s390x")
    assert "linux/amd64" in line
    assert "linux/arm64" in line
    assert "unknown" not in line


def test_none_for_this_machine_lists_those_there_are(save: Save) -> None:
    members = multi_platform(
        image(BASE, platform="linux/s390x"), image(BASE, TOP, platform="windows/amd64")
    )
    line = refusal(save(members), AmbiguousImage)
    assert "--platform" in line
    assert "linux/s390x" in line
    assert "windows/amd64" in line


def test_the_only_image_is_taken_whatever_its_platform(save: Save) -> None:
    with open_image(save(multi_platform(image(BASE, platform="linux/s390x")))) as opened:
        assert str(opened.platform) == "linux/s390x"


def test_the_first_of_two_for_one_platform_is_taken(save: Save) -> None:
    with open_image(save(multi_platform(ARM64, AMD64, SAMPLE)), "linux/amd64") as opened:
        assert len(opened.layers) == 1


def test_attestations_are_listed_apart(save: Save) -> None:
    name = save(multi_platform(AMD64, ARM64))
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
def test_indexes_in_indexes(depth: int, save: Save) -> None:
    name = save(nested(depth))
    assert held(name) == held(f"{name}:deep") == SAMPLE_CHANGES


def test_indexes_too_deep(save: Save) -> None:
    assert "8" in refusal(save(nested(9)), LimitExceeded)


def test_too_many_manifests(save: Save) -> None:
    layout = Layout()
    unknown = layout.add(b"?", "application/vnd.example.unheard-of")
    descriptor = layout.add_index(*[unknown] * 101)
    assert "10000" in refusal(save(layout.members([descriptor] * 100)), LimitExceeded)


def test_indexes_that_lie_to_be_in_a_loop(save: Save) -> None:
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
    assert digests[0] in refusal(save(members), DigestMismatch)


def test_an_index_of_nothing(save: Save) -> None:
    assert "no image" in refusal(save(Layout().members([])), UnsupportedInput)


def test_manifests_null_holds_nothing(save: Save) -> None:
    members: Members = {"index.json": b'{"schemaVersion":2,"manifests":null}'}
    assert "no image" in refusal(save(members), UnsupportedInput)


def test_schema_1_is_refused_by_name(save: Save) -> None:
    layout = Layout()
    media_type = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    descriptor = layout.add(b'{"schemaVersion":1}', media_type)
    assert "schema 1" in refusal(save(layout.members([descriptor])), UnsupportedInput)


def test_artifacts_are_left_out_with_a_note(save: Save) -> None:
    layout = Layout()
    config = layout.add(b"{}", "application/vnd.oci.empty.v1+json")
    overrides: Fields = {"config": config, "artifactType": "application/vnd.example"}
    artifact = layout.add_image(AMD64, overrides=overrides)
    with open_image(save(layout.members([artifact, layout.add_image(SAMPLE)]))) as opened:
        assert len(opened.layers) == 2
        assert any("artifact" in note for note in opened.notes)


def test_an_unknown_kind_of_manifest_is_passed_over(save: Save) -> None:
    layout = Layout()
    other = layout.add(b"?", "application/vnd.example.unheard-of")
    assert held(save(layout.members([other, layout.add_image(SAMPLE)]))) == SAMPLE_CHANGES


# ---- blobs that are missing, or lie ----


def without(members: Members, digest: object) -> Members:
    """The layout less one blob."""
    name = "blobs/" + str(digest).replace(":", "/")
    assert name in members
    return {key: value for key, value in members.items() if key != name}


@pytest.mark.parametrize("what", ["manifest", "config"])
def test_an_image_whose_document_is_missing_is_left_out_with_a_note(what: str, save: Save) -> None:
    layout = Layout()
    arm64 = layout.add_image(ARM64)
    index = layout.add_index(arm64, layout.add_image(AMD64))
    digest = arm64["digest"] if what == "manifest" else digest_of(ARM64.config_bytes())
    with open_image(save(without(layout.members([index]), digest))) as opened:
        assert str(opened.platform) == "linux/amd64"
        assert any(note.startswith("1 of the images") for note in opened.notes)


def test_a_missing_layer_is_an_error_once_it_is_wanted(save: Save) -> None:
    members = oci_layout(SAMPLE)
    digest = digest_of(compressed(TOP.tar, "gzip"))
    name = save(without(members, digest))
    with open_image(name) as opened:
        assert opened.names == ("1.0",)
    line = refusal(name, NotFound)
    assert "layer 1" in line
    assert digest in line


def test_no_socket_is_opened_for_urls(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    layout = Layout()
    foreign = layout.add(compressed(BASE.tar, "gzip"), f"{LAYER_TYPE}+gzip")
    foreign["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    foreign["urls"] = ["http://127.0.0.1:9/layer", "file:///etc/passwd"]
    descriptor = layout.add_image(AMD64, overrides={"layers": [foreign]})
    members = layout.members([descriptor])
    monkeypatch.setattr(socket, "socket", opened)
    assert held(save(members)) == ["0 A /a", "0 A /b"]


def test_urls_do_not_stand_in_for_a_missing_blob(save: Save) -> None:
    layout = Layout()
    foreign = layout.add(compressed(BASE.tar, "gzip"), f"{LAYER_TYPE}+gzip")
    foreign["urls"] = ["http://127.0.0.1:9/layer"]
    members = layout.members([layout.add_image(AMD64, overrides={"layers": [foreign]})])
    refusal(save(without(members, foreign["digest"])), NotFound)


def lying(what: str, change: Callable[[Fields], None]) -> Members:
    """A layout with one descriptor changed after the truth was told."""
    layout = Layout()
    config = layout.add(AMD64.config_bytes(), CONFIG_TYPE)
    stored = layout.add(compressed(BASE.tar, "gzip"), f"{LAYER_TYPE}+gzip")
    if what == "config":
        change(config)
    if what == "layer":
        change(stored)
    manifest = layout.add_image(AMD64, overrides={"config": config, "layers": [stored]})
    if what == "manifest":
        change(manifest)
    return layout.members([manifest])


@pytest.mark.parametrize("what", ["manifest", "config", "layer"])
@pytest.mark.parametrize("more", [-1, 1, 1 << 40])
def test_a_size_that_is_not_the_blob_s(what: str, more: int, save: Save) -> None:
    def change(descriptor: Fields) -> None:
        size = descriptor["size"]
        assert isinstance(size, int)
        descriptor["size"] = size + more

    line = refusal(save(lying(what, change)), SizeMismatch)
    assert "bytes" in line


def _respaced(document: bytes) -> bytes:
    """JSON of the same length that says something a little different."""
    return document.replace(b"linux", b"Linux").replace(b"schemaVersion", b"SchemaVersion")


@pytest.mark.parametrize("what", ["manifest", "config", "layer"])
def test_bytes_that_are_not_their_digest_s(what: str, save: Save) -> None:
    found: list[str] = []
    members = lying(what, lambda descriptor: found.append(str(descriptor["digest"])))
    name = "blobs/" + found[0].replace(":", "/")
    data = members[name]
    assert isinstance(data, bytes)
    # As many bytes that read as well: a letter's case in JSON, another time in gzip's header.
    members[name] = data[:4] + b"\7" + data[5:] if what == "layer" else _respaced(data)
    assert found[0] in refusal(save(members), DigestMismatch)


@pytest.mark.parametrize("what", ["manifest", "config", "layer"])
@pytest.mark.parametrize(
    "digest",
    ["", "sha256:", "sha256:" + "A" * 64, "md5:" + "a" * 32, "sha256:../../../../etc/passwd", 7],
)
def test_digests_that_are_none(what: str, digest: str | int, save: Save) -> None:
    def change(descriptor: Fields) -> None:
        descriptor["digest"] = digest

    assert "digest" in refusal(save(lying(what, change)), MalformedInput)


def test_a_diff_id_that_is_not_the_layer_s(save: Save) -> None:
    rootfs: Fields = {"type": "layers", "diff_ids": [TOP.diff_id]}
    line = refusal(save(oci_layout(image(BASE, overrides={"rootfs": rootfs}))), DigestMismatch)
    assert TOP.diff_id in line
    assert BASE.diff_id in line


@pytest.mark.parametrize("count", [0, 1, 3])
def test_layers_and_diff_ids_have_to_be_as_many(count: int, save: Save) -> None:
    layout = Layout()
    stored = layout.add(compressed(BASE.tar, "gzip"), f"{LAYER_TYPE}+gzip")
    descriptor = layout.add_image(SAMPLE, overrides={"layers": [stored] * count})
    line = refusal(save(layout.members([descriptor])), MalformedInput)
    assert f"{count} layers" in line
    assert "2 diff_ids" in line


def test_equal_diff_ids_are_legal(save: Save) -> None:
    name = save(oci_layout(image(BASE, TOP, BASE)))
    assert held(name) == [*SAMPLE_CHANGES, "2 M /a", "2 A /b"]


def test_inline_data_stands_in_for_a_blob(save: Save) -> None:
    def inline(descriptor: Fields) -> None:
        descriptor["data"] = base64.b64encode(AMD64.config_bytes()).decode()

    members = without(lying("config", inline), digest_of(AMD64.config_bytes()))
    assert held(save(members)) == ["0 A /a", "0 A /b"]


def test_inline_data_has_to_be_what_it_says(save: Save) -> None:
    def inline(descriptor: Fields) -> None:
        descriptor["data"] = "e30="

    with pytest.raises(MalformedInput) as raised:
        held(save(lying("config", inline)))
    assert "data" in str(raised.value)


def test_a_layer_that_is_no_tar_is_shown_without_its_files(save: Save) -> None:
    layout = Layout()
    secret = layout.add(b"secret", f"{LAYER_TYPE}+gzip+encrypted")
    layers: list[Fields] = [
        layout.add(compressed(BASE.tar, "gzip"), f"{LAYER_TYPE}+gzip"),
        secret,
        layout.add(compressed(TOP.tar, "gzip"), f"{LAYER_TYPE}+gzip"),
    ]
    built = image(BASE, BASE, TOP)
    name = save(layout.members([layout.add_image(built, overrides={"layers": layers})]))
    assert held(name) == ["0 A /a", "0 A /b", "2 M /a", "2 D /b"]
    with open_image(name) as opened:
        assert opened.layers[1].facts is None
        assert opened.layers[1].stored.size == 6
        # What cannot be read cannot be verified, nor what stands on it.
        known = [str(layer.chain_id) for layer in opened.layers]
        assert known == [BASE.diff_id, "None", "None"]
        with pytest.raises(NotFound, match="no tar"):
            _ = opened.layers[1].entries


def test_an_encrypted_layer_is_verified_all_the_same(save: Save) -> None:
    layout = Layout()
    secret = layout.add(b"secret", f"{LAYER_TYPE}+gzip+encrypted")
    members = layout.members([layout.add_image(AMD64, overrides={"layers": [secret]})])
    members["blobs/" + str(secret["digest"]).replace(":", "/")] = b"Secret"
    refusal(save(members), DigestMismatch)


def test_a_media_type_that_says_another_compression_is_warned_of(save: Save) -> None:
    def change(descriptor: Fields) -> None:
        descriptor["mediaType"] = LAYER_TYPE

    with open_image(save(lying("layer", change))) as opened:
        facts = opened.layers[0].facts
        assert facts is not None
        assert any("gzip" in warning for warning in facts.warnings)


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
def test_an_index_that_is_none(index: bytes, error: type[LayerlensError], save: Save) -> None:
    line = refusal(save({**oci_layout(SAMPLE), "index.json": index}), error)
    assert "index.json" in line or error is UnsupportedInput


def test_a_manifest_that_says_it_is_an_index(save: Save) -> None:
    layout = Layout()
    descriptor = layout.add_image(SAMPLE)
    descriptor["mediaType"] = INDEX_TYPE
    refusal(save(layout.members([descriptor])), MalformedInput)


def test_an_index_that_says_it_is_a_manifest(save: Save) -> None:
    layout = Layout()
    descriptor = layout.add_index(layout.add_image(SAMPLE))
    descriptor["mediaType"] = MANIFEST_TYPE
    refusal(save(layout.members([descriptor])), MalformedInput)


# ---- index.json and manifest.json side by side ----


def test_null_manifests_beside_a_manifest_json(save: Save) -> None:
    members = {**docker_25(image(BASE, TOP)), "index.json": b'{"schemaVersion":2,"manifests":null}'}
    assert held(save(members)) == SAMPLE_CHANGES


def test_one_image_in_both_is_one(save: Save) -> None:
    with open_image(save(docker_25(image(BASE, TOP, names=["example.com/x:1"])))) as opened:
        assert opened.names == ("example.com/x:1",)
        assert opened.stored.manifest_digest is not None
        assert opened.notes == ()


def test_images_of_either_are_united(save: Save) -> None:
    one, two = image(BASE, names=["example.com/one:1"]), image(TOP, names=["example.com/two:2"])
    members = docker_25(one, two)
    members["index.json"] = docker_25(one)["index.json"]
    name = save(members)
    refusal(name, AmbiguousImage)
    assert held(f"{name}:example.com/one:1") == ["0 A /a", "0 A /b"]
    assert held(f"{name}:example.com/two:2") == ["0 A /a"]


def test_documents_that_disagree_are_noted(save: Save) -> None:
    members = docker_25(image(BASE, names=["example.com/x:1"]))
    other = docker_25(image(TOP, names=["example.com/x:1"]))
    name = save({**other, **members, "manifest.json": other["manifest.json"]})
    with open_image(f"{name}:@0") as opened:
        assert any("disagree" in note and "example.com/x:1" in note for note in opened.notes)


# ---- layouts as directories ----


def directory_layout(tmp_path: Path) -> Path:
    return write_directory(oci_layout(SAMPLE), tmp_path / "layout")


@pytest.mark.parametrize("what", ["index.json", "layer", "blobs"])
def test_a_link_out_of_a_layout_is_refused(what: str, tmp_path: Path) -> None:
    layout = directory_layout(tmp_path)
    inside = layout / what
    if what == "layer":
        inside = layout / "blobs/sha256" / digest_of(compressed(TOP.tar, "gzip"))[7:]
    outside = tmp_path / "outside"
    inside.rename(outside)
    inside.symlink_to(outside)
    assert "leads out" in refusal(str(layout), MalformedInput)


def test_a_link_within_a_layout_is_followed(tmp_path: Path) -> None:
    layout = directory_layout(tmp_path)
    (layout / "blobs").rename(layout / "elsewhere")
    (layout / "blobs").symlink_to("elsewhere")
    assert held(str(layout)) == SAMPLE_CHANGES


def test_a_layout_named_by_a_link_is_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(directory_layout(tmp_path))
    assert held(str(tmp_path / "link")) == SAMPLE_CHANGES


@pytest.mark.parametrize("target", ["index.json", "nothing"])
def test_a_link_to_itself_or_to_nothing(target: str, tmp_path: Path) -> None:
    layout = directory_layout(tmp_path)
    (layout / "index.json").unlink()
    (layout / "index.json").symlink_to(target)
    assert "index.json" in refusal(str(layout), MalformedInput)


def test_a_pipe_in_a_layout_is_refused_at_once(tmp_path: Path) -> None:
    layout = directory_layout(tmp_path)
    blob = layout / "blobs/sha256" / digest_of(compressed(TOP.tar, "gzip"))[7:]
    blob.unlink()
    os.mkfifo(blob)
    assert "regular" in refusal(str(layout), MalformedInput)


def test_a_pipe_may_be_an_archive(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(archive(oci_layout(SAMPLE))))
    writer.start()
    assert held(str(pipe)) == SAMPLE_CHANGES
    writer.join()


def test_a_directory_that_is_no_layout(tmp_path: Path) -> None:
    assert "index.json" in refusal(str(tmp_path), UnsupportedInput)


def test_links_within_an_archive_are_followed(tmp_path: Path) -> None:
    members = oci_layout(SAMPLE)
    blob = "blobs/sha256/" + digest_of(compressed(TOP.tar, "gzip"))[7:]
    moved: Members = {**members, "moved": members[blob], blob: SymbolicLink("../../moved")}
    path = tmp_path / "archive"
    path.write_bytes(archive(moved))
    assert held(str(path)) == SAMPLE_CHANGES


def test_what_is_added_to_a_document_later_is_let_be(save: Save) -> None:
    layout = Layout()
    descriptor = layout.add_image(
        SAMPLE, overrides={"subject": layout.add(b"{}", MANIFEST_TYPE), "futureField": [1, {}]}
    )
    members = layout.members([{**descriptor, "futureField": None}])
    assert held(save(members)) == SAMPLE_CHANGES
