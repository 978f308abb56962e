"""Layers read in processes: the same readings and errors, and no process outlives its use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from archive_forms import Members, archive, docker_skopeo, oci_layout
from image_builder import BuiltImage
from loaded_images import (
    FORMS,
    SAMPLE,
    STORED_BYTES,
    Counted,
    broken_layout,
    load,
    noisy_layer,
    refusal,
)

from layerlens.image import open_image
from layerlens.layer.index_codec import encode_reading
from layerlens.layer.read_layer import Expected
from layerlens.layer_job import LayerJob
from layerlens.layer_jobs import Cancelled, LoadSettings, Workers
from layerlens.layer_process import LayerProcess, ProcessLost
from layerlens.source.blob_location import FileRange
from layerlens.streams.limits import DEFAULT_LIMITS

PROCESSES = LoadSettings(workers=Workers.PROCESSES)


@pytest.fixture(autouse=True)
def worth_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small layers are worth processes, even on one processor."""
    monkeypatch.setattr("layerlens.layer_jobs.PARALLEL_BYTES", 0)
    monkeypatch.setattr("layerlens.layer_jobs.PROCESS_BYTES", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes that a test started; none may be left, nor a thread."""
    found: list[subprocess.Popen[bytes]] = []
    before = threading.active_count()
    begin = LayerProcess.__init__

    def noted(process: LayerProcess) -> None:
        begin(process)
        if process._process is not None:
            found.append(process._process)

    monkeypatch.setattr(LayerProcess, "__init__", noted)
    yield found
    assert all(process.returncode is not None for process in found)
    assert threading.active_count() == before


def job_of(path: Path) -> LayerJob:
    """A layer that is all of a file."""
    location = FileRange(str(path), 0, path.stat().st_size)
    return LayerJob(location, Expected(), "a layer", DEFAULT_LIMITS)


@pytest.mark.parametrize("form", FORMS)
def test_processes_give_what_threads_give(
    form: Callable[[BuiltImage], Members],
    save: Callable[[bytes], str],
    started: list[subprocess.Popen[bytes]],
) -> None:
    name = save(archive(form(SAMPLE)))
    assert load(name, PROCESSES) == load(name, LoadSettings())
    assert len(started) == 2


def test_progress_adds_up(save: Callable[[bytes], str]) -> None:
    counted = Counted()
    load(
        save(archive(oci_layout(SAMPLE))),
        LoadSettings(workers=Workers.PROCESSES, progress=counted),
    )
    assert counted.total == STORED_BYTES


def test_an_error_is_the_same_line(save: Callable[[bytes], str]) -> None:
    name = save(archive(broken_layout()))
    assert refusal(name, PROCESSES) == refusal(name, LoadSettings())


def test_an_image_that_is_closed_early_leaves_nothing_running(save: Callable[[bytes], str]) -> None:
    with open_image(save(archive(oci_layout(SAMPLE))), settings=PROCESSES) as opened:
        assert next(opened.read_layers()).number == 0


def test_cancelling_leaves_nothing_running(
    save: Callable[[bytes], str], started: list[subprocess.Popen[bytes]]
) -> None:
    class Cancels:
        cancelled = threading.Event()

        def advance(self, count: int) -> None:
            self.cancelled.set()

    settings = LoadSettings(
        workers=Workers.PROCESSES, progress=Cancels(), cancelled=Cancels.cancelled
    )
    with pytest.raises(Cancelled):
        load(save(archive(docker_skopeo(SAMPLE))), settings)
    assert started


def test_small_layers_are_not_worth_a_process(
    save: Callable[[bytes], str],
    started: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("layerlens.layer_jobs.PROCESS_BYTES", STORED_BYTES + 1)
    load(save(archive(oci_layout(SAMPLE))), PROCESSES)
    assert not started


@pytest.mark.parametrize("executable", ["/nowhere/python", "/bin/false", "/bin/true", ""])
def test_where_no_process_can_be_had_the_layers_are_read_here(
    executable: str, save: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = save(archive(oci_layout(SAMPLE)))
    alone = load(name, LoadSettings())
    monkeypatch.setattr(sys, "executable", executable)
    counted = Counted()
    assert load(name, LoadSettings(workers=Workers.PROCESSES, progress=counted)) == alone
    assert counted.total == STORED_BYTES


def test_a_process_that_is_killed_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "layer.tar"
    path.write_bytes(noisy_layer(1, 8 << 20).tar)
    process = LayerProcess()
    try:

        def kill(count: int) -> None:
            assert process._process is not None
            process._process.kill()
            process._process.wait()

        def read() -> None:
            process.read(job_of(path), 1, kill)  # may be all said when the process dies
            process.read(job_of(path), 1, kill)

        with pytest.raises(ProcessLost, match=r"^a layer: .* was ended by signal 9$"):
            read()
    finally:
        process.close()


def test_one_process_reads_layer_after_layer(tmp_path: Path) -> None:
    process = LayerProcess()
    try:
        for number in range(3):
            path = tmp_path / f"{number}.tar"
            path.write_bytes(noisy_layer(number).tar)
            told: list[int] = []
            result = process.read(job_of(path), 2, told.append)
            assert result.reading.stored_size == path.stat().st_size == sum(told)
            assert result.encoded == encode_reading(result.reading)
    finally:
        process.close()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc to look in")
def test_it_ends_with_the_program_that_started_it() -> None:
    program = (
        "from pathlib import Path; from test_layer_process import job_of;"
        "from layerlens.layer_process import LayerProcess; import sys, time;"
        "process = LayerProcess(); process._wait_for_hello();"
        "print(process._process.pid, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.send_signal(signal.SIGKILL)
    until = time.monotonic() + 30
    while is_running(child):
        assert time.monotonic() < until
        time.sleep(0.01)


def is_running(process: int) -> bool:
    """Whether there is such a process, and not only its end to be noticed."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
