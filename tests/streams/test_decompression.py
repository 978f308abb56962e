import bz2
import gzip
import lzma
import platform
import random
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import pytest
from oci.messages import refusal

from layerlens.errors import LayerlensError, LimitExceeded, MalformedInput, MissingCodec
from layerlens.streams.decompression import (
    CHUNK,
    SNIFF_BYTES,
    Compression,
    decompressed,
    joined_start,
    sniff,
)
from layerlens.streams.limits import DEFAULT_LIMITS, Limits

MIB = 1 << 20
needs_zstd = pytest.mark.skipif(
    find_spec("compression") is None and find_spec("backports") is None,
    reason="no zstd: neither Python 3.14 nor the extra",
)

BODY = b"".join(b"%d " % number for number in random.Random(7).choices(range(9999), k=20_000))


def zstd_compress(data: bytes) -> bytes:
    return zstd_stream(data, 10)


def zstd_stream(data: bytes, window_log: int) -> bytes:
    """A frame that does not say how long its content is, and so has a window."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: window_log})
    return bytes(compressor.compress(data) + compressor.flush())


Compress = Callable[[bytes], bytes]
CODECS = pytest.mark.parametrize(
    ("compression", "compress"),
    [
        (Compression.GZIP, gzip.compress),
        (Compression.BZIP2, bz2.compress),
        (Compression.XZ, lzma.compress),
        pytest.param(Compression.ZSTD, zstd_compress, marks=needs_zstd),
    ],
)


@pytest.fixture(params=["zlib", "isal"])
def _inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with zlib, and once with the extra ``fast``, which must make no difference."""
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal", None)
    else:
        pytest.importorskip("isal", reason="the extra 'fast' is not installed")


both_inflaters = pytest.mark.usefixtures("_inflater")


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def plain(
    data: bytes, compression: Compression, size: int = MIB, limits: Limits = DEFAULT_LIMITS
) -> bytes:
    return b"".join(decompressed(cut(data, size), compression, where="blob", limits=limits))


def outcome(data: bytes, compression: Compression) -> bytes | str:
    """What comes out, or what is said of it."""
    try:
        return plain(data, compression)
    except LayerlensError as error:
        return str(error)


def damages(data: bytes) -> Iterator[tuple[int, int]]:
    """Offsets and other bytes to put there: every one in the header, some in the rest."""
    for at in range(len(data)):
        others = range(256) if at < 12 else (data[at] ^ 1 << bit for bit in range(8))
        yield from ((at, byte) for byte in others)


@CODECS
@both_inflaters
@pytest.mark.parametrize("size", [1, 13, 4096, MIB])
def test_what_was_compressed_comes_back(
    compression: Compression, compress: Compress, size: int
) -> None:
    data = compress(BODY)
    assert sniff(data) is compression
    assert plain(data, compression, size) == BODY


@CODECS
@both_inflaters
@pytest.mark.parametrize("size", [3, 1000, MIB])
def test_streams_that_follow_each_other_are_one(
    compression: Compression, compress: Compress, size: int
) -> None:
    parts = [BODY[at : at + 3000] for at in range(0, len(BODY), 3000)]
    data = b"".join(compress(part) for part in parts) + compress(b"")
    assert plain(data, compression, size) == BODY
    padded = compress(BODY) + bytes(8) + compress(BODY) + bytes(1 << 17)
    assert plain(padded, compression, size) == BODY * 2


@CODECS
@both_inflaters
@pytest.mark.parametrize("size", [17, MIB])
def test_every_truncation_is_told(compression: Compression, compress: Compress, size: int) -> None:
    data = compress(BODY[:500])
    for length in range(1, len(data)):
        with refusal(MalformedInput, "blob: truncated", f"after {length} compressed bytes"):
            plain(data[:length], compression, size)


@CODECS
@both_inflaters
def test_every_flipped_bit_is_told_or_changes_nothing(
    compression: Compression, compress: Compress
) -> None:
    body = BODY[:300]
    data = compress(body)
    for offset in range(len(data)):
        damaged = bytearray(data)
        damaged[offset] ^= 1 << (offset % 8)
        found = outcome(bytes(damaged), compression)
        if isinstance(found, str):
            assert found.startswith("blob: ")
            assert found.isprintable()
        else:
            # zstd's compressor leaves out its checksum unless it is asked for one.
            assert found == body or compression is Compression.ZSTD


