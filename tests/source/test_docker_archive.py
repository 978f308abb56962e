"""Every tool's dialect of ``docker save``, whole and broken."""

from __future__ import annotations

import gzip
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from archive_forms import (
    HardLink,
    Members,
    SymbolicLink,
    archive,
    compressed,
    docker_25,
    docker_classic,
    docker_jib,
    docker_kaniko,
    docker_legacy,
    docker_skopeo,
)
from image_builder import (
    BuiltImage,
    digest_of,
    directory,
    file,
    image,
    json_bytes,
    layer,
    whiteout,
)
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
from layerlens.opening import Access

from .reading import held, refusal

Save = Callable[[bytes], str]
Form = Callable[[BuiltImage], Members]


class FormOfSeveral(Protocol):
    """A form that holds several images."""

    def __call__(self, *images: BuiltImage) -> Members: ...


BASE = layer(directory("/etc"), file("/etc/a", b"1"), file("/b", b"22"), created_by="COPY . /")
TOP = layer(whiteout("/b"), file("/etc/a", b"333"), created_by="RUN make")
# The base twice: docker writes the second as a symlink, and equal diff_ids are legal.
SAMPLE = image(BASE, TOP, BASE, names=["example.com/sample:1"], config={"Cmd": ["/b"]})
SAMPLE_CHANGES = [
    "0 A /b",
    "0 A /etc",
    "0 A /etc/a",
    "1 D /b",
    "1 M /etc/a",
    "2 A /b",
    "2 M /etc/a",
]

FORMS: list[Form] = [
    docker_skopeo,
    docker_classic,
    docker_25,
    docker_kaniko,
    docker_jib,
    docker_legacy,
]
WRAPPINGS = ["none", "gzip", "bzip2", "xz", pytest.param("zstd", marks=needs_zstd)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("access", Access)
def test_every_dialect_in_every_wrapping(
    form: Form, wrapping: str, access: Access, save: Save
) -> None:
    name = save(compressed(archive(form(SAMPLE)), wrapping))
    assert held(name, access=access) == SAMPLE_CHANGES


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], None]]:
    """Gives bytes to whoever reads standard input, through a pipe."""
    writers: list[threading.Thread] = []

    def put(data: bytes) -> None:
        reading, writing = os.pipe()

        def write() -> None:
            with open(writing, "wb") as pipe:
                pipe.write(data)

        writers.append(threading.Thread(target=write))
        writers[-1].start()
        monkeypatch.setattr(sys, "stdin", open(reading, "rb"))  # noqa: SIM115

    yield put
    for writer in writers:
        writer.join()
    sys.stdin.close()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrapping", ["none", "gzip"])
@pytest.mark.parametrize("access", Access)
def test_every_dialect_through_a_pipe(
    form: Form, wrapping: str, access: Access, standard_input: Callable[[bytes], None]
) -> None:
    standard_input(compressed(archive(form(SAMPLE)), wrapping))
    assert held("-", access=access) == SAMPLE_CHANGES


@pytest.mark.parametrize("form", FORMS)
def test_documents_may_stand_before_the_layers_they_name(
    form: Form, standard_input: Callable[[bytes], None]
) -> None:
    members = form(SAMPLE)
    standard_input(archive(dict(reversed(members.items()))))
    assert held("-") == SAMPLE_CHANGES


@pytest.mark.parametrize("form", FORMS)
def test_what_the_documents_say(form: Form, save: Save) -> None:
    with open_image(save(archive(form(SAMPLE)))) as opened:
        assert opened.names == ("example.com/sample:1",)
        assert str(opened.platform) == "linux/amd64"
        assert opened.config.runtime.cmd == ("/b",)
        assert [str(layer.diff_id) for layer in opened.layers] == [
            layer.diff_id for layer in SAMPLE.layers
        ]
        instructions = [layer.instruction for layer in opened.layers]
        assert [line.text for line in instructions if line] == ["COPY . /", "RUN make", "COPY . /"]


@pytest.mark.parametrize("form", [docker_skopeo, docker_classic, docker_legacy])
def test_a_plain_layer_has_no_blob_digest(form: Form, save: Save) -> None:
    with open_image(save(archive(form(SAMPLE)))) as opened:
        assert [layer.blob_digest for layer in opened.layers] == [None] * 3


