"""The JSON of a table of contents, out of its blob: what was declared, or an error."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace

import pytest
from archive_forms import zstd
from image_builder import file, symlink, tar_of
from optional_codecs import needs_zstd
from toc_layers import CHUNKED, TocLayer, altered, chunked, estargz, estargz_footer

from layerlens.errors import DigestMismatch, LimitExceeded, MalformedInput, SizeMismatch
from layerlens.layer.toc_document import (
    DOCUMENT_BYTES,
    FOOTER_BYTES,
    STORED_BYTES,
    chunked_document,
    chunked_range,
    estargz_document,
    estargz_range,
)
from layerlens.oci.digest import sha256_digest
from layerlens.oci.table_of_contents import EstargzToc, ZstdChunkedToc, declared_toc
from layerlens.streams.limits import DEFAULT_LIMITS

FILES = (file("/a", b"alpha"), file("/b", b"beta"))


def the_estargz(layer: TocLayer) -> tuple[EstargzToc, bytes]:
    toc = declared_toc(layer.annotations)
    assert isinstance(toc, EstargzToc)
    offset, length = estargz_range(layer.blob[-FOOTER_BYTES:], len(layer.blob))
    return toc, layer.blob[offset : offset + length]


def the_chunked(layer: TocLayer) -> tuple[ZstdChunkedToc, bytes]:
    toc = declared_toc(layer.annotations)
    assert isinstance(toc, ZstdChunkedToc)
    offset, length = chunked_range(toc, len(layer.blob))
    return toc, layer.blob[offset : offset + length]


def test_an_estargz_document() -> None:
    layer = estargz(*FILES)
    toc, stored = the_estargz(layer)
    assert stored == layer.blob[layer.toc.start : layer.toc.stop]
    document = estargz_document(toc, stored, "TOC", DEFAULT_LIMITS)
    assert sha256_digest(document) == toc.digest


@needs_zstd
def test_a_zstd_chunked_document() -> None:
    layer = chunked(*FILES)
    toc, stored = the_chunked(layer)
    assert stored == layer.blob[layer.toc.start : layer.toc.stop]
    assert chunked_document(toc, stored, "TOC", DEFAULT_LIMITS).startswith(b'{"version":1,')


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda footer: bytes(FOOTER_BYTES),
        lambda footer: footer[:-1],
        lambda footer: footer.replace(b"SG", b"GS"),
        lambda footer: footer.replace(b"STARGZ", b"stargz"),
        lambda footer: footer.replace(b"0000", b"zzzz"),
        lambda footer: estargz_footer(1 << 60),
    ],
)
def test_a_footer_that_is_none(spoiled: Callable[[bytes], bytes]) -> None:
    blob = estargz(*FILES).blob
    with pytest.raises(MalformedInput):
        estargz_range(spoiled(blob[-FOOTER_BYTES:]), len(blob))


def test_a_toc_that_is_too_large_to_fetch() -> None:
    with pytest.raises(LimitExceeded):
        estargz_range(estargz_footer(0), STORED_BYTES + FOOTER_BYTES + 1)
    toc, _ = the_chunked(chunked(*FILES))
    with pytest.raises(LimitExceeded):
        chunked_range(replace(toc, stored_size=STORED_BYTES + 1), 1 << 40)
    with pytest.raises(LimitExceeded):
        chunked_range(replace(toc, size=DOCUMENT_BYTES + 1), 1 << 40)


def test_a_position_beyond_the_blob() -> None:
    layer = chunked(*FILES)
    toc, _ = the_chunked(layer)
    for changed in (replace(toc, offset=len(layer.blob)), replace(toc, stored_size=0)):
        with pytest.raises(MalformedInput):
            chunked_range(changed, len(layer.blob))


def test_an_estargz_document_of_another_digest() -> None:
    _, stored = the_estargz(estargz(*FILES))
    other = EstargzToc(digest=sha256_digest(b"other"))
    with pytest.raises(DigestMismatch, match="the manifest declares"):
        estargz_document(other, stored, "TOC", DEFAULT_LIMITS)


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"no gzip",
        gzip.compress(b""),
        gzip.compress(tar_of(file("/other.json", b"{}"))),
        gzip.compress(tar_of(symlink("/stargz.index.json", "x"))),
        gzip.compress(tar_of(file("/stargz.index.json", bytes(5000))))[:30],
    ],
)
def test_an_estargz_toc_that_is_none(stored: bytes) -> None:
    with pytest.raises(MalformedInput):
        estargz_document(EstargzToc(digest=sha256_digest(b"")), stored, "TOC", DEFAULT_LIMITS)


def test_a_bomb_in_estargz() -> None:
    head = bytearray(tar_of(file("/stargz.index.json", b"x")))
    head[124:135] = b"%011o" % (200 << 20)
    head[148:156] = b" " * 8
    head[148:155] = b"%06o\0" % sum(head[:512])
    stored = gzip.compress(head[:512] + bytes(1 << 20))
    with pytest.raises(LimitExceeded, match="209715200"):
        estargz_document(EstargzToc(digest=sha256_digest(b"")), stored, "TOC", DEFAULT_LIMITS)


@needs_zstd
def test_zstd_chunked_bytes_of_another_digest_or_size() -> None:
    toc, stored = the_chunked(chunked(*FILES))
    with pytest.raises(DigestMismatch):
        chunked_document(toc, stored[:-1] + b"?", "TOC", DEFAULT_LIMITS)
    with pytest.raises(SizeMismatch):
        chunked_document(replace(toc, size=toc.size + 1), stored, "TOC", DEFAULT_LIMITS)
    rubbish = b"no zstd"
    declared = replace(toc, digest=sha256_digest(rubbish), stored_size=len(rubbish))
    with pytest.raises(MalformedInput):
        chunked_document(declared, rubbish, "TOC", DEFAULT_LIMITS)


@needs_zstd
def test_a_bomb_in_zstd_chunked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerlens.layer.toc_document.DOCUMENT_BYTES", 10_000)
    stored = zstd(bytes(100_000))
    toc = ZstdChunkedToc(offset=0, stored_size=len(stored), size=100, digest=sha256_digest(stored))
    with pytest.raises(LimitExceeded, match="more than 10000 bytes of JSON"):
        chunked_document(toc, stored, "TOC", DEFAULT_LIMITS)


def test_no_flipped_byte_gives_another_document() -> None:
    layer = estargz(*FILES)
    toc, stored = the_estargz(layer)
    document = estargz_document(toc, stored, "TOC", DEFAULT_LIMITS)
    unharmed = 0
    for at in range(layer.toc.start, len(layer.blob)):
        try:
            _, part = the_estargz(altered(layer, at))
            assert estargz_document(toc, part, "TOC", DEFAULT_LIMITS) == document
        except MalformedInput:
            continue
        unharmed += 1  # the time, say, of a gzip or tar header
    assert unharmed < 60


@needs_zstd
def test_no_flipped_byte_is_passed_over_in_zstd_chunked() -> None:
    layer = chunked(*FILES)
    for at in range(*layer.toc):
        toc, stored = the_chunked(altered(layer, at))
        with pytest.raises(DigestMismatch):
            chunked_document(toc, stored, "TOC", DEFAULT_LIMITS)


def test_the_older_prefix_is_read_too() -> None:
    older = chunked(*FILES, prefix="io.containers.zstd-chunked.")
    assert the_chunked(older) == the_chunked(chunked(*FILES, prefix=CHUNKED))
