import bz2
import gzip
import hashlib
import lzma
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from itertools import repeat

import pytest
from oci.messages import refusal
from streams.raw_images import SMALL_LAYER, read_tar, with_limits
from streams.raw_tar import BLOCK, END, GLOBAL_PAX, header, member, pax

from layerlens.errors import (
    DigestMismatch,
    LayerlensError,
    LimitExceeded,
    MalformedInput,
    SizeMismatch,
)
from layerlens.layer.read_layer import Expected, LayerReading, read_layer
from layerlens.oci.digest import Digest, sha256_digest
from layerlens.streams.decompression import Compression
from layerlens.streams.limits import DEFAULT_LIMITS, Limits

MIB = 1 << 20
ZIPPED = gzip.compress(SMALL_LAYER, mtime=0)
WRONG = sha256_digest(b"something else")
THREADS = pytest.mark.parametrize("threads", [1, 2])


def read(
    data: bytes,
    expected: Expected | None = None,
    limits: Limits = DEFAULT_LIMITS,
    *,
    step: int = MIB,
    threads: int = 1,
) -> LayerReading:
    chunks = (data[at : at + step] for at in range(0, len(data), step))
    return read_layer(
        chunks, expected or Expected(), where="layer 3", limits=limits, threads=threads
    )


@THREADS
@pytest.mark.parametrize("step", [1, 100, MIB])
@pytest.mark.parametrize(
    ("compress", "compression"),
    [
        (bytes, Compression.NONE),
        (gzip.compress, Compression.GZIP),
        (bz2.compress, Compression.BZIP2),
        (lzma.compress, Compression.XZ),
    ],
)
def test_a_layer_as_it_was_promised(
    compress: Callable[[bytes], bytes], compression: Compression, step: int, threads: int
) -> None:
    stored = compress(SMALL_LAYER)
    expected = Expected(
        blob_digest=sha256_digest(stored),
        blob_size=len(stored),
        diff_id=sha256_digest(SMALL_LAYER),
    )
    reading = read(stored, expected, step=step, threads=threads)
    assert reading.compression is compression
    assert reading.stored_size == len(stored)
    assert reading.closed
    assert reading.index.diff_id == sha256_digest(SMALL_LAYER)
    assert reading.index.size == len(SMALL_LAYER)
    assert [entry.path for entry in reading.index.entries] == ["/etc", "/etc/motd", "/bin"]
    assert reading.index.warnings == ()


@THREADS
@pytest.mark.parametrize("stored", [SMALL_LAYER, ZIPPED])
def test_what_is_not_as_promised(stored: bytes, threads: int) -> None:
    size = len(stored)
    with refusal(DigestMismatch, "layer 3: its bytes hash to", str(WRONG)):
        read(stored, Expected(blob_digest=WRONG), threads=threads)
    with refusal(DigestMismatch, "layer 3: its uncompressed bytes hash to", str(WRONG)):
        read(stored, Expected(diff_id=WRONG), threads=threads)
    with refusal(SizeMismatch, f"layer 3: has {size} bytes, its descriptor declares {size + 1}"):
        read(stored, Expected(blob_size=size + 1), threads=threads)
    with refusal(SizeMismatch, f"layer 3: has more than the {size - 1} bytes"):
        read(stored, Expected(blob_size=size - 1), threads=threads)
    assert threading.active_count() == 1


def test_one_wrong_digest_for_blob_and_content_of_a_plain_layer() -> None:
    with refusal(DigestMismatch, str(WRONG)):
        read(SMALL_LAYER, Expected(blob_digest=WRONG, diff_id=WRONG))
    with refusal(DigestMismatch, str(WRONG)):
        read(ZIPPED, Expected(blob_digest=WRONG, diff_id=WRONG))


def test_sha512() -> None:
    digest = Digest(algorithm="sha512", hex=hashlib.sha512(SMALL_LAYER).hexdigest())
    assert read(ZIPPED, Expected(diff_id=digest)).index.diff_id == digest
    with refusal(DigestMismatch, "sha512:"):
        read(ZIPPED, Expected(diff_id=Digest(algorithm="sha512", hex="0" * 128)))


def test_trailing_data_is_warned_of_and_hashed() -> None:
    tar = SMALL_LAYER + bytes(BLOCK) + b"more"
    for stored in (tar, gzip.compress(tar), ZIPPED + gzip.compress(bytes(BLOCK) + b"more")):
        reading = read(stored, Expected(diff_id=sha256_digest(tar)))
        assert reading.index.size == len(tar)
        assert reading.index.warnings == (
            "trailing data after the end-of-archive marker is not read",
        )


def test_nuls_to_the_end_of_a_tape_record_are_no_trailing_data() -> None:
    tar = SMALL_LAYER + bytes(7 * BLOCK)
    reading = read(tar, Expected(diff_id=sha256_digest(tar)))
    assert reading.index.warnings == ()


def test_a_missing_end_marker_is_warned_of() -> None:
    tar = SMALL_LAYER.removesuffix(END)
    reading = read(gzip.compress(tar), Expected(diff_id=sha256_digest(tar)))
    assert reading.index.warnings == ("the tar has no end-of-archive marker",)
    assert not reading.closed
    assert not reading.facts().closed


