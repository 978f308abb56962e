"""Reading a range of a file: what goes wrong names the file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from layerlens.errors import SizeMismatch
from layerlens.loading import LoadSettings
from layerlens.opening import Access, open_source
from layerlens.source.blob_location import FileRange

BROKEN = "/proc/self/mem"
needs_broken = pytest.mark.skipif(not os.path.exists(BROKEN), reason=f"there is no {BROKEN}")


def test_a_range_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert b"".join(FileRange(str(path), 3, 4).chunks()) == b"3456"
    with pytest.raises(SizeMismatch, match="ends 3 bytes too early"):
        list(FileRange(str(path), 8, 5).chunks())


@needs_broken
def test_a_disk_that_fails_is_told_with_the_files_name() -> None:
    for read in (
        lambda: list(FileRange(BROKEN, 0, 5).chunks()),
        lambda: open_source(BROKEN, Access.LISTING, LoadSettings()),
    ):
        with pytest.raises(OSError, match="mem") as raised:
            read()
        assert (raised.value.errno, raised.value.filename) == (errno.EIO, BROKEN)
