"""What tests of registries get: nobody's credentials, and no proxy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from layerlens.source.registry.clients import forget_clients

from .asking import isolated


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home directory; clients of other tests are forgotten."""
    directory = isolated(tmp_path / "home", monkeypatch)
    forget_clients()
    yield directory
    forget_clients()
