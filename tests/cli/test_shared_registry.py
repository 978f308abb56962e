"""Sharing between images of a registry and images in files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from archive_forms import Members, archive, docker_25, docker_classic, docker_skopeo
from image_builder import BuiltImage, file, image, layer
from registry_content import OCI_PLAIN, RegistryContent
from registry_server import RegistryServer, serve
from source.registry.asking import PASSWORD, USER
from source.registry.docker_registry import docker_registry, needs_docker_registry

from layerlens.oci.json_fields import JsonObject, parse_object
from layerlens.source.registry.clients import forget_clients

from .running import Run, runner

LOWER = layer(file("/a", b"alpha" * 1000))
UPPER = layer(file("/b", b"beta"))
BASE = image(LOWER, names=["example.com/base:1"])
APP = image(LOWER, UPPER)


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "REGISTRY_AUTH_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "nobody's"))
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    """``team/base:1``, ``team/app:1`` on top of it, and ``team/plain:1``: the same uncompressed."""
    content = RegistryContent()
    content.add_image("team/base", BASE, "1")
    content.add_image("team/app", APP, "1")
    content.add_image("team/plain", APP, "1", form=OCI_PLAIN)
    forget_clients()
    with serve(content) as server:
        yield server
    forget_clients()


def shared(run: Run, *words: str) -> JsonObject:
    return parse_object(run("shared", *words, "--json").text().encode(), "shared")


def layers_by(document: JsonObject, by: str, unit: str) -> tuple[JsonObject, ...]:
    (found,) = (
        each
        for each in document.objects("sharing")
        if (each.string("by"), each.string("unit")) == (by, unit)
    )
    return found.objects("shared_layers")


def test_repositories_share_a_blob_that_is_transferred_once(
    run: Run, registry: RegistryServer
) -> None:
    names = [f"docker://{registry.host}/team/{name}:1" for name in ("base", "app")]
    document = shared(run, *names, "--files", "--no-cache")
    (layer,) = layers_by(document, "blob_digest", "compressed")
    assert layer.string("diff_id") == LOWER.diff_id
    assert registry.log.count(path=f"*/blobs/{layer.string('blob_digest')}") == 1
    (relation,) = document.objects("base_images")
    assert (relation.integer("image"), relation.integer("base")) == (1, 0)
    pulls = {
        (pull.optional_integer("source"), pull.integer("target")): pull.integer("bytes")
        for pull in document.objects("pulls")
    }
    assert pulls[None, 0] + pulls[0, 1] == pulls[None, 1]
    assert pulls[1, 0] == 0


def test_a_blob_that_is_stored_uncompressed_is_a_blob(run: Run, registry: RegistryServer) -> None:
    names = [f"docker://{registry.host}/team/{name}:1" for name in ("app", "plain")]
    document = shared(run, *names)
    assert layers_by(document, "blob_digest", "compressed") == ()
    assert len(layers_by(document, "diff_id", "compressed")) == 2
    assert len(document.objects("recompressed_layers")) == 2
    assert len(document.objects("duplicates")) == 1


@pytest.mark.parametrize("form", [docker_classic, docker_skopeo])
def test_an_archive_shares_contents_with_a_registry(
    form: Callable[[BuiltImage], Members], run: Run, registry: RegistryServer, tmp_path: Path
) -> None:
    path = tmp_path / "base.tar"
    path.write_bytes(archive(form(BASE)))
    document = shared(run, str(path), f"docker://{registry.host}/team/app:1")
    assert layers_by(document, "blob_digest", "compressed") == ()
    (layer,) = layers_by(document, "diff_id", "uncompressed")
    assert layer.string("digest") == LOWER.diff_id
    assert layer.strings("also_by") == ("chain_id",)
    (_, whole, missing, _) = document.objects("pulls")
    assert (missing.integer("source"), missing.integer("by_diff_id")) == (0, 1)
    assert 0 < missing.integer("bytes") < whole.integer("bytes")


def test_a_registry_that_lacks_an_image_is_one_line(run: Run, registry: RegistryServer) -> None:
    host = registry.host
    ran = run("shared", f"docker://{host}/team/app:1", f"docker://{host}/team/none:1")
    assert (ran.status, ran.out) == (2, b"")
    (line,) = ran.err.splitlines()
    assert "team/none" in line


def test_the_plain_blobs_of_docker_25_are_blobs_of_the_same_contents(
    run: Run, registry: RegistryServer, tmp_path: Path
) -> None:
    path = tmp_path / "base.tar"
    path.write_bytes(archive(docker_25(BASE)))
    document = shared(run, str(path), f"docker://{registry.host}/team/app:1")
    assert layers_by(document, "blob_digest", "compressed") == ()
    (recompressed,) = document.objects("recompressed_layers")
    assert recompressed.string("diff_id") == LOWER.diff_id
    (_, large) = recompressed.objects("blobs")
    assert large.string("blob_digest") == LOWER.diff_id
    assert recompressed.integer("excess") == large.integer("size") == len(LOWER.tar)


@needs_docker_registry
def test_builds_that_share_layers_in_a_registry_with_passwords(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archives = ("demo.tar", "demo-2.tar")
    with docker_registry(tmp_path, passwords=True) as served:
        # Not before: that registry takes what is called REGISTRY_… for its own settings.
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
        names = [f"docker://{served.host}/weather:{number}" for number in range(2)]
        for name, archive in zip(names, archives, strict=True):
            served.push(f"oci-archive:{archive}", name.rpartition("/")[2])
        assert f"skopeo login {served.host}" in run("inspect", names[0]).err
        served.skopeo("login", "--tls-verify=false", "-u", USER, "-p", PASSWORD, served.host)
        forget_clients()
        document = shared(run, *names)
        told = [served.skopeo("inspect", "--tls-verify=false", name) for name in names]
        first, second = (set(parse_object(each, "skopeo").strings("Layers")) for each in told)
        by_blob = layers_by(document, "blob_digest", "compressed")
        assert {layer.string("blob_digest") for layer in by_blob} == first & second
        (sharing, *_) = document.objects("sharing")
        on_disk = [served.blob_path(digest).stat().st_size for digest in first | second]
        assert sharing.integer("stored") == sum(on_disk)
        by_registry = run("diff", *names, "--name-status").text()
    assert (
        by_registry
        == run("diff", *(f"fixtures/{each}" for each in archives), "--name-status").text()
    )
