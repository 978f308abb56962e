"""Whole images that lie or attack: each is refused by name, whichever way it is handed over."""

import bz2
import gzip
import json
import lzma
import os
import re
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from oci.messages import refusal
from streams.raw_images import (
    SMALL_LAYER,
    RawImage,
    Seen,
    StoredBlob,
    as_json,
    blob_name,
    config_of,
    descriptor,
    docker_archive,
    index_of,
    layout_of,
    look_at,
    manifest_of,
    oci_layout,
    sha256,
    with_limits,
)
from streams.raw_tar import (
    BLOCK,
    END,
    FIFO,
    HARD_LINK,
    SYMLINK,
    directory,
    header,
    member,
    pax,
)

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
from layerlens.layer.entry import Entry
from layerlens.layer_jobs import Cancelled, LoadSettings
from layerlens.oci import media_types
from layerlens.oci.json_fields import JsonValue
from layerlens.streams.limits import DEFAULT_LIMITS, Limits

MIB = 1 << 20
ZIPPED = StoredBlob(stored=gzip.compress(SMALL_LAYER, mtime=0), plain=SMALL_LAYER)
WRONG = "sha256:" + "0" * 64


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


class Handed:
    """Hands an image over in one of the ways there are, and looks at all of it."""

    def __init__(self, way: str, directory: Path) -> None:
        self.way = way
        self._directory = directory
        self._count = 0

    def __call__(self, image: RawImage, limits: Limits = DEFAULT_LIMITS) -> Seen:
        self._count += 1
        path = self._directory / str(self._count) / "it"
        path.parent.mkdir()
        if self.way == "layout":
            image.write_layout(path)
        elif self.way == "gzip":
            path.write_bytes(gzip.compress(image.archive()))
        else:
            image.write_archive(path)
        return look_at(path, limits)


@pytest.fixture(params=["archive", "gzip", "layout"])
def handed(request: pytest.FixtureRequest, tmp_path: Path) -> Handed:
    return Handed(request.param, tmp_path)


@pytest.fixture(params=["archive", "gzip"])
def archived(request: pytest.FixtureRequest, tmp_path: Path) -> Handed:
    return Handed(request.param, tmp_path)


def test_the_images_below_are_sound_before_they_are_spoilt(handed: Handed) -> None:
    seen = handed(docker_archive(SMALL_LAYER))
    assert [[entry.path for entry in layer] for layer in seen.entries] == [
        ["/etc", "/etc/motd", "/bin"]
    ]
    assert (seen.warnings, seen.notes) == ((), ())


def test_the_layouts_below_are_sound_before_they_are_spoilt(handed: Handed) -> None:
    seen = handed(oci_layout(ZIPPED))
    assert [[entry.path for entry in layer] for layer in seen.entries] == [
        ["/etc", "/etc/motd", "/bin"]
    ]
    assert (seen.warnings, seen.notes) == ((), ())


# Documents and blobs


def test_a_missing_layer(handed: Handed) -> None:
    with refusal(NotFound, "it: layer 0", "missing"):
        handed(oci_layout(ZIPPED).without(blob_name(ZIPPED.stored)))


def test_a_missing_layer_of_docker(handed: Handed) -> None:
    with refusal(NotFound, "it: '0/layer.tar' is missing"):
        handed(docker_archive(SMALL_LAYER).without("0/layer.tar"))


def test_a_missing_config(handed: Handed) -> None:
    with refusal(NotFound, "it: 'config.json' is missing"):
        handed(docker_archive(SMALL_LAYER).without("config.json"))
    config = config_of(sha256(SMALL_LAYER))
    with refusal(UnsupportedInput, "it: holds no image"):
        handed(oci_layout(ZIPPED).without(blob_name(config)))