@pytest.mark.skipif(find_spec("isal") is None, reason="the extra 'fast' is not installed")
def test_isal_reads_and_refuses_exactly_what_zlib_does(monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress(BODY[:200]) + gzip.compress(BODY[:100])
    damaged = [data[:at] + bytes([byte]) + data[at + 1 :] for at, byte in damages(data)]
    by_isal = [outcome(each, Compression.GZIP) for each in damaged]
    monkeypatch.setitem(sys.modules, "isal", None)
    for each, seen in zip(damaged, by_isal, strict=True):
        expected = outcome(each, Compression.GZIP)
        assert seen == expected or (isinstance(seen, str) and isinstance(expected, str)), each


@CODECS
@both_inflaters
def test_rubbish_after_the_stream(compression: Compression, compress: Compress) -> None:
    with refusal(MalformedInput, "blob: rubbish after a", compression.value):
        plain(compress(BODY) + b"rubbish, and enough of it to be no header", compression)


@CODECS
@both_inflaters
def test_chunks_stay_small(compression: Compression, compress: Compress) -> None:
    data = compress(bytes(12 * MIB))
    sizes = [len(chunk) for chunk in decompressed(iter([data]), compression, where="blob")]
    assert sum(sizes) == 12 * MIB
    assert max(sizes) <= CHUNK


@CODECS
@both_inflaters
def test_a_bomb_is_stopped_at_its_limits(compression: Compression, compress: Compress) -> None:
    data = compress(bytes(8 * MIB))
    given = 0
    limits = Limits(inflated_bytes=5 * MIB)
    with refusal(
        LimitExceeded, f"blob: inflates to more than {5 * MIB} bytes", "--limit inflated-bytes=N"
    ):
        for chunk in decompressed(iter([data]), compression, where="blob", limits=limits):
            given += len(chunk)
    assert given <= 5 * MIB
    assert len(plain(data, compression, limits=Limits(inflated_bytes=8 * MIB))) == 8 * MIB
    limits = Limits(inflation_ratio=100, inflation_floor=MIB)
    with refusal(LimitExceeded, "blob: inflates to more than 100 times its size"):
        plain(data, compression, limits=limits)
    plain(data, compression, limits=Limits(inflation_ratio=100, inflation_floor=8 * MIB))


@CODECS
@both_inflaters
def test_empty_streams_without_end(compression: Compression, compress: Compress) -> None:
    empty = compress(b"")
    with refusal(LimitExceeded, f"more than 10000 empty {compression.value} streams in a row"):
        plain(empty * 10_002, compression)
    assert plain((empty * 5_000 + compress(b"x")) * 3, compression) == b"xxx"


@both_inflaters
@pytest.mark.parametrize("flags", range(0, 32, 2))
def test_gzip_headers_with_optional_fields_however_they_are_cut(flags: int) -> None:
    head = b"\x1f\x8b\x08" + bytes([flags]) + bytes(6)
    head += b"\x04\0SG\0\0" if flags & 4 else b""
    head += b"name\0" if flags & 8 else b""
    head += b"comment\0" if flags & 16 else b""
    head += (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little") if flags & 2 else b""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    trailer = zlib.crc32(BODY).to_bytes(4, "little") + len(BODY).to_bytes(4, "little")
    data = head + deflate.compress(BODY) + deflate.flush() + trailer
    for size in (1, 5, MIB, *range(9, len(head) + 2)):
        assert plain(data, Compression.GZIP, size) == BODY
    if flags & 2:
        with refusal(MalformedInput, "blob: damaged gzip stream"):
            plain(data.replace(head, head[:-1] + bytes([head[-1] ^ 1])), Compression.GZIP)


@both_inflaters
def test_reserved_gzip_flags_are_refused() -> None:
    data = bytearray(gzip.compress(BODY))
    data[3] |= 0x40
    for size in (1, MIB):
        with refusal(MalformedInput, "blob: damaged gzip stream", "unknown header flags"):
            plain(bytes(data), Compression.GZIP, size)


@both_inflaters
def test_an_estargz_tail_is_a_member_without_content() -> None:
    extra = b"SG\x16\0" + b"%016x" % 1234 + b"STARGZ"
    tail = b"\x1f\x8b\x08\x04" + bytes(4) + b"\0\xff" + len(extra).to_bytes(2, "little") + extra
    tail += b"\x01\0\0\xff\xff" + bytes(8)
    assert len(tail) == 51
    for size in (1, 50, MIB):
        assert plain(gzip.compress(BODY) + tail, Compression.GZIP, size) == BODY


@needs_zstd
@pytest.mark.parametrize("size", [1, 6, MIB])
def test_skippable_zstd_frames_are_skipped(size: int) -> None:
    for magic in (0x50, 0x5F):
        frame = bytes([magic]) + b"\x2a\x4d\x18\x05\0\0\0table"
        assert sniff(frame) is Compression.ZSTD
        data = frame + zstd_compress(BODY) + frame + zstd_compress(BODY) + frame
        assert plain(data, Compression.ZSTD, size) == BODY * 2
    with refusal(MalformedInput, "blob: truncated"):
        plain(b"\x50\x2a\x4d\x18\xff\xff\xff\xffshort", Compression.ZSTD, size)


@needs_zstd
def test_a_zstd_window_beyond_the_limit() -> None:
    data = zstd_stream(BODY, 24)
    assert plain(data, Compression.ZSTD) == BODY
    limits = Limits(zstd_window_log=23)
    with refusal(LimitExceeded, "blob: its zstd stream has a window of more than 2^23 bytes"):
        plain(data, Compression.ZSTD, limits=limits)


def test_an_xz_dictionary_beyond_the_limit() -> None:
    data = bytearray(lzma.compress(b"x", check=lzma.CHECK_NONE))
    assert data[12:16] == bytes([2, 0, 0x21, 1])  # the block header: LZMA2 and its dictionary
    data[16] = 38  # 2 GiB
    data[20:24] = zlib.crc32(data[12:20]).to_bytes(4, "little")
    with refusal(LimitExceeded, "blob: its xz stream needs more than"):
        plain(bytes(data), Compression.XZ)


def test_zstd_without_its_extra_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("compression", "backports", "backports.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    with refusal(MissingCodec, "blob: is compressed with zstd", "pip install backports.zstd"):
        plain(b"\x28\xb5\x2f\xfd", Compression.ZSTD)


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\x1f",
        b"\x1f\x8b",
        b"\x1f\x8b\x07",
        b"BZ",
        b"BZhe",
        b"BZh91AY&S",
        b"\xfd7zXZ",
        b"\x60\x2a\x4d\x18",
        b"PK\3\4",
    ],
)
def test_other_beginnings_are_plain(start: bytes) -> None:
    assert sniff(start) is Compression.NONE
    assert plain(start + b"more", Compression.NONE) == start + b"more"


@pytest.mark.parametrize("size", [1, 2, 9, 10, 100])
def test_a_start_is_joined_from_small_pieces(size: int) -> None:
    chunks = cut(BODY, size)
    start = joined_start(chunks)
    assert len(start) >= SNIFF_BYTES
    assert start + b"".join(chunks) == BODY
    assert joined_start(cut(b"abc", size)) == b"abc"
    assert joined_start(iter([b"", b"", b"abcdefghij", b"k"])) == b"abcdefghij"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about what glibc does")
def test_chunks_take_each_others_memory() -> None:
    """In a process of its own, whose allocator has not yet learned what sizes come."""
    program = (
        "import resource, sys, zlib\n"
        "sys.modules['isal'] = None\n"  # which takes other sizes
        "from layerlens.streams.decompression import Compression, decompressed\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "stored = zlib.compress(bytes(range(256)) * 131072, 1, 31)\n"
        "before = faults()\n"
        "size = 0\n"
        "for chunk in decompressed(iter([stored]), Compression.GZIP, where='it'):\n"
        "    size += len(chunk)\n"
        "print(size // resource.getpagesize(), faults() - before)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    pages, faults = map(int, said.split())
    assert faults < pages / 10