def test_an_empty_layer_is_whole() -> None:
    for data in (b"", gzip.compress(b""), END, gzip.compress(END)):
        reading = read(data)
        assert reading.index.entries == ()
        assert reading.index.warnings == ()
        assert reading.closed


@THREADS
def test_truncation_of_the_blob_is_always_told(threads: int) -> None:
    for size in range(1, len(ZIPPED), 7):
        with refusal(MalformedInput, "layer 3: truncated"):
            read(ZIPPED[:size], threads=threads)


def test_truncation_at_a_block_boundary_is_told_by_the_diff_id() -> None:
    diff_id = sha256_digest(SMALL_LAYER)
    for size in range(0, len(SMALL_LAYER), BLOCK):
        with pytest.raises(LayerlensError, match=r"^layer 3: (truncated|its uncompressed bytes)"):
            read(SMALL_LAYER[:size], Expected(diff_id=diff_id))


def test_a_gzip_tail_as_estargz_has_it() -> None:
    toc = gzip.compress(member(b"stargz.index.json", b"{}") + END)
    tar = SMALL_LAYER.removesuffix(END) + gzip.decompress(toc)
    footer = bytes.fromhex(
        "1f8b08040000000000ff1a00534716003030303030303030303030303034643253544152475a"
    )
    footer += b"\x01\0\0\xff\xff" + bytes(8)
    stored = gzip.compress(SMALL_LAYER.removesuffix(END)) + toc + footer
    reading = read(stored, Expected(blob_digest=sha256_digest(stored), diff_id=sha256_digest(tar)))
    assert [entry.path for entry in reading.index.entries][-1] == "/stargz.index.json"
    assert reading.stored_size == len(stored)


def test_not_a_tar() -> None:
    for data in (
        b"\xff\xd8\xff\xe0JFIF" * 200,
        b"PK\x03\x04" + bytes(600),
        b"\0" * 100 + b"x" * 500,
    ):
        with refusal(MalformedInput, "layer 3: at byte 0: bad"):
            read(data)
    with refusal(MalformedInput, "layer 3: truncated at byte 5"):
        read(b"hello")
    with refusal(MalformedInput, "layer 3: at byte 0: bad"):
        read(gzip.compress(gzip.compress(SMALL_LAYER * 100)))


def pieces(*parts: tuple[bytes, int]) -> Iterator[bytes]:
    """Parts, each so many times, as gzip, without ever holding the whole."""
    packer = zlib.compressobj(1, wbits=31)
    for part, times in parts:
        for each in repeat(part, times):
            yield packer.compress(each)
    yield packer.flush()


def peak_of(chunks: Iterator[bytes], limits: Limits, threads: int) -> tuple[int, str]:
    """The most memory that reading took, and what came of it."""
    stored = b"".join(chunks)
    tracemalloc.start()
    try:
        read(stored, limits=limits, threads=threads)
        said = "read"
    except LayerlensError as error:
        said = str(error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, said


@THREADS
def test_a_pax_bomb_takes_no_memory(threads: int) -> None:
    bomb = pieces((header(b"p", kind=b"x", size=200 * MIB), 1), (bytes(MIB), 200), (END, 1))
    peak, said = peak_of(bomb, DEFAULT_LIMITS, threads)
    assert said.startswith("layer 3: at byte 0: an extension header of 209715200 bytes")
    assert peak < 16 * MIB


@THREADS
def test_a_gzip_bomb_takes_no_memory(threads: int) -> None:
    bomb = pieces((header(b"f", size=120 * MIB), 1), (bytes(MIB), 120), (END, 1))
    peak, said = peak_of(bomb, with_limits(inflated_bytes=80 * MIB), threads)
    assert said.startswith(f"layer 3: inflates to more than {80 * MIB} bytes")
    assert peak < 16 * MIB


def test_nuls_without_end_after_the_end_take_no_memory() -> None:
    peak, said = peak_of(pieces((END, 1), (bytes(MIB), 100)), DEFAULT_LIMITS, 1)
    assert said == "read"
    assert peak < 16 * MIB


def test_odd_members_without_end_make_no_heap_of_warnings() -> None:
    odd = pax((b"path", b"/" + b"n" * 1000), (b"mtime", b"9" * 50)) + header(
        b"x", kind=b"5", size=9
    )
    glob = pax((b"path", b"x"), kind=GLOBAL_PAX)
    tar = (odd + glob) * 2000 + member(b"last") + END
    warnings = read_tar(tar).index.warnings
    assert len(warnings) == 4
    assert sum(map(len, warnings)) < 1000


def test_an_error_of_the_source_comes_through_as_it_is() -> None:
    def failing() -> Iterator[bytes]:
        yield ZIPPED[:50]
        raise OSError(5, "Input/output error")

    for threads in (1, 2):
        with pytest.raises(OSError, match="Input/output error"):
            read_layer(failing(), Expected(), where="layer 3", threads=threads)
        assert threading.active_count() == 1


def test_damage_leaves_no_thread_behind() -> None:
    large = gzip.compress(member(b"zeros", bytes(64 * MIB)) + header(b"bad")[:-1] + b"x" + END)
    for limits in (DEFAULT_LIMITS, with_limits(inflated_bytes=2 * MIB)):
        with pytest.raises((MalformedInput, LimitExceeded)):
            read(large, limits=limits, step=1000, threads=2)
        assert threading.active_count() == 1