@pytest.mark.parametrize("what", ["layer", "config", "manifest"])
def test_a_blob_of_other_bytes(handed: Handed, what: str) -> None:
    image = oci_layout(ZIPPED)
    config = config_of(sha256(SMALL_LAYER))
    name = {
        "layer": blob_name(ZIPPED.stored),
        "config": blob_name(config),
        "manifest": next(
            name
            for name, body in image.members.items()
            if isinstance(body, bytes) and b'"layers":' in body
        ),
    }[what]
    body = image.members[name]
    assert isinstance(body, bytes)
    other = gzip.compress(SMALL_LAYER, mtime=1) if what == "layer" else body[:-1] + b" "
    assert len(other) == len(body)
    with refusal(DigestMismatch, "it: ", name.rpartition("/")[2]):
        handed(image.put(name, other))
    if what != "layer":
        longer = image.put(name, body + b"\0")
        # A stream knows a blob's digest, by its name, before it knows who declares its size.
        kind = DigestMismatch if handed.way == "gzip" else SizeMismatch
        with refusal(kind, "it: ", name.rpartition("/")[2]):
            handed(longer)


@pytest.mark.parametrize("difference", [-1, 1, 1000, 1 << 60])
def test_a_layer_of_another_size_than_declared(handed: Handed, difference: int) -> None:
    size = len(ZIPPED.stored)
    said: dict[str, JsonValue] = {"size": size + difference}
    blob = StoredBlob(stored=ZIPPED.stored, plain=SMALL_LAYER, said=said)
    with refusal(SizeMismatch, "it: layer 0", f"has {size} bytes", f"{size + difference}"):
        handed(oci_layout(blob))


@pytest.mark.parametrize("size", [-1, 1 << 63, 1.5, "7", True, None])
def test_a_size_that_is_none(handed: Handed, size: JsonValue) -> None:
    blob = StoredBlob(stored=ZIPPED.stored, plain=SMALL_LAYER, said={"size": size})
    with refusal(MalformedInput, "layers[0].size"):
        handed(oci_layout(blob))


@pytest.mark.parametrize("digest", ["md5:" + "0" * 32, "sha256:" + "A" * 64, "../../etc/passwd"])
def test_a_digest_that_is_none(handed: Handed, digest: str) -> None:
    blob = StoredBlob(stored=ZIPPED.stored, plain=SMALL_LAYER, said={"digest": digest})
    with refusal(MalformedInput, "layers[0].digest"):
        handed(oci_layout(blob))


def test_a_wrong_diff_id(handed: Handed) -> None:
    with refusal(DigestMismatch, "it: layer 0", "the config's diff_id is " + WRONG):
        handed(oci_layout(ZIPPED, diff_ids=[WRONG]))


def test_a_wrong_diff_id_of_docker(handed: Handed) -> None:
    with refusal(DigestMismatch, "it: layer 0 (0/layer.tar)", WRONG):
        handed(docker_archive(SMALL_LAYER, diff_ids=[WRONG]))


@pytest.mark.parametrize("diff_ids", [[], [sha256(SMALL_LAYER)] * 2])
def test_another_number_of_layers_than_of_diff_ids(handed: Handed, diff_ids: list[str]) -> None:
    text = f"it: manifest.json: [0]: lists 1 layers, its config {len(diff_ids)} diff_ids"
    with pytest.raises(MalformedInput, match=f"(?s)(?<!: ){re.escape(text)}$"):
        handed(docker_archive(SMALL_LAYER, diff_ids=diff_ids))


def test_another_number_in_a_layout(handed: Handed) -> None:
    with refusal(MalformedInput, "lists 1 layers", "its config 0 diff_ids"):
        handed(oci_layout(ZIPPED, diff_ids=[]))


def test_a_config_named_by_another_digest(handed: Handed) -> None:
    image = docker_archive(SMALL_LAYER)
    manifest = [{"Config": "0" * 64 + ".json", "Layers": ["0/layer.tar"]}]
    image = image.put("0" * 64 + ".json", image.members["config.json"])
    with refusal(DigestMismatch, "it: the config '000"):
        handed(image.put("manifest.json", json.dumps(manifest).encode()))


def test_a_layer_that_is_encrypted_is_still_verified(handed: Handed) -> None:
    media_type = media_types.OCI_LAYER_GZIP + "+encrypted"
    secret = bytes(range(256)) * 20_000  # more than a document may have
    blob = StoredBlob(stored=secret, plain=SMALL_LAYER, media_type=media_type)
    image = oci_layout(blob)
    damaged = image.put(blob_name(secret), secret[:-1] + b"!")
    with refusal(DigestMismatch, "it: ", blob_name(secret).rpartition("/")[2]):
        handed(damaged)


# Links and names


