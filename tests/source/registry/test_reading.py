"""Images read from a registry: what is fetched, what is checked, and what is not fetched again."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from archive_forms import Fields
from image_builder import digest_of, file, image, json_bytes, layer
from registry_content import (
    DOCKER_GZIP,
    OCI_GZIP,
    OCI_PLAIN,
    ImageForm,
    RegistryContent,
)
from registry_faults import Corrupted, OtherBody, Padded, SetHeader, Slow, Truncated, WithoutLength
from registry_messages import Chunked, UntilClosed
from registry_rules import Fault, Rule
from registry_server import serve

from layerlens.errors import (
    AmbiguousImage,
    DigestMismatch,
    LayerlensError,
    LimitExceeded,
    MalformedInput,
    NotFound,
    RegistryUnavailable,
    SizeMismatch,
    UnsupportedInput,
)
from layerlens.index_cache import IndexCache
from layerlens.layer_jobs import LoadSettings
from layerlens.source.registry.registry_blob import RegistryBlob

from .asking import OPTIONS, REPOSITORY, held, parsed_digest, served_image, small_image

SMALL = ["0 A /a", "1 A /b"]


@pytest.mark.parametrize("form", [OCI_GZIP, OCI_PLAIN, DOCKER_GZIP])
def test_an_image_of_every_form(form: ImageForm) -> None:
    content = RegistryContent()
    content.add_image(REPOSITORY, small_image(), "1", form=form)
    with serve(content) as registry:
        assert held(registry) == SMALL


def test_by_tag_by_digest_by_both_and_by_neither() -> None:
    content = served_image("1", "latest")
    digest = content.repositories[REPOSITORY].tags["1"]
    with serve(content) as registry:
        for name in (f"{REPOSITORY}:1", f"{REPOSITORY}@{digest}", f"{REPOSITORY}:x@{digest}"):
            assert held(registry, name) == SMALL
        assert held(registry, REPOSITORY) == SMALL
        assert registry.log.count(path="*/manifests/latest") == 1


def test_of_an_index_only_one_platform_is_fetched() -> None:
    content = RegistryContent()
    platforms = ("linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64")
    images = [image(layer(file(f"/{name}", b"x")), platform=name) for name in platforms]
    content.add_index(REPOSITORY, images, "1")
    with serve(content) as registry:
        assert held(registry, platform="linux/arm64")[-1] == "0 A /linux/arm64"
        assert registry.log.count(path="*/manifests/*") == 2
        assert registry.log.count(path="*/blobs/*") == 2  # its config and its layer
        registry.log.clear()
        assert held(registry, platform="linux/arm")[-1] == "0 A /linux/arm/v7"
        with pytest.raises(NotFound, match="has no image for linux/s390x; there are: linux/amd64"):
            held(registry, platform="linux/s390x")


def test_an_index_without_this_machine_s_platform_lists_what_there_is() -> None:
    content = RegistryContent()
    images = [image(layer(), platform=name) for name in ("plan9/mips", "plan9/sparc")]
    content.add_index(REPOSITORY, images, "1")
    with serve(content) as registry, pytest.raises(AmbiguousImage, match="plan9/mips, plan9/sparc"):
        held(registry)


def test_attestations_are_no_images_and_are_not_fetched() -> None:
    content = RegistryContent()
    digest = content.add_image(REPOSITORY, small_image())
    about = content.add_image(REPOSITORY, image(layer(file("/provenance"))))
    attestation: Fields = {
        **content.descriptor(REPOSITORY, about),
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
    }
    manifests = [content.descriptor(REPOSITORY, digest), attestation]
    index: Fields = {"schemaVersion": 2, "manifests": manifests}
    media_type = "application/vnd.oci.image.index.v1+json"
    content.add_manifest(REPOSITORY, json_bytes(index), media_type, "1")
    with serve(content) as registry:
        assert held(registry) == SMALL
        assert registry.log.count(path=f"*/manifests/{about}") == 0


def test_a_layer_in_the_cache_is_not_downloaded(tmp_path: Path) -> None:
    settings = LoadSettings(registries=OPTIONS, cache=IndexCache(tmp_path / "cache"))
    content = served_image()
    shared = small_image().layers[0]
    content.add_image("other/repository", image(shared, layer(file("/c"))), "2")
    with serve(content) as registry:
        assert held(registry, settings=settings) == SMALL
        assert held(registry, settings=settings) == SMALL
        assert registry.log.count(path="*/blobs/*") == 4  # two layers, and the config twice
        registry.log.clear()
        assert held(registry, "other/repository:2", settings=settings) == ["0 A /a", "1 A /c"]
        assert registry.log.count(path="*/blobs/*") == 2  # its config and its own layer


def test_a_layer_that_an_image_lists_twice_is_downloaded_once() -> None:
    content = RegistryContent()
    twice = layer(file("/a", b"again"))
    content.add_image(REPOSITORY, image(twice, twice), "1")
    with serve(content) as registry:
        assert held(registry)[0] == "0 A /a"
        assert registry.log.count(path="*/blobs/*") == 2


def test_nothing_is_written_but_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("TMPDIR", str(empty))
    monkeypatch.chdir(empty)
    with serve(served_image()) as registry:
        held(registry)
    assert list(empty.iterdir()) == []


def test_layers_are_read_side_by_side() -> None:
    content = RegistryContent()
    layers = [layer(file(f"/{number}", bytes(200_000))) for number in range(4)]
    content.add_image(REPOSITORY, image(*layers), "1", form=OCI_PLAIN)
    with serve(content, rules=(Rule(fault=Slow(50_000, 0.05), path="*/blobs/*"),)) as registry:
        assert len(held(registry)) == 4
        assert registry.log.most_at_once > 1


def test_a_blob_is_a_value_that_threads_and_processes_are_handed() -> None:
    content = RegistryContent()
    data = bytes(range(256)) * 4000
    content.add_blob(REPOSITORY, data)
    with serve(content) as registry:
        blob = RegistryBlob(
            registry=registry.host,
            repository=REPOSITORY,
            digest=parsed_digest(data),
            size=len(data),
            options=OPTIONS,
        )
        assert pickle.loads(pickle.dumps(blob)) == blob
        assert b"".join(blob.chunks()) == data
        with ThreadPoolExecutor(3) as threads:
            assert list(threads.map(_read, [blob] * 6)) == [data] * 6


def _read(blob: RegistryBlob) -> bytes:
    return b"".join(blob.chunks())


@pytest.mark.parametrize("delivery", [Chunked(1000), UntilClosed()])
def test_answers_without_a_length(delivery: Chunked | UntilClosed) -> None:
    with serve(served_image(), rules=(Rule(fault=WithoutLength(delivery)),)) as registry:
        assert held(registry) == SMALL


def _refusal(error: type[LayerlensError], fault: Fault, path: str) -> str:
    with serve(served_image(), rules=(Rule(fault=fault, path=path),)) as registry:
        with pytest.raises(LayerlensError) as raised:
            held(registry)
        line = str(raised.value)
        assert type(raised.value) is error, line
        assert "\n" not in line
        assert registry.host in line
        return line


def test_a_manifest_that_is_not_what_the_registry_calls_it() -> None:
    _refusal(DigestMismatch, OtherBody(b'{"schemaVersion": 2}'), "*/manifests/*")
    wrong = SetHeader("Docker-Content-Digest", digest_of(b"another"))
    _refusal(DigestMismatch, wrong, "*/manifests/*")


def test_a_manifest_asked_for_by_digest_is_held_to_it_whatever_is_said() -> None:
    content = served_image()
    digest = content.repositories[REPOSITORY].tags["1"]
    other = b'{"schemaVersion": 2}'
    rules = (
        Rule(fault=OtherBody(other), path="*/manifests/*"),
        Rule(fault=SetHeader("Docker-Content-Digest", digest_of(other)), path="*/manifests/*"),
    )
    with serve(content, rules=rules) as registry, pytest.raises(DigestMismatch):
        held(registry, f"{REPOSITORY}@{digest}")


@pytest.mark.parametrize("delivery", [None, Chunked(100_000)])
def test_forty_megabytes_of_json(delivery: Chunked | None) -> None:
    rules = [Rule(fault=Padded(40 << 20), path="*/manifests/*")]
    if delivery is not None:
        rules.append(Rule(fault=WithoutLength(delivery), path="*/manifests/*"))
    limit = pytest.raises(LimitExceeded, match=r"(at most|more than) 4194304")
    with serve(served_image(), rules=tuple(rules)) as registry, limit:
        held(registry)


def test_a_corrupted_blob() -> None:
    content = served_image()
    digests = list(content.repositories[REPOSITORY].blobs)
    for number, digest in enumerate(digests):
        rule = Rule(fault=Corrupted(30), path=f"*/blobs/{digest}")
        with serve(content, rules=(rule,)) as registry:
            with pytest.raises(MalformedInput) as raised:
                held(registry)
            assert registry.host in str(raised.value), number


def test_a_blob_that_is_shorter_or_longer_than_its_descriptor_says() -> None:
    assert "declares" in _refusal(SizeMismatch, Truncated(40), "*/blobs/*")
    assert "declares" in _refusal(SizeMismatch, Padded(5), "*/blobs/*")


@pytest.mark.parametrize("delivery", [Chunked(7), UntilClosed()])
def test_a_truncated_blob_without_a_length(delivery: Chunked | UntilClosed) -> None:
    rules = (
        Rule(fault=Truncated(40), path="*/blobs/*"),
        Rule(fault=WithoutLength(delivery), path="*/blobs/*"),
    )
    refused = pytest.raises((SizeMismatch, RegistryUnavailable))
    with serve(served_image(), rules=rules) as registry, refused:
        held(registry)


def test_a_foreign_layer_that_the_registry_does_not_hold() -> None:
    content = RegistryContent()
    foreign = ImageForm(
        manifest_type=DOCKER_GZIP.manifest_type,
        config_type=DOCKER_GZIP.config_type,
        layer_type="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        compression="gzip",
    )
    content.add_image(REPOSITORY, small_image(), "1", form=foreign)
    blobs = content.repositories[REPOSITORY].blobs
    for digest in [digest for digest, data in blobs.items() if data[:2] == b"\x1f\x8b"]:
        del blobs[digest]
    refusal = pytest.raises(NotFound, match=r"is not there: BLOB_UNKNOWN.*; it is a foreign layer")
    with serve(content) as registry, refusal:
        held(registry)
    del blobs[next(iter(blobs))]
    with serve(content) as registry, pytest.raises(NotFound) as raised:
        held(registry)
    assert "foreign" not in str(raised.value), "it is the config that is not there"


def test_what_is_no_image() -> None:
    content = served_image()
    content.add_schema_1(REPOSITORY, small_image(), "old")
    config = {"mediaType": "application/vnd.cncf.helm.config.v1+json"}
    described = content.add_blob(REPOSITORY, b"{}")
    artifact: Fields = {**config, "digest": described, "size": 2}
    content.add_image(REPOSITORY, small_image(), "chart", overrides={"config": artifact})
    content.add_manifest(REPOSITORY, b"<html>", "text/html", "page")
    with serve(content) as registry:
        with pytest.raises(UnsupportedInput, match="schema 1"):
            held(registry, f"{REPOSITORY}:old")
        with pytest.raises(UnsupportedInput, match="artifact"):
            held(registry, f"{REPOSITORY}:chart")
        with pytest.raises(LayerlensError):
            held(registry, f"{REPOSITORY}:page")
        with pytest.raises(NotFound, match=f"{REPOSITORY}:none: is not there: MANIFEST_UNKNOWN"):
            held(registry, f"{REPOSITORY}:none")


def test_an_index_that_leads_to_what_is_missing() -> None:
    content = RegistryContent()
    content.add_index(REPOSITORY, [small_image(), image(layer(), platform="linux/arm64")], "1")
    stored = content.repositories[REPOSITORY]
    tagged = stored.tags["1"]
    for digest in [digest for digest in stored.manifests if digest != tagged]:
        del stored.manifests[digest]
    with serve(content) as registry, pytest.raises(NotFound, match="is not there"):
        held(registry, platform="linux/arm64")


def test_another_process_reads_too() -> None:
    with serve(served_image()) as registry, ProcessPoolExecutor(1) as processes:
        settings = LoadSettings(registries=OPTIONS, executor=processes)
        assert held(registry, settings=settings) == SMALL
