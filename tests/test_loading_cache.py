"""Loading with a cache: less is read, and nothing comes out that would not otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from archive_forms import (
    Members,
    archive,
    compressed,
    docker_skopeo,
    oci_layout,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_builder import (
    BuiltImage,
    Member,
    directory,
    file,
    image,
    layer,
    whiteout,
)
from loaded_images import (
    FORMS,
    LAYERS,
    SAMPLE,
    STORED_BYTES,
    Counted,
    broken_layout,
    load,
    rootfs,
)

from layerlens.errors import DigestMismatch
from layerlens.image import open_image
from layerlens.index_cache import IndexCache
from layerlens.layer.read_layer import LayerReading
from layerlens.loading import LoadSettings, bytes_to_read


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were just written count as settled."""
    monkeypatch.setattr("layerlens.loading.SETTLED_SECONDS", -60.0)


@pytest.fixture
def cache(tmp_path: Path) -> IndexCache:
    return IndexCache(tmp_path / "cache")


@contextmanager
def nothing_inflated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within it no layer may be read to entries."""

    def refused(*_: object, **__: object) -> LayerReading:
        raise AssertionError("a layer was inflated")

    with monkeypatch.context() as patched:
        patched.setattr("layerlens.layer_jobs.read_layer", refused)
        patched.setattr("layerlens.opening.read_layer", refused)
        yield


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("form", FORMS)
def test_a_second_look_reads_nothing_and_sees_the_same(
    form: Callable[[BuiltImage], Members],
    cache: IndexCache,
    save: Callable[[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = save(archive(form(SAMPLE)))
    plain = load(name, LoadSettings())
    assert load(name, LoadSettings(cache=cache)) == plain
    counted = Counted()
    with nothing_inflated(monkeypatch):
        assert load(name, LoadSettings(cache=cache, progress=counted)) == plain
    assert counted.total == 0


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("form", FORMS)
def test_what_is_expected_is_what_progress_is_told(
    form: Callable[[BuiltImage], Members], cache: IndexCache, save: Callable[[bytes], str]
) -> None:
    small = save(archive(form(image(*LAYERS[:2]))))
    large = save(archive(form(SAMPLE)))
    for name in (large, large, small, small):
        counted = Counted()
        loading = LoadSettings(cache=cache, progress=counted)
        with open_image(name, settings=loading) as opened:
            expected = bytes_to_read(opened.stored.layers, loading)
            assert len(opened.layers) == len(opened.stored.layers)
        assert counted.total == expected


def test_a_file_that_was_just_written_is_verified_again(
    cache: IndexCache, save: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = save(archive(oci_layout(SAMPLE)))
    plain = load(name, LoadSettings(cache=cache))
    counted = Counted()
    with nothing_inflated(monkeypatch):  # the blobs are known, this file is not trusted yet
        assert load(name, LoadSettings(cache=cache, progress=counted)) == plain
    assert counted.total >= STORED_BYTES


@pytest.mark.usefixtures("settled")
def test_another_archive_with_the_same_blobs_is_verified_and_not_inflated(
    cache: IndexCache, save: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(save(archive(oci_layout(SAMPLE))), LoadSettings(cache=cache))
    again = archive(oci_layout(image(*LAYERS[:3], names=["other"])))
    name = save(again)
    plain = load(name, LoadSettings())
    counted = Counted()
    with nothing_inflated(monkeypatch):
        found = load(name, LoadSettings(cache=cache, progress=counted))
    assert found == plain
    assert counted.total == sum(len(compressed(built.tar, "gzip")) for built in LAYERS[:3])


@pytest.mark.usefixtures("settled")
def test_a_blob_that_was_altered_is_found_though_its_digest_is_known(
    cache: IndexCache, save: Callable[[bytes], str]
) -> None:
    load(save(archive(oci_layout(SAMPLE))), LoadSettings(cache=cache))
    broken = save(archive(broken_layout()))
    with pytest.raises(DigestMismatch):
        load(broken, LoadSettings(cache=cache))


@pytest.mark.usefixtures("settled")
def test_a_file_that_was_altered_in_place_is_read_again(
    cache: IndexCache, save: Callable[[bytes], str]
) -> None:
    name = save(archive(docker_skopeo(SAMPLE)))
    load(name, LoadSettings(cache=cache))
    data = bytearray(Path(name).read_bytes())
    content = LAYERS[2].tar[2000:2100]
    at = data.index(content)
    data[at] ^= 1
    Path(name).write_bytes(data)
    with pytest.raises(DigestMismatch):
        load(name, LoadSettings(cache=cache))


@pytest.mark.usefixtures("settled")
def test_a_layer_under_another_s_diff_id_is_not_taken_from_the_cache(
    cache: IndexCache, save: Callable[[bytes], str]
) -> None:
    load(save(archive(oci_layout(image(LAYERS[0])))), LoadSettings(cache=cache))
    lying = image(LAYERS[0], overrides={"rootfs": rootfs(LAYERS[1])})
    with pytest.raises(DigestMismatch):
        load(save(archive(oci_layout(lying))), LoadSettings(cache=cache))


@pytest.mark.usefixtures("settled")
def test_a_damaged_cache_changes_no_result(
    cache: IndexCache, save: Callable[[bytes], str], tmp_path: Path
) -> None:
    name = save(archive(oci_layout(SAMPLE)))
    plain = load(name, LoadSettings(cache=cache))
    damage: list[Callable[[bytes], bytes]] = [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2] + b"?" + data[len(data) // 2 + 1 :],
    ]
    for suffix in (".receipt", ".reading"):
        for damaged in damage:
            for path in (tmp_path / "cache").rglob(f"*{suffix}"):
                path.write_bytes(damaged(path.read_bytes()))
            assert load(name, LoadSettings(cache=cache)) == plain


@pytest.mark.usefixtures("settled")
def test_a_reading_that_was_forgotten_is_read_again_when_it_is_wanted(
    cache: IndexCache, save: Callable[[bytes], str], tmp_path: Path
) -> None:
    name = save(archive(docker_skopeo(SAMPLE)))
    plain = load(name, LoadSettings(cache=cache))
    for path in (tmp_path / "cache").rglob("*.reading"):
        path.unlink()
    with open_image(name, settings=LoadSettings(cache=cache)) as opened:
        assert [layer.index for layer in opened.layers] == plain.indexes


def test_a_cache_that_can_t_be_written_to_changes_nothing(
    save: Callable[[bytes], str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    name = save(archive(oci_layout(SAMPLE)))
    useless = LoadSettings(cache=IndexCache(tmp_path / "file"))
    assert load(name, useless) == load(name, LoadSettings())


@pytest.mark.usefixtures("settled")
def test_summaries_from_the_cache_are_those_counted(
    cache: IndexCache, save: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = save(archive(oci_layout(SAMPLE)))

    def summaries(settings: LoadSettings) -> list[object]:
        with open_image(name, settings=settings) as opened:
            return [layer.summary for layer in opened.layers]

    plain = summaries(LoadSettings())
    assert summaries(LoadSettings(cache=cache)) == plain
    with nothing_inflated(monkeypatch):
        monkeypatch.setattr("layerlens.image.stack", None)
        assert summaries(LoadSettings(cache=cache)) == plain


NAMES = st.sampled_from(["/a", "/b", "/d/a", "/d/b", "/d"])
MEMBERS = st.one_of(
    st.builds(file, NAMES, st.binary(max_size=5)),
    st.builds(directory, NAMES),
    st.builds(whiteout, NAMES),
)


@pytest.mark.usefixtures("settled")
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(MEMBERS, max_size=4), min_size=1, max_size=3), st.sampled_from(FORMS))
def test_cached_and_uncached_are_equal_for_any_image(
    cache: IndexCache,
    save: Callable[[bytes], str],
    layers: list[list[Member]],
    form: Callable[[BuiltImage], Members],
) -> None:
    name = save(archive(form(image(*(layer(*members) for members in layers)))))
    plain = load(name, LoadSettings())
    for _ in range(2):
        assert load(name, LoadSettings(cache=cache)) == plain