def test_a_link_out_of_the_layout(handed: Handed) -> None:
    for target in ("../../etc/passwd", "/etc/passwd", "../..", "../x/../../y"):
        with refusal(MalformedInput, "it: '0/layer.tar' is a link that leads out of it"):
            handed(docker_archive(SMALL_LAYER).put("0/layer.tar", target))


def test_a_link_of_a_directory_out_of_the_layout(tmp_path: Path) -> None:
    oci_layout(ZIPPED).write_layout(tmp_path / "real")
    layout = tmp_path / "layout"
    oci_layout(ZIPPED).without(blob_name(ZIPPED.stored)).write_layout(layout)
    (layout / "blobs").rename(tmp_path / "elsewhere")
    (layout / "blobs").symlink_to("../real/blobs")
    with refusal(MalformedInput, "is a link that leads out of it"):
        look_at(layout)


def test_loops_of_links(handed: Handed) -> None:
    image = docker_archive(SMALL_LAYER).put("0/layer.tar", "../1/layer.tar")
    with refusal(MalformedInput, "it: '0/layer.tar'", "link"):
        handed(image.put("1/layer.tar", "../0/layer.tar"))


def test_a_loop_of_hard_links(archived: Handed, tmp_path: Path) -> None:
    image = docker_archive(SMALL_LAYER).without("0/layer.tar")
    links = header(b"0/layer.tar", kind=HARD_LINK, link=b"b")
    links += header(b"b", kind=HARD_LINK, link=b"0/layer.tar")
    path = tmp_path / "it"
    tar = image.archive().removesuffix(END) + links + END
    path.write_bytes(gzip.compress(tar) if archived.way == "gzip" else tar)
    with refusal(MalformedInput, "it: '0/layer.tar' is in a loop of links"):
        look_at(path)


def test_links_inside_the_archive_are_followed(handed: Handed) -> None:
    image = docker_archive(SMALL_LAYER).put("real.tar", SMALL_LAYER)
    assert len(handed(image.put("0/layer.tar", "../real.tar")).entries[0]) == 3


@pytest.mark.parametrize(
    "name", ["a\0b", "../../etc/passwd", "/etc/passwd", "n" * 5000, "a\nb\x1b[31m", "", ".", ".."]
)
@pytest.mark.parametrize("key", ["Config", "Layers"])
def test_names_in_documents_that_lead_nowhere(handed: Handed, key: str, name: str) -> None:
    item: dict[str, JsonValue] = {"Config": "config.json", "Layers": ["0/layer.tar"]}
    item[key] = [name] if key == "Layers" else name
    with pytest.raises((NotFound, MalformedInput), match=r"it: ") as caught:
        handed(docker_archive(SMALL_LAYER).put("manifest.json", as_json([item])))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_names_with_newlines_do_not_break_the_line(handed: Handed) -> None:
    name = "a\nb\x1b[31m"
    manifest = as_json([{"Config": "config.json", "Layers": [name]}])
    image = docker_archive(SMALL_LAYER).put("manifest.json", manifest)
    with refusal(MalformedInput, r"it: layer 0 (a\nb\x1b[31m): "):
        handed(image.put(name, b"no tar at all, and long enough to be one" * 40))


def test_hostile_names_of_images_in_the_choice(handed: Handed) -> None:
    image = docker_archive(SMALL_LAYER)
    other = json.loads(config_of(sha256(SMALL_LAYER)))
    other["os"] = "a\nb"
    names: JsonValue = ["x\ny\x1b[2J" + "z" * 5000] * 50
    manifest: JsonValue = [
        {"Config": "config.json", "RepoTags": names, "Layers": ["0/layer.tar"]},
        {"Config": "other.json", "RepoTags": names, "Layers": ["0/layer.tar"]},
    ]
    image = image.put("other.json", json.dumps(other).encode())
    with pytest.raises(AmbiguousImage, match="holds 2 images") as caught:
        handed(image.put("manifest.json", as_json(manifest)))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


# Indexes and JSON


def nested(depth: int) -> RawImage:
    """A layout whose index is so many indexes deep."""
    blobs = [body for body in oci_layout(ZIPPED).members.values() if isinstance(body, bytes)]
    manifest = next(body for body in blobs if b'"layers":' in body)
    below = descriptor(manifest, media_types.OCI_MANIFEST)
    indexes = []
    for _ in range(depth):
        indexes.append(index_of(dict(below)))
        below = descriptor(indexes[-1], media_types.OCI_INDEX)
    return layout_of(index_of(dict(below)), *blobs, *indexes)


