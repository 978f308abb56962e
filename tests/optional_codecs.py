"""Which tests can't run here, because this Python lacks a codec that is an extra."""

from __future__ import annotations

import importlib.util
import sys

import pytest


def _has_zstd() -> bool:
    if sys.version_info >= (3, 14):
        return True
    return (
        importlib.util.find_spec("backports") is not None
        and importlib.util.find_spec("backports.zstd") is not None
    )


needs_zstd = pytest.mark.skipif(not _has_zstd(), reason="reading zstd needs backports.zstd")
