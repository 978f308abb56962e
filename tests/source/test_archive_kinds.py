"""What a file is, told by its content alone; root file systems; how images are named."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_forms import archive, compressed, docker_classic, docker_legacy, oci_layout
from image_builder import (
    Member,
    directory,
    file,
    hard_link,
    image,
    json_bytes,
    layer,
    symlink,
    tar_of,
)
from optional_codecs import needs_zstd

from layerlens.errors import MalformedInput, NotFound, UnsupportedInput, UsageError
from layerlens.image import open_image
from layerlens.opening import Access

from .reading import held, refusal

Save = Callable[[bytes], str]
WRAPPINGS = ["none", "gzip", "bzip2", "xz", pytest.param("zstd", marks=needs_zstd)]

ROOT = [
    directory("./"),
    directory("./etc"),
    file("./etc/hostname", b"box"),
    symlink("./lib", "usr/lib"),
    directory("./usr/lib"),
    hard_link("./usr/lib/name", "./etc/hostname"),
]
ROOT_CHANGES = ["0 A /etc", "0 A /etc/hostname", "0 A /lib", "0 A /usr", "0 A /usr/lib"]


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("access", Access)
def test_a_root_file_system_is_an_image_of_one_layer(
    wrapping: str, access: Access, save: Save
) -> None:
    name = save(compressed(tar_of(*ROOT), wrapping))
    assert held(name, access=access) == [*ROOT_CHANGES, "0 A /usr/lib/name"]
    with open_image(name) as opened:
        assert any("root file system" in note for note in opened.notes)
        assert opened.names == ()
        assert opened.layers[0].blob_digest is None
        assert opened.layers[0].facts is not None


def test_a_root_file_system_may_hold_what_looks_like_documents(save: Save) -> None:
    name = save(tar_of(*ROOT, file("usr/manifest.json", b"[]"), file("usr/index.json", b"{}")))
    assert "0 A /usr/manifest.json" in held(name)


def test_a_root_file_system_cut_short_is_refused(save: Save) -> None:
    # No digest tells that something is missing; the end-of-archive marker has to.
    whole = tar_of(*ROOT)
    end = whole.rstrip(b"\0")
    at_a_block = -(-len(end) // 512) * 512
    assert "truncated" in refusal(save(whole[:at_a_block]), MalformedInput)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", UnsupportedInput),
        (b"no tar", MalformedInput),
        (b"{}" * 1000, MalformedInput),
        (b"\0" * 10240, UnsupportedInput),
        (tar_of(file("a.txt", b"x"), file("b/c", b"y")), UnsupportedInput),
    ],
    ids=["empty", "short", "text", "tar of nothing", "tar of something else"],
)
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_what_is_no_image(
    data: bytes, error: type[MalformedInput], wrapping: str, save: Save
) -> None:
    line = refusal(save(compressed(data, wrapping)), error)
    assert "image-1" in line


@pytest.mark.parametrize(
    "wrapping", ["gzip", "bzip2", "xz", pytest.param("zstd", marks=needs_zstd)]
)
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_wrapping_cut_short(wrapping: str, kept: float, save: Save) -> None:
    data = compressed(archive(oci_layout(image(layer(*ROOT)))), wrapping)
    with pytest.raises(MalformedInput):
        held(save(data[: int(len(data) * kept)]))


def test_two_wrappings_are_one_too_many(save: Save) -> None:
    data = compressed(archive(oci_layout(image(layer(*ROOT)))), "gzip")
    line = refusal(save(compressed(data, "gzip")), MalformedInput)
    assert "tar" in line


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".txt", ""])
def test_the_file_s_name_says_nothing(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"image{suffix}"
    path.write_bytes(compressed(archive(oci_layout(image(layer(file("/a"))))), "xz"))
    assert held(str(path)) == ["0 A /a"]


def test_a_gzip_of_several_members_is_one_archive(save: Save) -> None:
    data = archive(oci_layout(image(layer(file("/a")))))
    parts = [compressed(data[at : at + 1000], "gzip") for at in range(0, len(data), 1000)]
    assert held(save(b"".join(parts))) == ["0 A /a"]


# ---- docker before 1.10 ----


def test_a_legacy_layer_may_be_empty(save: Save) -> None:
    members = docker_legacy(image(layer(file("/a")), layer()))
    empty = next(name for name in reversed(members) if name.endswith("/layer.tar"))
    members[empty] = b""
    name = save(archive(members))
    with open_image(name) as opened:
        assert [len(layer.entries) for layer in opened.layers] == [1, 0]


def test_a_legacy_layer_cut_short_is_refused(save: Save) -> None:
    # No diff_id is known of it, so only the tar itself tells.
    members = docker_legacy(image(layer(file("/a"), file("/b"))))
    name = next(name for name in members if name.endswith("/layer.tar"))
    members[name] = tar_of(file("/a"), file("/b"))[:512]
    assert "truncated" in refusal(save(archive(members)), MalformedInput)


def test_legacy_parents_in_a_loop(save: Save) -> None:
    members = docker_legacy(image(layer(file("/a"))))
    name = next(name for name in members if name.endswith("/json"))
    layer_id = name.partition("/")[0]
    members[name] = json_bytes({"id": layer_id, "parent": layer_id})
    assert layer_id in refusal(save(archive(members)), MalformedInput)


def test_a_legacy_parent_that_is_missing(save: Save) -> None:
    members = docker_legacy(image(layer(file("/a"))))
    name = next(name for name in members if name.endswith("/json"))
    members[name] = json_bytes({"id": name.partition("/")[0], "parent": "f" * 64})
    assert "f" * 64 in refusal(save(archive(members)), NotFound)


def test_a_manifest_json_goes_before_repositories(save: Save) -> None:
    members = docker_classic(image(layer(file("/a")), names=["example.com/x:1"]))
    members["repositories"] = b'{"example.com/wrong":{"1":"0"}}'
    with open_image(save(archive(members))) as opened:
        assert opened.names == ("example.com/x:1",)


# ---- names ----


@pytest.mark.parametrize(
    "name", ["/no/such/image.tar", "./none", "none.tar", "oci:/none", "docker-archive:none"]
)
def test_a_path_that_does_not_exist(name: str) -> None:
    line = refusal(name, NotFound)
    assert "no such file" in line


def test_no_name() -> None:
    refusal("", UsageError)


def test_a_link_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nothing")
    assert "link" in refusal(str(tmp_path / "link"), NotFound)


# ---- members of the archive itself ----


def test_a_member_listed_again_counts_the_last_time(save: Save) -> None:
    whole = oci_layout(image(layer(file("/a"))))
    index = whole.pop("index.json")
    assert isinstance(index, bytes)
    members = [
        Member(name=name, content=data) for name, data in whole.items() if isinstance(data, bytes)
    ]
    for wrapping in ("none", "gzip"):
        twice = tar_of(
            Member(name="index.json", content=b"{}"),
            *members,
            Member(name="./index.json", content=index),
        )
        assert held(save(compressed(twice, wrapping))) == ["0 A /a"]


@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT])
def test_archives_in_every_tar_format(tar_format: int, save: Save) -> None:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tar_format) as written:
        for name, data in oci_layout(image(layer(file("/a")))).items():
            assert isinstance(data, bytes)
            header = tarfile.TarInfo(name)
            header.size = len(data)
            written.addfile(header, io.BytesIO(data))
    assert held(save(output.getvalue())) == ["0 A /a"]
