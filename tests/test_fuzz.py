"""Damaged archives: the right answer or a named error, never anything else.

A sample of what tests/benchmarks/fuzz.py does in full.
"""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streams.fuzzing import (
    ROOT_FILE_SYSTEM,
    SAMPLES,
    Answer,
    Way,
    answer_of,
    complaint,
    flipped,
    truncated,
)
from streams.raw_tar import END

FLIPS_STRIDE = 17  # no divisor of a block, so that all of a header's fields have their turn
CUTS_STRIDE = 61
MASKS = (0x01, 0x80, 0x20, 0xFF, 0x04, 0x10)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


@pytest.fixture(params=["file", "pipe"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    return Way(request.param, tmp_path)


@pytest.fixture(params=list(SAMPLES))
def sample(request: pytest.FixtureRequest) -> bytes:
    return SAMPLES[request.param]


def right_answer(way: Way, data: bytes) -> Answer:
    with way.name_for(data) as name:
        answer = answer_of(name)
    assert answer.entries
    assert all(answer.entries)
    return answer


def complaints(way: Way, right: Answer, cases: Iterable[tuple[str, bytes]]) -> list[str]:
    found = ((damage, complaint(way, data, right)) for damage, data in cases)
    return [f"{damage}: {problem}" for damage, problem in found if problem]


def test_cut_off_anywhere(way: Way, sample: bytes) -> None:
    right = right_answer(way, sample)
    assert complaints(way, right, truncated(sample, CUTS_STRIDE)) == []


def test_one_byte_changed(way: Way, sample: bytes) -> None:
    right = right_answer(way, sample)
    assert complaints(way, right, flipped(sample, MASKS, FLIPS_STRIDE)) == []


def test_a_root_file_system_cut_off_anywhere(way: Way) -> None:
    right = right_answer(way, ROOT_FILE_SYSTEM)
    # Up to the first byte of the end marker, which is what tells that nothing is missing.
    whole = ROOT_FILE_SYSTEM.removesuffix(END) + b"\0"
    assert complaints(way, right, truncated(whole, CUTS_STRIDE)) == []


EDITS = st.lists(
    st.tuples(
        st.integers(0, 1 << 16), st.integers(0, 1600), st.binary(max_size=600) | st.just(bytes(512))
    ),
    min_size=1,
    max_size=3,
)


@given(name=st.sampled_from(list(SAMPLES)), edits=EDITS)
@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_pieces_replaced(way: Way, name: str, edits: list[tuple[int, int, bytes]]) -> None:
    sample = SAMPLES[name]
    damaged = sample
    for at, length, replacement in edits:
        start = at % (len(damaged) + 1)
        damaged = damaged[:start] + replacement + damaged[start + length :]
    assert complaint(way, damaged, right_answer(way, sample)) is None


def test_the_judge_tells_another_answer_from_the_right_one(way: Way) -> None:
    right = right_answer(way, SAMPLES["oci-archive"])
    assert complaint(way, SAMPLES["oci-archive"], right) is None
    said = complaint(way, SAMPLES["docker-archive"], right)
    assert said is not None
    assert said.startswith("another answer")
