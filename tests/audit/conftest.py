"""What tests of audits share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .crawling import alone


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with alone(tmp_path / "home", monkeypatch):
        yield
