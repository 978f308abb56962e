from collections.abc import Iterable
from fractions import Fraction
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from layerlens.analysis.sharing_files import FileTally
from layerlens.layer.entry import Entry, EntryKind, LayerEntry, OpaqueWhiteout, Whiteout


def entry(path: str, data: bytes = b"", kind: EntryKind = EntryKind.FILE) -> Entry:
    is_file = kind is EntryKind.FILE
    return Entry(
        path=path,
        kind=kind,
        mode=0o644,
        uid=0,
        gid=0,
        size=len(data) if is_file else 0,
        mtime_ns=0,
        content=sha256(data).digest() if is_file else None,
        link_target="/a" if kind in {EntryKind.HARD_LINK, EntryKind.SYMLINK} else None,
        xattrs=(),
        device=None,
    )


LOWER: list[LayerEntry] = [
    entry("/etc", kind=EntryKind.DIRECTORY),
    entry("/a", b"x" * 100),
    entry("/b", b"x" * 100),
    entry("/c", b"y" * 30),
    entry("/empty"),
    entry("/link", kind=EntryKind.HARD_LINK),
]
UPPER: list[LayerEntry] = [
    entry("/d", b"x" * 100),
    entry("/e", b"z" * 70),
    Whiteout("/c"),
    OpaqueWhiteout("/etc"),
]


def tally(**layers: Iterable[LayerEntry]) -> FileTally:
    counted = FileTally()
    for diff_id, entries in layers.items():
        counted.add(diff_id, entries)
    return counted


def test_figures_of_two_layers_one_of_them_in_three_images() -> None:
    found = tally(lower=LOWER, upper=UPPER).sharing({"lower": 3, "upper": 1})
    assert (found.layers, found.files, found.empty_files) == (2, 5, 1)
    assert (found.distinct, found.singletons) == (3, 2)
    assert (found.bytes, found.distinct_bytes) == (400, 200)
    assert found.logical_bytes == 3 * 230 + 170
    assert found.distinct_share == Fraction(3, 5)
    assert found.singleton_share == Fraction(2, 3)
    assert found.capacity_ratio == 2
    assert found.redundancy == Fraction(1, 2)
    # layers save 860 - 400, files would save 860 - 200
    assert found.capture_rate == Fraction(460, 660)


def test_duplicated_files_by_the_bytes_of_further_copies() -> None:
    small = [entry(f"/s/{number}", b"s" * 60) for number in range(3)]
    counted = tally(lower=LOWER, upper=UPPER, small=small)
    largest, second = counted.duplicated(10)
    assert (largest.path, largest.size, largest.copies, largest.layers) == ("/a", 100, 3, 2)
    assert largest.excess == 200
    assert (second.path, second.copies, second.layers, second.excess) == ("/s/0", 3, 1, 120)
    assert counted.duplicated(1) == [largest]
    assert counted.duplicated(0) == []


def test_a_layer_is_counted_once() -> None:
    counted = tally(lower=LOWER)
    assert "lower" in counted
    assert "upper" not in counted
    counted.add("lower", LOWER)
    assert counted.sharing({"lower": 1}) == tally(lower=LOWER).sharing({"lower": 1})


def test_layers_that_were_not_read_are_told_of() -> None:
    found = tally(lower=LOWER).sharing({"lower": 1, "encrypted": 2, "foreign": 1})
    assert (found.layers, found.unread_layers) == (1, 2)
    assert found.logical_bytes == found.bytes


def test_without_files_there_are_no_shares() -> None:
    found = tally(only=[entry("/empty"), Whiteout("/x")]).sharing({"only": 2})
    assert (found.files, found.empty_files) == (0, 1)
    shares = (
        found.distinct_share,
        found.singleton_share,
        found.capacity_ratio,
        found.redundancy,
        found.capture_rate,
    )
    assert shares == (None,) * 5


@given(
    layers=st.lists(
        st.tuples(st.lists(st.sampled_from([b"", b"a", b"bb", b"cccc", b"dd"])), st.integers(1, 4)),
        max_size=4,
    )
)
def test_it_agrees_with_a_list_of_all_files(layers: list[tuple[list[bytes], int]]) -> None:
    counted = FileTally()
    for number, (contents, _) in enumerate(layers):
        counted.add(str(number), [entry(f"/{at}", data) for at, data in enumerate(contents)])
    found = counted.sharing({str(number): count for number, (_, count) in enumerate(layers)})
    files = [data for contents, _ in layers for data in contents if data]
    assert (found.files, found.bytes) == (len(files), sum(map(len, files)))
    assert (found.distinct, found.distinct_bytes) == (len({*files}), sum(map(len, {*files})))
    assert found.singletons == sum(files.count(data) == 1 for data in {*files})
    assert found.bytes - found.distinct_bytes == sum(
        file.excess for file in counted.duplicated(100)
    )
    if found.capture_rate is not None:
        assert 0 <= found.capture_rate <= 1
    if found.redundancy is not None and found.capacity_ratio:
        assert found.redundancy == 1 - 1 / found.capacity_ratio