def test_indexes_in_indexes(handed: Handed) -> None:
    assert len(handed(nested(8)).entries[0]) == 3


def test_indexes_nested_too_deep(handed: Handed) -> None:
    with refusal(LimitExceeded, "it: indexes nested deeper than 8"):
        handed(nested(9))


def test_too_many_manifests(handed: Handed) -> None:
    config = dict(descriptor(b"{}", media_types.OCI_MANIFEST))
    with refusal(LimitExceeded, "it: more than 10000 manifests"):
        handed(layout_of(index_of(*([config] * 10_001))))


def test_indexes_that_name_one_another_many_times(handed: Handed) -> None:
    inner = index_of(dict(descriptor(b"{}", media_types.OCI_MANIFEST)))
    for _ in range(5):
        inner_descriptor: JsonValue = dict(descriptor(inner, media_types.OCI_INDEX))
        inner = index_of(*([inner_descriptor] * 20))
    blobs: list[bytes] = []
    body = index_of(dict(descriptor(b"{}", media_types.OCI_MANIFEST)))
    for _ in range(5):
        blobs.append(body)
        body = index_of(*([dict(descriptor(body, media_types.OCI_INDEX))] * 20))
    with refusal(LimitExceeded, "it: more than 10000 manifests"):
        handed(layout_of(body, *blobs))


def test_documents_that_cost_more_than_they_weigh(handed: Handed) -> None:
    config = json.loads(config_of(sha256(SMALL_LAYER)))
    config["config"] = {"Labels": {"padding": "x" * 3 * MIB}}
    item: JsonValue = {"Config": "config.json", "Layers": ["0/layer.tar"]}
    image = docker_archive(SMALL_LAYER).put("config.json", json.dumps(config).encode())
    with refusal(LimitExceeded, "it: its documents name each other so often"):
        handed(image.put("manifest.json", as_json([item] * 10_000)))


def test_one_layer_listed_a_thousand_times_is_read_once(handed: Handed) -> None:
    large = member(b"zeros", bytes(4 * MIB)) + END
    item: JsonValue = {"Config": "config.json", "Layers": ["0/layer.tar"] * 1000}
    image = docker_archive(large, diff_ids=[sha256(large)] * 1000)
    assert len(handed(image.put("manifest.json", as_json([item]))).entries) == 1000


@pytest.mark.parametrize(
    ("body", "error", "fact"),
    [
        (b"[" * 100_000, LimitExceeded, "nested deeper than 100"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, LimitExceeded, "nested deeper than 100"),
        (b'[{"Config":"a","Config":"b"}]', MalformedInput, "occurs twice"),
        (b'[{"Config":"a","config":"b","Layers":[]}]', MalformedInput, "is also written"),
        (b'[{"Config":' + b"9" * 10_000 + b"}]", MalformedInput, "too many digits"),
        (b'[{"Config":1e999}]', MalformedInput, "Config"),
        (b'[{"Config":NaN}]', MalformedInput, "not JSON"),
        (b'[{"Config":"\xff"}]', MalformedInput, "not UTF-8"),
        (b'[{"Config":"\\ud800"}]', MalformedInput, "lone surrogate"),
        (b"\xef\xbb\xbf[]", MalformedInput, "it: manifest.json"),
        (b"{}", MalformedInput, "expected an array"),
        (b"[1]", MalformedInput, "expected an object"),
        (b"[[]]", MalformedInput, "expected an object"),
        (b"null", MalformedInput, "expected an array"),
        (b"", MalformedInput, "not JSON"),
        (b"[]", UnsupportedInput, "it: holds no image"),
        (b"[{}]", MalformedInput, "Config: missing"),
        (b'[{"Config":"config.json","Layers":"x"}]', MalformedInput, "Layers: expected an array"),
        (b" " * (MIB + 1), LimitExceeded, "at most"),
    ],
)
def test_documents_that_are_none(
    handed: Handed, body: bytes, error: type[LayerlensError], fact: str
) -> None:
    with refusal(error, "it: ", fact):
        handed(docker_archive(SMALL_LAYER).put("manifest.json", body))


