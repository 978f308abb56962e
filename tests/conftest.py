"""What every test gets: a cache directory and signals of its own, hypothesis without a stopwatch.

Where CI is set, hypothesis tries the same examples each time, so that a change is judged by what
it changes; everywhere else it looks for new ones.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import settings

# Other work on the machine must not fail a test; hanging is found by the suite's own time limit.
settings.register_profile("layerlens", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "layerlens")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache-home"))


@pytest.fixture(autouse=True)
def _signals_as_a_terminal_leaves_them() -> Iterator[None]:
    """Tests that run in the background or under nohup would hand on to every command that these
    are ignored."""
    handlers: dict[int, Callable[[int, FrameType | None], None] | signal.Handlers] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, found in before.items():
        signal.signal(number, found)


@pytest.fixture
def save(tmp_path: Path) -> Callable[[bytes], str]:
    """Writes bytes to a new file, and gives its path as an image's name."""
    count = 0

    def written(data: bytes) -> str:
        nonlocal count
        count += 1
        path = tmp_path / f"image-{count}"
        path.write_bytes(data)
        return str(path)

    return written
