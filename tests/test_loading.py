"""Loading layers: the same result however it is done, with progress, and cancelled."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from archive_forms import (
    Members,
    archive,
    compressed,
    docker_classic,
    oci_layout,
)
from image_builder import (
    BuiltImage,
    image,
)
from loaded_images import (
    FORMS,
    LAYERS,
    SAMPLE,
    STORED_BYTES,
    Counted,
    broken_layout,
    load,
    noisy_layer,
    refusal,
    rootfs,
)

from layerlens.errors import DigestMismatch, LimitExceeded
from layerlens.image import open_image
from layerlens.layer_job import LayerJob
from layerlens.loading import Cancelled, LoadSettings
from layerlens.streams.limits import Limits


@contextmanager
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small layers are worth threads of their own."""
    monkeypatch.setattr("layerlens.layer_jobs.PARALLEL_BYTES", 0)


@pytest.fixture
def no_threads_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before
    assert multiprocessing.active_children() == []


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


def test_small_layers_are_read_first_and_then_the_largest(save: Callable[[bytes], str]) -> None:
    asked: list[int] = []

    class Noting(ThreadPoolExecutor):
        def submit(  # type: ignore[override]
            self, function: Callable[[LayerJob], bytes], job: LayerJob
        ) -> Future[bytes]:
            asked.append(job.location.size)
            return super().submit(function, job)

    sizes = (20_000, 100, 40_000, 200, 30_000)
    name = save(archive(oci_layout(image(*map(noisy_layer, range(5), sizes)))))
    with Noting(1) as executor:
        load(name, LoadSettings(executor=executor))
    small, large = asked[:2], asked[2:]
    assert max(small) < 1000 < min(large)
    assert large == sorted(large, reverse=True)


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


# ---- limits ----


def test_limits_reach_every_layer(save: Callable[[bytes], str]) -> None:
    name = save(archive(oci_layout(SAMPLE)))
    with pytest.raises(LimitExceeded, match="entries"):
        load(name, LoadSettings(limits=Limits(entries=3)))
