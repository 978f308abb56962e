"""The cache of layer indexes: what it keeps comes back whole, or not at all."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from image_builder import directory, file, layer, symlink, whiteout

from layerlens.index_cache import IndexCache, default_directory
from layerlens.layer.index_codec import encode_reading
from layerlens.layer.read_layer import Expected, LayerReading, read_layer


def reading_of(*names: str) -> LayerReading:
    """What a small layer reads as."""
    members = [
        directory("/d"),
        *(file(f"/d/{name}", name.encode(), xattrs={"user.x": b"\xff"}) for name in names),
        symlink("/l", "\udcff"),
        whiteout("/gone"),
    ]
    return read_layer(iter([layer(*members).tar]), Expected(), where="test")


READING = reading_of("a", "b")


@pytest.fixture
def cache(tmp_path: Path) -> IndexCache:
    return IndexCache(tmp_path / "cache")


def keep(cache: IndexCache, *keys: str, reading: LayerReading = READING) -> None:
    cache.store(keys, reading.facts(), encode_reading(reading))


def kept(cache: IndexCache, key: str) -> LayerReading | None:
    """The reading under a key, if both its records are whole."""
    receipt = cache.receipt(key)
    return None if receipt is None else cache.reading(receipt)


def records(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "cache").rglob("*") if path.is_file())


def test_a_reading_is_found_by_each_of_its_keys(cache: IndexCache, tmp_path: Path) -> None:
    keep(cache, "one", "two \udcff")
    again = IndexCache(tmp_path / "cache")
    assert kept(again, "one") == kept(again, "two \udcff") == READING
    receipt = again.receipt("one")
    assert receipt is not None
    assert receipt.facts == READING.facts()
    assert again.receipt("three") is None


def test_a_receipt_may_be_added_later(cache: IndexCache) -> None:
    keep(cache, "one")
    receipt = cache.receipt("one")
    assert receipt is not None
    cache.add_receipt("two", receipt)
    assert kept(cache, "two") == READING


def test_readings_that_differ_only_in_how_they_were_stored_are_told_apart(
    cache: IndexCache,
) -> None:
    data = layer(file("/a")).tar
    for key, stored in (("plain", data), ("gzip", gzip.compress(data))):
        keep(cache, key, reading=read_layer(iter([stored]), Expected(), where="test"))
    plain, compressed = kept(cache, "plain"), kept(cache, "gzip")
    assert plain is not None
    assert compressed is not None
    assert plain.index == compressed.index
    assert plain.compression is not compressed.compression


def test_notes_are_kept(cache: IndexCache) -> None:
    cache.add_note("question", b"answer \0")
    assert cache.note("question") == b"answer \0"
    assert cache.note("other") is None


@pytest.mark.parametrize("flip", [1, 0xFF])
def test_a_flipped_byte_anywhere_is_a_miss(flip: int, cache: IndexCache, tmp_path: Path) -> None:
    keep(cache, "key")
    cache.add_note("question", b"answer")
    assert len(records(tmp_path)) == 3
    for path in records(tmp_path):
        whole = path.read_bytes()
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
            assert kept(cache, "key") is None or cache.note("question") is None
        path.write_bytes(whole)
    assert kept(cache, "key") == READING


def test_a_record_cut_short_is_a_miss(cache: IndexCache, tmp_path: Path) -> None:
    keep(cache, "key")
    for path in records(tmp_path):
        whole = path.read_bytes()
        for size in range(len(whole)):
            path.write_bytes(whole[:size])
            assert kept(cache, "key") is None
        path.write_bytes(whole)
    assert kept(cache, "key") == READING


def test_records_in_each_other_s_place_are_misses(cache: IndexCache, tmp_path: Path) -> None:
    other = reading_of("c")
    keep(cache, "key")
    keep(cache, "other", reading=other)
    readings = [path for path in records(tmp_path) if path.suffix == ".reading"]
    first, second = (path.read_bytes() for path in readings)
    readings[0].write_bytes(second)
    readings[1].write_bytes(first)
    assert kept(cache, "key") is None
    assert kept(cache, "other") is None


def test_a_record_that_can_t_be_read_is_a_miss(cache: IndexCache, tmp_path: Path) -> None:
    keep(cache, "key")
    for path in records(tmp_path):
        path.unlink()
        path.mkdir()
    assert kept(cache, "key") is None
    keep(cache, "key")  # nor can it be written, which is no error
    assert kept(cache, "key") is None


def test_a_pipe_or_a_file_without_end_in_a_record_s_place_is_a_miss(
    cache: IndexCache, tmp_path: Path
) -> None:
    cache.add_note("pipe", b"x")
    (record,) = records(tmp_path)
    record.unlink()
    os.mkfifo(record)
    assert cache.note("pipe") is None
    cache.add_note("pipe", b"x")
    assert cache.note("pipe") == b"x"
    os.truncate(record, 1 << 40)
    assert cache.note("pipe") is None


def test_a_cache_that_can_t_be_written_to_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = IndexCache(tmp_path / "file" / "cache")
    keep(cache, "key")
    cache.add_note("question", b"answer")
    cache.sweep()
    assert kept(cache, "key") is None
    assert cache.note("question") is None


def test_records_are_whole_from_the_first_moment(cache: IndexCache, tmp_path: Path) -> None:
    keep(cache, "key")
    names = [path.name for path in records(tmp_path)]
    assert all(name.endswith((".receipt", ".reading")) for name in names)


def test_others_can_t_read_what_images_hold(cache: IndexCache, tmp_path: Path) -> None:
    keep(cache, "key")
    for path in records(tmp_path):
        assert path.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0


def test_beyond_its_bounds_it_forgets_what_was_used_longest_ago(tmp_path: Path) -> None:
    keys = [str(number) for number in range(10)]
    unbounded = IndexCache(tmp_path / "cache")
    for age, key in enumerate(keys):
        before = set(records(tmp_path))
        keep(unbounded, key, reading=reading_of(key))
        for path in set(records(tmp_path)) - before:
            os.utime(path, (1000 + age, 1000 + age))
    total = sum(path.stat().st_size for path in records(tmp_path))
    assert kept(unbounded, "0") is not None  # and so it was used just now
    bounded = IndexCache(tmp_path / "cache", max_bytes=total // 2)
    bounded.sweep()
    assert sum(path.stat().st_size for path in records(tmp_path)) <= total // 2
    left = [key for key in keys if kept(bounded, key) is not None]
    assert "0" in left
    assert "9" in left
    assert "1" not in left
    assert left == ["0", *keys[-(len(left) - 1) :]]


def test_a_writer_sweeps_once_it_has_written_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerlens.index_cache._SWEEP_EVERY", 1000)
    cache = IndexCache(tmp_path / "cache", max_bytes=5000)
    for number in range(40):
        keep(cache, str(number), reading=reading_of(str(number)))
    assert sum(path.stat().st_size for path in records(tmp_path)) < 7000


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_CACHE_HOME": "/x"}, "/x/layerlens"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/layerlens"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/layerlens"),
    ],
)
def test_where_it_is(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(default_directory()) == expected


def test_where_it_is_on_a_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/Users/x")
    assert str(default_directory()) == "/Users/x/Library/Caches/layerlens"
