"""Layers listed from their table of contents: by range, or the layer is read after all."""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from image_builder import BuiltLayer, digest_of, file, hard_link, symlink, tar_of, whiteout
from loaded_images import Counted
from optional_codecs import needs_zstd
from registry_content import RegistryContent
from registry_faults import CutOff, Failure, Ranges, Redirect, SetHeader, Truncated
from registry_messages import RangeSupport
from registry_rules import Fault, Rule
from registry_server import RegistryServer, serve
from toc_layers import (
    Span,
    TocLayer,
    add_toc_image,
    altered,
    chunked,
    estargz,
    redeclared,
    toc_entries,
)

from layerlens.analysis.layer_changes import ChangeKind
from layerlens.errors import (
    AccessDenied,
    DigestMismatch,
    LayerlensError,
    NotFound,
    RegistryUnavailable,
    SizeMismatch,
)
from layerlens.image import open_image
from layerlens.index_cache import IndexCache
from layerlens.layer.entry import LayerEntry
from layerlens.layer_jobs import Cancelled, ListedFrom, LoadSettings
from layerlens.loading import bytes_to_read
from layerlens.oci.json_fields import parse_object

from .asking import OPTIONS, REPOSITORY
from .docker_registry import FIXTURES

BLOBS = "*/blobs/*"
SETTINGS = LoadSettings(registries=OPTIONS, listing=ListedFrom.TOC)
LOWER = (file("/a", b"alpha" * 1000, mtime=7), file("/b", b"beta"), hard_link("/c", "/a"))
UPPER = (whiteout("/b"), symlink("/s", "a"))
WRITERS = {"estargz": estargz, "zstd:chunked": chunked}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a layer of an image was found to be."""

    origin: ListedFrom | None
    entries: tuple[LayerEntry, ...]
    reason: str | None


def listed(
    registry: RegistryServer, settings: LoadSettings = SETTINGS, repository: str = REPOSITORY
) -> list[Listed]:
    with open_image(f"docker://{registry.host}/{repository}:1", settings=settings) as image:
        return [
            Listed(origin=layer.listed_from, entries=layer.entries, reason=layer.unusable_toc)
            for layer in image.layers
        ]


def served(*layers: TocLayer) -> RegistryContent:
    content = RegistryContent()
    add_toc_image(content, REPOSITORY, layers, "1")
    return content


def bytes_sent(registry: RegistryServer, blob: str) -> list[str | None]:
    """The ranges that a blob was asked for in."""
    requests = registry.log.matching(path=f"*/blobs/{blob}")
    return [request.headers.get("range") for request in requests]


def span(of: Span) -> str:
    return f"bytes={of.start}-{of.stop - 1}"


@pytest.mark.parametrize("form", ["estargz", pytest.param("zstd:chunked", marks=needs_zstd)])
def test_layers_are_listed_without_being_transferred(form: str) -> None:
    writer = WRITERS[form]
    layers = [writer(*LOWER), writer(*UPPER)]
    content = RegistryContent()
    blobs = add_toc_image(content, REPOSITORY, layers, "1")
    with serve(content) as registry:
        by_toc = listed(registry)
        for blob, layer in zip(blobs, layers, strict=True):
            size = len(layer.blob)
            footer = [span(Span(size - 51, size))] if form == "estargz" else []
            assert bytes_sent(registry, blob) == [*footer, span(layer.toc)]
        by_layer = listed(registry, replace(SETTINGS, listing=ListedFrom.LAYER))
        assert bytes_sent(registry, blobs[0])[-1] is None
    assert [each.origin for each in by_toc] == [ListedFrom.TOC] * 2
    assert [each.origin for each in by_layer] == [ListedFrom.LAYER] * 2
    assert [each.entries for each in by_toc] == [each.entries for each in by_layer]
    assert len(by_toc[0].entries) == len(LOWER)


def test_what_is_said_of_a_layer_that_was_not_read() -> None:
    layer = estargz(*LOWER)
    with serve(served(layer)) as registry:
        name = f"docker://{registry.host}/{REPOSITORY}:1"
        with open_image(name, settings=SETTINGS) as image:
            (shown,) = image.layers
            assert shown.facts is None
            assert str(shown.diff_id) == str(shown.chain_id) == layer.built.diff_id
            assert shown.title.size is None
            assert not shown.title.is_unknown
            assert shown.toc is not None
            tar = layer.built.tar
            assert shown.toc.entries == sum(
                tar[at + 257 : at + 262] == b"ustar" for at in range(0, len(tar), 512)
            )
            assert image.tree().resolve("/c").node.inode.size == 5000
            with pytest.raises(NotFound, match="was listed from its table of contents"):
                shown.index  # noqa: B018
            assert image.layer_notes == (
                "layer 0: from TOC, not verified against the layer (--full reads it)",
            )


def test_nothing_of_it_is_kept_and_what_is_kept_is_preferred(tmp_path: Path) -> None:
    lying = estargz(*LOWER, toc={"version": 1, "entries": toc_entries([file("/lie")])})
    settings = replace(SETTINGS, cache=IndexCache(tmp_path / "cache"))
    with serve(served(lying)) as registry:
        name = f"docker://{registry.host}/{REPOSITORY}:1"
        with open_image(name, settings=settings) as image:
            assert image.layers[0].summary.added == 1
        assert not list(tmp_path.glob("cache/*/*/*"))
        true = listed(registry, replace(settings, listing=ListedFrom.LAYER))
        assert list(tmp_path.glob("cache/*/*/*"))
        registry.log.clear()
        with open_image(name, settings=settings) as image:
            assert image.layers[0].listed_from is ListedFrom.LAYER
            assert image.layers[0].entries == true[0].entries
            assert image.layers[0].summary.added == 3
        assert registry.log.count(path=BLOBS) == 1  # the config


def test_a_summary_of_hidden_files_is_not_taken_for_that_of_the_tar(tmp_path: Path) -> None:
    layer = estargz(file("/a"))
    plain = replace(layer, annotations={})
    content = served(layer)
    add_toc_image(content, "plain", [plain], "1")
    settings = LoadSettings(registries=OPTIONS, cache=IndexCache(tmp_path / "cache"))
    with serve(content) as registry:
        for repository, added in ((REPOSITORY, 1), ("plain", 3), (REPOSITORY, 1)):
            name = f"docker://{registry.host}/{repository}:1"
            with open_image(name, settings=settings) as image:
                assert image.layers[0].summary.added == added


def test_a_layer_that_an_image_lists_twice_is_asked_for_once() -> None:
    layer = estargz(*LOWER)
    content = RegistryContent()
    blobs = add_toc_image(content, REPOSITORY, [layer, layer, layer], "1")
    with serve(content) as registry:
        assert [each.origin for each in listed(registry)] == [ListedFrom.TOC] * 3
        assert len(bytes_sent(registry, blobs[0])) == 2
        name = f"docker://{registry.host}/{REPOSITORY}:1"
        with open_image(name, settings=SETTINGS) as found:
            kinds = [{change.kind for change in each.changes} for each in found.layers]
        assert kinds == [{ChangeKind.ADDED}, {ChangeKind.REWRITTEN}, {ChangeKind.REWRITTEN}]


def test_what_is_expected_of_a_registry_s_layers(tmp_path: Path) -> None:
    content = served(estargz(*LOWER))
    plain = replace(estargz(*UPPER), annotations={})
    add_toc_image(content, "mixed", [estargz(*LOWER), plain, plain], "1")
    settings = replace(SETTINGS, cache=IndexCache(tmp_path / "cache"))
    with serve(content) as registry:
        name = f"docker://{registry.host}/mixed:1"
        for listing, whole in (
            (ListedFrom.TOC, [plain]),
            (ListedFrom.LAYER, [estargz(*LOWER)]),
            (ListedFrom.LAYER, []),
        ):
            chosen = replace(settings, listing=listing)
            with open_image(name, settings=chosen) as image:
                expected = sum(len(layer.blob) for layer in whole)
                assert bytes_to_read(image.stored.layers, chosen) == expected
                assert len(image.layers) == 3


def test_progress_counts_what_is_fetched() -> None:
    layers = [estargz(file(f"/{number}", b"x" * number)) for number in range(6)]
    counted = Counted()
    with serve(served(*layers)) as registry:
        listed(registry, replace(SETTINGS, progress=counted))
    tables = sum(layer.toc.stop - layer.toc.start for layer in layers)
    assert counted.total == tables + 51 * len(layers)


def _without_footer(layer: TocLayer) -> TocLayer:
    return altered(layer, len(layer.blob) - 51)


LIES: list[tuple[TocLayer, str]] = [
    (redeclared(estargz(*LOWER), digest=digest_of(b"other")), "the manifest declares"),
    (redeclared(estargz(*LOWER), digest="sha256:x"), "is not a digest"),
    (replace(estargz(*LOWER), blob=estargz(*LOWER).blob + bytes(60)), "no eStargz footer"),
    (estargz(*LOWER, toc={"version": 9, "entries": []}), "version 9 is not known"),
    (estargz(*LOWER, toc={"version": 1, "entries": [{"type": "x"}]}), "'x' is not known"),
    (
        estargz(*LOWER, toc={"version": 1, "entries": [{"type": "reg", "name": "\ufffd"}]}),
        "not UTF-8",
    ),
    (redeclared(chunked(*LOWER), position="1:2:3"), "no position"),
    (redeclared(chunked(*LOWER), position="999999:10:10:1"), "are not in the layer"),
    (redeclared(chunked(*LOWER), position=f"1:10:{200 << 20}:1"), "has 209715200 bytes"),
]


@pytest.mark.parametrize(("layer", "reason"), LIES)
def test_a_lie_is_found_and_the_layer_read(layer: TocLayer, reason: str) -> None:
    if "zstd" in layer.media_type:
        pytest.importorskip("backports.zstd")
    with serve(served(layer)) as registry:
        (found,) = listed(registry)
    assert found.origin is ListedFrom.LAYER
    assert found.reason is not None
    assert reason in found.reason
    assert [entry.path for entry in found.entries][:3] == ["/a", "/b", "/c"]


@needs_zstd
def test_bytes_of_another_digest_where_the_table_should_be() -> None:
    whole = chunked(*LOWER)
    other = altered(whole, whole.toc.start)
    with serve(served(other)) as registry:
        (found,) = listed(registry)
    assert found.origin is ListedFrom.LAYER  # zstd passes over the frame, whatever it holds
    assert "hash to" in str(found.reason)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Ranges(RangeSupport.IGNORED), "does not send parts of blobs"),
        (Ranges(RangeSupport.FROM_START), "the registry sends others"),
        (SetHeader("Content-Range", "bytes 0-50/100000"), "the registry sends others"),
    ],
)
def test_a_registry_that_does_not_send_what_is_asked(fault: Fault, reason: str) -> None:
    content = RegistryContent()
    (blob,) = add_toc_image(content, REPOSITORY, [estargz(*LOWER)], "1")
    rule = Rule(fault=fault, path=f"*/blobs/{blob}", times=1)
    with serve(content, rules=(rule,)) as registry:
        (found,) = listed(registry)
        assert bytes_sent(registry, blob)[-1] is None
    assert found.origin is ListedFrom.LAYER
    assert found.reason is not None
    assert reason in found.reason


def refused(error: type[LayerlensError], fault: Fault, times: int | None = None) -> str:
    content = RegistryContent()
    (blob,) = add_toc_image(content, REPOSITORY, [estargz(*LOWER)], "1")
    rule = Rule(fault=fault, path=f"*/blobs/{blob}", times=times)
    with serve(content, rules=(rule,)) as registry, pytest.raises(error) as raised:
        listed(registry)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_what_the_layer_would_meet_too_is_an_error() -> None:
    refused(NotFound, Failure(404))
    refused(AccessDenied, Failure(403))
    refused(RegistryUnavailable, Failure(503))
    refused(RegistryUnavailable, CutOff(5))
    refused(SizeMismatch, Truncated(40))  # by the layer, which is then read


def test_a_layer_that_is_not_whole_is_an_error_after_a_lie() -> None:
    layer = redeclared(estargz(*LOWER), digest=digest_of(b"other"))
    damaged = replace(layer, built=BuiltLayer(tar_of(file("/other")), "another"))
    with serve(served(damaged)) as registry, pytest.raises(DigestMismatch):
        listed(registry)


def test_a_dropped_connection_is_resumed() -> None:
    content = RegistryContent()
    layer = estargz(*LOWER)
    (blob,) = add_toc_image(content, REPOSITORY, [layer], "1")
    rule = Rule(fault=CutOff(5), path=f"*/blobs/{blob}", times=2)
    with serve(content, rules=(rule,)) as registry:
        assert listed(registry)[0].origin is ListedFrom.TOC
        size = len(layer.blob)
        starts = [size - 51, size - 46, size - 41]
        assert bytes_sent(registry, blob)[:3] == [f"bytes={at}-{size - 1}" for at in starts]


def test_a_redirect_is_followed_with_the_range() -> None:
    content = served(estargz(*LOWER))
    with serve(content) as store:
        moved = Rule(fault=Redirect(location=f"http://{store.other_name}{{target}}"), path=BLOBS)
        with serve(content, rules=(moved,)) as registry:
            assert listed(registry)[0].origin is ListedFrom.TOC
        assert all("range" in request.headers for request in store.log.matching(path=BLOBS)[1:])
        assert store.log.authorized() == ()


def demo_chunked() -> RegistryContent:
    """What skopeo wrote as zstd:chunked, in a registry."""
    content = RegistryContent()
    with tarfile.open(FIXTURES / "demo-chunked.tar") as archive:
        files = {
            member.name.rpartition("/")[2]: archive.extractfile(member)
            for member in archive
            if member.isfile()
        }
        data = {name: file.read() for name, file in files.items() if file is not None}
    index = parse_object(data["index.json"], "index.json").objects("manifests")[0]
    root = {key: index.string(key) for key in ("mediaType", "digest")}
    blobs = {f"sha256:{name}": held for name, held in data.items() if len(name) == 64}
    content.add_layout(REPOSITORY, blobs, root, "1")
    return content


@needs_zstd
def test_what_a_real_tool_wrote() -> None:
    archive = str(FIXTURES / "demo.tar")
    with (
        serve(demo_chunked()) as registry,
        open_image(f"docker://{registry.host}/{REPOSITORY}:1", settings=SETTINGS) as image,
        open_image(archive) as verified,
    ):
        assert {layer.listed_from for layer in image.layers} == {ListedFrom.TOC}
        for by_toc, by_layer in zip(image.layers, verified.layers, strict=True):
            assert by_toc.entries == by_layer.entries
            assert by_toc.diff_id == by_layer.diff_id
            assert by_toc.chain_id == by_layer.chain_id
            assert by_toc.summary == by_layer.summary


@pytest.fixture
def unserved() -> Iterator[RegistryServer]:
    with serve(served(estargz(*LOWER), estargz(*UPPER))) as registry:
        yield registry


def test_cancelled(unserved: RegistryServer) -> None:
    cancelled = threading.Event()
    slow = Rule(fault=Failure(503), path=BLOBS, skip=1)
    unserved.declare(slow)
    threading.Timer(0.05, cancelled.set).start()
    with pytest.raises(Cancelled):
        listed(unserved, replace(SETTINGS, cancelled=cancelled))


def test_an_encrypted_layer_is_none_whatever_it_declares() -> None:
    layer = estargz(*LOWER)
    encrypted = replace(layer, media_type=f"{layer.media_type}+encrypted")
    with serve(served(encrypted)) as registry:
        name = f"docker://{registry.host}/{REPOSITORY}:1"
        with open_image(name, settings=SETTINGS) as image:
            assert image.layers[0].listed_from is None
