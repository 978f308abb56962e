"""Stages that pass chunks on: verified, overlapped; and that no thread is left of them."""

import threading
import time
from collections.abc import Iterator

import pytest
from oci.messages import refusal

from layerlens.errors import DigestMismatch, MalformedInput, SizeMismatch
from layerlens.oci.digest import sha256_digest
from layerlens.streams.overlap import overlapped
from layerlens.streams.verified_reader import verified, verified_bytes

DATA = b"some bytes" * 100
DIGEST = sha256_digest(DATA)


def in_pieces() -> Iterator[bytes]:
    return (DATA[at : at + 64] for at in range(0, len(DATA), 64))


def test_what_was_promised_passes() -> None:
    assert b"".join(verified(in_pieces(), digest=DIGEST, size=1000, where="blob")) == DATA
    assert verified_bytes(DATA, digest=DIGEST, size=None, where="blob") == DATA


def test_one_byte_less_or_more_than_promised() -> None:
    with refusal(SizeMismatch, "blob: has 1000 bytes, its descriptor declares 1001"):
        verified_bytes(DATA, digest=DIGEST, size=1001, where="blob")
    with refusal(SizeMismatch, "blob: has more than the 999 bytes"):
        verified_bytes(DATA, digest=DIGEST, size=999, where="blob")


def test_a_longer_stream_stops_at_its_first_byte_too_many() -> None:
    passed = 0
    with refusal(SizeMismatch, "more than the 100 bytes"):
        for chunk in verified(in_pieces(), digest=None, size=100, where="blob"):
            passed += len(chunk)
    assert passed == 64


def test_another_digest() -> None:
    other = sha256_digest(b"")
    with refusal(DigestMismatch, "blob: its bytes hash to", str(DIGEST), str(other)):
        verified_bytes(DATA, digest=other, size=1000, where="blob")


def test_overlapping_changes_nothing_and_leaves_no_thread() -> None:
    before = threading.active_count()
    assert b"".join(overlapped(in_pieces())) == DATA
    assert threading.active_count() == before


def test_an_error_is_raised_where_it_was_reached() -> None:
    def failing() -> Iterator[bytes]:
        yield b"1"
        yield b"2"
        raise MalformedInput("broken here")

    before = threading.active_count()
    seen = []
    with refusal(MalformedInput, "broken here"):
        for chunk in overlapped(failing()):
            seen.append(chunk)  # noqa: PERF402 - what was seen before the error counts
    assert seen == [b"1", b"2"]
    assert threading.active_count() == before


@pytest.mark.parametrize("wanted", [0, 1, 5])
def test_closing_early_ends_the_thread(wanted: int) -> None:
    made = 0

    def endless() -> Iterator[bytes]:
        nonlocal made
        while True:
            made += 1
            yield b"x"

    before = threading.active_count()
    chunks = overlapped(endless())
    for _ in range(wanted):
        next(chunks)
    chunks.close()
    assert threading.active_count() == before
    stopped_at = made
    time.sleep(0.01)
    assert made == stopped_at
