"""The real thing: crawls agree with skopeo, and with what docker-registry keeps on its disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from source.registry.asking import auth_entry, write_docker_config
from source.registry.docker_registry import (
    FIXTURES,
    DockerRegistry,
    docker_registry,
    needs_docker_registry,
)

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.crawl import crawl
from layerlens.audit.crawl_files import FilesSettings
from layerlens.audit.crawl_outcome import CrawlOutcome
from layerlens.audit.crawl_targets import CrawlRequest, parse_target
from layerlens.image import open_image
from layerlens.layer.entry import Entry, EntryKind

from .crawling import SETTINGS
from .recorded import rows

pytestmark = needs_docker_registry

PUSHED = {
    "team/weather:1.0": "oci-archive:demo.tar",
    "team/weather:2.0": "oci-archive:demo-2.tar",
    "team/weather:latest": "oci-archive:demo-2.tar",
    "greetings:hello": "docker-archive:two-images.tar:@0",
    "greetings:hej": "docker-archive:two-images.tar:@1",
    "team/tour:oci": "oci-archive:tour-oci.tar",
    "team/tour:zstd": "oci-archive:tour-zstd.tar",
    "team/tour:docker": "docker-archive:tour-docker.tar",
    "platforms:all": "oci-archive:platforms.tar",
}
ONE_PLATFORM = [name for name in PUSHED if name != "platforms:all"]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    with docker_registry(tmp_path_factory.mktemp("open")) as served:
        for name, archive in PUSHED.items():
            served.push(archive, name)
        yield served


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.sqlite"


def crawled(registry: DockerRegistry, path: Path, *, files: bool = False) -> CrawlOutcome:
    settings = replace(SETTINGS, files=FilesSettings() if files else None)
    with Catalogue(path) as catalogue:
        return crawl(CrawlRequest(targets=(parse_target(registry.host),)), catalogue, settings)


def test_skopeo_inspect_agrees(registry: DockerRegistry, path: Path) -> None:
    outcome = crawled(registry, path)
    assert outcome.failures == ()
    assert outcome.counts.tags_done == len(PUSHED)
    for name in ONE_PLATFORM:
        reference = f"docker://{registry.host}/{name}"
        told = json.loads(registry.skopeo("inspect", "--tls-verify=false", reference))
        repository, _, tag = name.partition(":")
        ((manifest, digest, platform),) = rows(
            path,
            "SELECT manifest.id, lower(hex(digest)), value FROM tag"
            " JOIN repository ON repository.id = repository_id"
            " JOIN manifest ON manifest.id = manifest_id JOIN text ON text.id = platform_id"
            f" WHERE repository.name = '{repository}' AND tag.name = '{tag}'",
        )
        layers = rows(
            path,
            "SELECT 'sha256:' || lower(hex(digest)) FROM image_layer JOIN blob ON blob.id = blob_id"
            f" WHERE manifest_id = {manifest} ORDER BY position",
        )
        assert f"sha256:{digest}" == told["Digest"]
        assert [layer for (layer,) in layers] == told["Layers"]
        assert platform == f"{told['Os']}/{told['Architecture']}"
    listed = json.loads(
        registry.skopeo("list-tags", "--tls-verify=false", f"docker://{registry.host}/team/tour")
    )
    tags = "SELECT tag.name FROM tag JOIN repository ON repository.id = repository_id"
    where = "WHERE repository.name = 'team/tour' ORDER BY 1"
    assert [tag for (tag,) in rows(path, f"{tags} {where}")] == sorted(listed["Tags"])


def test_the_catalogue_holds_what_the_registry_has_on_its_disk(
    registry: DockerRegistry, path: Path
) -> None:
    crawled(registry, path)
    blobs = registry.root / "docker" / "registry" / "v2" / "blobs" / "sha256"
    on_disk = {data.parent.name: data.stat().st_size for data in blobs.glob("*/*/data")}
    known = rows(
        path,
        "SELECT lower(hex(digest)), size FROM blob"
        " UNION SELECT lower(hex(digest)), size FROM manifest",
    )
    # skopeo pushes each image of an index before the index, and nothing else.
    assert set(known) == set(on_disk.items())


def test_layers_are_shared_by_content_where_they_are_by_bytes(
    registry: DockerRegistry, path: Path
) -> None:
    crawled(registry, path)
    question = "SELECT COUNT(DISTINCT {}_id) FROM image_layer"
    blobs, diffs, chains = (
        rows(path, question.format(what))[0][0] for what in ("blob", "diff", "chain")
    )
    assert isinstance(blobs, int)
    assert isinstance(diffs, int)
    assert isinstance(chains, int)
    assert blobs > diffs  # tour is there as gzip and as zstd
    assert chains > diffs  # hello and hej end in the same layer, on others


def test_a_tag_that_is_deleted_and_one_that_moves_are_noticed(tmp_path: Path, path: Path) -> None:
    with docker_registry(tmp_path) as registry:
        for tag in ("1", "2"):
            registry.push("oci-archive:tour-oci.tar", f"app:{tag}")
        crawled(registry, path)
        repository = registry.root / "docker" / "registry" / "v2" / "repositories" / "app"
        shutil.rmtree(repository / "_manifests" / "tags" / "1")
        registry.push("oci-archive:tour-zstd.tar", "app:2")
        outcome = crawled(registry, path)
        changes = outcome.changes
        assert (changes.tags_added, changes.tags_moved, changes.tags_removed) == (0, 1, 1)
        # Its last tag gone, distribution still names the repository, and says 404 of its tags.
        shutil.rmtree(repository / "_manifests")
        outcome = crawled(registry, path)
        assert outcome.failures == ()
        assert outcome.changes.tags_removed == 1


def test_with_passwords(tmp_path: Path, path: Path) -> None:
    with docker_registry(tmp_path, passwords=True) as registry:
        registry.push("oci-archive:tour-oci.tar", "app:1")
        write_docker_config(tmp_path / "home", {"auths": {registry.host: auth_entry()}})
        outcome = crawled(registry, path)
        assert (outcome.failures, outcome.counts.tags_done) == ((), 1)


def test_files_are_those_of_the_archives(registry: DockerRegistry, path: Path) -> None:
    outcome = crawled(registry, path, files=True)
    assert outcome.failures == ()
    contents: dict[str, set[bytes]] = {}
    for archive in ("demo.tar", "demo-2.tar", "tour-oci.tar"):
        with open_image(str(FIXTURES / archive)) as image:
            for layer in image.layers:
                contents[layer.diff_id.hex if layer.diff_id else ""] = {
                    entry.content
                    for entry in layer.entries
                    if isinstance(entry, Entry)
                    and entry.kind is EntryKind.FILE
                    and entry.size
                    and entry.content
                }
    for diff_id, expected in contents.items():
        found = rows(
            path,
            "SELECT file.digest FROM layer_file JOIN file ON file.id = file_id"
            f" JOIN diff ON diff.id = diff_id WHERE diff.digest = x'{diff_id}'",
        )
        assert {content for (content,) in found} == expected


def test_another_number_of_jobs_finds_the_same(registry: DockerRegistry, tmp_path: Path) -> None:
    found = []
    for jobs in (1, 16):
        path = tmp_path / f"{jobs}.sqlite"
        settings = replace(SETTINGS, jobs=jobs)
        with Catalogue(path) as catalogue:
            request = CrawlRequest(targets=(parse_target(registry.host),))
            crawl(request, catalogue, settings)
        layers = (
            "SELECT hex(manifest.digest), position, hex(blob.digest) FROM image_layer"
            " JOIN manifest ON manifest.id = manifest_id JOIN blob ON blob.id = blob_id"
        )
        found.append(sorted(rows(path, layers), key=str))
    assert found[0] == found[1]
