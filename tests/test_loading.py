"""Loading layers: the same result however it is done, with progress, cancelled and cached."""

from __future__ import annotations

import multiprocessing
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from archive_forms import (
    Members,
    archive,
    compressed,
    docker_classic,
    docker_kaniko,
    docker_skopeo,
    oci_layout,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_builder import (
    BuiltImage,
    BuiltLayer,
    Json,
    Member,
    directory,
    file,
    image,
    layer,
    symlink,
    whiteout,
)

from layerlens.errors import DigestMismatch, LayerlensError, LimitExceeded
from layerlens.image import open_image
from layerlens.index_cache import IndexCache
from layerlens.layer.layer_index import LayerIndex
from layerlens.layer.read_layer import LayerReading
from layerlens.loading import Cancelled, LoadSettings
from layerlens.streams.limits import Limits

NOISE = random.Random(1)


def noisy_layer(number: int, size: int = 40_000) -> BuiltLayer:
    """A layer of that many bytes that can't be compressed."""
    return layer(
        directory("/d"),
        file(f"/d/{number}", NOISE.randbytes(size)),
        symlink("/last", str(number)),
        whiteout(f"/d/{number - 2}"),
    )


LAYERS = [noisy_layer(number) for number in range(5)]
SAMPLE = image(*LAYERS, LAYERS[1], LAYERS[1])
STORED_BYTES = sum(len(compressed(built.tar, "gzip")) for built in LAYERS)


@dataclass(frozen=True, slots=True)
class Result:
    """All that loading an image gave."""

    facts: Sequence[object]
    indexes: Sequence[LayerIndex]


class Counted:
    """Adds up what progress is told."""

    def __init__(self) -> None:
        self.total = 0
        self._lock = threading.Lock()

    def advance(self, count: int) -> None:
        assert count >= 0
        with self._lock:
            self.total += count


def load(name: str, settings: LoadSettings) -> Result:
    with open_image(name, settings=settings) as opened:
        return Result(
            [(layer.facts, layer.chain_id, layer.stored.where) for layer in opened.layers],
            [layer.index for layer in opened.layers],
        )


@contextmanager
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@contextmanager
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small layers are worth threads of their own."""
    monkeypatch.setattr("layerlens.layer_jobs.PARALLEL_BYTES", 0)


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were just written count as settled."""
    monkeypatch.setattr("layerlens.loading.SETTLED_SECONDS", -60.0)


@pytest.fixture
def no_threads_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before
    assert multiprocessing.active_children() == []


FORMS = [docker_skopeo, docker_kaniko, oci_layout]


@pytest.mark.usefixtures("no_threads_left")
@pytest.mark.parametrize("form", FORMS)
def test_threads_give_what_one_gives(
    form: Callable[[BuiltImage], Members],
    save: Callable[[bytes], str],
    request: pytest.FixtureRequest,
) -> None:
    name = save(archive(form(SAMPLE)))
    alone = load(name, LoadSettings())
    request.getfixturevalue("parallel")
    assert load(name, LoadSettings()) == alone
    assert len(alone.indexes) == 7
    assert alone.indexes[1] == alone.indexes[5] == alone.indexes[6]


def test_processes_give_what_one_gives(save: Callable[[bytes], str]) -> None:
    name = save(archive(oci_layout(SAMPLE)))
    broken = save(archive(broken_layout()))
    alone = load(name, LoadSettings())
    with processes() as executor:
        assert load(name, LoadSettings(executor=executor)) == alone
        counted = Counted()
        load(name, LoadSettings(executor=executor, progress=counted))
        assert counted.total == STORED_BYTES
        with pytest.raises(DigestMismatch) as raised:
            load(broken, LoadSettings(executor=executor))
    assert str(raised.value) == refusal(broken, LoadSettings())
    assert multiprocessing.active_children() == []


def broken_layout() -> Members:
    """SAMPLE with one layer's blob altered, its size left."""
    members = oci_layout(SAMPLE)
    name = max(members, key=lambda name: len(str(members[name])))
    data = members[name]
    assert isinstance(data, bytes)
    members[name] = data[:4] + b"\7" + data[5:]
    return members


def rootfs(*layers: BuiltLayer) -> Json:
    """A config's rootfs that promises these layers."""
    return {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}


def refusal(name: str, settings: LoadSettings) -> str:
    with pytest.raises(LayerlensError) as raised:
        load(name, settings)
    return str(raised.value)


@pytest.mark.usefixtures("parallel", "no_threads_left")
def test_an_error_in_one_thread_stops_all(save: Callable[[bytes], str]) -> None:
    line = refusal(save(archive(broken_layout())), LoadSettings())
    assert "layer " in line


@pytest.mark.usefixtures("parallel", "no_threads_left")
def test_a_long_layer_is_not_read_to_its_end_for_nothing(
    save: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerlens.source.blob_location.READ_BYTES", 1000)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    long = noisy_layer(9, 20_000_000)
    lying = image(long, LAYERS[0], overrides={"rootfs": rootfs(long, LAYERS[1])})
    counted = Counted()
    refusal(save(archive(oci_layout(lying, compression="none"))), LoadSettings(progress=counted))
    assert counted.total < len(long.tar)


@pytest.mark.usefixtures("parallel", "no_threads_left")
def test_an_image_that_is_closed_early_leaves_nothing_running(
    save: Callable[[bytes], str],
) -> None:
    with open_image(save(archive(oci_layout(SAMPLE)))) as opened:
        first = next(opened.read_layers())
        assert first.number == 0


# ---- progress ----


@pytest.mark.parametrize("worth_threads", [False, True])
def test_progress_adds_up_to_what_is_stored(
    worth_threads: bool, save: Callable[[bytes], str], request: pytest.FixtureRequest
) -> None:
    if worth_threads:
        request.getfixturevalue("parallel")
    counted = Counted()
    load(save(archive(oci_layout(SAMPLE))), LoadSettings(progress=counted))
    assert counted.total == STORED_BYTES  # a layer that is listed again is not read again


def test_a_repeated_layer_of_docker_is_read_once(save: Callable[[bytes], str]) -> None:
    counted = Counted()
    load(save(archive(docker_classic(SAMPLE))), LoadSettings(progress=counted))
    assert counted.total == sum(len(built.tar) for built in LAYERS)


@pytest.mark.parametrize("wrapping", ["gzip", "xz"])
def test_progress_of_a_stream_is_the_bytes_of_the_file(
    wrapping: str, save: Callable[[bytes], str]
) -> None:
    data = compressed(archive(oci_layout(SAMPLE)), wrapping)
    counted = Counted()
    load(save(data), LoadSettings(progress=counted))
    assert counted.total == len(data)


# ---- cancelling ----


class CancelsAfter:
    """Progress that asks for an end once so many bytes are read."""

    def __init__(self, count: int) -> None:
        self.cancelled = threading.Event()
        self._left = count

    def advance(self, count: int) -> None:
        self._left -= count
        if self._left <= 0:
            self.cancelled.set()


@pytest.mark.usefixtures("no_threads_left")
@pytest.mark.parametrize("worth_threads", [False, True])
@pytest.mark.parametrize("after", [0, 1, STORED_BYTES // 2])
@pytest.mark.parametrize("wrapping", ["none", "gzip"])
def test_cancelling_stops_with_one_line(
    worth_threads: bool,
    after: int,
    wrapping: str,
    save: Callable[[bytes], str],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if worth_threads:
        request.getfixturevalue("parallel")
    monkeypatch.setattr("layerlens.source.blob_location.READ_BYTES", 1000)
    monkeypatch.setattr("layerlens.opening.READ_BYTES", 1000)
    progress = CancelsAfter(after)
    if not after:
        progress.cancelled.set()
    cancelled = LoadSettings(progress=progress, cancelled=progress.cancelled)
    name = save(compressed(archive(oci_layout(SAMPLE)), wrapping))
    with pytest.raises(Cancelled):
        load(name, cancelled)


def test_cancelling_leaves_no_child_processes(save: Callable[[bytes], str]) -> None:
    event = threading.Event()
    event.set()
    with processes() as executor, pytest.raises(Cancelled):
        load(save(archive(oci_layout(SAMPLE))), LoadSettings(executor=executor, cancelled=event))
    assert multiprocessing.active_children() == []


# ---- the cache ----


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


# ---- limits ----


def test_limits_reach_every_layer(save: Callable[[bytes], str]) -> None:
    name = save(archive(oci_layout(SAMPLE)))
    with pytest.raises(LimitExceeded, match="entries"):
        load(name, LoadSettings(limits=Limits(entries=3)))
