"""A request to end leaves nothing behind, and ends the process as the signal would have."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerlens.cli.termination import unwinding

_PATIENCE = 20.0
_LAYERLENS = [sys.executable, "-m", "layerlens"]


@contextlib.contextmanager
def _writing(directory: Path, *before: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that has begun its output file, and waits for an image that does not come."""
    os.mkfifo(directory / "image")
    words = [*before, *_LAYERLENS, "inspect", "image", "-o", "report"]
    process = subprocess.Popen(words, cwd=directory, stderr=subprocess.PIPE)
    with process:
        try:
            deadline = time.monotonic() + _PATIENCE
            while len(os.listdir(directory)) == 1:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_was_begun_is_taken_away(number: signal.Signals, tmp_path: Path) -> None:
    with _writing(tmp_path) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=_PATIENCE)
    assert (process.returncode, said) == (-number, b"")
    assert os.listdir(tmp_path) == ["image"]


def test_what_is_ignored_stays_ignored(tmp_path: Path) -> None:
    with _writing(tmp_path, "nohup") as process:
        process.send_signal(signal.SIGHUP)
        (tmp_path / "image").write_bytes(b"")
        _, said = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 2
    assert b"error: image: is empty" in said


def test_handlers_are_as_they_were_afterwards() -> None:
    with unwinding():
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
