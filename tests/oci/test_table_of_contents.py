"""What a descriptor's annotations say of a table of contents."""

import pytest

from layerlens.errors import MalformedInput
from layerlens.oci.digest import Digest, sha256_digest
from layerlens.oci.table_of_contents import (
    EstargzToc,
    ZstdChunkedToc,
    declared_toc,
    declares_toc,
    keeps_files_of_its_own,
)

DIGEST: Digest = sha256_digest(b"toc")
STARGZ = "containerd.io/snapshot/stargz/toc.digest"


def chunked(position: str, prefix: str = "io.github.containers") -> dict[str, str]:
    return {
        f"{prefix}.zstd-chunked.manifest-position": position,
        f"{prefix}.zstd-chunked.manifest-checksum": str(DIGEST),
    }


def test_none_is_declared() -> None:
    for annotations in ({}, {"a": "b"}, {"containerd.io/snapshot/stargz/feature": "x"}):
        assert declared_toc(annotations) is None
        assert not declares_toc(annotations)


def test_estargz() -> None:
    annotations = {STARGZ: str(DIGEST)}
    assert declared_toc(annotations) == EstargzToc(digest=DIGEST)
    assert declares_toc(annotations)
    assert keeps_files_of_its_own(annotations)


@pytest.mark.parametrize("prefix", ["io.github.containers", "io.containers"])
def test_zstd_chunked(prefix: str) -> None:
    annotations = chunked("5071:1030:6506:1", prefix)
    expected = ZstdChunkedToc(offset=5071, stored_size=1030, size=6506, digest=DIGEST)
    assert declared_toc(annotations) == expected
    assert declares_toc(annotations)
    assert not keeps_files_of_its_own(annotations)


def test_a_layer_of_zstd_that_declares_both_is_zstd_chunked() -> None:
    annotations = {**chunked("1:2:3:1"), STARGZ: str(DIGEST)}
    assert isinstance(declared_toc(annotations), ZstdChunkedToc)
    assert keeps_files_of_its_own(annotations)


@pytest.mark.parametrize(
    "position", ["", "1:2:3", "1:2:3:1:", "-1:2:3:1", "1:2:3:2", "٣:2:3:1", f"{'9' * 19}:1:1:1"]
)
def test_positions_that_are_none(position: str) -> None:
    annotations = chunked(position)
    assert declares_toc(annotations)
    with pytest.raises(MalformedInput):
        declared_toc(annotations)


def test_a_digest_that_is_none() -> None:
    with pytest.raises(MalformedInput, match="not a digest"):
        declared_toc({STARGZ: "sha256:"})
