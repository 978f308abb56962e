"""Commands on registry layers with a table of contents: marked, and verified with ``--full``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_forms import archive, docker_skopeo
from image_builder import BuiltImage, directory, file, image, layer, whiteout
from optional_codecs import needs_zstd
from registry_content import RegistryContent
from registry_faults import Ranges
from registry_messages import RangeSupport
from registry_rules import Rule
from registry_server import RegistryServer, serve
from source.registry.asking import isolated
from source.registry.docker_registry import docker_registry, needs_docker_registry
from toc_layers import TocLayer, add_toc_image, estargz

from layerlens.source.registry.clients import forget_clients

from .running import Run, runner

LOWER = (directory("/etc"), file("/etc/a", b"alpha" * 100, mtime=9), file("/etc/b", b"beta"))
UPPER = (whiteout("/etc/b"), file("/etc/a", b"changed"))
LAYERS: list[TocLayer] = [estargz(*LOWER), estargz(*UPPER)]
PLAIN: BuiltImage = image(layer(*LOWER), layer(*UPPER))
MARK = "from TOC, not verified against the layer"


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Iterator[Run]:
    isolated(tmp_path / "home", monkeypatch)
    forget_clients()
    yield runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))
    forget_clients()


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    content = RegistryContent()
    add_toc_image(content, "app", LAYERS, "1")
    content.add_image("plain", PLAIN, "1")
    with serve(content) as served:
        yield served


def whole_blobs(registry: RegistryServer) -> int:
    """How many of the layers' blobs were asked for as a whole."""
    asked = registry.log.matching(path="/v2/app/blobs/*")
    return sum("range" not in request.headers for request in asked) - 1  # the config


def test_inspect(run: Run, registry: RegistryServer) -> None:
    name = f"docker://{registry.host}/app:1"
    ran = run("inspect", name, "--bytes")
    rows = ran.text().splitlines()[-3:]
    sizes = [str(len(each.blob)) for each in LAYERS]
    assert rows[0].split()[:9] == ["0", sizes[0], "-", "5", "3", "0", "0", "gzip,", "TOC"]
    assert rows[1].split()[:9] == ["1", sizes[1], "-", "4", "0", "1", "1", "gzip,", "TOC"]
    assert ran.err == f"layerlens: note: {name}: layers 0, 1: {MARK} (--full reads it)\n"
    document = json.loads(run("inspect", name, "--json").text())
    assert [each["listed_from"] for each in document["layers"]] == ["toc", "toc"]
    assert [each["diff_id"] for each in document["layers"]] == [
        each.built.diff_id for each in LAYERS
    ]
    assert document["layers"][0]["uncompressed_size"] is None
    assert document["notes"] == [f"layers 0, 1: {MARK} (--full reads it)"]
    assert whole_blobs(registry) == 1  # a config a command


def test_with_full_layers_are_read_and_verified(run: Run, registry: RegistryServer) -> None:
    name = f"docker://{registry.host}/app:1"
    by_toc = json.loads(run("inspect", name, "--json").text())
    ran = run("inspect", name, "--json", "--full")
    by_layer = json.loads(ran.text())
    assert MARK not in ran.err
    assert [each["listed_from"] for each in by_layer["layers"]] == ["layer", "layer"]
    for toc, full in zip(by_toc["layers"], by_layer["layers"], strict=True):
        assert full.pop("uncompressed_size") > 0
        del toc["uncompressed_size"], toc["listed_from"], full["listed_from"]
        assert toc == full
    # Now the cache knows them, and what is verified is preferred.
    assert run("inspect", name).err == ""
    shown = run("ls", "-R", name, "--json").text()
    assert json.loads(shown)["toc_layers"] == []


def test_ls(run: Run, registry: RegistryServer) -> None:
    name = f"docker://{registry.host}/app:1"
    ran = run("ls", name, "/etc")
    assert ran.text().splitlines()[1].split()[-3:] == ["TOC", "1", "a"]
    assert MARK in ran.err
    document = json.loads(run("ls", "-R", name, "--json").text())
    assert document["toc_layers"] == [0, 1]
    assert [entry["path"] for entry in document["entries"]] == ["/etc", "/etc/a"]
    full = json.loads(run("ls", "-R", name, "--json", "--full").text())
    assert full["entries"] == document["entries"]
    first = json.loads(run("ls", name, "--json", "--layer", "0", "--no-cache").text())
    assert first["toc_layers"] == [0]


def test_diff_of_layers(run: Run, registry: RegistryServer) -> None:
    name = f"docker://{registry.host}/app:1"
    ran = run("diff", name, "--layer", "1")
    assert ran.text().splitlines()[0].startswith("layer 1  from TOC, not verified  ")
    assert any(line.split()[:4] == ["M", "7", "B", "/etc/a"] for line in ran.text().splitlines())
    assert MARK in ran.err
    for form in ("--stat", "--name-status", "--name-only", "--json"):
        assert MARK in run("diff", name, form).err
    document = json.loads(run("diff", name, "--json").text())
    assert [each["toc_layers"] for each in document["layers"]] == [[0], [1]]
    assert [each["unreadable_layers"] for each in document["layers"]] == [[], []]
    assert whole_blobs(registry) > 0
    assert run("diff", name, "--name-status", "--full").text() == (
        run("diff", name, "--name-status").text()
    )