@pytest.mark.parametrize(
    ("body", "error", "fact"),
    [
        (index_of(), UnsupportedInput, "it: holds no image"),
        (b'{"manifests":null}', UnsupportedInput, "it: holds no image"),
        (b"{}", UnsupportedInput, "it: holds no image"),
        (b'{"manifests":[],"config":{},"layers":[]}', MalformedInput, "index"),
        (b'{"schemaVersion":1,"manifests":[]}', UnsupportedInput, "schema 1"),
        (b'{"mediaType":"' + media_types.OCI_MANIFEST.encode() + b'","manifests":[]}',) * 1
        + (MalformedInput, "mediaType"),
        (b'{"manifests":[' + b"[" * 100_000, LimitExceeded, "nested deeper"),
    ],
)
def test_indexes_that_are_none(
    handed: Handed, body: bytes, error: type[LayerlensError], fact: str
) -> None:
    with refusal(error, fact):
        handed(oci_layout(ZIPPED).put("index.json", body))


def test_manifest_and_index_at_once(handed: Handed) -> None:
    config = config_of(sha256(SMALL_LAYER))
    both = json.loads(manifest_of(dict(descriptor(config, media_types.OCI_CONFIG))))
    both["manifests"] = []
    body = json.dumps(both).encode()
    index = index_of(dict(descriptor(body, media_types.OCI_MANIFEST)))
    with refusal(MalformedInput, "an index may not have config and layers too"):
        handed(layout_of(index, body, config))


# Layers inside whole images


def stacked(*layers: bytes) -> RawImage:
    return docker_archive(*(layer + END for layer in layers))


@pytest.mark.parametrize(
    ("layers", "error", "fact"),
    [
        ([header(b"a", kind=HARD_LINK, link=b"a")], MalformedInput, "hard link to itself"),
        ([header(b"a", kind=HARD_LINK, link=b"./a")], MalformedInput, "hard link to itself"),
        ([header(b"a", kind=HARD_LINK, link=b"/")], MalformedInput, "hard link to the root"),
        (
            [directory(b"d"), header(b"a", kind=HARD_LINK, link=b"d")],
            MalformedInput,
            "hard link to a directory",
        ),
        (
            [
                header(b"l", kind=SYMLINK, link=b"m") + header(b"m", kind=SYMLINK, link=b"l"),
                member(b"l/x"),
            ],
            MalformedInput,
            "'/l/x' leads through a loop of links",
        ),
        ([header(b"l", kind=SYMLINK, link=b"l") + member(b"l/x")], MalformedInput, "loop of links"),
        ([member(b"f") + member(b"f/x")], MalformedInput, "'/f/x' lies below"),
        ([member(b"f"), member(b"f/x/y")], MalformedInput, "'/f/x/y' lies below"),
        ([header(b"p", kind=FIFO), member(b"p/x")], MalformedInput, "'/p/x' lies below"),
        ([member(b"")], MalformedInput, "the root is not a directory"),
        ([header(b"/", kind=SYMLINK, link=b"x")], MalformedInput, "the root is not a directory"),
        ([pax((b"path", b"d/" * 700 + b"f")) + member(b"x")], LimitExceeded, "directories deep"),
    ],
)
def test_layers_that_no_runtime_could_apply(
    archived: Handed, layers: list[bytes], error: type[LayerlensError], fact: str
) -> None:
    with refusal(error, "layer", fact):
        archived(stacked(*layers))


def test_odd_layers_that_apply(handed: Handed) -> None:
    seen = handed(
        stacked(
            directory(b"d")
            + member(b"d/old")
            + member(b"f")
            + header(b"up", kind=SYMLINK, link=b"../../.."),
            header(b".wh.nothing")
            + header(b"no/such/.wh.thing")
            + header(b"f/.wh.x")
            + header(b"no/.wh..wh..opq")
            + header(b"f/.wh..wh..opq")
            + header(b".wh..wh.plnk", kind=b"5")
            + header(b"h", kind=HARD_LINK, link=b"not/there")
            + header(b".wh.f")
            + member(b"up/etc/x")
            + member(b"d/new")
            + header(b"d/.wh..wh..opq")
            + member(b"twice")
            + member(b"twice", b"2"),
        )
    )
    assert len(seen.entries[1]) == 12


