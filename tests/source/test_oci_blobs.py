"""Blobs of OCI layouts that are missing, or are not what their descriptors say."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable

import pytest
from archive_forms import (
    CONFIG_TYPE,
    LAYER_TYPE,
    Fields,
    Layout,
    Members,
    compressed,
    oci_layout,
)
from image_builder import digest_of, image

from layerlens.errors import (
    DigestMismatch,
    MalformedInput,
    NotFound,
    SizeMismatch,
)
from layerlens.image import open_image

from .layouts import ARM64, BASE, ONE_LAYER, SAMPLE, SAMPLE_CHANGES, TOP
from .reading import held, refusal

Save = Callable[[Members], str]


# ---- blobs that are missing, or lie ----


def without(members: Members, digest: object) -> Members:
    """The layout less one blob."""
    name = "blobs/" + str(digest).replace(":", "/")
    assert name in members
    return {key: value for key, value in members.items() if key != name}


@pytest.mark.parametrize("what", ["manifest", "config"])
def test_an_image_whose_document_is_missing_is_left_out_with_a_note(
    what: str, save_layout: Save
) -> None:
    layout = Layout()
    arm64 = layout.add_image(ARM64)
    index = layout.add_index(arm64, layout.add_image(ONE_LAYER))
    digest = arm64["digest"] if what == "manifest" else digest_of(ARM64.config_bytes())
    with open_image(save_layout(without(layout.members([index]), digest))) as opened:
        assert str(opened.platform) == "linux/amd64"
        start = "1 of the images that index.json names is not in "
        assert any(note.startswith(start) for note in opened.notes)


def test_a_missing_layer_is_an_error_once_it_is_wanted(save_layout: Save) -> None:
    members = oci_layout(SAMPLE)
    digest = digest_of(compressed(TOP.tar, "gzip"))
    name = save_layout(without(members, digest))
    with open_image(name) as opened:
        assert opened.names == ("1.0",)
    line = refusal(name, NotFound)
    assert "layer 1" in line
    assert digest in line


def test_no_socket_is_opened_for_urls(save_layout: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    layout = Layout()
    foreign = layout.add(compressed(BASE.tar, "gzip"), f"{LAYER_TYPE}+gzip")
    foreign["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    foreign["urls"] = ["http://127.0.0.1:9/layer", "file:///etc/passwd"]
    descriptor = layout.add_image(ONE_LAYER, overrides={"layers": [foreign]})
    members = layout.members([descriptor])
    monkeypatch.setattr(socket, "socket", opened)
    assert held(save_layout(members)) == ["0 A /a", "0 A /b"]


def test_urls_do_not_stand_in_for_a_missing_blob(save_layout: Save) -> None:
    layout = Layout()
    foreign = layout.add(compressed(BASE.tar, "gzip"), f"{LAYER_TYPE}+gzip")
    foreign["urls"] = ["http://127.0.0.1:9/layer"]
    members = layout.members([layout.add_image(ONE_LAYER, overrides={"layers": [foreign]})])
    refusal(save_layout(without(members, foreign["digest"])), NotFound)


def lying(what: str, change: Callable[[Fields], None]) -> Members:
    """A layout with one descriptor changed after the truth was told."""
    layout = Layout()
    config = layout.add(ONE_LAYER.config_bytes(), CONFIG_TYPE)
    stored = layout.add(compressed(BASE.tar, "gzip"), f"{LAYER_TYPE}+gzip")
    if what == "config":
        change(config)
    if what == "layer":
        change(stored)
    manifest = layout.add_image(ONE_LAYER, overrides={"config": config, "layers": [stored]})
    if what == "manifest":
        change(manifest)
    return layout.members([manifest])


@pytest.mark.parametrize("what", ["manifest", "config", "layer"])
@pytest.mark.parametrize("more", [-1, 1, 1 << 40])
def test_a_size_that_is_not_the_blob_s(what: str, more: int, save_layout: Save) -> None:
    def change(descriptor: Fields) -> None:
        size = descriptor["size"]
        assert isinstance(size, int)
        descriptor["size"] = size + more

    line = refusal(save_layout(lying(what, change)), SizeMismatch)
    assert "bytes" in line


def _respaced(document: bytes) -> bytes:
    """JSON of the same length that says something a little different."""
    return document.replace(b"linux", b"Linux").replace(b"schemaVersion", b"SchemaVersion")


@pytest.mark.parametrize("what", ["manifest", "config", "layer"])
def test_bytes_that_are_not_their_digest_s(what: str, save_layout: Save) -> None:
    found: list[str] = []
    members = lying(what, lambda descriptor: found.append(str(descriptor["digest"])))
    name = "blobs/" + found[0].replace(":", "/")
    data = members[name]
    assert isinstance(data, bytes)
    # As many bytes that read as well: a letter's case in JSON, another time in gzip's header.
    members[name] = data[:4] + b"\7" + data[5:] if what == "layer" else _respaced(data)
    assert found[0] in refusal(save_layout(members), DigestMismatch)


@pytest.mark.parametrize("what", ["manifest", "config", "layer"])
@pytest.mark.parametrize(
    "digest",
    ["", "sha256:", "sha256:" + "A" * 64, "md5:" + "a" * 32, "sha256:../../../../etc/passwd", 7],
)
def test_digests_that_are_none(what: str, digest: str | int, save_layout: Save) -> None:
    def change(descriptor: Fields) -> None:
        descriptor["digest"] = digest

    assert "digest" in refusal(save_layout(lying(what, change)), MalformedInput)


def test_a_diff_id_that_is_not_the_layer_s(save_layout: Save) -> None:
    rootfs: Fields = {"type": "layers", "diff_ids": [TOP.diff_id]}
    line = refusal(
        save_layout(oci_layout(image(BASE, overrides={"rootfs": rootfs}))), DigestMismatch
    )
    assert TOP.diff_id in line
    assert BASE.diff_id in line


@pytest.mark.parametrize("count", [0, 1, 3])
def test_layers_and_diff_ids_have_to_be_as_many(count: int, save_layout: Save) -> None:
    layout = Layout()
    stored = layout.add(compressed(BASE.tar, "gzip"), f"{LAYER_TYPE}+gzip")
    descriptor = layout.add_image(SAMPLE, overrides={"layers": [stored] * count})
    line = refusal(save_layout(layout.members([descriptor])), MalformedInput)
    assert f"{count} layers" in line
    assert "2 diff_ids" in line


def test_equal_diff_ids_are_legal(save_layout: Save) -> None:
    name = save_layout(oci_layout(image(BASE, TOP, BASE)))
    assert held(name) == [*SAMPLE_CHANGES, "2 M /a", "2 A /b"]


def test_inline_data_stands_in_for_a_blob(save_layout: Save) -> None:
    def inline(descriptor: Fields) -> None:
        descriptor["data"] = base64.b64encode(ONE_LAYER.config_bytes()).decode()

    members = without(lying("config", inline), digest_of(ONE_LAYER.config_bytes()))
    assert held(save_layout(members)) == ["0 A /a", "0 A /b"]


def test_inline_data_has_to_be_what_it_says(save_layout: Save) -> None:
    def inline(descriptor: Fields) -> None:
        descriptor["data"] = "e30="

    with pytest.raises(MalformedInput) as raised:
        held(save_layout(lying("config", inline)))
    assert "data" in str(raised.value)


def test_a_layer_that_is_no_tar_is_shown_without_its_files(save_layout: Save) -> None:
    layout = Layout()
    secret = layout.add(b"secret", f"{LAYER_TYPE}+gzip+encrypted")
    layers: list[Fields] = [
        layout.add(compressed(BASE.tar, "gzip"), f"{LAYER_TYPE}+gzip"),
        secret,
        layout.add(compressed(TOP.tar, "gzip"), f"{LAYER_TYPE}+gzip"),
    ]
    built = image(BASE, BASE, TOP)
    name = save_layout(layout.members([layout.add_image(built, overrides={"layers": layers})]))
    assert held(name) == ["0 A /a", "0 A /b", "2 M /a", "2 D /b"]
    with open_image(name) as opened:
        assert opened.layers[1].facts is None
        assert opened.layers[1].stored.size == 6
        # What cannot be read cannot be verified, nor what stands on it.
        known = [str(layer.chain_id) for layer in opened.layers]
        assert known == [BASE.diff_id, "None", "None"]
        with pytest.raises(NotFound, match="no tar"):
            _ = opened.layers[1].entries


def test_an_encrypted_layer_is_verified_all_the_same(save_layout: Save) -> None:
    layout = Layout()
    secret = layout.add(b"secret", f"{LAYER_TYPE}+gzip+encrypted")
    members = layout.members([layout.add_image(ONE_LAYER, overrides={"layers": [secret]})])
    members["blobs/" + str(secret["digest"]).replace(":", "/")] = b"Secret"
    refusal(save_layout(members), DigestMismatch)


def test_a_media_type_that_says_another_compression_is_warned_of(save_layout: Save) -> None:
    def change(descriptor: Fields) -> None:
        descriptor["mediaType"] = LAYER_TYPE

    with open_image(save_layout(lying("layer", change))) as opened:
        facts = opened.layers[0].facts
        assert facts is not None
        assert any("gzip" in warning for warning in facts.warnings)