@pytest.mark.parametrize("form", [docker_kaniko, docker_jib])
def test_a_gzip_layer_is_a_blob(form: Form, save: Save) -> None:
    with open_image(save(archive(form(SAMPLE)))) as opened:
        assert [str(layer.blob_digest) for layer in opened.layers] == [
            digest_of(compressed(layer.tar, "gzip")) for layer in SAMPLE.layers
        ]


@pytest.mark.parametrize("form", FORMS)
def test_member_names_are_cleaned(form: Form, save: Save) -> None:
    members: Members = {}
    for name, value in form(SAMPLE).items():
        members[f"./{name}"] = value
    assert held(save(archive(members))) == SAMPLE_CHANGES


def test_a_layer_listed_dozens_of_times(save: Save) -> None:
    many = image(*[BASE] * 40)
    with open_image(save(archive(docker_kaniko(many)))) as opened:
        assert len(opened.layers) == 40
        assert [len(layer.entries) for layer in opened.layers] == [3] * 40


def test_an_image_without_layers(save: Save) -> None:
    with open_image(save(archive(docker_skopeo(image())))) as opened:
        assert list(opened.layers) == []
        assert [item.path for item in opened.tree().walk()] == ["/"]


def with_manifest(members: Members, **fields: object) -> Members:
    """The archive, with fields of its first image's entry in manifest.json replaced."""
    data = members["manifest.json"]
    assert isinstance(data, bytes)
    items = json.loads(data)
    items[0].update(fields)
    return {**members, "manifest.json": json_bytes(items)}


def first_layer_name(members: Members) -> str:
    """The name by which manifest.json calls the lowest layer."""
    data = members["manifest.json"]
    assert isinstance(data, bytes)
    name: str = json.loads(data)[0]["Layers"][0]
    return name


@pytest.mark.parametrize("link", [SymbolicLink, HardLink])
@pytest.mark.parametrize("access", Access)
def test_a_layer_may_be_a_link_to_another_member(
    link: type[SymbolicLink] | type[HardLink], access: Access, save: Save
) -> None:
    members = docker_skopeo(SAMPLE)
    name = first_layer_name(members)
    data = members[name]
    moved: Members = {**members, "real.tar": data, name: link("real.tar")}
    assert held(save(archive(moved)), access=access) == SAMPLE_CHANGES


def test_links_to_links(save: Save) -> None:
    members = docker_skopeo(SAMPLE)
    name = first_layer_name(members)
    chain: Members = {f"d/{number}": SymbolicLink(f"{number + 1}") for number in range(50)}
    members = {"d/50": members[name], **members, **chain, name: SymbolicLink("d/0")}
    assert held(save(archive(members))) == SAMPLE_CHANGES


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize(
    "links",
    [
        {"LAYER": SymbolicLink("LAYER")},
        {"LAYER": SymbolicLink("x"), "x": SymbolicLink("y"), "y": HardLink("LAYER")},
    ],
)
def test_links_in_a_loop_are_refused(
    links: dict[str, SymbolicLink | HardLink], compression: str, save: Save
) -> None:
    members = docker_skopeo(SAMPLE)
    name = first_layer_name(members)
    for link, value in links.items():
        members[link.replace("LAYER", name)] = type(value)(value.target.replace("LAYER", name))
    line = refusal(save(compressed(archive(members), compression)), MalformedInput)
    assert name in line
    assert "loop" in line