def test_what_odd_layers_make(tmp_path: Path) -> None:
    image = stacked(
        directory(b"d")
        + member(b"d/old")
        + member(b"f")
        + header(b"up", kind=SYMLINK, link=b"../.."),
        header(b".wh.f") + member(b"up/etc/x") + member(b"d/new") + header(b"d/.wh..wh..opq"),
    )
    with open_image(str(image.write_archive(tmp_path / "it"))) as opened:
        paths = [item.path for item in opened.tree().walk()]
    assert paths == ["/", "/d", "/d/new", "/etc", "/etc/x", "/up"]


def test_whiteouts_and_links_cost_no_more_than_they_are_long() -> None:
    # What took minutes before: whiteouts of one directory, again and again, and a link that leads
    # through a thousand names. In a process of its own, so that a hang is a failure.
    script = """
import sys
sys.path[:0] = sys.argv[1:]
from streams.raw_images import read_tar
from streams.raw_tar import END, LONG_LINK, SYMLINK, directory, gnu_long, header, member
from layerlens.errors import LimitExceeded
from layerlens.filesystem.file_tree import EMPTY_TREE
from layerlens.filesystem import stacking
from layerlens.filesystem.stacking import stack
files = b"".join(member(b"a/f%d" % number) for number in range(15_000))
for again in (header(b".wh.a"), header(b"a/.wh..wh..opq"), header(b".wh..wh..opq")):
    lower = stack(EMPTY_TREE, read_tar(files + END).index, 0).tree
    stack(lower, read_tar(files + again * 15_000 + END).index, 1)
winding = gnu_long(b"/".join([b"a", b".."] * 600), LONG_LINK) + header(b"s", kind=SYMLINK)
below = b"".join(member(b"s/x%d/f" % number) for number in range(4_000))
stacking.MAX_LINK_PARTS = 2_000_000
try:
    stack(EMPTY_TREE, read_tar(directory(b"a") + winding + below + END).index, 0)
except LimitExceeded as error:
    print(error)
"""
    room = str(Path(__file__).parent)
    found = subprocess.run(
        [sys.executable, "-c", script, room],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert found.stdout == "layer 0: its links lead through more than 2000000 names in all\n"


# Archives


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_an_archive_cut_off_between_members(wrap: Callable[[bytes], bytes], tmp_path: Path) -> None:
    image = docker_archive(SMALL_LAYER)
    path = tmp_path / "it"
    # All members are there, and still nobody can know that there were no more.
    path.write_bytes(wrap(image.archive().removesuffix(END)))
    with refusal(MalformedInput, "it: truncated: no end-of-archive marker"):
        look_at(path)


@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
def test_an_archive_with_more_after_its_end(wrap: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(wrap(docker_archive(SMALL_LAYER).archive() * 2))
    (note,) = look_at(path).notes
    assert note == f"{path}: trailing data after the end-of-archive marker is not read"


def test_an_archive_of_too_many_members(archived: Handed) -> None:
    image = RawImage({f"{number}.json": b"" for number in range(60)})
    with refusal(LimitExceeded, "it: has more than 50 members"):
        archived(image, with_limits(entries=50))


def test_a_bomb_around_the_archive_is_told_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(gzip.compress(docker_archive(member(b"z", bytes(20 * MIB)) + END).archive()))
    with refusal(LimitExceeded, f"it: inflates to more than {5 * MIB} bytes", "--limit"):
        look_at(path, with_limits(inflated_bytes=5 * MIB))


def test_damage_around_the_archive_is_told_as_what_it_is(tmp_path: Path) -> None:
    stored = bytearray(gzip.compress(docker_archive(os.urandom(2 * MIB)).archive()))
    stored[len(stored) // 2] ^= 0xFF
    path = tmp_path / "it"
    path.write_bytes(stored)
    with pytest.raises(MalformedInput, match=r"it: (damaged|truncated)"):
        look_at(path)
    path.write_bytes(gzip.compress(docker_archive(SMALL_LAYER).archive())[:-4])
    with refusal(MalformedInput, "it: truncated: its gzip stream is not complete"):
        look_at(path)


def test_cancelling_while_a_stream_goes_by_is_cancelling(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(gzip.compress(docker_archive(os.urandom(5 * MIB)).archive()))
    cancelled = threading.Event()

    class StopSoon:
        def advance(self, count: int) -> None:
            cancelled.set()

    settings = LoadSettings(progress=StopSoon(), cancelled=cancelled)
    with pytest.raises(Cancelled):
        open_image(str(path), settings=settings)


def test_a_layer_whose_payload_begins_at_the_end_of_a_piece(tmp_path: Path) -> None:
    # Stored deflate blocks decide where pieces end: here ten bytes into the layer's payload.
    layer = member(b"big", os.urandom(5 * MIB)) + END
    image = docker_archive(layer)
    tar = image.archive()
    path = tmp_path / "it"
    path.write_bytes(gzip.compress(tar[: BLOCK + 10], 0) + gzip.compress(tar[BLOCK + 10 :], 0))
    assert [entry.path for entry in look_at(path).entries[0]] == ["/big"]


def test_a_document_listed_twice_is_the_last_one(archived: Handed, tmp_path: Path) -> None:
    image = docker_archive(SMALL_LAYER)
    tar = member(b"manifest.json", b"[]" + b" " * 3000) + image.archive()
    path = tmp_path / "it"
    path.write_bytes(gzip.compress(tar) if archived.way == "gzip" else tar)
    assert len(look_at(path).entries[0]) == 3


def test_a_sparse_document_does_not_leave_an_older_one_in_its_place(
    archived: Handed, tmp_path: Path
) -> None:
    image = docker_archive(SMALL_LAYER)
    other = member(b"manifest.json", b"[]")
    sparse = pax((b"GNU.sparse.size", b"2"), (b"GNU.sparse.map", b"0,2")) + other
    tar = image.archive().removesuffix(END) + sparse + END
    path = tmp_path / "it"
    path.write_bytes(gzip.compress(tar) if archived.way == "gzip" else tar)
    fact = "holds no image" if archived.way == "gzip" else "'manifest.json' is stored sparse"
    with refusal(UnsupportedInput, "it: ", fact):
        look_at(path)


# What is no image at all


@pytest.mark.parametrize(
    ("body", "error", "fact"),
    [
        (b"", UnsupportedInput, "it: is empty"),
        (b"x", MalformedInput, "it: no image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(range(256)) * 9, MalformedInput, "it: no image"),
        (b"PK\x03\x04" + bytes(2000), MalformedInput, "it: no image"),
        (b"#!/bin/sh\n" * 100, MalformedInput, "it: no image"),
        (b"\x7fELF" + bytes(5000), MalformedInput, "it: no image"),
        (END, UnsupportedInput, "it: a tar"),
        (bytes(20 * BLOCK), UnsupportedInput, "it: a tar"),
        (b"\x1f\x8b", MalformedInput, "it: no image"),
        (b"\x1f\x8b\x08", MalformedInput, "it: truncated"),
        (b"BZh9", MalformedInput, "it: no image"),
        (b"\xfd7zXZ\0", MalformedInput, "it: truncated"),
        (gzip.compress(b""), UnsupportedInput, "it: is empty"),
        (gzip.compress(END), UnsupportedInput, "it: a tar"),
        (gzip.compress(bytes(range(256)) * 100), MalformedInput, "it: no image"),
        (gzip.compress(b"short"), MalformedInput, "it: no image"),
        (gzip.compress(gzip.compress(END)), MalformedInput, "it: no image"),
        (
            member(b"inner.tar", docker_archive().archive()) + END,
            UnsupportedInput,
            "it: a tar, but",
        ),
        (gzip.compress(member(b"readme.md", b"hi") + END), UnsupportedInput, "it: a tar, but"),
    ],
)
def test_files_that_are_no_images(
    tmp_path: Path, body: bytes, error: type[LayerlensError], fact: str
) -> None:
    path = tmp_path / "it"
    path.write_bytes(body)
    with refusal(error, fact):
        look_at(path)


def test_random_bytes_and_a_gzip_of_them(tmp_path: Path) -> None:
    path = tmp_path / "it"
    for wrap in (bytes, gzip.compress, bz2.compress, lzma.compress):
        path.write_bytes(wrap(b"\1" + os.urandom(3 * MIB)))
        with refusal(MalformedInput, "it: no image"):
            look_at(path)


def test_a_directory_without_an_index(tmp_path: Path) -> None:
    (tmp_path / "it").mkdir()
    with refusal(UnsupportedInput, "it: a directory, but no OCI layout (no index.json)"):
        look_at(tmp_path / "it")


def test_a_missing_file_and_a_link_to_nothing(tmp_path: Path) -> None:
    with refusal(NotFound, "it: no such file or directory"):
        look_at(tmp_path / "it")
    (tmp_path / "link").symlink_to("nowhere")
    with refusal(NotFound, "link"):
        look_at(tmp_path / "link")


def test_a_root_file_system_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "it"
    whole = directory(b"etc/") + member(b"etc/passwd", b"root") + END
    path.write_bytes(whole)
    assert len(look_at(path).entries[0]) == 2
    for size in range(BLOCK, len(whole) - 2 * BLOCK + 1, BLOCK):
        path.write_bytes(whole[:size])
        with refusal(MalformedInput, "it: truncated"):
            look_at(path)


# Special files: nothing may hang, or fill the disk


def special(kind: str, path: Path) -> None:
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(os.path.relpath(path))
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(kind)


@pytest.mark.parametrize("kind", ["FIFO", "socket", "directory", "/dev/zero"])
@pytest.mark.parametrize("which", ["index.json", "layer"])
def test_special_files_in_a_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, which: str
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    name = "index.json" if which == "index.json" else blob_name(ZIPPED.stored)
    oci_layout(ZIPPED).without(name).write_layout(tmp_path / "it")
    special(kind, tmp_path / "it" / name)
    with pytest.raises(MalformedInput, match=r"it: .*(regular file|leads out|can't be opened)"):
        look_at(tmp_path / "it")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/urandom"])
def test_devices_are_no_images(device: str) -> None:
    with refusal(UnsupportedInput, f"{device}: a device or socket, which holds no image"):
        look_at(device)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
def test_a_stream_without_end_is_refused_at_its_start(device: str, tmp_path: Path) -> None:
    script = (
        "import layerlens, layerlens.errors\n"
        "try: layerlens.open('-')\n"
        "except layerlens.errors.LayerlensError as error: print(type(error).__name__)"
    )
    with open(device, "rb") as endless:
        found = subprocess.run(
            [sys.executable, "-c", script],
            stdin=endless,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64 * MIB, 64 * MIB)),
        )
    assert found.stdout.strip() in {"UnsupportedInput", "MalformedInput"}


def test_a_pipe_that_hands_over_single_bytes(tmp_path: Path) -> None:
    stored = gzip.compress(docker_archive(SMALL_LAYER).archive())
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write() -> None:
        with open(path, "wb", buffering=0) as pipe:
            for at in range(len(stored)):
                pipe.write(stored[at : at + 1])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert len(look_at(path).entries[0]) == 3
    finally:
        writer.join()


# Memory, of a whole process


def test_bombs_in_images_take_no_memory(tmp_path: Path) -> None:
    bomb = header(b"p", kind=b"x", size=200 * MIB) + bytes(200 * MIB) + END
    oci_layout(StoredBlob(stored=gzip.compress(bomb, 1), plain=bomb)).write_archive(
        tmp_path / "pax"
    )
    zeros = member(b"z", bytes(200 * MIB)) + END
    oci_layout(StoredBlob(stored=gzip.compress(zeros, 1), plain=zeros)).write_archive(
        tmp_path / "zeros"
    )
    script = """
import resource, sys
import layerlens, layerlens.errors
layerlens.open(sys.argv[1]).close()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    with layerlens.open(sys.argv[1]) as image:
        print(sum(len(layer.entries) for layer in image.layers))
except layerlens.errors.LayerlensError as error:
    print(type(error).__name__)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    for name, expected in (("pax", "LimitExceeded"), ("zeros", "1")):
        found = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / name)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        said, growth = found.stdout.split()
        assert said == expected
        assert int(growth) < (30 * 1024 if sys.platform == "linux" else 30 * MIB)


def test_entries_are_what_they_were_before_the_attack(handed: Handed) -> None:
    """A sound image after all the others: nothing above has left a mark."""
    (entries,) = handed(docker_archive(SMALL_LAYER)).entries
    assert all(isinstance(entry, Entry) for entry in entries)
