"""Outputs that are compared byte for byte with files in ``fixtures/golden``.

To write them anew after a change that is meant, run the tests with LAYERLENS_UPDATE_GOLDENS=1
(``LAYERLENS_UPDATE_GOLDENS=1 pytest tests/cli``) and read what ``git diff fixtures/golden`` says.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "fixtures" / "golden"


def assert_golden(name: str, actual: bytes) -> None:
    """Compare with the golden *name*; or write it, and skip the test, when that is asked for."""
    path = GOLDEN / name
    if os.environ.get("LAYERLENS_UPDATE_GOLDENS"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(actual)
        pytest.skip(f"{name} was written anew")
    assert actual.decode("utf-8", "surrogateescape").splitlines() == (
        path.read_bytes().decode("utf-8", "surrogateescape").splitlines()
    )
    assert actual == path.read_bytes()
