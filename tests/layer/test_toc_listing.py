"""A table of contents read to entries: the same as the tar's, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_builder import (
    Json,
    Member,
    block_device,
    character_device,
    digest_of,
    directory,
    fifo,
    file,
    hard_link,
    json_bytes,
    opaque,
    symlink,
    tar_of,
    whiteout,
)
from toc_layers import toc_entries

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.layer.entry import Entry
from layerlens.layer.read_layer import Expected, read_layer
from layerlens.layer.toc_listing import TocListing, read_listing, without_format_files
from layerlens.streams.limits import DEFAULT_LIMITS, Limits

BLOB_SIZE = 1000

EVERY_KIND = (
    directory("/", mode=0o755),
    directory("/d", mode=0o1777, owner=(7, 3_000_000), mtime=-5, xattrs={"user.d": b"\0\xff"}),
    file("/d/long", b"0123456789", mode=0o4755, mtime=1_700_000_000, xattrs={"user.f": b"v"}),
    file("/d/empty"),
    file("/d/Ærlig 日本", b"x"),
    symlink("/d/link", "../elsewhere"),
    hard_link("/d/again", "/d/long"),
    character_device("/null", 1, 3),
    block_device("/disk", 8, 16),
    fifo("/pipe"),
    whiteout("/gone"),
    opaque("/d/emptied"),
    Member(name=".wh..wh.plnk"),
    Member(name="/absolute/../odd//name/", content=b"y"),
)


TYPES = ("reg", "dir", "symlink", "hardlink", "char", "block", "fifo", "chunk")


def listed(*entries: Mapping[str, Json], limits: Limits = DEFAULT_LIMITS) -> TocListing:
    document = json_bytes({"version": 1, "entries": list(entries)})
    return read_listing(document, BLOB_SIZE, "TOC", limits)


def the_entry(**fields: Json) -> Entry:
    (entry,) = listed({"name": "f", "type": "reg", **fields}).entries
    assert isinstance(entry, Entry)
    return entry


def test_a_toc_lists_what_the_tar_does() -> None:
    by_toc = listed(*toc_entries(EVERY_KIND))
    by_tar = read_layer(iter([tar_of(*EVERY_KIND)]), Expected(), where="tar").index
    assert by_toc.entries == by_tar.entries
    assert by_toc.members == len(EVERY_KIND)
    assert by_toc.warnings == by_tar.warnings
    assert "'..'" in by_toc.warnings[0]


def test_what_is_left_out_is_empty() -> None:
    entry = the_entry()
    assert (entry.mode, entry.uid, entry.gid, entry.size, entry.mtime_ns) == (0, 0, 0, 0, 0)
    assert entry.content == sha256(b"").digest()
    assert listed().entries == ()


def test_the_mode_is_the_permissions_alone() -> None:
    assert the_entry(mode=0o104755).mode == 0o4755


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:01+01:00", 1_000_000_000),
        ("1969-12-31T23:59:58.5-00:00", -1_500_000_000),
        ("2022-05-06T07:08:09.123456789Z", 1_651_820_889_123_456_789),
        ("0001-01-01T00:00:00Z", -((1 << 63) - 1)),
        ("9999-12-31T23:59:59Z", (1 << 63) - 1),
    ],
)
def test_times(text: str, nanoseconds: int) -> None:
    assert the_entry(modtime=text).mtime_ns == nanoseconds


def test_times_out_of_range_are_warned_of() -> None:
    fields: Mapping[str, Json] = {"name": "f", "type": "reg", "modtime": "9999-12-31T23:59:59Z"}
    assert listed(fields, fields).warnings == ("2 modification times are out of range",)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "socket"},
        {"type": 1},
        {"name": None},
        {"name": "\ufffd"},
        {"name": "a\0b"},
        {"name": ".wh."},
        {"size": -1},
        {"size": 1.5},
        {"size": 1 << 63},
        {"size": 1},
        {"size": 1, "digest": "sha256:1"},
        {"size": 1, "digest": f"sha512:{'0' * 128}"},
        {"size": 1, "digest": digest_of(b"x"), "offset": BLOB_SIZE},
        {"size": 1, "digest": digest_of(b"x"), "offset": -1},
        {"uid": -1},
        {"gid": -1},
        {"mode": -1},
        {"mode": "0644"},
        {"modtime": "yesterday"},
        {"modtime": "2022-13-01T00:00:00Z"},
        {"modtime": "2022-12-01T00:00:00+25:00"},
        {"xattrs": {"user.x": "!"}},
        {"xattrs": {"user.\ufffd": ""}},
        {"xattrs": ["user.x"]},
        {"type": "symlink"},
        {"type": "symlink", "linkName": "\ufffd"},
        {"type": "hardlink"},
        {"type": "char", "devMajor": -1},
        {"Size": 1, "size": 2, "digest": digest_of(b"x")},
        {"SIZE": 1, "digest": digest_of(b"x")},
        {"size": True, "digest": digest_of(b"x")},
    ],
)
def test_lies_are_errors(fields: Mapping[str, Json]) -> None:
    with pytest.raises(MalformedInput):
        the_entry(**fields)


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"version":2,"entries":[]}', b"\xff"])
def test_documents_that_are_none(document: bytes) -> None:
    with pytest.raises(MalformedInput):
        read_listing(document, BLOB_SIZE, "TOC", DEFAULT_LIMITS)


def test_keys_that_are_not_known_are_passed_over() -> None:
    assert the_entry(userName="root", groupName="root", later={"a": 1}) == the_entry()


JSON: st.SearchStrategy[Json] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just([]) | st.just({})
)
KEYS = ("type", "name", "linkName", "mode", "size", "uid", "modtime", "xattrs", "digest", "offset")
ENTRIES = st.dictionaries(st.sampled_from(KEYS), JSON | st.sampled_from([*TYPES, digest_of(b"")]))


@given(st.lists(ENTRIES, max_size=3))
def test_whatever_stands_in_it_is_listed_or_an_error(entries: list[dict[str, Json]]) -> None:
    try:
        found = listed(*entries)
    except MalformedInput:
        return
    assert found.members <= len(entries)
    for entry in found.entries:
        assert entry.path.startswith("/")
        assert not isinstance(entry, Entry) or entry.size >= 0


def test_limits() -> None:
    few = DEFAULT_LIMITS.with_settings(("entries=1",))
    with pytest.raises(LimitExceeded, match="entries"):
        listed(*toc_entries([file("/a"), file("/b")]), limits=few)
    chunks = toc_entries([file("/a", b"0123456789")])
    assert len(chunks) == 2
    assert listed(*chunks, limits=few).members == 1
    with pytest.raises(LimitExceeded, match="path"):
        listed(*toc_entries([file(f"/{'a' * 5000}")]))


def test_format_files_are_those_at_the_root() -> None:
    names = ("/stargz.index.json", "/.prefetch.landmark", "/.no.prefetch.landmark")
    members = [file(name) for name in names]
    kept = [file("/d/stargz.index.json"), whiteout("/x")]
    entries = listed(*toc_entries([*members, *kept])).entries
    assert without_format_files(entries) == entries[3:]