@pytest.mark.parametrize("target", ["../layer.tar", "../../etc/passwd", "/etc/passwd"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_link_out_of_the_archive_is_refused(target: str, compression: str, save: Save) -> None:
    members = docker_skopeo(SAMPLE)
    name = first_layer_name(members)
    members[name] = SymbolicLink(target)
    line = refusal(save(compressed(archive(members), compression)), MalformedInput)
    assert name in line


def test_a_link_to_nothing_is_a_missing_layer(save: Save) -> None:
    members = docker_skopeo(SAMPLE)
    name = first_layer_name(members)
    members[name] = SymbolicLink("nowhere.tar")
    assert "missing" in refusal(save(archive(members)), NotFound)


@pytest.mark.parametrize("count", [2, 4])
def test_layers_and_diff_ids_have_to_be_as_many(count: int, save: Save) -> None:
    members = docker_skopeo(SAMPLE)
    names = [first_layer_name(members)] * count
    line = refusal(save(archive(with_manifest(members, Layers=names))), MalformedInput)
    assert f"{count} layers" in line
    assert "3 diff_ids" in line


def test_the_root_file_system_has_to_be_of_layers(save: Save) -> None:
    odd = image(BASE, overrides={"rootfs": {"type": "ostree", "diff_ids": [BASE.diff_id]}})
    line = refusal(save(archive(docker_skopeo(odd))), UnsupportedInput)
    assert "rootfs" in line
    assert "ostree" in line


@pytest.mark.parametrize("form", [docker_skopeo, docker_classic, docker_25, docker_kaniko])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_config_that_is_not_what_its_name_says(form: Form, compression: str, save: Save) -> None:
    members = form(SAMPLE)
    name = next(name for name in members if SAMPLE.config_hex in name)
    members[name] = SAMPLE.config_bytes() + b" "
    with_other_config = compressed(archive(members), compression)
    if form is docker_25:
        assert SAMPLE.config_hex in refusal_of_any(save(with_other_config))
    else:
        line = refusal(save(with_other_config), DigestMismatch)
        assert digest_of(SAMPLE.config_bytes() + b" ") in line


def refusal_of_any(name: str) -> str:
    """The line that refuses the image, be it for its size or its digest."""
    with pytest.raises(MalformedInput) as raised:
        held(name)
    return str(raised.value)


@pytest.mark.parametrize("form", [docker_skopeo, docker_classic, docker_kaniko, docker_jib])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_layer_that_is_not_the_diff_id_s(form: Form, compression: str, save: Save) -> None:
    other = layer(file("/other", b"1"))
    members = form(image(BASE, overrides={"rootfs": rootfs(other.diff_id)}))
    line = refusal(save(compressed(archive(members), compression)), DigestMismatch)
    assert other.diff_id in line
    assert BASE.diff_id in line
    assert "layer 0" in line


def rootfs(*diff_ids: str) -> dict[str, str | list[str]]:
    """A config's rootfs with these diff_ids."""
    return {"type": "layers", "diff_ids": list(diff_ids)}


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_gzip_layer_that_is_not_the_blob_its_name_says(compression: str, save: Save) -> None:
    members = docker_kaniko(image(BASE))
    name = first_layer_name(members)
    members[name] = gzip.compress(BASE.tar, compresslevel=1, mtime=7)
    line = refusal(save(compressed(archive(members), compression)), DigestMismatch)
    assert name.removesuffix(".tar.gz") in line


def test_a_missing_config(save: Save) -> None:
    members = docker_skopeo(SAMPLE)
    del members[f"{SAMPLE.config_hex}.json"]
    assert SAMPLE.config_hex in refusal(save(archive(members)), NotFound)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_missing_layer(compression: str, save: Save) -> None:
    members = docker_skopeo(SAMPLE)
    name = first_layer_name(members)
    del members[name]
    assert name in refusal(save(compressed(archive(members), compression)), NotFound)


@pytest.mark.parametrize(
    ("document", "error", "words"),
    [
        (b"", MalformedInput, "manifest.json"),
        (b"[", MalformedInput, "manifest.json"),
        (b"{}", MalformedInput, "manifest.json"),
        (b"[]", UnsupportedInput, "no image"),
        (b"[1]", MalformedInput, "expected an object"),
        (b"[{}]", MalformedInput, "[0].Config"),
        (b'[{"Config":7,"Layers":[]}]', MalformedInput, "expected a string"),
        (b'[{"Config":"a.json","Layers":{}}]', MalformedInput, "Layers"),
        (b'[{"Config":"a.json","config":"b.json","Layers":[]}]', MalformedInput, "Config"),
        (b'[{"Config":"a.json","Config":"b.json"}]', MalformedInput, "Config"),
        (b"[" * 2000 + b"]" * 2000, LimitExceeded, "manifest.json"),
        (b"[" + b" " * (1 << 20) + b"]", LimitExceeded, "manifest.json"),
        (b"\xff\xfe", MalformedInput, "manifest.json"),
    ],
)
def test_a_manifest_that_is_none(
    document: bytes, error: type[LayerlensError], words: str, save: Save
) -> None:
    members = {**docker_kaniko(SAMPLE), "manifest.json": document}
    line = refusal(save(archive(members)), error)
    assert words in line


def test_unknown_fields_and_nulls_are_let_be(save: Save) -> None:
    members = with_manifest(
        docker_skopeo(SAMPLE), RepoTags=None, Parent="sha256:1", LayerSources={"x": {"size": 1}}
    )
    with open_image(save(archive(members))) as opened:
        assert opened.names == ()
        assert len(opened.layers) == 3


def test_one_image_under_several_names_and_entries_is_one(save: Save) -> None:
    members = docker_skopeo(SAMPLE)
    data = members["manifest.json"]
    assert isinstance(data, bytes)
    item = json.loads(data)[0]
    items = [item, {**item, "RepoTags": ["example.com/other:2"]}]
    members["manifest.json"] = json_bytes(items)
    with open_image(save(archive(members))) as opened:
        assert opened.names == ("example.com/sample:1", "example.com/other:2")


OTHER = image(BASE, names=["localhost/other:2.0", "docker.io/library/web:1.0"])


@pytest.mark.parametrize("form", [docker_skopeo, docker_classic, docker_25, docker_kaniko])
@pytest.mark.parametrize(
    ("choice", "layers"),
    [
        ("@0", 3),
        ("@1", 1),
        ("example.com/sample:1", 3),
        ("localhost/other:2.0", 1),
        ("other:2.0", 1),
        ("web:1.0", 1),
        ("docker.io/library/web:1.0", 1),
        ("library/web:1.0", 1),
    ],
)
def test_one_of_several_images(form: FormOfSeveral, choice: str, layers: int, save: Save) -> None:
    name = save(archive(form(SAMPLE, OTHER)))
    for written in (f"{name}:{choice}", f"docker-archive:{name}:{choice}"):
        with open_image(written) as opened:
            assert len(opened.layers) == layers


def test_a_name_without_a_tag_means_latest(save: Save) -> None:
    name = save(archive(docker_skopeo(SAMPLE, image(BASE, names=["localhost/web:latest"]))))
    with open_image(f"{name}:web") as opened:
        assert opened.names == ("localhost/web:latest",)


@pytest.mark.parametrize("form", [docker_skopeo, docker_25, docker_legacy])
def test_several_images_and_no_choice_lists_them(form: FormOfSeveral, save: Save) -> None:
    line = refusal(save(archive(form(SAMPLE, OTHER))), AmbiguousImage)
    for word in ("@0", "@1", "example.com/sample:1", "localhost/other:2.0"):
        assert word in line


def test_the_error_says_what_can_be_chosen(save: Save) -> None:
    with pytest.raises(AmbiguousImage) as caught:
        open_image(save(archive(docker_skopeo(SAMPLE, OTHER))))
    first, second = caught.value.images
    assert first == ("@0", "example.com/sample:1")
    assert second[0] == "@1"
    assert "localhost/other:2.0" in second[1]
    assert caught.value.platforms == ()


@pytest.mark.parametrize("choice", ["@2", "@-1", "@", "@x", "sample:2", "nothing", "@99999999999"])
def test_a_choice_that_is_not_there_lists_what_is(choice: str, save: Save) -> None:
    line = refusal(f"{save(archive(docker_skopeo(SAMPLE, OTHER)))}:{choice}", NotFound)
    assert "@1" in line
    assert "example.com/sample:1" in line


def test_a_file_name_with_a_colon(tmp_path: Path) -> None:
    path = tmp_path / "image:1.0"
    path.write_bytes(archive(docker_skopeo(SAMPLE, OTHER)))
    (tmp_path / "image").write_bytes(archive(docker_skopeo(OTHER)))
    with open_image(f"{path}:@0") as opened:
        assert len(opened.layers) == 3
