"""OCI layouts as directories, their links and pipes, and index.json beside manifest.json."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_forms import (
    Members,
    SymbolicLink,
    archive,
    compressed,
    docker_25,
    oci_layout,
    write_directory,
)
from image_builder import digest_of, image

from layerlens.errors import (
    AmbiguousImage,
    MalformedInput,
    UnsupportedInput,
)
from layerlens.image import open_image

from .layouts import BASE, SAMPLE, SAMPLE_CHANGES, TOP
from .reading import held, refusal

Save = Callable[[Members], str]


# ---- index.json and manifest.json side by side ----


def test_null_manifests_beside_a_manifest_json(save_layout: Save) -> None:
    members = {**docker_25(image(BASE, TOP)), "index.json": b'{"schemaVersion":2,"manifests":null}'}
    assert held(save_layout(members)) == SAMPLE_CHANGES


def test_one_image_in_both_is_one(save_layout: Save) -> None:
    with open_image(save_layout(docker_25(image(BASE, TOP, names=["example.com/x:1"])))) as opened:
        assert opened.names == ("example.com/x:1",)
        assert opened.stored.manifest_digest is not None
        assert opened.notes == ()


def test_images_of_either_are_united(save_layout: Save) -> None:
    one, two = image(BASE, names=["example.com/one:1"]), image(TOP, names=["example.com/two:2"])
    members = docker_25(one, two)
    members["index.json"] = docker_25(one)["index.json"]
    name = save_layout(members)
    refusal(name, AmbiguousImage)
    assert held(f"{name}:example.com/one:1") == ["0 A /a", "0 A /b"]
    assert held(f"{name}:example.com/two:2") == ["0 A /a"]


def test_documents_that_disagree_are_noted(save_layout: Save) -> None:
    members = docker_25(image(BASE, names=["example.com/x:1"]))
    other = docker_25(image(TOP, names=["example.com/x:1"]))
    name = save_layout({**other, **members, "manifest.json": other["manifest.json"]})
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


def test_a_directory_of_another_transport_is_told_by_name(tmp_path: Path) -> None:
    members: Members = {
        "version": b"Directory Transport Version: 1.1\n",
        "manifest.json": b'{"schemaVersion":2,"config":{},"layers":[]}',
    }
    write_directory(members, tmp_path / "it")
    line = refusal(str(tmp_path / "it"), UnsupportedInput)
    assert "wrote as dir:" in line
    assert line.endswith("skopeo copy dir:PATH oci:LAYOUT")


def test_a_file_called_version_is_no_hindrance(save_layout: Save) -> None:
    version = b"Directory Transport Version: 1.1\n"
    members = {**oci_layout(image(BASE, TOP)), "version": version}
    assert held(save_layout(members)) == SAMPLE_CHANGES
    assert held(save_layout({**docker_25(image(BASE, TOP)), "version": b"1" * 99}))