def test_diff_of_two_images(run: Run, registry: RegistryServer) -> None:
    names = [f"docker://{registry.host}/{name}:1" for name in ("app", "plain")]
    ran = run("diff", *names, "--exit-code", "--mtime")
    assert ran.status == 0
    assert b"TOC -> " in ran.out
    assert b"no tar" not in ran.out
    assert ran.err.count(MARK) == 1
    document = json.loads(run("diff", *names, "--json").text())
    assert [(pair["toc_a"], pair["toc_b"]) for pair in document["layers"]] == [(True, False)] * 2


def test_shared_among_registries(run: Run, registry: RegistryServer) -> None:
    add_toc_image(registry.content, "app", LAYERS[:1], "base")
    names = [f"docker://{registry.host}/app:{tag}" for tag in ("base", "1")]
    words = ("shared", *names, "--json", "--no-cache")
    ran = run(*words)
    assert ran.err.count(MARK) == 2
    assert whole_blobs(registry) == 1  # the two configs
    by_toc = json.loads(ran.text())
    by_layer = json.loads(run(*words, "--full").text())
    assert [each["toc_layers"] for each in by_toc["images"]] == [[0], [0, 1]]
    assert [each["toc_layers"] for each in by_layer["images"]] == [[], []]
    for each in ("pulls", "base_images"):
        assert by_toc[each] == by_layer[each]
    compressed = [
        [each for each in document["sharing"] if each["unit"] == "compressed"]
        for document in (by_toc, by_layer)
    ]
    assert compressed[0] == compressed[1]
    assert compressed[0][0]["saved"] == len(LAYERS[0].blob)


def test_files_that_are_shared_are_those_of_layers_that_were_read(
    run: Run, registry: RegistryServer
) -> None:
    names = [f"docker://{registry.host}/{name}:1" for name in ("app", "plain")]
    ran = run("shared", *names, "--json", "--files")
    assert MARK not in ran.err
    assert json.loads(ran.text())["files"]["layers"] == 4


def test_shared_with_an_archive_reads_the_layers(
    run: Run, registry: RegistryServer, tmp_path: Path
) -> None:
    path = tmp_path / "app.tar"
    path.write_bytes(archive(docker_skopeo(image(*(layer.built for layer in LAYERS)))))
    ran = run("shared", str(path), f"docker://{registry.host}/app:1", "--json")
    assert MARK not in ran.err
    (uncompressed,) = (
        each
        for each in json.loads(ran.text())["sharing"]
        if (each["by"], each["unit"]) == ("diff_id", "uncompressed")
    )
    assert len(uncompressed["shared_layers"]) == 2


def test_cat_reads_the_layer(run: Run, registry: RegistryServer) -> None:
    ran = run("cat", f"docker://{registry.host}/app:1", "/etc/a")
    assert ran.out == b"changed"
    assert ran.err == ""
    assert whole_blobs(registry) >= 2


def test_a_registry_without_ranges_is_told_of_once(run: Run, registry: RegistryServer) -> None:
    registry.declare(Rule(fault=Ranges(RangeSupport.IGNORED), path="*/blobs/*"))
    name = f"docker://{registry.host}/app:1"
    ran = run("inspect", name, "--json")
    assert [each["listed_from"] for each in json.loads(ran.text())["layers"]] == ["layer", "layer"]
    (line,) = ran.err.splitlines()
    assert line.startswith(f"layerlens: note: {name}: layers 0, 1: read whole, as the TOC can't be")


@needs_zstd
@needs_docker_registry
def test_what_skopeo_writes_as_zstd_chunked(run: Run, tmp_path: Path) -> None:
    with docker_registry(tmp_path) as served:
        form = ("--dest-compress-format", "zstd:chunked")
        served.push("oci-archive:demo.tar", "demo:1", *form)
        name = f"docker://{served.host}/demo:1"
        ran = run("diff", name, "fixtures/demo.tar", "--mtime", "--exit-code", "--no-cache")
        assert ran.status == 0
        assert "layers 0-8: from TOC" in ran.err
        full = run("inspect", "--full", name, "--json")
        by_layer = json.loads(full.text())["layers"]
        by_toc = json.loads(run("inspect", name, "--json", "--no-cache").text())["layers"]
        kept = ("entries", "added", "changed", "removed", "rewritten", "diff_id", "chain_id")
        assert [[each[key] for key in kept] for each in by_toc] == [
            [each[key] for key in kept] for each in by_layer
        ]
