"""What tests of layouts share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from archive_forms import (
    Members,
    archive,
    compressed,
    write_directory,
)

Save = Callable[[Members], str]


@pytest.fixture(params=["directory", "archive", "gzip"])
def save_layout(request: pytest.FixtureRequest, tmp_path: Path) -> Save:
    """Writes a layout in each of its forms: a directory, a tar, a compressed tar."""

    def written(members: Members) -> str:
        path = tmp_path / "layout"
        if request.param == "directory":
            return str(write_directory(members, path))
        wrapping = "gzip" if request.param == "gzip" else "none"
        path.write_bytes(compressed(archive(members), wrapping))
        return str(path)

    return written
