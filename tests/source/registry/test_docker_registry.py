"""The real thing: agreement with skopeo, and with what the registry stores on its disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerlens.errors import AccessDenied
from layerlens.image import open_image
from layerlens.layer_jobs import LoadSettings
from layerlens.oci.digest import Digest, sha256_digest
from layerlens.source.registry.clients import client_for, forget_clients

from .asking import OPTIONS, auth_entry, write_docker_config
from .docker_registry import FIXTURES, DockerRegistry, docker_registry, needs_docker_registry

pytestmark = needs_docker_registry

SETTINGS = LoadSettings(registries=OPTIONS)
PUSHED = {
    "team/tour:docker": "docker-archive:tour-docker.tar",
    "team/tour:oci": "oci-archive:tour-oci.tar",
    "team/tour:zstd": "oci-archive:tour-zstd.tar",
    "platforms:1": "oci-archive:platforms.tar",
}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    with docker_registry(tmp_path_factory.mktemp("open")) as served:
        for name, archive in PUSHED.items():
            served.push(archive, name)
        yield served


@pytest.mark.parametrize("name", PUSHED)
def test_an_image_is_what_its_archive_holds(name: str, registry: DockerRegistry) -> None:
    archive = FIXTURES / PUSHED[name].partition(":")[2]
    reference = f"docker://{registry.host}/{name}"
    with (
        open_image(reference, "linux/amd64", settings=SETTINGS) as pulled,
        open_image(str(archive), "linux/amd64") as local,
    ):
        assert pulled.config == local.config
        assert [layer.entries for layer in pulled.layers] == [
            layer.entries for layer in local.layers
        ]
        assert [layer.diff_id for layer in pulled.layers] == [
            layer.diff_id for layer in local.layers
        ]


@pytest.mark.parametrize("name", PUSHED)
def test_skopeo_inspect_agrees(name: str, registry: DockerRegistry) -> None:
    reference = f"docker://{registry.host}/{name}"
    told = json.loads(registry.skopeo("inspect", "--tls-verify=false", reference))
    with open_image(reference, settings=SETTINGS) as image:
        assert [str(layer.blob_digest) for layer in image.layers] == told["Layers"]
        top = image.stored.index_digest or image.stored.manifest_digest
        assert str(top) == told["Digest"]
        assert image.config.created == told["Created"]


def test_the_registry_s_disk_agrees(registry: DockerRegistry) -> None:
    with open_image(f"docker://{registry.host}/team/tour:oci", settings=SETTINGS) as image:
        for layer in image.layers:
            digest = layer.blob_digest
            assert digest is not None
            data = registry.blob_path(str(digest)).read_bytes()
            assert len(data) == layer.stored.size
            assert sha256_digest(data) == digest


def test_lists_and_digests(registry: DockerRegistry) -> None:
    client = client_for(registry.host, OPTIONS)
    assert list(client.catalog()) == ["platforms", "team/tour"]
    assert sorted(client.tags("team/tour")) == ["docker", "oci", "zstd"]
    for tag in ("docker", "oci"):
        manifest = client.manifest("team/tour", tag)
        assert client.manifest_digest("team/tour", tag) == manifest.digest
        assert client.manifest("team/tour", manifest.digest).data == manifest.data


def test_a_range_of_a_blob(registry: DockerRegistry) -> None:
    with open_image(f"docker://{registry.host}/team/tour:oci", settings=SETTINGS) as image:
        stored = image.stored.layers[0]
    assert isinstance(stored.blob_digest, Digest)
    assert stored.size is not None
    client = client_for(registry.host, OPTIONS)
    chunks = client.blob("team/tour", stored.blob_digest, stored.size)
    assert sha256_digest(b"".join(chunks)) == stored.blob_digest


def test_with_passwords(tmp_path: Path, home: Path) -> None:
    with docker_registry(tmp_path, passwords=True) as registry:
        registry.push("oci-archive:tour-oci.tar", "team/tour:1")
        reference = f"docker://{registry.host}/team/tour:1"
        with pytest.raises(AccessDenied, match="skopeo login"):
            open_image(reference, settings=SETTINGS)
        forget_clients()
        write_docker_config(home, {"auths": {registry.host: auth_entry(password="wrong")}})
        with pytest.raises(AccessDenied, match="do not suffice"):
            open_image(reference, settings=SETTINGS)
        forget_clients()
        write_docker_config(home, {"auths": {registry.host: auth_entry()}})
        with open_image(reference, settings=SETTINGS) as image:
            assert len(image.layers) == 7
