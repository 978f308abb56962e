"""The figures of an audit against a real registry's disk: what it stores, and what it frees."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from source.registry.asking import isolated
from source.registry.docker_registry import DockerRegistry, docker_registry, needs_docker_registry

from layerlens.oci.digest import Digest
from layerlens.source.registry.clients import forget_clients

from .audit_running import DB, audit_runner, document_of, table_of
from .running import Run

pytestmark = needs_docker_registry

PUSHED = {
    "demo:1": "oci-archive:demo.tar",
    "demo:2": "oci-archive:demo-2.tar",
    "mirror/demo:1": "oci-archive:demo.tar",
    "mirror/demo:latest": "oci-archive:demo.tar",
    "team/tour:docker": "docker-archive:tour-docker.tar",
    "team/tour:oci": "oci-archive:tour-oci.tar",
    "team/tour:zstd": "oci-archive:tour-zstd.tar",
    "platforms:1": "oci-archive:platforms.tar",
    "platforms:2": "oci-archive:platforms.tar",
}


@dataclass(frozen=True, slots=True)
class Disk:
    """The files of a registry."""

    root: Path

    def blobs(self) -> dict[Digest, int]:
        """All that it stores, manifests included, and their bytes."""
        found = self.root.glob("docker/registry/v2/blobs/sha256/*/*/data")
        return {
            Digest(algorithm="sha256", hex=each.parent.name): each.stat().st_size for each in found
        }

    def delete(self, tags: list[str], manifests: set[str]) -> None:
        """Forget tags, and all that links to manifests, as its API does where it is let."""
        for repository in self.root.glob("docker/registry/v2/repositories/**/_manifests"):
            name = str(repository.parent.relative_to(self.root / "docker/registry/v2/repositories"))
            for tag in tags:
                if tag.startswith(f"{name}:"):
                    shutil.rmtree(repository / "tags" / tag.partition(":")[2])
            for digest in manifests:
                shutil.rmtree(repository / "revisions/sha256" / digest[7:], ignore_errors=True)

    def collect_garbage(self) -> None:
        """Let the registry free what nothing refers to."""
        subprocess.run(
            ["docker-registry", "garbage-collect", str(self.root.parent / "config.yml")],
            capture_output=True,
            check=True,
        )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    with docker_registry(tmp_path_factory.mktemp("real")) as served:
        for name, archive in PUSHED.items():
            served.push(archive, name)
        yield served


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path: Path,
    filled: DockerRegistry,
) -> Iterator[Run]:
    isolated(tmp_path / "home", monkeypatch)
    forget_clients()
    run = audit_runner(monkeypatch, capfdbinary, tmp_path)
    run("audit", filled.host, *DB).text()
    yield run
    forget_clients()


def test_it_is_what_the_registry_stores(run: Run, filled: DockerRegistry) -> None:
    document = document_of(run, "audit", "report")
    scope = document.object("scope")
    (by_blob, by_diff_id, _) = document.objects("sharing")
    stored = Disk(filled.root).blobs()
    assert sum(stored.values()) == (
        by_blob.integer("stored")
        + scope.integer("other_blob_bytes")
        + scope.integer("manifest_bytes")
    )
    assert scope.integer("tags") == len(PUSHED)
    manifests = sum(scope.integer(each) for each in ("images", "indexes", "artifacts"))
    assert len(stored) == (by_blob.integer("layers") + scope.integer("other_blobs") + manifests)
    # The tour is stored three times: compressed by skopeo from one archive, and in two others.
    assert by_blob.integer("layers") > by_diff_id.integer("layers")
    shares = document.object("repositories").objects("repositories")
    assert sum(each.integer("amortised") for each in shares) == by_blob.integer("stored")


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param(["demo:2"], id="shares layers with another"),
        pytest.param(["demo:1"], id="is mirrored"),
        pytest.param(["demo:1", "mirror/demo:1", "mirror/demo:latest"], id="all its tags"),
        pytest.param(["platforms:1"], id="an index under another tag"),
        pytest.param(["platforms:1", "platforms:2"], id="an index"),
        pytest.param(["team/tour:oci", "team/tour:zstd", "demo:1"], id="several"),
        pytest.param(list(PUSHED), id="everything"),
    ],
)
def test_freed_is_what_garbage_collection_frees(
    tags: list[str], run: Run, filled: DockerRegistry, tmp_path: Path
) -> None:
    copy = Disk(tmp_path / "copy" / "registry")
    shutil.copytree(filled.root, copy.root)
    config = (filled.root.parent / "config.yml").read_text()
    (tmp_path / "copy" / "config.yml").write_text(config.replace(str(filled.root), str(copy.root)))
    document = document_of(run, "audit", "freed", *tags)
    manifests = {
        each["digest"] for each in table_of(run, "audit", "freed", *tags, "--table", "manifests")
    }
    blobs = {each["digest"] for each in table_of(run, "audit", "freed", *tags, "--table", "blobs")}
    before = copy.blobs()
    copy.delete(tags, manifests)
    copy.collect_garbage()
    after = copy.blobs()
    assert {str(each) for each in before.keys() - after.keys()} == manifests | blobs
    assert document.integer("freed_bytes") == sum(before.values()) - sum(after.values())
